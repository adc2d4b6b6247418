//! The bugs that other SCIM services have had with Entra, ranked by how often and how badly they hit; none of ours.
//!
//! Each test has the number and the name of one, and tries every shape in which it was reported.
//! Two of the twenty-eight no request can show: docs/reference/scim-conformance.md says what there is about them.

mod groups;
mod matching;
mod service;
mod updating;
