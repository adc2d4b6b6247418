//! The authority that signs the assertions of federated clients: its issuers, and its keys by tenant.
//!
//! Every address is made of a setting of ours and a tenant's UUID, so no customer decides where this service connects.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    Response, StatusCode, Uri,
    body::{Bytes, Incoming},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use quick_cache::sync::Cache;
use service_runtime::{
    Causes,
    clock::Clock,
    http::is_loopback,
    settings::{Reader, Setting},
};
use token_protocol::assertion::{self, Assertion, AuthorityKeys, Expected};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::metrics::Metrics;

const AUTHORITY: Setting = Setting::new(
    "TIMECLOCK_FEDERATION_AUTHORITY",
    "Who signs the assertions of federated clients; it differs in national clouds.",
)
.form("like https://login.microsoftonline.com; http is for loopback addresses only");

/// How long fetching a tenant's keys may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// The largest document of keys, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;
/// How long keys are taken for current, in seconds.
const FRESH: u64 = 3600;
/// How long keys are still used while the authority does not answer, in seconds.
const STALE: u64 = 24 * 3600;
/// A tenant's keys are not fetched again within this time, in seconds, whatever key ids are asked for.
const PAUSE: u64 = 60;
/// Tenants whose keys are remembered.
const TENANTS: usize = 1_000;

/// Where assertions come from, such as `https://login.microsoftonline.com`; without a slash at its end.
#[derive(Debug, Clone)]
pub(crate) struct AuthorityUrl(String);

impl AuthorityUrl {
    /// Reads the setting.
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let text = reader.with_default(AUTHORITY, "https://login.microsoftonline.com");
        if !is_acceptable(&text) {
            reader.refuse(AUTHORITY);
        }
        Self(text.trim_end_matches('/').to_owned())
    }
}

fn is_acceptable(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let Some(host) = uri.host().filter(|host| !host.is_empty()) else { return false };
    let is_plain =
        uri.query().is_none() && uri.authority().is_some_and(|whole| !whole.as_str().contains('@'));
    is_plain
        && match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(host),
            _ => false,
        }
}

/// Why an assertion proves nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Refused(#[from] assertion::Refusal),
    /// Neither the authority nor our memory has keys.
    #[error("the authority that signs assertions does not answer at the moment")]
    Unavailable,
}

/// Knows the keys. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Authority {
    url: AuthorityUrl,
    pool: Pool,
    tenants: Arc<Cache<Uuid, Arc<Mutex<Tenant>>>>,
    clock: Clock,
    metrics: Metrics,
}

/// Connections to the authority.
#[derive(Clone)]
enum Pool {
    Plain(Client<HttpConnector, Empty<Bytes>>),
    Secure(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>),
    /// This machine has no certificate roots. Secrets and tokens work all the same.
    Nowhere,
}

impl Pool {
    fn new(is_secure: bool) -> Self {
        let builder = Client::builder(TokioExecutor::new());
        let mut connector = HttpConnector::new();
        if !is_secure {
            return Self::Plain(builder.build(connector));
        }
        connector.enforce_http(false);
        match hyper_rustls::HttpsConnectorBuilder::new().with_native_roots() {
            Ok(tls) => Self::Secure(builder.build(tls.https_only().enable_http1().wrap_connector(connector))),
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "without certificate roots no assertion can be verified");
                Self::Nowhere
            }
        }
    }

    /// What is there. Neither client follows redirects, so the setting alone says who is asked.
    async fn get(&self, address: Uri) -> Result<Response<Incoming>, FetchError> {
        match self {
            Self::Plain(client) => Ok(client.get(address).await?),
            Self::Secure(client) => Ok(client.get(address).await?),
            Self::Nowhere => Err(FetchError::Roots),
        }
    }
}

/// What is known of one tenant's keys. Times are seconds since the epoch.
#[derive(Default)]
struct Tenant {
    keys: Option<(AuthorityKeys, u64)>,
    tried_at: Option<u64>,
}

impl Tenant {
    fn usable(&self, now: u64) -> Option<&AuthorityKeys> {
        self.keys.as_ref().filter(|(_, fetched_at)| now < fetched_at + STALE).map(|(keys, _)| keys)
    }

    fn is_fresh(&self, now: u64) -> bool {
        self.keys.as_ref().is_some_and(|(_, fetched_at)| now < fetched_at + FRESH)
    }

    fn may_try(&self, now: u64) -> bool {
        self.tried_at.is_none_or(|tried_at| now >= tried_at + PAUSE)
    }
}

/// Keys could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the address of the keys is malformed")]
    Address(#[from] hyper::http::uri::InvalidUri),
    #[error("this machine has no certificate roots")]
    Roots,
    #[error("the authority cannot be reached")]
    Connection(#[from] hyper_util::client::legacy::Error),
    #[error("the authority answered {0} instead of its keys")]
    Status(StatusCode),
    #[error("the authority's answer broke off or is longer than {MAX_DOCUMENT} bytes")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Document(#[from] assertion::KeysError),
    #[error("the authority did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
}

impl Authority {
    /// Connects nowhere yet.
    pub(crate) fn new(url: AuthorityUrl, clock: Clock, metrics: Metrics) -> Self {
        let pool = Pool::new(url.0.starts_with("https:"));
        Self { url, pool, tenants: Arc::new(Cache::new(TENANTS)), clock, metrics }
    }

    /// The `iss` of a tenant's assertions.
    pub(crate) fn issuer(&self, tenant: Uuid) -> String {
        format!("{}/{tenant}/v2.0", self.url.0)
    }

    /// Checks an assertion of this tenant.
    pub(crate) async fn verify(
        &self,
        tenant: Uuid,
        assertion: &str,
        subject: &str,
        audiences: &[String],
    ) -> Result<(), Failure> {
        let assertion = Assertion::read(assertion)?;
        let issuer = self.issuer(tenant);
        let expected = Expected { issuer: &issuer, subject, audiences };
        let keys = self.keys(tenant, assertion.key_id()).await.ok_or(Failure::Unavailable)?;
        Ok(assertion.verify(&keys, expected, self.clock.unix_seconds())?)
    }

    /// The tenant's keys, fetched when they are not known, old, or without this one; at most once a minute.
    async fn keys(&self, tenant: Uuid, key_id: &str) -> Option<AuthorityKeys> {
        let entry = match self.tenants.get(&tenant) {
            Some(entry) => entry,
            None => {
                let entry = Arc::<Mutex<Tenant>>::default();
                self.tenants.insert(tenant, Arc::clone(&entry));
                // Somebody else's entry, if that was faster, so that a tenant has one.
                self.tenants.get(&tenant).unwrap_or(entry)
            }
        };
        // Held while fetching, so that whoever needs the same keys waits for them instead of asking too.
        let mut known = entry.lock().await;
        let now = self.clock.unix_seconds();
        let suffices = known.is_fresh(now) && known.usable(now).is_some_and(|keys| keys.knows(key_id));
        if !suffices && known.may_try(now) {
            // Whoever hangs up meanwhile ends this attempt; it then counts for as long as one may take, so that nobody keeps
            // others from the keys by hanging up, and nobody makes us ask all the time.
            known.tried_at = Some((now + TIMEOUT.as_secs()).saturating_sub(PAUSE));
            let fetched = self.fetch(tenant).await;
            known.tried_at = Some(now);
            match fetched {
                Ok(keys) => {
                    self.metrics.key_fetches.with_label_values(&["ok"]).inc();
                    known.keys = Some((keys, now));
                }
                Err(error) => {
                    self.metrics.key_fetches.with_label_values(&["failed"]).inc();
                    tracing::warn!(%tenant, error = %Causes(&error), "cannot fetch a tenant's keys");
                }
            }
        }
        known.usable(now).cloned()
    }

    async fn fetch(&self, tenant: Uuid) -> Result<AuthorityKeys, FetchError> {
        let address: Uri = format!("{}/{tenant}/discovery/v2.0/keys", self.url.0).parse()?;
        let fetching = async {
            let response = self.pool.get(address).await?;
            if response.status() != StatusCode::OK {
                return Err(FetchError::Status(response.status()));
            }
            let body =
                Limited::new(response.into_body(), MAX_DOCUMENT).collect().await.map_err(FetchError::Body)?;
            Ok(AuthorityKeys::read(&body.to_bytes())?)
        };
        tokio::time::timeout(TIMEOUT, fetching).await.map_err(|_elapsed| FetchError::TimedOut)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_reached_by_https_or_on_this_machine() {
        for good in [
            "https://login.microsoftonline.com",
            "https://login.microsoftonline.us/",
            "http://127.0.0.1:9",
            "http://[::1]:9",
            "http://localhost:9",
        ] {
            assert!(is_acceptable(good), "{good}");
        }
        for bad in [
            "",
            "login.microsoftonline.com",
            "http://login.microsoftonline.com",
            "http://127.0.0.1.example.com",
            "ftp://localhost",
            "https://user@host",
            "https://host/?x=",
            "https://",
        ] {
            assert!(!is_acceptable(bad), "{bad}");
        }
    }
}
