//! What a listener owes its callers, beyond the answer.

use std::net::SocketAddr;

use actix_web::{HttpResponse, web};
use service_runtime::http::{Listener, Serving};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

/// More than the buffers of both ends hold together.
const BODY: usize = 32 * 1024 * 1024;

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_not_lost() {
    let listener = Listener::bind("early", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let mut client = TcpStream::connect(listener.address()).await.unwrap();
    let stop = CancellationToken::new();
    let serving = Serving { workers: 1, drain: std::time::Duration::from_secs(1) };
    let serve = listener.serve(serving, stop.clone(), |config| {
        config.default_service(web::to(|| async { HttpResponse::Unauthorized().body("who are you?") }));
    });

    let call = async {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; BODY]).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        stop.cancel();
        String::from_utf8(answer).unwrap()
    };
    let (served, answer) = tokio::join!(serve, call);

    served.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("who are you?"), "{answer}");
}
