//! The program against a real NATS, with a directory that a test plays.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod following;
mod harness;
