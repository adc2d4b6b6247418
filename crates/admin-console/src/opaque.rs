//! Values that mean nothing and prove everything: handed out once, kept only as their hash.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{RngCore as _, TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};

/// 256 bits: nobody guesses one.
const LENGTH: usize = 32;
/// [`LENGTH`] in base64.
const TEXT_LENGTH: usize = 43;

/// A new value: 43 letters, digits, `-` and `_`.
pub(crate) fn mint() -> String {
    let mut value = [0; LENGTH];
    OsRng.unwrap_mut().fill_bytes(&mut value);
    BASE64_URL_SAFE_NO_PAD.encode(value)
}

/// What is kept of a value, and found by it; `None` when it cannot be one of ours. No salt: what has 256 bits of chance in
/// it is in no table.
pub(crate) fn key(value: &str) -> Option<String> {
    let is_ours =
        value.len() == TEXT_LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    is_ours.then(|| hex(&hash(value.as_bytes())))
}

/// SHA-256 of a text, in hexadecimal digits.
pub(crate) fn hex_hash(text: &str) -> String {
    hex(&hash(text.as_bytes()))
}

/// SHA-256.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub(crate) fn equal(a: &str, b: &str) -> bool {
    // Their hashes: comparing those tells nothing about the texts.
    hash(a.as_bytes()) == hash(b.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_minted_has_a_key_and_no_two_are_alike() {
        let (a, b) = (mint(), mint());
        assert_ne!(a, b);
        assert_ne!(key(&a).unwrap(), key(&b).unwrap());
        assert_eq!(key(&a).unwrap().len(), 64);
    }

    #[test]
    fn what_is_none_of_ours_has_no_key() {
        for value in [
            "",
            "short",
            &"é".repeat(22),
            &mint().replacen(char::is_alphanumeric, "=", 1),
            &format!("{}a", mint()),
        ] {
            assert_eq!(key(value), None, "{value}");
        }
    }
}
