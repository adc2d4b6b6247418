//! The protocol from the outside: what clients send and what they are answered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected stops"
)]

mod bulk;
mod cursors;
mod discovery;
mod entra_transcripts;
mod etags;
mod filter_grammar;
mod filter_laws;
mod filter_matches;
mod generate;
mod group_transcripts;
mod groups;
mod lists;
mod patch_laws;
mod projections;
mod resources;
mod search_requests;
mod sorting;
