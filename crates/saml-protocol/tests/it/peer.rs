//! The identity provider, ourselves, and what passes between us.

use std::sync::OnceLock;

use backing_servers::identity_provider::{Options, Server};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use saml_protocol::{Assertion, Expected, IdentityProvider, Refusal, ServiceProvider};
use serde_json::{Value, json};

pub(crate) const ENTITY_ID: &str = "https://console.example/saml/metadata";
pub(crate) const CONSUMER: &str = "https://console.example/saml/login_check";
pub(crate) const LOGOUT: &str = "https://console.example/saml/logout";
pub(crate) const REQUEST: &str = "_request-1";
pub(crate) const NAME: &str = "adele.vance@contoso.com";
pub(crate) const ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/// pysaml2, started once for all tests, with the first of its keys.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start(Options::default()).unwrap();
        server.tell("/service-providers", &ourselves().metadata()).unwrap();
        server
    })
}

pub(crate) fn idp() -> IdentityProvider {
    static METADATA: OnceLock<String> = OnceLock::new();
    let metadata = METADATA.get_or_init(|| server().metadata().unwrap());
    IdentityProvider::read_metadata(metadata).unwrap()
}

pub(crate) fn ourselves() -> ServiceProvider {
    ServiceProvider {
        entity_id: ENTITY_ID.to_owned(),
        assertion_consumer_url: CONSUMER.to_owned(),
        single_logout_url: LOGOUT.to_owned(),
        signing: None,
    }
}

/// What a usual sign-in asks of the identity provider.
pub(crate) fn usual() -> Value {
    json!({
        "name_id": NAME,
        "destination": CONSUMER,
        "audience": ENTITY_ID,
        "in_response_to": REQUEST,
        "attributes": {ROLE: ["administrator", "auditor"], "department": ["Payroll & Time"]},
    })
}

/// The XML of a usual response with some wishes besides.
pub(crate) fn response(wishes: &Value) -> String {
    let mut wish = usual();
    for (key, value) in wishes.as_object().unwrap() {
        wish[key] = value.clone();
    }
    server().tell("/respond", &wish.to_string()).unwrap()
}

/// A usual response whose assertion is signed.
pub(crate) fn genuine() -> String {
    response(&json!({}))
}

pub(crate) fn encoded(xml: &str) -> String {
    BASE64.encode(xml)
}

pub(crate) const EXPECTED: Expected<'static> =
    Expected { request_id: Some(REQUEST), allows_unsolicited: false };

/// What becomes of a response to the usual request.
pub(crate) fn accept(xml: &str) -> Result<Assertion, Refusal> {
    accept_at(xml, Utc::now())
}

pub(crate) fn accept_at(xml: &str, now: DateTime<Utc>) -> Result<Assertion, Refusal> {
    ourselves().accept(&idp(), &encoded(xml), EXPECTED, now)
}

/// When a response says that it was issued: times that matter are told from there, because machines that run tests are
/// slow.
pub(crate) fn issued_at(xml: &str) -> DateTime<Utc> {
    let attribute = between(xml, " IssueInstant=\"", "Z\"");
    attribute.trim_start_matches(" IssueInstant=\"").trim_end_matches('"').parse().unwrap()
}

/// The word for why a response to the usual request is refused.
pub(crate) fn refusal(xml: &str) -> &'static str {
    accept(xml).map(|_| "nothing: it was accepted").unwrap_or_else(|refusal| refusal.as_str())
}

/// Replaces what must be there exactly once.
pub(crate) fn replaced(xml: &str, from: &str, to: &str) -> String {
    assert_eq!(xml.matches(from).count(), 1, "{from} in {xml}");
    xml.replace(from, to)
}

/// The text from the first `from` to the first `to` behind it, both included.
pub(crate) fn between<'a>(xml: &'a str, from: &str, to: &str) -> &'a str {
    let begin = xml.find(from).unwrap_or_else(|| panic!("{from} in {xml}"));
    let end = xml.get(begin..).unwrap().find(to).unwrap_or_else(|| panic!("{to} in {xml}"));
    xml.get(begin..begin + end + to.len()).unwrap()
}
