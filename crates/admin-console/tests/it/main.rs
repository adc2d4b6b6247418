//! The console in this process, against real Postgres and NATS, with browsers that keep their cookies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod harness;

mod access;
mod administrators;
mod brakes;
mod isolation;
mod live;
mod notices;
mod openid_connect;
mod other_company;
mod pages;
mod provisioning;
mod routes;
mod sample;
mod sessions;
mod sign_in;
mod sign_in_defences;
mod single_sign_on;
