#![doc = include_str!("../README.md")]

mod attributes;
mod audit;
mod csv;
mod filter;
mod language;
mod line;
mod outlook;
mod page;
mod picture;
mod signed_in;

mod http;

mod access;
mod account;
mod administrators;
mod invitation;
mod operators;
mod session;
mod sign_in;
mod single_sign_on;

mod csrf;
mod opaque;
mod password;
mod throttle;

mod company;
mod directory;
mod live;
mod mail;
mod notices;
mod question;
mod store;
mod tokens;

mod app;
mod metrics;
mod settings;

pub use app::{migrate, start};
pub use http::{Access, Shape, Verb, route_table};
pub use settings::{MigrateSettings, OBSERVE_ADDR, Settings};
