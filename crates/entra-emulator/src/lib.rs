#![doc = include_str!("../README.md")]

mod access;
mod authority;
pub mod changes;
pub mod cli;
mod client;
mod connections;
mod credential;
mod cycle;
mod deserialise;
mod emulator;
mod exchange;
mod latency;
mod mapping;
mod outcome;
mod people;
mod query;
mod report;
mod tenant;
mod wire;

pub use authority::{Authority, AuthorityError};
pub use client::SetupError;
pub use credential::{Credential, Identity, OAuthClient, SecretPlace};
pub use cycle::{Counts, Cycle, CycleKind};
pub use emulator::{Emulator, Observer, Progress, Settings};
pub use exchange::{Answer, Exchange};
pub use latency::{Distribution, Latencies};
pub use mapping::Mapping;
pub use outcome::{Action, Entry, Failure, Kind, Outcome, Quarantine, Skip};
pub use tenant::{Account, Generation, Group, ObjectId, Person, Tenant};
pub use wire::{Dialect, ManagerRemoval, ManagerShape, Method, Purpose, Request};
