//! What an answer says before anything of it is proved: to be shown to whoever tests, and to decide nothing.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::MAX_DOCUMENT_BYTES;

/// The readable parts of an ID token: without its signature, it is good for nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Unproven {
    /// How it says that it is signed.
    pub header: Map<String, Value>,
    /// What it says.
    pub claims: Map<String, Value>,
}

impl std::fmt::Debug for Unproven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unproven").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    id_token: String,
}

impl Unproven {
    /// Reads the ID token of a token endpoint's answer, when it has one that can be read.
    #[must_use]
    pub fn read(answer: &[u8]) -> Option<Self> {
        if answer.len() > MAX_DOCUMENT_BYTES {
            return None;
        }
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        let mut parts = answer.id_token.split('.').map(|part| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
        });
        Some(Self { header: parts.next()??, claims: parts.next()?? })
    }

    /// The key that it says it is signed with.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }
}
