#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the vocabulary of tests: what is not as expected ends the test, with words"
)]

pub mod actors;
pub mod eventually;
pub mod fault;
pub mod metrics;
pub mod observe;
pub mod world;

pub use actors::{
    entra::Entra,
    load::Load,
    scim::{Answer, Scim},
};
pub use eventually::eventually;
pub use world::World;
