#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod settings;

pub mod pool;
pub mod transaction;

pub mod session;

pub mod migrate;
pub mod sql;

pub mod error;

mod connection;
mod metrics;

pub use error::Error;
pub use pool::Pool;
pub use session::Session;
pub use settings::{STATEMENT_TIMEOUT, Settings};
