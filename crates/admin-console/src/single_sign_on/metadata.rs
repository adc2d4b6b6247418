//! Asking an identity provider directly, for its metadata or for what a code stands for, at addresses that an administrator
//! has typed, without being made to call what only we can reach.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::web::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use prometheus::IntCounterVec;
use service_runtime::Causes;
use tower_service::Service;

use super::METADATA_URL_MOST;

/// How long fetching may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest document, in bytes. That of Entra has some 60,000.
pub(crate) const METADATA_MOST_BYTES: usize = 512 * 1024;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the address must begin with https:// and have at most {METADATA_URL_MOST} characters")]
    Address,
    #[error("the address leads to a private network")]
    Private,
    #[error("this machine has no certificate roots")]
    Roots,
    #[error("the identity provider cannot be reached")]
    Connection(#[source] hyper_util::client::legacy::Error),
    #[error("the identity provider answered {0} instead of what it was asked for")]
    Status(StatusCode),
    #[error("the answer broke off or is longer than {METADATA_MOST_BYTES} bytes")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the answer is not text in UTF-8")]
    NotText,
    /// Whoever it is about now, nobody here has said that they are trusted.
    #[error("the address now leads to the metadata of another identity provider")]
    AnotherIssuer,
    #[error("the identity provider did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
}

/// What is asked for, for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Also the configuration of an OpenID provider.
    Metadata,
    Keys,
    /// What a code stands for.
    Token,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Metadata, Self::Keys, Self::Token];

    /// The metric label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Keys => "keys",
            Self::Token => "token",
        }
    }
}

/// Every result, for the metrics.
pub(crate) const RESULTS: [&str; 3] = [OK, UNREACHABLE, REFUSED];
const OK: &str = "ok";
const UNREACHABLE: &str = "unreachable";
/// By us or by them.
const REFUSED: &str = "refused";

impl FetchError {
    /// The metric label; one of [`RESULTS`].
    const fn result(&self) -> &'static str {
        match self {
            Self::Roots | Self::Connection(_) | Self::TimedOut => UNREACHABLE,
            _ => REFUSED,
        }
    }
}

/// Asks identity providers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Fetcher {
    /// `None` where this machine has no certificate roots.
    client: Option<Client<HttpsConnector<HttpConnector<PublicNames>>, Full<Bytes>>>,
    allows_private: bool,
    /// By kind and result.
    fetches: IntCounterVec,
}

impl Fetcher {
    /// Connects nowhere yet. `allows_private` is for stacks on one machine, whose identity provider is there too.
    pub(crate) fn new(allows_private: bool, fetches: IntCounterVec) -> Self {
        let mut connector = HttpConnector::new_with_resolver(PublicNames { allows_private });
        connector.enforce_http(false);
        let client = match hyper_rustls::HttpsConnectorBuilder::new().with_native_roots() {
            Ok(tls) => {
                let tls = tls.https_or_http().enable_http1().wrap_connector(connector);
                // A connection that is kept would be used for a name that has been checked a while ago.
                Some(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(tls))
            }
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "without certificate roots no metadata can be fetched");
                None
            }
        };
        Self { client, allows_private, fetches }
    }

    /// The document. No redirect is followed: where we connect is what the administrator typed, and nothing else.
    pub(crate) async fn fetch(&self, kind: Kind, url: &str) -> Result<String, FetchError> {
        let request = Request::new(Full::default());
        self.counted(kind, self.ask(url, request, |status| status == StatusCode::OK).await)
    }

    /// What a token endpoint answers to this form, also when it declines (RFC 6749 §5.2).
    pub(crate) async fn submit(&self, url: &str, form: String) -> Result<String, FetchError> {
        let mut request = Request::new(Full::from(form));
        *request.method_mut() = Method::POST;
        let kind = header::HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        let json = header::HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json);
        let says = [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED];
        self.counted(Kind::Token, self.ask(url, request, |status| says.contains(&status)).await)
    }

    fn counted(&self, kind: Kind, answer: Result<String, FetchError>) -> Result<String, FetchError> {
        let result = answer.as_ref().map_or_else(FetchError::result, |_| OK);
        self.fetches.with_label_values(&[kind.as_str(), result]).inc();
        answer
    }

    async fn ask(
        &self,
        url: &str,
        mut request: Request<Full<Bytes>>,
        is_answer: impl Fn(StatusCode) -> bool,
    ) -> Result<String, FetchError> {
        *request.uri_mut() = self.checked(url)?;
        let client = self.client.as_ref().ok_or(FetchError::Roots)?;
        let asking = async {
            let response = client.request(request).await.map_err(connection_error)?;
            if !is_answer(response.status()) {
                return Err(FetchError::Status(response.status()));
            }
            let body = Limited::new(response.into_body(), METADATA_MOST_BYTES);
            let body = body.collect().await.map_err(FetchError::Body)?.to_bytes();
            String::from_utf8(body.to_vec()).map_err(|_not_text| FetchError::NotText)
        };
        tokio::time::timeout(TIMEOUT, asking).await.map_err(|_elapsed| FetchError::TimedOut)?
    }

    /// The address, when it may be asked. An address of numbers is checked here, because nobody looks it up.
    fn checked(&self, url: &str) -> Result<Uri, FetchError> {
        let uri: Uri = url.parse().map_err(|_malformed| FetchError::Address)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(FetchError::Address)?;
        let number = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let is_loopback = host == "localhost" || number.is_some_and(|number| number.is_loopback());
        let is_acceptable = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => self.allows_private && is_loopback,
            _ => false,
        };
        let has_user = uri.authority().is_some_and(|whole| whole.as_str().contains('@'));
        if !is_acceptable || has_user || url.len() > METADATA_URL_MOST {
            return Err(FetchError::Address);
        }
        if !self.allows_private && number.is_some_and(|number| !is_public(number)) {
            return Err(FetchError::Private);
        }
        Ok(uri)
    }
}

/// That a name leads to a private network is found while connecting.
fn connection_error(error: hyper_util::client::legacy::Error) -> FetchError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if current.is::<PrivateName>() {
            return FetchError::Private;
        }
        let inner = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<PrivateName>()) {
            return FetchError::Private;
        }
        cause = current.source();
    }
    FetchError::Connection(error)
}

/// A name has no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private network")]
struct PrivateName;

/// Looks names up, and keeps to public addresses: the connection is made to what was checked.
#[derive(Clone)]
struct PublicNames {
    allows_private: bool,
}

impl Service<Name> for PublicNames {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allows_private = self.allows_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<_> = found.filter(|address| allows_private || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err(io::Error::other(PrivateName));
            }
            Ok(usable.into_iter())
        })
    }
}

/// Whether an address is one of the internet at large (IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224)
}

/// Global unicast, without what is documentation or carries an address of version 4, which would have to be looked at again.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    (0x2000..0x4000).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_roots(allows_private: bool) -> Fetcher {
        let opts = prometheus::Opts::new("fetches", "by kind and result");
        let fetches = IntCounterVec::new(opts, &["kind", "result"]).unwrap();
        Fetcher { client: None, allows_private, fetches }
    }

    #[test]
    fn only_https_to_a_public_address_is_fetched() {
        let fetcher = without_roots(false);
        for good in
            ["https://login.microsoftonline.com/x/federationmetadata.xml?appid=1", "https://8.8.8.8/x"]
        {
            assert!(fetcher.checked(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "login.microsoftonline.com",
            "http://login.microsoftonline.com/",
            "http://127.0.0.1/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://",
            &format!("https://example.com/{}", "a".repeat(METADATA_URL_MOST)),
        ] {
            assert!(matches!(fetcher.checked(bad), Err(FetchError::Address)), "{bad}");
        }
        for private in [
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
        ] {
            assert!(matches!(fetcher.checked(private), Err(FetchError::Private)), "{private}");
        }
        let local = without_roots(true);
        assert!(local.checked("http://127.0.0.1:8000/metadata").is_ok());
        assert!(local.checked("http://10.0.0.1/metadata").is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let name: Name = "localhost".parse().unwrap();
        let error = PublicNames { allows_private: false }.call(name.clone()).await.unwrap_err();
        assert!(error.get_ref().unwrap().is::<PrivateName>());
        assert!(PublicNames { allows_private: true }.call(name).await.unwrap().next().is_some());
    }
}
