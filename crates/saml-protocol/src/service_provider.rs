//! Who we are to a company's identity provider.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use quick_xml::escape::escape;

use crate::{
    document::{METADATA, PROTOCOL, SIGNATURE},
    redirect::{self, SigningKey},
};

/// The binding by which responses come (SAML bindings §3.5).
pub(crate) const POST_BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

/// This service, as one company's identity provider knows it. All three addresses are compared to the letter.
#[derive(Debug)]
pub struct ServiceProvider {
    /// What Entra calls *Identifier (Entity ID)*.
    pub entity_id: String,
    /// What Entra calls *Reply URL*.
    pub assertion_consumer_url: String,
    /// What Entra calls *Logout URL*.
    pub single_logout_url: String,
    /// What our requests are signed with, if they are.
    pub signing: Option<SigningKey>,
}

impl ServiceProvider {
    /// What an identity provider wants to know of us (SAML metadata §2.4.4).
    #[must_use]
    pub fn metadata(&self) -> String {
        let key = self.signing.as_ref().map_or_else(String::new, |signing| {
            let certificate = BASE64.encode(&signing.certificate().der);
            format!(
                r#"<KeyDescriptor use="signing"><KeyInfo xmlns="{SIGNATURE}"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"#
            )
        });
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="{METADATA}" entityID="{entity_id}"><SPSSODescriptor AuthnRequestsSigned="{signs}" WantAssertionsSigned="true" protocolSupportEnumeration="{PROTOCOL}">{key}<SingleLogoutService Binding="{redirect}" Location="{logout}"/><AssertionConsumerService Binding="{POST_BINDING}" Location="{consumer}" index="0" isDefault="true"/></SPSSODescriptor></EntityDescriptor>
"#,
            entity_id = escape(&self.entity_id),
            signs = self.signing.is_some(),
            redirect = redirect::BINDING,
            logout = escape(&self.single_logout_url),
            consumer = escape(&self.assertion_consumer_url),
        )
    }
}
