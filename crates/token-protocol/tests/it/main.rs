//! Tokens as others would make them: good, old, changed and forged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod assertions;
mod forgery;
mod golden;
mod lifetime;
mod minting;
