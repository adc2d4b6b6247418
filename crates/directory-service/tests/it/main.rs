//! The directory as a process, with a real Postgres and a real NATS of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

mod console;
mod harness;

mod brakes;
mod browsing;
mod calls;
mod company_events;
mod company_isolation;
mod filters_agree;
mod groups;
mod histories;
mod instances;
mod log_pages;
mod metrics;
mod migrations;
mod ordered_writes;
mod orders_agree;
mod overtaken;
mod poison;
mod questions;
mod reads;
mod schema_conventions;
mod schemas;
mod traces;
