//! The console in this process, against real Postgres and NATS, with browsers that keep their cookies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod harness;
mod sample;

mod live;
mod pages;
mod provisioning;
mod sessions;
