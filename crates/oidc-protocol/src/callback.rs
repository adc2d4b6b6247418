//! What a browser brings back from the provider (RFC 6749 §4.1.2, RFC 9207).

use crate::{configuration::Configuration, refusal::Refusal};

/// The longest query that is read, in bytes. Entra's codes have some 1,500.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// A callback. Nothing of it is proved; the code proves itself when it is exchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// What was sent along: it leads to the request.
    pub state: String,
    code: Option<String>,
    issuer: Option<String>,
    error: String,
    description: String,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("has_code", &self.code.is_some()).finish_non_exhaustive()
    }
}

impl Callback {
    /// Reads the query of a callback.
    ///
    /// # Errors
    /// When it has no state, or a parameter twice (RFC 6749 §3.1).
    pub fn read(raw_query: &str) -> Result<Self, Refusal> {
        if raw_query.len() > MAX_QUERY_BYTES {
            return Err(Refusal::TooLarge);
        }
        let parameter = |name: &'static str| {
            let mut values = form_urlencoded::parse(raw_query.as_bytes()).filter(|(key, _)| key == name);
            let value = values.next().map(|(_, value)| value.into_owned());
            if values.next().is_some() { Err(Refusal::Parameter(name)) } else { Ok(value) }
        };
        Ok(Self {
            state: parameter("state")?
                .filter(|state| !state.is_empty())
                .ok_or(Refusal::Parameter("state"))?,
            code: parameter("code")?.filter(|code| !code.is_empty()),
            issuer: parameter("iss")?,
            error: parameter("error")?.unwrap_or_default(),
            description: parameter("error_description")?.unwrap_or_default(),
        })
    }

    /// The code, if the provider that was asked gave one.
    ///
    /// # Errors
    /// When it declined, or somebody else answered.
    pub fn code(&self, configuration: &Configuration) -> Result<&str, Refusal> {
        // RFC 9207 §2.4: whoever says who they are must be who was asked.
        if self.issuer.as_ref().is_some_and(|issuer| *issuer != configuration.issuer) {
            return Err(Refusal::WrongIssuer);
        }
        if !self.error.is_empty() {
            return Err(Refusal::declined(&self.error, &self.description));
        }
        self.code.as_deref().ok_or(Refusal::Parameter("code"))
    }
}
