//! Makes tokens by hand, so that the tests share no code with the service that mints.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

pub(crate) const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
pub(crate) const TOKEN: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
pub(crate) const ISSUED: u64 = 1_700_000_000;
pub(crate) const EXPIRES: u64 = ISSUED + 365 * 24 * 3600;

pub(crate) fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(crate) fn jwk(id: &str, key: &SigningKey) -> Vec<u8> {
    let x = base64url(key.verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id, "x": x})
        .to_string()
        .into_bytes()
}

pub(crate) fn keys() -> token_protocol::KeySet {
    let mut keys = token_protocol::KeySet::default();
    keys.add(&jwk("k1", &key())).unwrap();
    keys
}

pub(crate) fn header() -> Value {
    json!({"typ": "JWT", "alg": "EdDSA", "kid": "k1"})
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://live.timeclock365.com", "aud": "scim", "sub": COMPANY, "jti": TOKEN,
        "iat": ISSUED, "exp": EXPIRES
    })
}

pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    let message =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = key().sign(message.as_bytes()).to_bytes();
    format!("tc365_{message}.{}", base64url(&signature))
}

pub(crate) fn good() -> String {
    signed(&header(), &claims())
}

/// RFC 4648 §5 without padding, spelt out so that no library of the crate under test is involved.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(ALPHABET[(word >> (18 - 6 * place) & 63) as usize].into());
        }
    }
    text
}
