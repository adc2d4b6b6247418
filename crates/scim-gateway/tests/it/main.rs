//! The gateway over a real NATS server, with a small directory of the tests' own behind it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod authentication;
mod bulk;
mod calls;
mod connections;
mod directory;
mod discovery;
mod entra_requests;
mod faults;
mod groups;
mod harness;
mod lists;
mod metrics;
mod nothing_but_scim;
mod pace;
mod process;
mod schemas;
mod searches;
mod tokens;
mod users;
