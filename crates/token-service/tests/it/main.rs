//! The service in this process, against real Postgres and NATS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod harness;

mod clients;
mod ends;
mod events;
mod federation;
mod grants;
mod isolation;
mod lifecycle;
mod outside;
mod publishing;
mod receipts;
mod signing_keys;
mod tables;
