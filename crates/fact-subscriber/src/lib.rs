#![doc = include_str!("../README.md")]

mod app;
mod settings;

mod follow;
mod snapshot;

pub mod change;
pub mod model;

mod keeper;
mod metrics;

pub use app::service;
