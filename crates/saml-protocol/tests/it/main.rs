//! Messages of an identity provider that we did not write, as they are and as attackers would have them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod algorithms;
mod conditions;
mod genuine;
mod hostile_xml;
mod keys;
mod logout;
mod metadata;
mod peer;
mod robustness;
mod signing;
mod wrapping;
