//! Asking an identity provider to sign somebody in (SAML core §3.4.1, profiles §4.1).

use chrono::{DateTime, Utc};
use quick_xml::escape::escape;

use crate::{
    document::{ASSERTION, PROTOCOL},
    identity_provider::IdentityProvider,
    instant,
    redirect::{self, Parameter, RequestError},
    service_provider::{POST_BINDING, ServiceProvider},
};

/// How somebody is to be signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthnOptions {
    /// Even if the identity provider has a session of theirs.
    pub force_authn: bool,
}

impl ServiceProvider {
    /// The address to which a browser is sent to sign in.
    ///
    /// What kind of `NameID` comes back, and how people prove themselves, is the identity provider's to decide: Entra
    /// answers requests that ask for more than it is set to with an error.
    ///
    /// # Errors
    /// When the id or the relay state cannot be sent, or signing fails.
    pub fn authn_request(
        &self,
        idp: &IdentityProvider,
        id: &str,
        relay_state: &str,
        now: DateTime<Utc>,
        options: AuthnOptions,
    ) -> Result<String, RequestError> {
        redirect::check_id(id)?;
        let force = if options.force_authn { r#" ForceAuthn="true""# } else { "" };
        let xml = format!(
            r#"<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="{id}" Version="2.0" IssueInstant="{now}" Destination="{destination}"{force} ProtocolBinding="{POST_BINDING}" AssertionConsumerServiceURL="{consumer}"><saml:Issuer>{issuer}</saml:Issuer></samlp:AuthnRequest>"#,
            now = instant::write(now),
            destination = escape(&idp.single_sign_on_url),
            consumer = escape(&self.assertion_consumer_url),
            issuer = escape(&self.entity_id),
        );
        redirect::write(&idp.single_sign_on_url, Parameter::Request, &xml, relay_state, self.signing.as_ref())
    }
}
