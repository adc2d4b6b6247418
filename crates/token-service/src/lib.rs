#![doc = include_str!("../README.md")]

mod answer;
mod ask;

mod audit;
mod clients;
mod lifecycle;
mod oauth;
mod receipts;
mod refused_calls;
mod signing_keys;

mod authority;
mod client_secret;
mod company;
mod publish;
mod seal;
mod sign;
mod store;

mod app;
mod http;
mod metrics;
mod settings;
mod upkeep;

pub use app::{migrate, start};
pub use settings::{MigrateSettings, OBSERVE_ADDR, Settings};
