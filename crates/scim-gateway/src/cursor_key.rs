//! Keeps cursors from being read and forged: they hold an attribute's value, and lead to a place in a company's list.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, AeadCore as _, OsRng, Payload},
};
use scim_protocol::{cursor::Cursor, error::ScimError};
use typed_ids::CompanyId;

/// Long enough to be drawn at random as often as anybody pages with this cipher.
const NONCE_LENGTH: usize = 24;

/// Seals and opens cursors. Every gateway that has the same key reads the others' cursors.
#[derive(Clone)]
pub struct CursorKey(XChaCha20Poly1305);

/// Without the key.
impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey")
    }
}

/// Sealing itself failed, which happens to no input of ours.
#[derive(Debug, thiserror::Error)]
#[error("a cursor cannot be sealed")]
pub(crate) struct SealError;

impl CursorKey {
    /// The key with these bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }

    /// A key that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        Self(XChaCha20Poly1305::new(&XChaCha20Poly1305::generate_key(&mut OsRng)))
    }

    /// Seals the bytes of a cursor for this company alone, as text of the characters that a cursor may have (RFC 9865).
    pub(crate) fn seal(&self, company: CompanyId, cursor: &[u8]) -> Result<String, SealError> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let company = company.as_uuid();
        let payload = Payload { msg: cursor, aad: company.as_bytes() };
        let sealed = self.0.encrypt(&nonce, payload).map_err(|_opaque| SealError)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed for this company.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor` for anything else.
    pub(crate) fn open(&self, company: CompanyId, text: &str) -> Result<Cursor, ScimError> {
        let company = company.as_uuid();
        let opened = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| {
            let (nonce, sealed) = bytes.split_at_checked(NONCE_LENGTH)?;
            let payload = Payload { msg: sealed, aad: company.as_bytes() };
            self.0.decrypt(XNonce::from_slice(nonce), payload).ok()
        });
        // No bytes are no cursor.
        Cursor::decode(&opened.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use scim_protocol::cursor::{MAX_ID_BYTES, MAX_KEY_BYTES, MAX_LENGTH, Position, Question};

    use super::*;

    fn cursor(id: &str, key: Option<&str>) -> Cursor {
        let position = Position { is_backward: false, id: id.to_owned(), key: key.map(str::to_owned) };
        Cursor::new(Question::new("/Users", None, None), position, DateTime::default())
    }

    #[test]
    fn what_was_sealed_opens_for_its_company_and_key_alone() {
        let (key, other_key) = (CursorKey::new([1; 32]), CursorKey::random());
        let (company, other) = (CompanyId::mint(), CompanyId::mint());
        let cursor = cursor("a", Some("b"));
        let sealed = key.seal(company, &cursor.encode().unwrap()).unwrap();
        assert_eq!(key.open(company, &sealed), Ok(cursor));
        for refused in [
            key.open(other, &sealed),
            other_key.open(company, &sealed),
            key.open(company, ""),
            key.open(company, "x"),
            key.open(company, sealed.get(..20).unwrap()),
        ] {
            assert_eq!(refused.unwrap_err().scim_type.unwrap().as_str(), "invalidCursor");
        }
    }

    #[test]
    fn a_changed_character_is_noticed() {
        let (key, company) = (CursorKey::new([1; 32]), CompanyId::mint());
        let sealed = key.seal(company, &cursor("a", None).encode().unwrap()).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(key.open(company, std::str::from_utf8(&changed).unwrap()).is_err(), "character {at}");
        }
    }

    #[test]
    fn the_longest_cursor_is_one_that_may_be_sent() {
        let longest = cursor(&"i".repeat(MAX_ID_BYTES), Some(&"k".repeat(MAX_KEY_BYTES))).encode().unwrap();
        let sealed = CursorKey::random().seal(CompanyId::mint(), &longest).unwrap();
        assert!(sealed.len() <= MAX_LENGTH, "{}", sealed.len());
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", CursorKey::new([7; 32])), "CursorKey");
    }
}
