//! From a form and a header to who asks and how they prove it (RFC 6749 §2.3.1, §4.4.2; RFC 7521 §4.2).

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;

use super::{Reason, Refusal, SCOPE};

const GRANT_TYPE: &str = "client_credentials";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What Entra appends to an application's id to ask for all that it may do.
const ENTRA_SCOPE_END: &str = "/.default";

/// A request that is in order; nobody has proven anything yet.
#[derive(Debug)]
pub(crate) struct TokenRequest {
    pub(crate) credentials: Credentials,
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
}

/// How they prove it.
#[derive(Debug)]
pub(crate) enum Proof {
    Secret(SecretString),
    Assertion(SecretString),
}

impl TokenRequest {
    /// Reads the form and the header `Authorization`.
    pub(crate) fn read(body: &[u8], authorization: Option<&str>) -> Result<Self, Refusal> {
        let mut form = Form::read(body)?;
        match form.take("grant_type").as_deref() {
            Some(GRANT_TYPE) => {}
            Some(_) => {
                return Err(Refusal::new(
                    Reason::UnsupportedGrantType,
                    "the only grant_type here is client_credentials",
                ));
            }
            None => return Err(invalid("grant_type is missing; send grant_type=client_credentials")),
        }
        if !form.take("scope").is_none_or(|scope| scope.split(' ').all(is_ours)) {
            return Err(Refusal::new(Reason::InvalidScope, "the only scope is scim; it may be left out"));
        }
        Ok(Self { credentials: form.credentials(authorization)? })
    }
}

/// A request to end a token (RFC 7009 §2.1) that is in order; nobody has proven anything yet.
#[derive(Debug)]
pub(crate) struct RevocationRequest {
    pub(crate) credentials: Credentials,
    pub(crate) token: SecretString,
}

impl RevocationRequest {
    /// Reads the form and the header `Authorization`. There is one kind of token, so a hint says nothing new.
    pub(crate) fn read(body: &[u8], authorization: Option<&str>) -> Result<Self, Refusal> {
        let mut form = Form::read(body)?;
        let token = form.take("token").ok_or_else(|| invalid("token is missing; send the access token"))?;
        Ok(Self { token: token.into(), credentials: form.credentials(authorization)? })
    }
}

/// `scim`, nothing at all, or Entra's way to say "whatever there is".
fn is_ours(scope: &str) -> bool {
    scope.is_empty() || scope == SCOPE || scope.ends_with(ENTRA_SCOPE_END)
}

/// Parameters by name; empty ones are as good as left out (RFC 6749 §3.2).
struct Form(HashMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut form = HashMap::new();
        for (name, value) in form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty()) {
            if form.insert(name.into_owned(), value.into_owned()).is_some() {
                // RFC 6749 §3.2. The name is the caller's and may hold a secret in the wrong place; it is not repeated.
                return Err(invalid("a parameter is there twice; send each once"));
            }
        }
        Ok(Self(form))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Exactly one way of authentication (RFC 6749 §2.3).
    fn credentials(mut self, authorization: Option<&str>) -> Result<Credentials, Refusal> {
        let client_id = self.take("client_id");
        let secret = self.take("client_secret");
        let assertion = self.assertion()?;
        match (authorization, secret, assertion) {
            (Some(header), None, None) => {
                let (name, secret) = basic(header)?;
                if client_id.is_some_and(|client_id| client_id != name) {
                    return Err(invalid("client_id is not the name in the Authorization header"));
                }
                Ok(Credentials { client_id: name, proof: Proof::Secret(secret) })
            }
            (None, Some(secret), None) => {
                let client_id =
                    client_id.ok_or_else(|| invalid("client_id is missing beside client_secret"))?;
                Ok(Credentials { client_id, proof: Proof::Secret(secret.into()) })
            }
            (None, None, Some(assertion)) => {
                let client_id =
                    client_id.ok_or_else(|| invalid("client_id is missing beside client_assertion"))?;
                Ok(Credentials { client_id, proof: Proof::Assertion(assertion) })
            }
            (None, None, None) => Err(Refusal::new(
                Reason::InvalidClient,
                "prove who you are: by a Basic header, by client_id and client_secret, or by client_assertion",
            )),
            _ => {
                Err(invalid("prove who you are in one way: Basic header, client_secret or client_assertion"))
            }
        }
    }

    fn assertion(&mut self) -> Result<Option<SecretString>, Refusal> {
        match (self.take("client_assertion_type").as_deref(), self.take("client_assertion")) {
            (None, None) => Ok(None),
            (Some(ASSERTION_TYPE), Some(assertion)) => Ok(Some(assertion.into())),
            (Some(ASSERTION_TYPE), None) => {
                Err(invalid("client_assertion is missing beside client_assertion_type"))
            }
            _ => Err(invalid(&format!("client_assertion_type must be {ASSERTION_TYPE}"))),
        }
    }
}

/// Name and secret of a Basic header, each of them form-encoded before they were joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Result<(String, SecretString), Refusal> {
    let refused = || {
        Refusal::new(
            Reason::InvalidClient,
            "the Authorization header must be Basic, with base64 of the client id, a colon and the secret",
        )
    };
    let (scheme, encoded) = header.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(refused());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_not_base64| refused())?;
    let decoded = String::from_utf8(decoded).map_err(|_not_text| refused())?;
    let (name, secret) = decoded.split_once(':').ok_or_else(refused)?;
    if name.is_empty() || secret.is_empty() {
        return Err(refused());
    }
    Ok((form_decoded(name), form_decoded(secret).into()))
}

fn form_decoded(text: &str) -> String {
    // As a name without a value: what would part values has been encoded by whoever kept to the standard.
    form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

fn invalid(description: &str) -> Refusal {
    Refusal::new(Reason::InvalidRequest, description)
}
