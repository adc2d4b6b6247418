#![doc = include_str!("../README.md")]

mod language;
mod page;
mod signed_in;

mod http;

mod administrators;
mod invitation;
mod operators;
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
pub use http::{Access, Shape, Verb, route_table};
pub use settings::{MigrateSettings, OBSERVE_ADDR, Settings};
