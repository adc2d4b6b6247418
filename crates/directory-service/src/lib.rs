#![doc = include_str!("../README.md")]

mod app;
mod settings;

mod ownership;
mod partition;

mod history;

mod announce;
mod apply;
mod relay;

mod activity;
mod brake;
mod health;

mod answer;
mod audit;
mod browse;
mod company;
mod extension;
mod group;
mod log;
mod question;
mod queue;

mod metrics;
mod prefix;
mod retry;
mod search_keys;
mod store;
mod time;
mod user;
mod waiting;

pub use app::{MIGRATIONS, service};
