//! Black-box scenarios: every real process, and nothing that a customer or an operator could not see.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

mod activity;
mod brakes;
mod browser;
mod console;
mod conversation;
mod edge;
mod entra_bugs;
mod faults;
mod following;
mod groups;
mod isolation;
mod leaving;
mod metrics;
mod oauth;
mod observability;
mod observed;
mod other_suites;
mod provisioning;
mod restoring;
mod schemas;
mod shutdown;
mod stack;
mod table_versions;
mod tokens;
mod traces;
mod uniqueness;
mod validators;
mod wire;
