#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod build_info;
pub mod causes;
pub mod clock;
pub mod health;
mod healthcheck;
pub mod http;
mod listing;
pub mod metrics;
pub mod process;
pub mod rate;
pub mod run;
pub mod settings;
pub mod tasks;
pub mod telemetry;
pub mod trace;

/// A request is some hundreds of small allocations that other threads give back, which the system's allocator is slow
/// at: it was a fifth of what a service did.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

pub use causes::Causes;
pub use process::Process;
pub use run::Service;
