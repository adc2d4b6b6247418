#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod assertion;
pub mod authn_request;
pub mod certificate;
mod conditions;
pub mod document;
pub mod identity_provider;
mod instant;
pub mod limits;
pub mod logout;
pub mod redirect;
pub mod refusal;
pub mod response;
pub mod service_provider;
mod signature;
mod verification;

pub use assertion::Assertion;
pub use authn_request::AuthnOptions;
pub use certificate::Certificate;
pub use identity_provider::{IdentityProvider, MetadataError};
pub use logout::{LogoutRequest, LogoutSubject};
pub use redirect::{RequestError, SigningKey};
pub use refusal::Refusal;
pub use response::{Expected, Unproven};
pub use service_provider::ServiceProvider;
