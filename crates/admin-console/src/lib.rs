#![doc = include_str!("../README.md")]

mod language;
mod page;
mod signed_in;

mod http;

mod session;
mod sign_in;

mod csrf;
mod opaque;
mod password;
mod throttle;

mod company;
mod store;

mod app;
mod metrics;
mod settings;

pub use app::{migrate, start};
pub use settings::{MigrateSettings, OBSERVE_ADDR, Settings};
