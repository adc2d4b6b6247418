#![doc = include_str!("../README.md")]

mod app;
mod settings;

mod ownership;
mod partition;

mod announce;
mod apply;
mod relay;

mod answer;
mod company;
mod extension;
mod group;
mod question;

mod metrics;
mod prefix;
mod store;
mod time;
mod user;

pub use app::{MIGRATIONS, service};
