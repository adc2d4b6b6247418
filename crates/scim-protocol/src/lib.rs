#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod attribute_path;
pub mod bulk;
pub mod cursor;
pub mod discovery;
pub mod error;
pub mod etag;
pub mod filter;
pub mod fold;
pub mod group;
mod json;
pub mod list;
pub mod patch;
pub mod projection;
pub mod resource;
pub mod schema;
pub mod search_request;
pub mod sort;

/// A resource's attributes: one JSON object, in the order in which they were sent.
///
/// *Canonical* attributes, what [`resource::parse`] makes and the directory stores, have names spelt and values
/// typed as the schema says, and neither `id`, `meta`, `schemas` nor empty values.
pub type Attributes = serde_json::Map<String, serde_json::Value>;
