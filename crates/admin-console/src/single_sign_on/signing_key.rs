//! What our requests to identity providers are signed with, where an installation signs them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use saml_protocol::SigningKey;
use secrecy::ExposeSecret as _;
use service_runtime::settings::{Reader, Setting};

const SIGNING_KEY: Setting = Setting::new(
    "TIMECLOCK_SAML_SIGNING_KEY",
    "What requests to companies' identity providers are signed with; without it they are not signed.",
)
.form("an RSA key in PKCS#8 and its certificate, both in PEM, one after the other");

/// Reads the setting.
pub(crate) fn read(reader: &mut Reader) -> Option<SigningKey> {
    let text = reader.optional_secret(SIGNING_KEY)?;
    let key = parse(text.expose_secret());
    if key.is_none() {
        reader.refuse(SIGNING_KEY);
    }
    key
}

fn parse(text: &str) -> Option<SigningKey> {
    SigningKey::from_pkcs8(&block(text, "PRIVATE KEY")?, &block(text, "CERTIFICATE")?).ok()
}

/// What stands between the lines that begin and end a block (RFC 7468 §2).
fn block(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (base64, _) = rest.split_once(&format!("-----END {label}-----"))?;
    BASE64_STANDARD.decode(base64.split_ascii_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_wherever_it_stands_and_half_a_key_is_none() {
        let text = "-----BEGIN PRIVATE KEY-----\nAQI=\n-----END PRIVATE KEY-----\n\
                    -----BEGIN CERTIFICATE-----\nAw\n==\n-----END CERTIFICATE-----\n";
        assert_eq!(block(text, "PRIVATE KEY"), Some(vec![1, 2]));
        assert_eq!(block(text, "CERTIFICATE"), Some(vec![3]));
        assert_eq!(block(text, "PUBLIC KEY"), None);
        assert!(parse(text).is_none());
        assert!(parse("").is_none());
    }
}
