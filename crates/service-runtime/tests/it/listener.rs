//! What a listener owes its callers, beyond the answer.

use std::net::SocketAddr;

use actix_web::{HttpResponse, web};
use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Serving},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

/// More than the buffers of both ends hold together.
const BODY: usize = 32 * 1024 * 1024;

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_not_lost() {
    let process = Process::new(Clock::system());
    let listener = Listener::bind(&process, "early", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
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

/// What the answer says the request is called.
async fn told(url: &str, by_caller: Option<&str>) -> String {
    let request = reqwest::Client::new().get(url);
    let request = by_caller.map_or(request.try_clone().unwrap(), |id| request.header("x-request-id", id));
    let answer = request.send().await.unwrap();
    let ids: Vec<_> = answer.headers().get_all("x-request-id").iter().collect();
    assert_eq!(ids.len(), 1, "{answer:?}");
    ids[0].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_answer_names_its_request_as_its_caller_does_or_by_an_id_of_its_own() {
    let process = Process::new(Clock::system());
    let listener = Listener::bind(&process, "named", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}/nowhere", listener.address());
    let serving = Serving { workers: 1, drain: std::time::Duration::from_secs(1) };
    let stop = CancellationToken::new();
    let serve = listener.serve(serving, stop.clone(), |config| {
        config.default_service(web::to(|| async { HttpResponse::NotFound().finish() }));
    });

    let calls = async {
        assert_eq!(told(&url, Some("Root=1-67891233-abc")).await, "Root=1-67891233-abc");
        let (one, other) = (told(&url, None).await, told(&url, None).await);
        assert_ne!(one, other);
        for bad in ["two words", &"a".repeat(65)] {
            let replaced = told(&url, Some(bad)).await;
            assert!(uuid::Uuid::try_parse(&replaced).is_ok(), "{replaced}");
        }
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serve, calls);
    served.unwrap();
}
