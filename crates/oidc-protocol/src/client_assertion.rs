//! How we prove to a token endpoint who we are without a secret of each company: by a JWT that our own key has signed
//! (RFC 7523 §2.2, OpenID Connect Core 1.0 §9, `private_key_jwt`).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{configuration::Configuration, relying_party::RelyingParty};

/// How long an assertion is good. It is sent at once; Entra's documentation advises 5 to 10 minutes.
const GOOD: TimeDelta = TimeDelta::minutes(5);

impl RelyingParty {
    /// What says that we are this client, good for one request. `certificate` is ours in DER, which the provider has been
    /// given; `id` is one that was never used before; `sign` signs by RSASSA-PSS with SHA-256 (PS256, RFC 7518 §3.5), which
    /// is what Entra's documentation asks for.
    ///
    /// # Errors
    /// When `sign` does not.
    pub fn client_assertion<E>(
        &self,
        configuration: &Configuration,
        (certificate, id): (&[u8], &str),
        now: DateTime<Utc>,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<String, E> {
        // RFC 7515 §4.1.8: by it the provider finds the certificate among those that it was given.
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(certificate));
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        // RFC 7523 §3: we speak of ourselves, to the token endpoint alone.
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": configuration.token_url,
            "jti": id,
            "iat": now.timestamp(),
            "nbf": now.timestamp(),
            "exp": (now + GOOD).timestamp(),
        });
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }
}

fn encoded(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}
