// tiny_http, which Rouille serves with, its requests taken by eight threads as Rouille takes them.
use std::sync::Arc;
use std::thread;
use tiny_http::{Header, Request, Response, Server};

const JSON: &str = r#"{"message":"Hello, World!","at":[1,2,3],"user":{"id":7,"name":"Ada"}}"#;

fn answer(mut request: Request) {
    let (kind, body) = match request.url() {
        "/" => ("text/plain; charset=utf-8", b"Hello, World!".to_vec()),
        "/json" => ("application/json; charset=utf-8", JSON.as_bytes().to_vec()),
        "/echo" => {
            let mut body = Vec::new();
            if request.as_reader().read_to_end(&mut body).is_err() {
                return;
            }
            ("application/octet-stream", body)
        }
        _ => {
            let _ = request.respond(Response::empty(404));
            return;
        }
    };
    let header = Header::from_bytes(&b"Content-Type"[..], kind.as_bytes()).unwrap();
    let _ = request.respond(Response::from_data(body).with_header(header).with_chunked_threshold(usize::MAX));
}

fn main() {
    let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
    println!("{}", server.server_addr().to_ip().unwrap().port());
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let server = server.clone();
            thread::spawn(move || {
                for request in server.incoming_requests() {
                    answer(request);
                }
            })
        })
        .collect();
    for one in threads {
        one.join().unwrap();
    }
}
