//! How are requests sent? HTTP/1.1 with exactly Entra's headers, a time limit, and patience for `Retry-After`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Response, Uri,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE as CONTENT_TYPE_HEADER, HeaderMap, RETRY_AFTER},
};
use secrecy::ExposeSecret;

use crate::{
    access::{Access, Bearer},
    connections::{Pool, absolute, chain},
    credential::Credential,
    exchange::{Answer, Exchange, WireLog},
    latency::Latencies,
    wire::Request,
};

/// What Entra sends with every body, and only with a body.
pub(crate) const CONTENT_TYPE: &str = "application/scim+json; charset=utf-8";

/// The largest response that is read, in bytes.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
/// How often one request is repeated after a 429 or 503 that says when.
const MAX_REPEATS: u32 = 3;
/// The longest `Retry-After` that is waited for, in seconds; a longer one is treated as a failure of now.
const MAX_RETRY_AFTER_S: u64 = 120;

/// A shorter token is a test's, not a secret, and occurs in ordinary text: blotting it out would garble answers.
const MIN_SECRET_BYTES: usize = 12;

/// What a fault begins with when there was nothing to authenticate a request with.
const NO_ACCESS_TOKEN: &str = "no access token";

/// Whether nothing was sent because the token endpoint gave nothing to send it with.
pub(crate) fn lacks_access(exchange: &Exchange) -> bool {
    matches!(&exchange.answer, Answer::Nothing { fault, .. } if fault.starts_with(NO_ACCESS_TOKEN))
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The tenant URL is not an absolute `http` or `https` URL.
    #[error("the tenant URL must look like https://host/scim")]
    TenantUrl,
    /// The token is empty or holds characters that no header may carry.
    #[error("the secret token must be visible ASCII; is it empty, or was a line break pasted with it?")]
    SecretToken,
    /// The token endpoint is not an absolute `http` or `https` URL.
    #[error("the token endpoint must look like https://host/oauth2/token")]
    TokenEndpoint,
    /// The client's id is empty, or its secret is.
    #[error("the client id and the client secret must not be empty")]
    ClientSecret,
    /// The machine's certificate roots could not be read.
    #[error("cannot read this machine's certificate roots")]
    CertificateRoots(#[source] std::io::Error),
    /// The wire log could not be created.
    #[error("cannot create the wire log")]
    WireLog(#[source] std::io::Error),
}

/// What is kept of the traffic of one cycle.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) exchanges: Vec<Arc<Exchange>>,
    pub(crate) latencies: Latencies,
    pub(crate) repeats: u64,
    pub(crate) wire_log_fault: Option<String>,
}

/// Sends requests to one SCIM server with one credential.
pub(crate) struct Client {
    pool: Pool,
    base: String,
    query_suffix: Option<String>,
    access: Access,
    time_limit: Duration,
    keep_exchanges: bool,
    wire_log: Option<WireLog>,
    traffic: Mutex<Traffic>,
}

/// What a client needs to know.
pub(crate) struct ClientSettings<'a> {
    pub(crate) base: &'a str,
    pub(crate) query_suffix: Option<String>,
    pub(crate) credential: Credential,
    pub(crate) time_limit: Duration,
    pub(crate) keep_exchanges: bool,
    pub(crate) wire_log: Option<WireLog>,
}

impl Client {
    pub(crate) fn new(settings: ClientSettings<'_>) -> Result<Self, SetupError> {
        let base = settings.base.trim_end_matches('/');
        let uri = absolute(base).ok_or(SetupError::TenantUrl)?;
        Ok(Self {
            pool: Pool::new(uri.scheme_str() == Some("https"))?,
            base: base.to_owned(),
            query_suffix: settings.query_suffix,
            access: Access::new(settings.credential, settings.time_limit)?,
            time_limit: settings.time_limit,
            keep_exchanges: settings.keep_exchanges,
            wire_log: settings.wire_log,
            traffic: Mutex::default(),
        })
    }

    /// Sends a request and repeats it while the server answers 429 or 503 and says when to come back. The last
    /// attempt is returned, whatever came of it.
    ///
    /// A refused access token is replaced by a new one, once: it may have ended before the time that it was given.
    pub(crate) async fn send(&self, request: Request) -> Arc<Exchange> {
        let mut attempt = 1;
        let mut may_renew = self.access.is_renewable();
        loop {
            let bearer = self.access.bearer().await;
            let exchange = Arc::new(self.attempt(&request, bearer.as_ref(), attempt).await);
            self.record(&exchange);
            match wait_before_repeat(&exchange) {
                None if exchange.status() == Some(401) && std::mem::take(&mut may_renew) => {
                    let Ok(refused) = bearer else { return exchange };
                    self.access.forget(&refused).await;
                    // Without another one, the refusal is what there is to tell.
                    if self.access.bearer().await.is_err() {
                        return exchange;
                    }
                }
                Some(wait) if attempt <= MAX_REPEATS => tokio::time::sleep(wait).await,
                _ => return exchange,
            }
            attempt += 1;
        }
    }

    /// The traffic since this was last asked.
    pub(crate) fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut *self.traffic.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn attempt(&self, request: &Request, bearer: Result<&Bearer, &String>, attempt: u32) -> Exchange {
        let url = self.url(&request.target);
        let sent_at = Utc::now();
        let started = Instant::now();
        let exchanging = async {
            let bearer = bearer.map_err(|fault| format!("{NO_ACCESS_TOKEN}: {fault}"))?;
            self.exchange(request, bearer, &url).await
        };
        let answer = match tokio::time::timeout(self.time_limit, exchanging).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(fault)) => Answer::Nothing { fault, timed_out: false },
            Err(_elapsed) => {
                Answer::Nothing { fault: format!("no answer within {:?}", self.time_limit), timed_out: true }
            }
        };
        Exchange {
            purpose: request.purpose,
            method: request.method,
            target: url
                .parse::<Uri>()
                .ok()
                .and_then(|uri| Some(uri.path_and_query()?.to_string()))
                .unwrap_or(url),
            request_body: request.body.clone(),
            attempt,
            sent_at,
            duration: started.elapsed(),
            answer,
        }
    }

    async fn exchange(&self, request: &Request, bearer: &Bearer, url: &str) -> Result<Answer, String> {
        let mut builder = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(url)
            .header(AUTHORIZATION, bearer.header.clone());
        let body = match &request.body {
            Some(body) => {
                builder = builder.header(CONTENT_TYPE_HEADER, CONTENT_TYPE);
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let message = builder.body(Full::new(body)).map_err(|error| chain(&error))?;
        let response = self.pool.request(message).await.map_err(|error| chain(&error))?;
        self.receive(response, bearer).await
    }

    async fn receive(&self, response: Response<Incoming>, bearer: &Bearer) -> Result<Answer, String> {
        let (head, body) = response.into_parts();
        let header = |name| header_text(&head.headers, name);
        let (content_type, retry_after) = (header(CONTENT_TYPE_HEADER), header(RETRY_AFTER));
        let bytes = Limited::new(body, MAX_RESPONSE_BYTES)
            .collect()
            .await
            .map_err(|error| format!("the response body broke off: {}", chain(error.as_ref())))?
            .to_bytes();
        Ok(Answer::Response {
            status: head.status.as_u16(),
            content_type,
            retry_after_s: retry_after.and_then(|text| text.trim().parse().ok()),
            body: without_token(String::from_utf8_lossy(&bytes).into_owned(), bearer),
        })
    }

    fn url(&self, target: &str) -> String {
        let mut url = format!("{}{target}", self.base);
        if let Some(suffix) = &self.query_suffix {
            url.push(if target.contains('?') { '&' } else { '?' });
            url.push_str(suffix);
        }
        url
    }

    fn record(&self, exchange: &Arc<Exchange>) {
        let logged = self.wire_log.as_ref().map_or(Ok(()), |log| log.add(exchange));
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.latencies.add(exchange.purpose, exchange.duration);
        traffic.repeats += u64::from(exchange.attempt > 1);
        if let Err(fault) = logged {
            traffic.wire_log_fault = Some(fault.to_string());
        }
        if self.keep_exchanges {
            traffic.exchanges.push(Arc::clone(exchange));
        }
    }
}

/// An answer in which what was sent as its bearer token does not occur, wherever the server repeats it.
fn without_token(body: String, bearer: &Bearer) -> String {
    match bearer.token.expose_secret() {
        token if token.len() >= MIN_SECRET_BYTES && body.contains(token) => {
            body.replace(token, "[redacted token]")
        }
        _ => body,
    }
}

/// How long to wait before the request is repeated; `None` when it is not to be repeated.
fn wait_before_repeat(exchange: &Exchange) -> Option<Duration> {
    match &exchange.answer {
        Answer::Response { status: 429 | 503, retry_after_s: Some(seconds), .. }
            if *seconds <= MAX_RETRY_AFTER_S =>
        {
            Some(Duration::from_secs(*seconds))
        }
        _ => None,
    }
}

fn header_text(headers: &HeaderMap, name: hyper::header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
