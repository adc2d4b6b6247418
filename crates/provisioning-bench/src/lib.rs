#![doc = include_str!("../README.md")]

pub mod command;
pub mod report;

mod client;
mod figure;
mod groups;
mod load;
mod machine;
mod operation;
mod people;
mod processes;
mod raw;
mod stage;
mod system;
mod targets;
