//! What is sent as `Authorization`? The secret token, or an access token that is got, kept, and renewed before it ends.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    client::SetupError,
    connections::{Pool, absolute, chain},
    credential::{Credential, Identity, OAuthClient, SecretPlace},
};

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The largest answer of a token endpoint that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// An access token is renewed when this much of its life is left; a tenth of it, if that is less.
const MARGIN: Duration = Duration::from_secs(300);
/// The life of a token whose answer names none, in seconds.
const DEFAULT_LIFETIME_S: u64 = 3600;
/// How often a token endpoint is asked again that says when to come back.
const MAX_REPEATS: u32 = 3;
/// The longest such wait, in seconds.
const MAX_RETRY_AFTER_S: u64 = 120;
/// As much of an error's description as is shown, in characters.
const MAX_SHOWN: usize = 500;

/// What authenticates a request.
#[derive(Clone)]
pub(crate) struct Bearer {
    pub(crate) header: HeaderValue,
    pub(crate) token: SecretString,
}

impl Bearer {
    fn new(token: SecretString) -> Option<Self> {
        let text = token.expose_secret();
        if text.is_empty() {
            return None;
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).ok()?;
        header.set_sensitive(true);
        Some(Self { header, token })
    }
}

/// Comes by it.
pub(crate) enum Access {
    /// There is nothing to come by.
    Secret(Bearer),
    /// From a token endpoint.
    Granted(Box<Granted>),
}

pub(crate) struct Granted {
    pool: Pool,
    client: OAuthClient,
    proof: Proof,
    time_limit: Duration,
    held: Mutex<Option<(Bearer, Instant)>>,
}

enum Proof {
    Secret(SecretString, SecretPlace),
    Assertion(crate::authority::Authority, Identity),
}

impl Access {
    pub(crate) fn new(credential: Credential, time_limit: Duration) -> Result<Self, SetupError> {
        let (client, proof) = match credential {
            Credential::SecretToken(token) => {
                return Bearer::new(token).map(Self::Secret).ok_or(SetupError::SecretToken);
            }
            Credential::ClientSecret { client, secret, place } => (client, Proof::Secret(secret, place)),
            Credential::Federation { client, authority, identity } => {
                (client, Proof::Assertion(authority, identity))
            }
        };
        let is_empty = matches!(&proof, Proof::Secret(secret, _) if secret.expose_secret().is_empty());
        if is_empty || client.id.is_empty() {
            return Err(SetupError::ClientSecret);
        }
        let endpoint = absolute(&client.token_endpoint).ok_or(SetupError::TokenEndpoint)?;
        let pool = Pool::new(endpoint.scheme_str() == Some("https"))?;
        Ok(Self::Granted(Box::new(Granted { pool, client, proof, time_limit, held: Mutex::default() })))
    }

    /// Whether there may be another token when one is refused.
    pub(crate) fn is_renewable(&self) -> bool {
        matches!(self, Self::Granted(_))
    }

    /// What to send now, or why there is nothing to send.
    pub(crate) async fn bearer(&self) -> Result<Bearer, String> {
        let granted = match self {
            Self::Secret(bearer) => return Ok(bearer.clone()),
            Self::Granted(granted) => granted,
        };
        // Held while asking, so that requests in flight together wait for one token.
        let mut held = granted.held.lock().await;
        if let Some((bearer, renewed_at)) = &*held
            && Instant::now() < *renewed_at
        {
            return Ok(bearer.clone());
        }
        let (bearer, lifetime) = granted.ask().await?;
        let renewed_at = Instant::now() + lifetime.saturating_sub(MARGIN.min(lifetime / 10));
        *held = Some((bearer.clone(), renewed_at));
        Ok(bearer)
    }

    /// A token that was refused is not sent again, unless another request has replaced it already.
    pub(crate) async fn forget(&self, refused: &Bearer) {
        if let Self::Granted(granted) = self {
            let mut held = granted.held.lock().await;
            if held.as_ref().is_some_and(|(bearer, _)| bearer.header == refused.header) {
                *held = None;
            }
        }
    }
}

impl Granted {
    /// Asks for a token, again when the endpoint says when.
    async fn ask(&self) -> Result<(Bearer, Duration), String> {
        let mut attempt = 1;
        loop {
            let asking = tokio::time::timeout(self.time_limit, self.attempt());
            let (status, headers, body) =
                asking.await.map_err(|_elapsed| format!("no answer within {:?}", self.time_limit))??;
            match wait(status, &headers) {
                Some(wait) if attempt <= MAX_REPEATS => tokio::time::sleep(wait).await,
                _ => return granted(status, &body),
            }
            attempt += 1;
        }
    }

    async fn attempt(&self) -> Result<(StatusCode, HeaderMap, Bytes), String> {
        let request = self.request()?;
        let response = self.pool.request(request).await.map_err(|error| chain(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| format!("the answer broke off: {}", chain(error.as_ref())))?;
        Ok((head.status, head.headers, body.to_bytes()))
    }

    /// RFC 6749 §4.4.2; the order of the parameters is nobody's promise.
    fn request(&self) -> Result<Request<Full<Bytes>>, String> {
        let mut builder = Request::post(&self.client.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        match &self.proof {
            Proof::Secret(secret, SecretPlace::Body) => {
                form.append_pair("client_id", &self.client.id)
                    .append_pair("client_secret", secret.expose_secret());
            }
            Proof::Secret(secret, SecretPlace::Basic) => {
                builder = builder.header(AUTHORIZATION, basic(&self.client.id, secret)?);
            }
            Proof::Assertion(authority, identity) => {
                let assertion = authority.assertion(identity).map_err(|error| chain(&error))?;
                form.append_pair("client_id", &self.client.id)
                    .append_pair("client_assertion_type", ASSERTION_TYPE)
                    .append_pair("client_assertion", &assertion)
                    .append_pair("scope", &format!("{}/.default", identity.audience));
            }
        }
        builder.body(Full::new(Bytes::from(form.finish()))).map_err(|error| chain(&error))
    }
}

/// Each part is form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &SecretString) -> Result<HeaderValue, String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose_secret()));
    let pair = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair);
    let mut header = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|error| chain(&error))?;
    header.set_sensitive(true);
    Ok(header)
}

fn wait(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    (seconds <= MAX_RETRY_AFTER_S).then(|| Duration::from_secs(seconds))
}

/// The token of an answer (RFC 6749 §5.1), or what the error says (§5.2).
fn granted(status: StatusCode, body: &[u8]) -> Result<(Bearer, Duration), String> {
    let body: Value = serde_json::from_slice(body).map_err(|_no_json| {
        format!("the token endpoint answered {status} with something that is not JSON")
    })?;
    if status != StatusCode::OK {
        let text =
            |name: &str| body[name].as_str().unwrap_or("(none)").chars().take(MAX_SHOWN).collect::<String>();
        return Err(format!(
            "the token endpoint answered {status}, {}: {}",
            text("error"),
            text("error_description")
        ));
    }
    if !body["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err("the token endpoint's answer has no token_type Bearer".to_owned());
    }
    let token = body["access_token"].as_str().unwrap_or_default().to_owned();
    let bearer = Bearer::new(token.into()).ok_or("the token endpoint's answer has no usable access_token")?;
    let lifetime = body["expires_in"].as_u64().unwrap_or(DEFAULT_LIFETIME_S);
    Ok((bearer, Duration::from_secs(lifetime)))
}
