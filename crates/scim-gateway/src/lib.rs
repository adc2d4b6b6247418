#![doc = include_str!("../README.md")]

mod app;
mod auth;
mod calls;
mod cursor_key;
mod directory;
mod http;
mod keyring;
mod metrics;
mod outcomes;
mod pace;
mod places;
mod provision;
mod schemas;
pub mod settings;

pub use app::{start, start_on};
pub use cursor_key::CursorKey;
pub use settings::Settings;
