#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod assertion;
pub mod claims;
pub mod key_set;
pub mod text;
pub mod verify;

pub use claims::Claims;
pub use key_set::{KeyError, KeySet};
pub use verify::{Principal, Refusal};
