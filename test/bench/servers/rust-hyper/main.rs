// hyper on one thread: plaintext, JSON of a fixed text, 64 KiB, and the body back. It finds out by itself whether a client speaks HTTP/2.
use hyper::service::{make_service_fn, service_fn};
use hyper::{header, Body, Request, Response, Server};
use std::convert::Infallible;

const JSON: &str = r#"{"message":"Hello, World!","at":[1,2,3],"user":{"id":7,"name":"Ada"}}"#;

async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let (kind, body) = match request.uri().path() {
        "/" => ("text/plain; charset=utf-8", Body::from("Hello, World!")),
        "/json" => ("application/json; charset=utf-8", Body::from(JSON)),
        "/large" => ("application/octet-stream", Body::from(&LARGE[..])),
        "/echo" => match hyper::body::to_bytes(request.into_body()).await {
            Ok(bytes) => ("application/octet-stream", Body::from(bytes)),
            Err(_) => return Ok(status(400)),
        },
        _ => return Ok(status(404)),
    };
    Ok(Response::builder().header(header::CONTENT_TYPE, kind).body(body).unwrap())
}

/// 64 KiB.
static LARGE: [u8; 65536] = large();

const fn large() -> [u8; 65536] {
    let digits = b"0123456789abcdef";
    let mut bytes = [0; 65536];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = digits[at % 16];
        at += 1;
    }
    bytes
}

fn status(code: u16) -> Response<Body> {
    Response::builder().status(code).body(Body::empty()).unwrap()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let make = make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(answer)) });
        let server = Server::bind(&([127, 0, 0, 1], 0).into()).http1_pipeline_flush(true).tcp_nodelay(true).serve(make);
        println!("{}", server.local_addr().port());
        server.await.unwrap();
    });
}
