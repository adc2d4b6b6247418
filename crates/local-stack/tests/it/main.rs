//! The deployment files say what we think they say, and the stack behaves as a system should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bus_permissions;
mod compose_agrees;
mod database_privileges;
