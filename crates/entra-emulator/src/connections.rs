//! Which connections are there to one server? Kept alive, with TLS where the URL says so.
//!
//! hyper is used directly because reqwest cannot leave out `Accept`. Redirects are not followed and nothing is
//! decompressed: Entra is not documented to do either.

use std::{fmt::Write as _, time::Duration};

use http_body_util::Full;
use hyper::{
    Response, Uri,
    body::{Bytes, Incoming},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client as HyperClient, Error as HyperError, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::client::SetupError;

/// How long an unused connection is kept: shorter than servers keep theirs, so that none is closed under a request.
const IDLE_CONNECTION: Duration = Duration::from_secs(3);

/// An absolute `http` or `https` URL.
pub(crate) fn absolute(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let is_absolute =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    is_absolute.then_some(uri)
}

/// Connections, kept alive. Certificate roots are read only where they are needed: a minimal machine has none.
pub(crate) enum Pool {
    Plain(HyperClient<HttpConnector, Full<Bytes>>),
    Secure(HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Pool {
    pub(crate) fn new(secure: bool) -> Result<Self, SetupError> {
        let mut builder = HyperClient::builder(TokioExecutor::new());
        builder.http1_title_case_headers(true).pool_idle_timeout(IDLE_CONNECTION);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        if !secure {
            return Ok(Self::Plain(builder.build(connector)));
        }
        connector.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(SetupError::CertificateRoots)?
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Self::Secure(builder.build(connector)))
    }

    pub(crate) async fn request(
        &self,
        request: hyper::Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HyperError> {
        match self {
            Self::Plain(client) => client.request(request).await,
            Self::Secure(client) => client.request(request).await,
        }
    }
}

/// An error and its causes in one line: hyper's own words are only "client error".
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _infallible = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
