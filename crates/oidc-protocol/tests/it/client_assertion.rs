//! What proves us to a token endpoint. That a real key's signature is genuine is the console's to show, which has the key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::DateTime;
use serde_json::{Value, json};

use crate::sign_in::{configuration, ourselves};

fn part(text: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(text).unwrap()).unwrap()
}

#[test]
fn an_assertion_says_who_we_are_to_one_token_endpoint_for_minutes() {
    let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let sign = |octets: &[u8]| Ok::<_, ()>([b"signed ", octets].concat());
    let assertion =
        ourselves().client_assertion(&configuration(), (b"certificate", "once"), now, sign).unwrap();
    let [header, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else {
        panic!("{assertion}")
    };
    // `printf certificate | openssl dgst -sha256 -binary | base64`, for addresses.
    let thumbprint = "A9Zt0Ig1wco_EozOrNHzGslBYwlrIPRFroQoW8CDLXI";
    assert_eq!(part(header), json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
    let client = ourselves().client_id;
    let expected = json!({
        "iss": client, "sub": client, "aud": configuration().token_url, "jti": "once",
        "iat": 1_767_225_600, "nbf": 1_767_225_600, "exp": 1_767_225_900,
    });
    assert_eq!(part(claims), expected);
    let signed = String::from_utf8(BASE64.decode(signature).unwrap()).unwrap();
    assert_eq!(signed, format!("signed {header}.{claims}"));
}

#[test]
fn what_cannot_be_signed_is_not_sent() {
    let now = DateTime::from_timestamp(0, 0).unwrap();
    let refused =
        ourselves().client_assertion(&configuration(), (b"certificate", "once"), now, |_| Err("no key"));
    assert_eq!(refused, Err("no key"));
}
