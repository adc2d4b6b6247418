//! What is sent to a provider: a browser with a request, and a code with what proves that we asked for it.

use std::time::Duration;

use openidconnect::{
    AuthUrl, AuthenticationFlow, ClientId, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope,
    core::{CoreAuthPrompt, CoreClient, CoreJsonWebKeySet, CoreResponseType},
};

use crate::configuration::Configuration;

/// What says that a client proves itself by a JWT (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// This service, as one company's provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// What Entra calls *Application (client) ID*.
    pub client_id: String,
    /// What Entra calls *Redirect URI*.
    pub redirect_url: String,
}

/// How somebody is to be signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthorizationOptions {
    /// Even if the provider has a session of theirs, and so that it says when that was.
    pub force_sign_in: bool,
}

/// How we prove to the token endpoint who we are.
#[derive(Clone, Copy)]
pub enum ClientAuthentication<'a> {
    /// By the secret that the provider gave us.
    Secret(&'a str),
    /// By a JWT that our key signed (RFC 7523 §2.2).
    Assertion(&'a str),
}

/// What is posted to the token endpoint. It has secrets in it, so it is not to be logged.
pub struct TokenRequest {
    /// Where.
    pub url: String,
    /// The form, `application/x-www-form-urlencoded`.
    pub body: String,
}

/// Why a request cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// RFC 7636 §4.1.
    #[error("a code verifier has 43 to 128 letters, digits, '-', '.', '_' or '~'")]
    CodeVerifier,
    /// An address of ours or of the provider's is none.
    #[error("an address is not a URL")]
    Address,
}

impl RelyingParty {
    /// The address to which a browser is sent to sign in.
    ///
    /// `state` comes back in the callback, `nonce` in the ID token, and the code is exchanged only with the
    /// `code_verifier`: all three are secrets of this sign-in that nobody can guess.
    ///
    /// # Errors
    /// When the verifier is not one, or an address is none.
    pub fn authorization_url(
        &self,
        configuration: &Configuration,
        (state, nonce, code_verifier): (&str, &str, &str),
        options: AuthorizationOptions,
    ) -> Result<String, RequestError> {
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier(code_verifier)?);
        let issuer = configuration.issuer_url().ok_or(RequestError::Address)?;
        let client_id = ClientId::new(self.client_id.clone());
        let client = CoreClient::new(client_id, issuer, CoreJsonWebKeySet::new(Vec::new()))
            .set_auth_uri(address(AuthUrl::new(configuration.authorization_url.clone()))?)
            .set_redirect_uri(address(RedirectUrl::new(self.redirect_url.clone()))?);
        let (state, nonce) = (CsrfToken::new(state.to_owned()), Nonce::new(nonce.to_owned()));
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, || state, || nonce)
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge);
        if options.force_sign_in {
            // Core §3.1.2.1: only where an age is asked for must the provider say when it was.
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        Ok(request.url().0.to_string())
    }

    /// What exchanges a code for an ID token (RFC 6749 §4.1.3).
    ///
    /// # Errors
    /// When the verifier is not one.
    pub fn token_request(
        &self,
        configuration: &Configuration,
        (code, code_verifier): (&str, &str),
        authentication: ClientAuthentication<'_>,
    ) -> Result<TokenRequest, RequestError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_url)
            .append_pair("client_id", &self.client_id)
            .append_pair("code_verifier", verifier(code_verifier)?.secret());
        match authentication {
            ClientAuthentication::Secret(secret) => form.append_pair("client_secret", secret),
            ClientAuthentication::Assertion(assertion) => form
                .append_pair("client_assertion_type", JWT_BEARER)
                .append_pair("client_assertion", assertion),
        };
        Ok(TokenRequest { url: configuration.token_url.clone(), body: form.finish() })
    }
}

fn address<T, E>(url: Result<T, E>) -> Result<T, RequestError> {
    url.map_err(|_malformed| RequestError::Address)
}

/// Checked here, because the library panics at others.
fn verifier(text: &str) -> Result<PkceCodeVerifier, RequestError> {
    let is_fit = (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    if is_fit { Ok(PkceCodeVerifier::new(text.to_owned())) } else { Err(RequestError::CodeVerifier) }
}
