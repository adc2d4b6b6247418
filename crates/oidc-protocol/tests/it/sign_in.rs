//! A whole sign-in, from the first address to the person.

use std::sync::OnceLock;

use backing_servers::openid_provider::{Options, Server};
use chrono::{DateTime, TimeDelta, Utc};
use oidc_protocol::{
    AuthorizationOptions, Callback, ClientAuthentication, Configuration, Identity, Keys, Refusal,
    RelyingParty, Unproven,
};

pub(crate) const STATE: &str = "state-that-nobody-guesses";
pub(crate) const NONCE: &str = "nonce-that-nobody-guesses";
pub(crate) const VERIFIER: &str = "verifier-that-nobody-guesses-and-is-long-enough";
const SUBJECT: &str = "adele";
const OBJECT_ID: &str = "8c3f0f6e-0c0e-4a0b-9f6e-0a3a1b2c3d4e";
const SECRET: ClientAuthentication<'static> = ClientAuthentication::Secret("secret");

pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start(Options::default()).unwrap();
        let claims = format!(
            r#"{{"oid": "{OBJECT_ID}", "tid": "tenant", "roles": ["administrator"], "sid": "session", "preferred_username": "adele@contoso.com"}}"#
        );
        server.set_claims(SUBJECT, &claims).unwrap();
        server
    })
}

pub(crate) fn ourselves() -> RelyingParty {
    RelyingParty {
        client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        redirect_url: "https://console.example/oidc/callback/contoso".to_owned(),
    }
}

pub(crate) fn configuration() -> Configuration {
    let document = server().get("/.well-known/openid-configuration").unwrap();
    Configuration::read(&server().issuer(), document.as_bytes()).unwrap()
}

pub(crate) fn keys() -> Keys {
    Keys::read(server().get("/jwks").unwrap().as_bytes()).unwrap()
}

pub(crate) fn begun(party: &RelyingParty, nonce: &str) -> String {
    let secrets = (STATE, nonce, VERIFIER);
    party.authorization_url(&configuration(), secrets, AuthorizationOptions::default()).unwrap()
}

/// What the token endpoint answers to somebody's sign-in with this nonce.
pub(crate) fn answer(nonce: &str) -> String {
    answer_for(SUBJECT, nonce)
}

fn answer_for(subject: &str, nonce: &str) -> String {
    let location = server().sign_in(&begun(&ourselves(), nonce), subject).unwrap();
    let (_, query) = location.split_once('?').unwrap();
    let callback = Callback::read(query).unwrap();
    assert_eq!(callback.state, STATE);
    let code = callback.code(&configuration()).unwrap().to_owned();
    let request = ourselves().token_request(&configuration(), (&code, VERIFIER), SECRET).unwrap();
    server().token(&request.url, &request.body).unwrap()
}

pub(crate) fn accept_at(answer: &str, now: DateTime<Utc>) -> Result<Identity, Refusal> {
    ourselves().accept(&configuration(), &keys(), (answer.as_bytes(), NONCE), now)
}

#[test]
fn a_person_is_signed_in_and_known_by_what_never_changes() {
    let nonce = NONCE.to_owned() + "-first";
    let answer = answer(&nonce);
    let keys = keys();
    let accepted = ourselves().accept(&configuration(), &keys, (answer.as_bytes(), &nonce), Utc::now());
    let identity = accepted.unwrap();
    assert_eq!(identity.issuer, server().issuer());
    assert_eq!(identity.subject, SUBJECT);
    assert_eq!(identity.object_id.as_deref(), Some(OBJECT_ID));
    assert_eq!(identity.tenant_id.as_deref(), Some("tenant"));
    assert_eq!(identity.roles.as_deref(), Some(&["administrator".to_owned()][..]));
    assert_eq!(identity.session_id.as_deref(), Some("session"));
}

#[test]
fn an_id_token_is_good_until_nobody_accepts_it_any_more() {
    let good_until = accept_at(shared_answer(), Utc::now()).unwrap().good_until;
    let at = |seconds| accept_at(shared_answer(), good_until + TimeDelta::seconds(seconds));
    assert_eq!(at(-1).unwrap_err().as_str(), "stale", "refused for its age alone");
    assert_eq!(at(1).unwrap_err(), Refusal::Expired);
}

#[test]
fn an_id_token_is_good_for_minutes() {
    let answer = shared_answer();
    let after = |minutes| accept_at(answer, Utc::now() + TimeDelta::minutes(minutes));
    after(0).unwrap();
    after(-1).unwrap();
    after(11).unwrap();
    assert_eq!(after(13).unwrap_err().as_str(), "stale");
    assert_eq!(after(-3).unwrap_err().as_str(), "stale");
    assert_eq!(after(63).unwrap_err(), Refusal::Expired);
}

#[test]
fn an_id_token_that_is_good_for_ever_is_refused() {
    for (expires_at, is_believed) in
        [(253_370_764_799_i64, true), (253_370_764_800, false), (8_210_266_876_799, false)]
    {
        server().set_claims("eternal", &format!(r#"{{"exp": {expires_at}}}"#)).unwrap();
        let nonce = format!("nonce-until-{expires_at}");
        let answer = answer_for("eternal", &nonce);
        let accepted = ourselves().accept(&configuration(), &keys(), (answer.as_bytes(), &nonce), Utc::now());
        assert_eq!(
            accepted.map(drop),
            if is_believed { Ok(()) } else { Err(Refusal::Malformed) },
            "{expires_at}"
        );
    }
}

#[test]
fn longer_claims_than_are_read_are_refused() {
    let at = |claim: &str, length: usize| {
        let value = "x".repeat(length);
        let value = if claim == "roles" { format!(r#"["{value}"]"#) } else { format!(r#""{value}""#) };
        server().set_claims("lengthy", &format!(r#"{{"{claim}": {value}}}"#)).unwrap();
        let nonce = format!("nonce-of-{claim}-{length}");
        let answer = answer_for("lengthy", &nonce);
        ourselves().accept(&configuration(), &keys(), (answer.as_bytes(), &nonce), Utc::now())
    };
    for claim in ["oid", "tid", "sid", "preferred_username", "roles"] {
        at(claim, 1024).unwrap();
        assert_eq!(at(claim, 1025), Err(Refusal::TooLarge), "{claim}");
    }
}

/// One answer for all tests that only look at it: the provider takes a nonce once.
pub(crate) fn shared_answer() -> &'static str {
    static ANSWER: OnceLock<String> = OnceLock::new();
    ANSWER.get_or_init(|| answer(NONCE))
}

#[test]
fn what_an_answer_says_can_be_shown_and_used_by_nobody() {
    let shown = Unproven::read(shared_answer().as_bytes()).unwrap();
    assert_eq!(shown.header["alg"], "RS256");
    assert_eq!(shown.claims["oid"], OBJECT_ID);
    assert_eq!(shown.claims["nonce"], NONCE);
    for none in ["", "{}", r#"{"id_token": "a.b.c"}"#, r#"{"id_token": "e30"}"#] {
        assert_eq!(Unproven::read(none.as_bytes()), None, "{none}");
    }
}

/// JSON can hold what no database takes.
#[test]
fn identifiers_that_nobody_has_are_refused() {
    for (subject, claims) in [
        ("nul", r#"{"oid": "a\u0000b"}"#.to_owned()),
        ("line", r#"{"preferred_username": "a\nb"}"#.to_owned()),
    ] {
        server().set_claims(subject, &claims).unwrap();
        let nonce = format!("nonce-of-{subject}");
        let answer = answer_for(subject, &nonce);
        let refused = ourselves().accept(&configuration(), &keys(), (answer.as_bytes(), &nonce), Utc::now());
        assert_eq!(refused, Err(Refusal::Malformed), "{subject}");
    }
}

#[test]
fn the_answer_to_another_request_is_refused() {
    let answer = shared_answer().as_bytes();
    let refused = ourselves().accept(&configuration(), &keys(), (answer, "another"), Utc::now());
    assert_eq!(refused, Err(Refusal::WrongNonce));
}

#[test]
fn an_id_token_for_another_application_is_refused() {
    let other = RelyingParty { client_id: "another".to_owned(), ..ourselves() };
    let refused = other.accept(&configuration(), &keys(), (shared_answer().as_bytes(), NONCE), Utc::now());
    assert_eq!(refused, Err(Refusal::WrongAudience));
}

#[test]
fn an_id_token_of_another_issuer_is_refused() {
    let other = Configuration { issuer: "https://login.example/tenant/v2.0".to_owned(), ..configuration() };
    let refused = ourselves().accept(&other, &keys(), (shared_answer().as_bytes(), NONCE), Utc::now());
    assert_eq!(refused, Err(Refusal::WrongIssuer));
}

/// Another company has another provider, whose every answer is genuine.
#[test]
fn another_companys_provider_proves_nothing_here() {
    let other = Server::start(Options::default()).unwrap();
    let strange = Keys::read(other.get("/jwks").unwrap().as_bytes()).unwrap();
    let answer = shared_answer().as_bytes();
    let refused = ourselves().accept(&configuration(), &strange, (answer, NONCE), Utc::now());
    assert!(matches!(refused, Err(Refusal::UnknownKey | Refusal::BadSignature)), "{refused:?}");
    let none = Keys::read(br#"{"keys": []}"#).unwrap();
    let refused = ourselves().accept(&configuration(), &none, (answer, NONCE), Utc::now());
    assert_eq!(refused, Err(Refusal::UnknownKey));
}

#[test]
fn whoever_declines_is_not_signed_in() {
    let location = server().decline(&begun(&ourselves(), "nonce-of-one-who-declines")).unwrap();
    let (_, query) = location.split_once('?').unwrap();
    // The provider forgets the state when it declines; Entra does not.
    let callback = Callback::read(&format!("{query}&state={STATE}")).unwrap();
    let refused = callback.code(&configuration()).unwrap_err();
    assert_eq!(refused, Refusal::Declined { code: "access_denied".to_owned(), entra_error: None });
}

#[test]
fn a_code_is_exchanged_once() {
    let location = server().sign_in(&begun(&ourselves(), "nonce-of-a-code-used-twice"), "megan").unwrap();
    let callback = Callback::read(location.split_once('?').unwrap().1).unwrap();
    let code = callback.code(&configuration()).unwrap();
    let request = ourselves().token_request(&configuration(), (code, VERIFIER), SECRET).unwrap();
    server().token(&request.url, &request.body).unwrap();
    let again = server().token(&request.url, &request.body).unwrap();
    let refused = ourselves()
        .accept(&configuration(), &keys(), (again.as_bytes(), "nonce-of-a-code-used-twice"), Utc::now())
        .unwrap_err();
    assert_eq!(refused, Refusal::Declined { code: "invalid_grant".to_owned(), entra_error: None });
}
