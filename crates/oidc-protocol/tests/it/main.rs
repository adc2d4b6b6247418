//! Sign-ins at a provider that we did not write, as they are and as attackers would have them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod client_assertion;
mod configuration;
mod forgery;
mod requests;
mod sign_in;
