//! Whatever comes, the answer is an assertion or a reason: no panic, and nothing believed that was not signed.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::Utc;
use proptest::prelude::*;
use saml_protocol::{Assertion, IdentityProvider, Refusal, response::Unproven};

use crate::peer::{EXPECTED, genuine, idp, ourselves};

/// A genuine response, made once: a sample would wait for xmlsec1 otherwise.
fn sample() -> &'static str {
    static SAMPLE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SAMPLE.get_or_init(genuine)
}

fn accept(bytes: &[u8]) -> Result<Assertion, Refusal> {
    ourselves().accept(&idp(), &BASE64.encode(bytes), EXPECTED, Utc::now())
}

fn accepted(bytes: &[u8]) -> bool {
    accept(bytes).is_ok()
}

/// What is read when nothing was changed.
fn read() -> &'static Assertion {
    static READ: std::sync::OnceLock<Assertion> = std::sync::OnceLock::new();
    READ.get_or_init(|| accept(sample().as_bytes()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_refused_in_order(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(!accepted(&bytes));
    }

    #[test]
    fn any_text_is_refused_in_order(text in ".{0,400}") {
        prop_assert!(ourselves().accept(&idp(), &text, EXPECTED, Utc::now()).is_err());
        prop_assert!(Unproven::read(&text).is_err());
        prop_assert!(Unproven::read_logout(&text).is_err());
        prop_assert!(IdentityProvider::read_metadata(&text).is_err());
        let query = format!("SAMLRequest={text}");
        prop_assert!(ourselves().read_logout_request(&idp(), &query, Utc::now()).is_err());
    }

    #[test]
    fn pieces_of_xml_are_refused_in_order(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<", ">", "/>", "</", "a", "x:a", " xmlns:x=\"urn:x\"", " ID=\"i\"", "<!--", "-->", "<![CDATA[", "]]>",
                "<?xml version=\"1.0\"?>", "<!DOCTYPE a [", "]>", "&amp;", "&#65;", "&", ";", "\"", "'", "=", " ",
                "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Version=\"2.0\">",
                "</samlp:Response>",
            ]),
            0..40,
        )
    ) {
        prop_assert!(!accepted(pieces.concat().as_bytes()));
    }

    // Some bytes are signed by nobody: the envelope's identifier, white space in base64, a namespace that is not used.
    #[test]
    fn whatever_byte_changes_nothing_else_is_read(position in 0..sample().len(), byte in any::<u8>()) {
        let mut bytes = sample().as_bytes().to_vec();
        bytes[position] = byte;
        if let Ok(assertion) = accept(&bytes) {
            prop_assert_eq!(&assertion, read(), "at {}", position);
        }
    }

    #[test]
    fn a_response_that_is_cut_anywhere_is_refused(length in 0..sample().trim_end().len()) {
        prop_assert!(!accepted(sample().as_bytes().get(..length).unwrap()));
    }
}
