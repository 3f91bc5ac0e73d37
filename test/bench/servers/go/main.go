// net/http of Go's standard library, nothing on top.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

type user struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type value struct {
	Message string `json:"message"`
	At      []int  `json:"at"`
	User    user   `json:"user"`
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	io.WriteString(w, text)
}

func main() {
	files := os.Getenv("BENCH_FILES")
	text, err := os.ReadFile(filepath.Join(files, "static", "text.txt"))
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { plain(w, "Hello, World!") })
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		body, _ := json.Marshal(value{"Hello, World!", []int{1, 2, 3}, user{7, "Ada"}})
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(body)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		plain(w, r.PostFormValue("name")+" is "+r.PostFormValue("age"))
	})
	mux.HandleFunc("/text", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		packer := gzip.NewWriter(w)
		packer.Write(text)
		packer.Close()
	})
	large := []byte(strings.Repeat("0123456789abcdef", 4096))
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(large)))
		w.Write(large)
	})
	mux.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir(filepath.Join(files, "static")))))
	for n := 0; n < 100; n++ {
		prefix, number := fmt.Sprintf("/api/r%d/", n), strconv.Itoa(n)
		mux.HandleFunc(prefix, func(w http.ResponseWriter, r *http.Request) {
			plain(w, number+" "+strings.TrimPrefix(r.URL.Path, prefix))
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if os.Getenv("BENCH_TLS") == "1" {
		panic(http.ServeTLS(listener, mux, filepath.Join(files, "cert.pem"), filepath.Join(files, "key.pem")))
	}
	panic(http.Serve(listener, mux))
}
