//! The contract's own tests: nothing here needs a server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod actors;
mod asked;
mod generated_is_current;
mod golden_bytes;
mod names_are_legal;
mod subject_round_trip;
