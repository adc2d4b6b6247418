//! The servers are real, survive what they should survive, and never outlive us.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod haproxy_server;
mod identity_provider_server;
mod nats_server;
mod openid_provider_server;
mod orphans;
mod postgres_server;
mod prometheus_server;
