//! When a token is good.

use serde_json::json;
use token_protocol::{Refusal, verify::CLOCK_SKEW};

use crate::minting::{EXPIRES, ISSUED, claims, good, header, keys, signed};

#[test]
fn a_token_is_good_up_to_the_second_of_its_expiry() {
    assert!(keys().verify(&good(), ISSUED).is_ok());
    assert!(keys().verify(&good(), EXPIRES - 1).is_ok());
    assert_eq!(keys().verify(&good(), EXPIRES), Err(Refusal::Expired));
    assert_eq!(keys().verify(&good(), u64::MAX), Err(Refusal::Expired));
}

#[test]
fn a_clock_may_be_a_little_behind_the_issuer_s() {
    assert!(keys().verify(&good(), ISSUED - CLOCK_SKEW).is_ok());
    assert_eq!(keys().verify(&good(), ISSUED - CLOCK_SKEW - 1), Err(Refusal::NotYetValid));
}

#[test]
fn a_token_for_something_else_is_refused() {
    let mut other = claims();
    other["aud"] = json!("console");
    assert_eq!(keys().verify(&signed(&header(), &other), ISSUED), Err(Refusal::WrongAudience));
}

#[test]
fn a_token_that_lacks_a_claim_is_refused() {
    for claim in ["aud", "sub", "jti", "iat", "exp", "iss"] {
        let mut lacking = claims();
        lacking.as_object_mut().unwrap().remove(claim);
        assert_eq!(keys().verify(&signed(&header(), &lacking), ISSUED), Err(Refusal::Malformed), "{claim}");
    }
}

#[test]
fn a_claim_of_the_wrong_type_is_refused() {
    for (claim, value) in
        [("exp", json!("soon")), ("sub", json!("contoso")), ("iat", json!(-1)), ("aud", json!(["scim"]))]
    {
        let mut wrong = claims();
        wrong[claim] = value;
        assert_eq!(keys().verify(&signed(&header(), &wrong), ISSUED), Err(Refusal::Malformed), "{claim}");
    }
}
