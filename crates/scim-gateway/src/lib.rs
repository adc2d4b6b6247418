#![doc = include_str!("../README.md")]

mod app;
mod auth;
mod directory;
mod http;
mod keyring;
mod metrics;
mod outcomes;
mod places;
mod provision;
pub mod settings;

pub use app::{start, start_on};
pub use settings::Settings;
