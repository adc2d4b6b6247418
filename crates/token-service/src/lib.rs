#![doc = include_str!("../README.md")]

mod answer;
mod lifecycle;

mod company;
mod publish;
mod seal;
mod sign;
mod store;

mod app;
mod http;
mod metrics;
mod settings;

pub use app::{migrate, start};
pub use settings::{MigrateSettings, OBSERVE_ADDR, Settings};
