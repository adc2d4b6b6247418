//! What we send, and what a browser may bring back.

use oidc_protocol::{AuthorizationOptions, Callback, ClientAuthentication, Refusal, RequestError};

use crate::sign_in::{NONCE, STATE, VERIFIER, configuration, ourselves, server};

fn parameters(url: &str) -> Vec<(String, String)> {
    let (_, query) = url.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn value<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_request_says_what_is_wanted_and_keeps_the_verifier() {
    let options = AuthorizationOptions { force_sign_in: true };
    let url = ourselves().authorization_url(&configuration(), (STATE, NONCE, VERIFIER), options).unwrap();
    assert!(url.starts_with(&format!("{}/oauth2/authorize?", server().issuer())), "{url}");
    let parameters = parameters(&url);
    let value = |name| value(&parameters, name);
    assert_eq!(value("response_type"), Some("code"));
    assert_eq!(value("client_id"), Some(ourselves().client_id.as_str()));
    assert_eq!(value("redirect_uri"), Some(ourselves().redirect_url.as_str()));
    assert_eq!(value("scope"), Some("openid profile"));
    assert_eq!(value("state"), Some(STATE));
    assert_eq!(value("nonce"), Some(NONCE));
    assert_eq!(value("prompt"), Some("login"));
    assert_eq!(value("max_age"), Some("0"), "so that it must say when that was");
    assert_eq!(value("code_challenge_method"), Some("S256"));
    assert!(!url.contains(VERIFIER));
    let without = AuthorizationOptions::default();
    let url = ourselves().authorization_url(&configuration(), (STATE, NONCE, VERIFIER), without).unwrap();
    assert!(!url.contains("prompt=") && !url.contains("max_age="));
}

/// RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_hash_of_the_verifier() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let options = AuthorizationOptions::default();
    let url = ourselves().authorization_url(&configuration(), (STATE, NONCE, verifier), options).unwrap();
    let parameters = parameters(&url);
    assert_eq!(value(&parameters, "code_challenge"), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
}

#[test]
fn a_verifier_that_can_be_guessed_or_sent_wrongly_is_refused() {
    for bad in ["", "short", &"x".repeat(42), &"x".repeat(129), &"x y".repeat(20), &"ü".repeat(43)] {
        let secrets = (STATE, NONCE, bad);
        let refused =
            ourselves().authorization_url(&configuration(), secrets, AuthorizationOptions::default());
        assert_eq!(refused, Err(RequestError::CodeVerifier), "{bad}");
    }
}

#[test]
fn a_code_is_exchanged_with_what_proves_that_we_asked_for_it() {
    for (authentication, name) in [
        (ClientAuthentication::Secret("a&b=c"), "client_secret"),
        (ClientAuthentication::Assertion("a&b=c"), "client_assertion"),
    ] {
        let request =
            ourselves().token_request(&configuration(), ("code&1", VERIFIER), authentication).unwrap();
        assert_eq!(request.url, configuration().token_url);
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
        assert_eq!(value(&parameters, "code"), Some("code&1"));
        assert_eq!(value(&parameters, "code_verifier"), Some(VERIFIER));
        assert_eq!(value(&parameters, "redirect_uri"), Some(ourselves().redirect_url.as_str()));
        assert_eq!(value(&parameters, name), Some("a&b=c"));
    }
}

#[test]
fn a_callback_with_a_parameter_twice_or_without_a_state_is_refused() {
    for (query, name) in [
        ("code=1", "state"),
        ("state=&code=1", "state"),
        ("state=1&state=1&code=1", "state"),
        ("state=1&code=1&code=2", "code"),
        ("state=1&code=1&iss=a&iss=b", "iss"),
        ("state=1&error=a&error=b", "error"),
    ] {
        assert_eq!(Callback::read(query), Err(Refusal::Parameter(name)), "{query}");
    }
    assert_eq!(Callback::read(&format!("state={}", "x".repeat(20_000))), Err(Refusal::TooLarge));
}

#[test]
fn a_callback_of_another_issuer_or_without_a_code_is_refused() {
    let code = |query: &str| Callback::read(query).unwrap().code(&configuration()).map(str::to_owned);
    assert_eq!(code("state=1&code=2").unwrap(), "2");
    let ours = server().issuer();
    assert_eq!(code(&format!("state=1&code=2&iss={ours}")).unwrap(), "2");
    assert_eq!(code("state=1&code=2&iss=https://login.example"), Err(Refusal::WrongIssuer));
    assert_eq!(code("state=1"), Err(Refusal::Parameter("code")));
    let declined =
        code("state=1&code=2&error=access_denied&error_description=AADSTS50105:+adele").unwrap_err();
    assert!(matches!(declined, Refusal::Declined { entra_error: Some(_), .. }), "{declined:?}");
}
