#![doc = include_str!("../README.md")]

pub mod binaries;
pub mod command;
pub mod company;
pub mod endpoints;
pub mod secrets;
pub mod stack;
pub mod topology;

mod claim;
mod cycle;
mod detach;
mod edge;
mod probe;
mod service;
mod workdir;

pub use stack::{Options, Stack};
