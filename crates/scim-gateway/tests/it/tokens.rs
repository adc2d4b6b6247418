//! The tests' own token service: one key, and tokens signed with it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bus_contract::stream::{KEY_PREFIX, TOKENS};
use bus_jetstream::Bus;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use token_protocol::{Claims, claims::AUDIENCE, text};
use typed_ids::{CompanyId, CredentialId, TokenId};

use crate::harness::NOW;

pub(crate) struct Signer {
    pub(crate) kid: String,
    key: SigningKey,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self { kid: TokenId::mint().to_string(), key: SigningKey::from_bytes(&rand::random()) }
    }

    /// Lets gateways verify what this key signs.
    pub(crate) async fn publish(&self, bus: &Bus) {
        let public = BASE64_URL_SAFE_NO_PAD.encode(self.key.verifying_key());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": public });
        bus.put(&TOKENS, &format!("{KEY_PREFIX}{}", self.kid), jwk.to_string()).await.unwrap();
    }

    pub(crate) fn token(&self, company: CompanyId, token: TokenId, expires_at: u64) -> String {
        self.token_of(None, company, token, expires_at)
    }

    /// The access token of an OAuth client, or without one an Entra token.
    pub(crate) fn token_of(
        &self,
        client: Option<CredentialId>,
        company: CompanyId,
        token: TokenId,
        expires_at: u64,
    ) -> String {
        let claims = Claims {
            iss: "https://test.example".to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: company,
            jti: token,
            cid: client,
            iat: NOW,
            exp: expires_at,
        };
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.kid }));
        let signed = format!("{header}.{}", part(serde_json::to_value(claims).unwrap()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).to_bytes());
        text::from_jwt(&format!("{signed}.{signature}"))
    }
}
