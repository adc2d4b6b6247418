#![doc = include_str!("../README.md")]

mod language;
mod page;
mod signed_in;

mod http;

mod store;

mod app;
mod settings;

pub use app::{migrate, start};
pub use settings::{MigrateSettings, OBSERVE_ADDR, Settings};
