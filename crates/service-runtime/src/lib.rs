#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod build_info;
pub mod causes;
pub mod clock;
pub mod health;
pub mod http;
pub mod metrics;
pub mod process;
pub mod run;
pub mod settings;
pub mod tasks;
pub mod telemetry;

pub use causes::Causes;
pub use process::Process;
pub use run::Service;
