//! What a process promises about its settings, its readiness and its end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod listener;
mod readiness;
mod settings;
mod shutdown;
mod tls;
