//! The program as an operator runs it, against services that answer what a test says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod activity;
mod administrators;
mod brakes;
mod clients;
mod commands;
mod harness;
mod people;
mod refusals;
mod sign_in;
mod signing_keys;
