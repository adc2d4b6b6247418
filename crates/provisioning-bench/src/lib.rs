#![doc = include_str!("../README.md")]

pub mod command;
pub mod report;

mod access;
mod client;
mod figure;
mod groups;
mod history;
mod load;
mod machine;
mod neighbours;
mod operation;
mod pages;
mod people;
mod processes;
mod raw;
mod stage;
mod system;
mod targets;
mod tracing;
