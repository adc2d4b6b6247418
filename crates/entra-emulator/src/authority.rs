//! Who signs Entra's assertions? A small `login.microsoftonline.com`: one RSA key, published for every tenant.

use std::{fmt, net::SocketAddr, sync::Arc};

use chrono::Utc;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, header::CONTENT_TYPE, service::service_fn};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey as _, rand_core::OsRng};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::credential::Identity;

/// The size of its key; that of Entra's own.
const KEY_BITS: usize = 2048;
/// How long an assertion is good for, in seconds.
const ASSERTION_LIFETIME_S: i64 = 3600;

/// The authority could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Its address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Its key cannot be made.
    #[error("cannot make an RSA key")]
    Key(#[source] rsa::Error),
    /// Its key cannot be written down.
    #[error("cannot encode the RSA key")]
    Encoding(#[source] rsa::pkcs1::Error),
    /// Its key cannot be published.
    #[error("cannot describe the RSA key as a JWK")]
    Jwk(#[source] jsonwebtoken::errors::Error),
}

/// Signs assertions and publishes its key at `/{tenant}/discovery/v2.0/keys` as long as any clone of it is there.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    key: EncodingKey,
    key_id: String,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority").field(&self.url()).finish()
    }
}

impl Authority {
    /// Makes a key and listens. Port 0 takes a free one.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub async fn start(address: SocketAddr) -> Result<Self, AuthorityError> {
        let listen = |error| AuthorityError::Listen(address, error);
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let private = RsaPrivateKey::new(&mut OsRng, KEY_BITS).map_err(AuthorityError::Key)?;
        let der = private.to_pkcs1_der().map_err(AuthorityError::Encoding)?;
        let key = EncodingKey::from_rsa_der(der.as_bytes());
        let key_id = Uuid::new_v4().simple().to_string();
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(AuthorityError::Jwk)?;
        jwk.common.key_id = Some(key_id.clone());
        let mut jwk = json!(jwk);
        jwk["use"] = json!("sig");
        let document = json!({ "keys": [jwk] }).to_string();
        let listening = tokio::spawn(publish(listener, document));
        Ok(Self(Arc::new(Inner { address, key, key_id, listening })))
    }

    /// Where it is; the base of every issuer.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The `iss` of a tenant's assertions.
    #[must_use]
    pub fn issuer(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.url())
    }

    /// A new assertion with the claims that Entra's have.
    pub(crate) fn assertion(&self, identity: &Identity) -> Result<String, jsonwebtoken::errors::Error> {
        let Identity { tenant, subject, audience } = identity;
        let now = Utc::now().timestamp();
        let claims = json!({
            "aud": audience, "iss": self.issuer(tenant), "iat": now, "nbf": now, "exp": now + ASSERTION_LIFETIME_S,
            "oid": subject, "sub": subject, "tid": tenant, "uti": Uuid::new_v4().simple().to_string(), "ver": "2.0",
        });
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.0.key_id.clone());
        #[expect(clippy::disallowed_methods, reason = "this is Entra's assertion, not a token of ours")]
        jsonwebtoken::encode(&header, claims, &self.0.key)
    }
}

/// Answers for as long as it is polled. Whoever asks is served one after the other: there is one asker, now and then.
async fn publish(listener: TcpListener, document: String) {
    let document = Bytes::from(document);
    loop {
        // A connection that cannot be accepted is the asker's to repeat.
        let Ok((socket, _)) = listener.accept().await else { continue };
        let answering = service_fn(|request| std::future::ready(answer(&request, document.clone())));
        let connection = hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(socket), answering);
        // One that breaks off is the asker's to repeat as well.
        connection.await.ok();
    }
}

fn answer<B>(request: &Request<B>, document: Bytes) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    if request.uri().path().ends_with("/discovery/v2.0/keys") {
        Response::builder().header(CONTENT_TYPE, "application/json").body(Full::new(document))
    } else {
        Response::builder().status(StatusCode::NOT_FOUND).body(Full::default())
    }
}
