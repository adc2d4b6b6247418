#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod settings;

pub mod connect;

pub mod answering;
pub mod publish;
pub mod request;

pub mod provision;

pub mod bucket;
pub mod pull;
pub mod share;
pub mod watch;

pub mod error;
pub mod headers;
pub mod metrics;

pub use connect::Bus;
pub use error::Error;
pub use headers::Headers;
pub use metrics::Metrics;
pub use settings::{Replicas, Settings};

/// A NATS subject; dereferences to `str`, clones without copying.
pub use async_nats::Subject;
pub use bytes::Bytes;
