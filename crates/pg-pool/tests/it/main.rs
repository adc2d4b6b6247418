//! Against a real Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod harness;

mod errors;
mod metrics;
mod migrations;
mod outages;
mod sessions;
mod statements;
mod transactions;
