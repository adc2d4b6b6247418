//! HTTP listeners: bound first, so that the address is known; served later, until they are asked to stop.
//!
//! Actix's own signal handling is off: stopping has one owner, [`crate::run`].

mod client_address;
mod envelope;
mod exchange;
mod loopback;
mod requests;
mod tls;

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_http::{HttpService, error::DispatchError};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::{AppConfig, Server},
    http::header,
    middleware::from_fn,
    rt::net::TcpStream,
    web,
};
use anyhow::Context as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::{either::Either, sync::CancellationToken};

use self::tls::Handshakes;
pub use self::{
    client_address::{TrustedProxies, client_address},
    envelope::{MAX_REQUEST_ID, REQUEST_ID, caller_request_id, is_over_tls, request_id},
    exchange::{Answer, Exchange, status_of},
    loopback::is_loopback,
    requests::{OTHER, Requests, Underway, method_label},
    tls::{Connection, Tls},
};
use crate::{
    Causes, Process, metrics,
    trace::{self, Trace},
};

/// How long an idle connection is kept open; longer than the 60 s of common load balancers, which would otherwise meet
/// a connection that we are closing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is read on after an answer that came before the end of the body. Closed at once, it would be
/// reset by what is still arriving, and the answer lost on the way.
const LINGER: Duration = Duration::from_secs(2);

/// A bound listener of a process that nobody serves yet.
pub struct Listener {
    process: Process,
    name: &'static str,
    socket: TcpListener,
    address: SocketAddr,
    handshakes: Option<Handshakes>,
}

/// How a listener is served.
#[derive(Debug, Clone, Copy)]
pub struct Serving {
    /// Threads that handle requests.
    pub workers: usize,
    /// How long requests in flight may take once the listener is asked to stop.
    pub drain: Duration,
}

impl Listener {
    /// Binds a listener and logs its address. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub fn bind(process: &Process, name: &'static str, address: SocketAddr) -> anyhow::Result<Self> {
        let bind = || -> std::io::Result<_> {
            let socket = TcpListener::bind(address)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) = bind().with_context(|| format!("cannot listen on {address} ({name})"))?;
        tracing::info!(listener = name, %address, "listening");
        Ok(Self { process: process.clone(), name, socket, address, handshakes: None })
    }

    /// Has it speak TLS, and nothing else, where that is set.
    ///
    /// # Errors
    ///
    /// When another listener of the process does already.
    pub fn secured_by(self, tls: Option<Tls>) -> anyhow::Result<Self> {
        let handshakes = tls.map(|tls| tls.serve(&self.process)).transpose()?;
        Ok(Self { handshakes, ..self })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves what `configure` mounts until `stop` is cancelled; then accepts no more, finishes what is in flight, and
    /// returns.
    ///
    /// # Errors
    ///
    /// When the server cannot start or ends by itself.
    pub async fn serve<F>(self, serving: Serving, stop: CancellationToken, configure: F) -> anyhow::Result<()>
    where
        F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        self.serve_through(|stream| stream, serving, stop, configure).await
    }

    /// [`Listener::serve`], with each connection's bytes passing through what `wrap` makes of it.
    ///
    /// # Errors
    ///
    /// When the server cannot start or ends by itself.
    pub async fn serve_through<W, T, F>(
        self,
        wrap: W,
        serving: Serving,
        stop: CancellationToken,
        configure: F,
    ) -> anyhow::Result<()>
    where
        W: Fn(Connection) -> T + Clone + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + 'static,
        F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let (draining, health, handshakes) =
            (stop.clone(), self.process.health.clone(), self.handshakes.clone());
        let connections = move || {
            let (wrap, draining, handshakes) = (wrap.clone(), draining.clone(), handshakes.clone());
            let (health, over_tls) = (health.clone(), handshakes.is_some());
            let finishing =
                from_fn(move |request, next| envelope::finish(health.clone(), over_tls, request, next));
            let app = App::new().configure(configure.clone()).wrap(finishing).into_factory();
            let http = HttpService::build()
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(HEAD_TIMEOUT)
                .client_disconnect_timeout(LINGER)
                // Closes the connections that are merely kept alive; without it they hold up the end.
                .graceful_shutdown_signal(move || draining.clone().cancelled_owned())
                .h1(map_config(app, |()| AppConfig::default()));
            fn_service(move |stream: TcpStream| connect(stream, handshakes.clone(), wrap.clone()))
                .and_then(http)
        };
        let server = Server::build()
            .workers(serving.workers)
            .shutdown_timeout(serving.drain.as_secs().max(1))
            .disable_signals()
            .listen(self.name, self.socket, connections)
            .with_context(|| format!("cannot serve listener {}", self.name))?
            .run();
        let handle = server.handle();
        let mut server = std::pin::pin!(server);
        tokio::select! {
            ended = &mut server => {
                ended?;
                anyhow::bail!("listener {} ended by itself", self.name)
            }
            () = stop.cancelled() => {
                let ((), ended) = tokio::join!(handle.stop(true), server);
                ended.with_context(|| format!("listener {} did not stop cleanly", self.name))
            }
        }
    }
}

/// What the HTTP of a connection is read from, and whose it is.
async fn connect<T>(
    stream: TcpStream,
    handshakes: Option<Handshakes>,
    wrap: impl Fn(Connection) -> T,
) -> Result<(T, Option<SocketAddr>), DispatchError> {
    let peer = stream.peer_addr().ok();
    let connection = match handshakes {
        Some(handshakes) => {
            Either::Right(Box::new(handshakes.shake(stream).await.map_err(DispatchError::Io)?))
        }
        None => Either::Left(stream),
    };
    Ok((wrap(connection), peer))
}

/// The trace of whoever calls, unless that is not to go on here. Several lines of state are one list (W3C Trace Context
/// §3.3.1).
fn received_trace(request: &HttpRequest) -> Trace {
    if !trace::continues_callers() {
        return Trace::none();
    }
    Trace::received(|name| {
        let mut lines = request.headers().get_all(name).map(|line| line.to_str().unwrap_or_default());
        let first = lines.next()?;
        let rest: Vec<_> = lines.collect();
        Some(if rest.is_empty() { first.into() } else { format!("{first},{}", rest.join(",")).into() })
    })
}

/// Mounts `/healthz`, `/readyz` and `/metrics`: the second listener of every service.
pub fn observe(process: &Process) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    let process = process.clone();
    move |config| {
        config
            .app_data(web::Data::new(process.clone()))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics_text));
    }
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "alive": true }))
}

async fn readyz(process: web::Data<Process>) -> HttpResponse {
    let readiness = process.health.readiness().await;
    let mut response = if readiness.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(readiness)
}

async fn metrics_text(process: web::Data<Process>) -> HttpResponse {
    match metrics::text(&process.metrics) {
        Ok(text) => {
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, metrics::CONTENT_TYPE)).body(text)
        }
        Err(error) => {
            tracing::error!(error = %Causes(&error), "cannot write the metrics");
            HttpResponse::InternalServerError().finish()
        }
    }
}
