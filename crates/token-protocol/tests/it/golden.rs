//! One token that has been handed out must work for ever: its text is frozen here.

use token_protocol::{Principal, text::MAX_LENGTH};

use crate::minting::{COMPANY, EXPIRES, ISSUED, TOKEN, good, keys};

/// Never edit this. A red test means that tokens in Entra would stop working.
const GOLDEN: &str = include_str!("../golden/token.txt");

#[test]
fn the_golden_token_is_still_read() {
    let expected = Principal {
        company: COMPANY.parse().unwrap(),
        token_id: TOKEN.parse().unwrap(),
        credential_id: TOKEN.parse().unwrap(),
        expires_at: EXPIRES,
    };
    assert_eq!(keys().verify(GOLDEN.trim_end(), ISSUED), Ok(expected));
}

#[test]
fn the_golden_token_is_still_what_our_signature_gives() {
    assert_eq!(good(), GOLDEN.trim_end());
}

#[test]
fn a_token_fits_into_entra_s_form() {
    assert!(GOLDEN.len() < MAX_LENGTH / 2, "{} characters", GOLDEN.len());
}

#[test]
fn a_token_pasted_with_its_scheme_and_white_space_is_read() {
    assert!(keys().verify(&format!(" Bearer {}\r\n", good()), ISSUED).is_ok());
}
