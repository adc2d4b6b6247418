//! Somebody at a shell who asks the bus as one of its users, word by word, so that no library helps.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// JetStream answers in milliseconds, or never.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the bus answers to a question about streams or consumers, put by the user that the address names, in whose inbox
/// the answer comes; or its objection.
///
/// # Panics
/// When nobody listens at the address, or nothing comes back.
pub async fn ask(url: &str, subject: &str, question: &Value) -> Result<Value, String> {
    let (user, address) = url.trim_start_matches("nats://").split_once('@').expect("a user's address");
    let (user, password) = user.split_once(':').expect("a password");
    let mut stream = BufReader::new(TcpStream::connect(address).await.expect("somebody listens"));
    let (inbox, question) = (format!("_INBOX.{user}.asked"), question.to_string());
    let said = format!(
        "CONNECT {{\"verbose\":false,\"user\":\"{user}\",\"pass\":\"{password}\"}}\r\nSUB {inbox} 1\r\n\
         PUB {subject} {inbox} {}\r\n{question}\r\n",
        question.len()
    );
    stream.write_all(said.as_bytes()).await.expect("it can be asked");
    timeout(PATIENCE, answer(stream)).await.unwrap_or_else(|_| panic!("no answer to {subject}"))
}

async fn answer(mut stream: BufReader<TcpStream>) -> Result<Value, String> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("it goes on");
        assert!(!line.is_empty(), "the connection ended without an answer");
        if line.starts_with("-ERR") {
            return Err(line);
        }
        if let Some(message) = line.strip_prefix("MSG ") {
            let length = message.split_whitespace().last().and_then(|length| length.parse().ok());
            let mut body = vec![0; length.expect("a length")];
            stream.read_exact(&mut body).await.expect("a whole message");
            return Ok(serde_json::from_slice(&body).expect("JSON"));
        }
    }
}
