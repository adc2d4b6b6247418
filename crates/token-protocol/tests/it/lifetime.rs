//! When a token is good.

use serde_json::json;
use token_protocol::{Refusal, verify::CLOCK_SKEW};

use crate::minting::{EXPIRES, ISSUED, TOKEN, claims, good, header, keys, signed};

#[test]
fn a_token_is_good_up_to_the_second_of_its_expiry() {
    assert!(keys().verify(&good(), ISSUED).is_ok());
    assert!(keys().verify(&good(), EXPIRES - 1).is_ok());
    for late in [EXPIRES, u64::MAX] {
        assert!(matches!(keys().verify(&good(), late), Err(Refusal::Expired(_))), "{late}");
    }
}

#[test]
fn of_an_expired_token_it_is_known_whose_it_was() {
    let principal = keys().verify(&good(), ISSUED).unwrap();
    assert_eq!(keys().verify(&good(), EXPIRES), Err(Refusal::Expired(principal)));
}

#[test]
fn a_token_that_a_client_got_is_counted_as_the_client_s() {
    const CLIENT: &str = "01890a5d-ac96-774b-bcce-b302099a805a";
    let mut granted = claims();
    granted["cid"] = json!(CLIENT);
    let principal = keys().verify(&signed(&header(), &granted), ISSUED).unwrap();
    assert_eq!(principal.credential_id.to_string(), CLIENT);
    assert_eq!(principal.token_id.to_string(), TOKEN);
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
    for (claim, value) in [
        ("exp", json!("soon")),
        ("sub", json!("contoso")),
        ("iat", json!(-1)),
        ("aud", json!(["scim"])),
        ("cid", json!("entra")),
    ] {
        let mut wrong = claims();
        wrong[claim] = value;
        assert_eq!(keys().verify(&signed(&header(), &wrong), ISSUED), Err(Refusal::Malformed), "{claim}");
    }
}
