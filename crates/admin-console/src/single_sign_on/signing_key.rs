//! The installation's own key: what our requests to identity providers are signed with, and what proves us to OpenID
//! providers. Who has its certificate knows nothing that is secret.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use saml_protocol::{Certificate, SigningKey};
use secrecy::ExposeSecret as _;
use service_runtime::settings::{Reader, Setting};

const SIGNING_KEY: Setting = Setting::new(
    "TIMECLOCK_SIGN_IN_SIGNING_KEY",
    "What proves this installation to companies' identity providers; without it SAML requests are not signed, and there is no OpenID Connect.",
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

/// A certificate as people upload it (RFC 7468 §5.1).
pub(crate) fn pem(certificate: &Certificate) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let base64 = BASE64_STANDARD.encode(&certificate.der);
    // RFC 7468 §2: lines of 64.
    for (position, character) in base64.chars().enumerate() {
        if position > 0 && position % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
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
