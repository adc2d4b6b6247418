//! Against a real nats-server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod harness;
mod metrics;

mod buckets;
mod cluster;
mod connection;
mod pulls;
mod shares;
mod streams;
mod talking;
mod tracing_context;
