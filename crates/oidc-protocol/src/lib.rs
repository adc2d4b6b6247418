#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod callback;
mod client_assertion;
pub mod configuration;
pub mod identity;
pub mod refusal;
pub mod relying_party;
pub mod unproven;

pub use callback::Callback;
pub use configuration::{Configuration, ConfigurationError, Keys};
pub use identity::Identity;
pub use refusal::Refusal;
pub use relying_party::{
    AuthorizationOptions, ClientAuthentication, RelyingParty, RequestError, TokenRequest,
};
pub use unproven::Unproven;

/// The longest document that a provider answers with, in bytes. Entra's keys have some 10,000.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
