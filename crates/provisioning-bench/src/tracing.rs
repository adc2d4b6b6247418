//! What it costs to record every trace: two systems side by side, one of which sends all its spans to a collector.

use std::{convert::Infallible, net::SocketAddr, thread};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use local_stack::topology::SERVICES;
use tokio::net::TcpListener;

use crate::{
    operation::Operation,
    targets::{BUSY, USUAL},
};

/// What is measured on both sides.
pub(crate) const PLAN: [(Operation, usize); 4] = [
    (Operation::GetById, BUSY),
    (Operation::Patch, BUSY),
    (Operation::CreateInSeveral, BUSY),
    (Operation::InitialCycle, USUAL),
];
/// Users that are there.
pub(crate) const USERS: u64 = 1_000;

/// What makes every service record every trace and send it there (service, variable, value).
pub(crate) fn environment(collector: SocketAddr) -> Vec<(String, String, String)> {
    let told =
        |service: &str, variable: &str, value: String| (service.to_owned(), variable.to_owned(), value);
    let services = SERVICES.iter().flat_map(|service| {
        [
            told(service.name, "OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}")),
            told(service.name, "OTEL_TRACES_SAMPLER", "always_on".to_owned()),
        ]
    });
    services.collect()
}

/// Starts a collector that takes everything and keeps nothing, on a thread of its own that ends with the process. What it
/// takes of the CPU counts as the load generator's.
///
/// # Errors
/// When it cannot listen.
pub(crate) fn collector() -> Result<SocketAddr> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("no collector")?;
    let address = listener.local_addr().context("no collector")?;
    thread::spawn(move || runtime.block_on(accept(listener)));
    Ok(address)
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // A connection that breaks off is the exporter's to open anew.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(swallow)));
    }
}

async fn swallow(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    Ok(Response::new(Empty::new()))
}
