//! The load generator's HTTP client: one kept connection, one request at a time, no pool, no redirects.
//!
//! hyper's connection without the layers above it, because every microsecond spent here is missing in what is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection to the gateway, as one caller.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

impl Connection {
    /// Connects; `token` is what the company's administrator gave Entra.
    pub(crate) async fn open(address: SocketAddr, token: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.context("no HTTP/1.1 connection")?;
        // Its failure is also the failure of the request that waits for it.
        tokio::spawn(async move { drop(connection.await) });
        let host = HeaderValue::from_str(&address.to_string()).context("not a host")?;
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {token}")).context("the token is no header value")?;
        authorization.set_sensitive(true);
        Ok(Self { sender, host, authorization })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.host.clone())
            .header(AUTHORIZATION, self.authorization.clone());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/scim+json; charset=utf-8");
        }
        let request =
            request.body(Full::from(body.unwrap_or_default())).context("cannot build the request")?;
        self.sender.ready().await.context("the connection was closed")?;
        let answer = self.sender.send_request(request).await.context("no answer")?;
        let status = answer.status();
        let body = answer.into_body().collect().await.context("half an answer")?.to_bytes();
        Ok((status, body))
    }
}
