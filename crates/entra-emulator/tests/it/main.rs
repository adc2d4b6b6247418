//! The emulator against a small SCIM server of its own, over real sockets.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says at once that it cannot continue; its modules share freely"
)]

mod command_line;
mod credentials;
mod cycles;
mod failures;
mod life_of_a_person;
mod target;
