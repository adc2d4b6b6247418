#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod exporter;
pub mod haproxy;
pub mod identity_provider;
pub mod nats;
pub mod openid_provider;
pub mod port;
pub mod postgres;
pub mod process;
pub mod prometheus;

mod directory;
mod program;
mod provider;
