//! The load generator's HTTP client: one kept connection, one request at a time, no pool, no redirects.
//!
//! hyper's connection without the layers above it, because every microsecond spent here is missing in what is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN, SET_COOKIE},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What a caller shows with every request.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// What the company's administrator gave Entra.
    Token(String),
    /// What the console gave a browser at sign-in: `name=value`.
    Cookie(String),
}

impl Credential {
    fn header(&self) -> Result<(HeaderName, HeaderValue)> {
        let (name, text) = match self {
            Self::Token(token) => (AUTHORIZATION, format!("Bearer {token}")),
            Self::Cookie(cookie) => (COOKIE, cookie.clone()),
        };
        let mut value = HeaderValue::from_str(&text).context("the credential is no header value")?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.context("no HTTP/1.1 connection")?;
    // Its failure is also the failure of the request that waits for it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// Signs in to the console by its form, as a browser does.
///
/// # Errors
/// When the console does not let them in.
pub(crate) async fn sign_in(console_url: &str, email: &str, password: &str) -> Result<Credential> {
    let host = console_url.trim_start_matches("http://");
    let address = host.parse().with_context(|| format!("no address in {console_url}"))?;
    let form = format!("email={}&password={}", form_encoded(email), form_encoded(password));
    let request = Request::post("/sign-in")
        .header(HOST, host)
        .header(ORIGIN, console_url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(form))
        .context("cannot build the request")?;
    let answer = connect(address).await?.send_request(request).await.context("no answer")?;
    let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()?.split(';').next());
    match (answer.status(), cookie) {
        (StatusCode::SEE_OTHER, Some(cookie)) => Ok(Credential::Cookie(cookie.to_owned())),
        (status, _) => bail!("the console answered {status} to {email} who signs in"),
    }
}

fn form_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// A connection to the gateway or the console, as one caller.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    credential: (HeaderName, HeaderValue),
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr, credential: &Credential) -> Result<Self> {
        let sender = connect(address).await?;
        let host = HeaderValue::from_str(&address.to_string()).context("not a host")?;
        Ok(Self { sender, host, credential: credential.header()? })
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
            .header(self.credential.0.clone(), self.credential.1.clone());
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

    /// Opens a stream of events.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn stream(mut self, path: &str) -> Result<Events> {
        let request = Request::get(path)
            .header(HOST, self.host.clone())
            .header(self.credential.0.clone(), self.credential.1.clone())
            .body(Full::default())
            .context("cannot build the request")?;
        let answer = self.sender.send_request(request).await.context("no answer")?;
        match answer.status() {
            StatusCode::OK => Ok(Events { body: answer.into_body(), _open: self.sender }),
            status => bail!("GET {path} was answered with {status}"),
        }
    }
}

/// What comes of a stream of events.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    /// The connection lives as long as it.
    _open: SendRequest<Full<Bytes>>,
}

impl Events {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        match self.body.frame().await {
            None => Ok(None),
            Some(frame) => Ok(Some(frame.context("the stream broke off")?.into_data().unwrap_or_default())),
        }
    }

    /// Reads on until it ends.
    pub(crate) async fn end(&mut self) -> Result<()> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}
