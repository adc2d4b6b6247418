//! Ending sessions together: logouts by HTTP-Redirect, ours and the identity provider's (SAML core §3.7, profiles §4.4).

use chrono::{DateTime, TimeDelta, Utc};
use quick_xml::escape::escape;

use crate::{
    conditions,
    document::{self, ASSERTION, Element, PROTOCOL, Vocabulary},
    identity_provider::IdentityProvider,
    instant,
    limits::MAX_NAME_BYTES,
    redirect::{self, Message, Parameter, RequestError},
    refusal::{Refusal, bounded, repeated},
    response::{GATE, STATUS_SUCCESS, check_issue_instant, instant_of, required},
    service_provider::ServiceProvider,
};

/// How long a request of ours is good for.
const LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// Sessions that one request may name.
const MAX_SESSIONS: usize = 20;

/// Whose sessions are to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogoutSubject<'a> {
    /// The `NameID` of the assertion that they signed in with.
    pub name_id: &'a str,
    /// Its format, if it had one.
    pub name_id_format: Option<&'a str>,
    /// The identity provider's session, if it named one.
    pub session_index: Option<&'a str>,
}

/// What the identity provider asks to end, and signed.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Its identifier, which the answer names.
    pub id: String,
    /// Whose sessions.
    pub name_id: String,
    /// The format of that name.
    pub name_id_format: Option<String>,
    /// Which of them; none means all.
    pub session_indexes: Vec<String>,
    /// What the answer must hand back.
    pub relay_state: Option<String>,
}

impl std::fmt::Debug for LogoutRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogoutRequest").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ServiceProvider {
    /// The address to which a browser is sent so that the identity provider ends the person's sessions everywhere.
    ///
    /// # Errors
    /// When the identity provider takes no logouts, the id or the relay state cannot be sent, or signing fails.
    pub fn logout_request(
        &self,
        idp: &IdentityProvider,
        id: &str,
        subject: LogoutSubject<'_>,
        relay_state: &str,
        now: DateTime<Utc>,
    ) -> Result<String, RequestError> {
        redirect::check_id(id)?;
        let destination = idp.single_logout_url.as_deref().ok_or(RequestError::NoLogoutUrl)?;
        let format = attribute("Format", subject.name_id_format);
        let session = subject.session_index.map_or_else(String::new, |index| {
            format!("<samlp:SessionIndex>{}</samlp:SessionIndex>", escape(index))
        });
        let xml = format!(
            r#"<samlp:LogoutRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="{id}" Version="2.0" IssueInstant="{now}" NotOnOrAfter="{end}" Destination="{to}"><saml:Issuer>{issuer}</saml:Issuer><saml:NameID{format}>{name_id}</saml:NameID>{session}</samlp:LogoutRequest>"#,
            end = instant::write(now + LIFETIME),
            now = instant::write(now),
            to = escape(destination),
            issuer = escape(&self.entity_id),
            name_id = escape(subject.name_id),
        );
        redirect::write(destination, Parameter::Request, &xml, relay_state, self.signing.as_ref())
    }

    /// The address to which a browser is sent with our answer to a logout: that the sessions have ended.
    ///
    /// # Errors
    /// When the identity provider takes no answers, the id or the relay state cannot be sent, or signing fails.
    pub fn logout_response(
        &self,
        idp: &IdentityProvider,
        id: &str,
        request: &LogoutRequest,
        now: DateTime<Utc>,
    ) -> Result<String, RequestError> {
        redirect::check_id(id)?;
        let destination = idp.single_logout_url.as_deref().ok_or(RequestError::NoLogoutUrl)?;
        let xml = format!(
            r#"<samlp:LogoutResponse xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="{id}" Version="2.0" IssueInstant="{now}" Destination="{to}" InResponseTo="{request}"><saml:Issuer>{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{STATUS_SUCCESS}"/></samlp:Status></samlp:LogoutResponse>"#,
            now = instant::write(now),
            to = escape(destination),
            request = escape(&request.id),
            issuer = escape(&self.entity_id),
        );
        let relay_state = request.relay_state.as_deref().unwrap_or_default();
        redirect::write(destination, Parameter::Response, &xml, relay_state, self.signing.as_ref())
    }

    /// What the identity provider asks to end. `raw_query` is the query as it arrived, because it is what was signed.
    ///
    /// # Errors
    /// The first reason not to believe it.
    pub fn read_logout_request(
        &self,
        idp: &IdentityProvider,
        raw_query: &str,
        now: DateTime<Utc>,
    ) -> Result<LogoutRequest, Refusal> {
        let message = redirect::read(raw_query)?;
        let request = self.checked(&message, idp, now)?;
        if let Some(at) = instant_of(&request, "NotOnOrAfter")?
            && now - crate::limits::CLOCK_SKEW >= at
        {
            return Err(Refusal::Expired { at });
        }
        let (name_id, name_id_format) = conditions::name_id(&request)?;
        let sessions = request.children(Vocabulary::Protocol, "SessionIndex").filter_map(Element::text);
        let mut session_indexes = Vec::new();
        for index in sessions {
            if session_indexes.len() == MAX_SESSIONS {
                return Err(Refusal::Malformed("at most 20 SessionIndex"));
            }
            session_indexes.push(bounded(index, "SessionIndex", MAX_NAME_BYTES)?.to_owned());
        }
        Ok(LogoutRequest {
            id: required(&request, "ID")?.to_owned(),
            name_id,
            name_id_format,
            session_indexes,
            relay_state: message.relay_state,
        })
    }

    /// A request that the identity provider signed, for us, just now.
    fn checked(
        &self,
        message: &Message,
        idp: &IdentityProvider,
        now: DateTime<Utc>,
    ) -> Result<Element, Refusal> {
        let element = document::read(&message.xml, GATE)?;
        if !element.is(Vocabulary::Protocol, "LogoutRequest") || element.attribute("Version") != Some("2.0") {
            return Err(Refusal::UnexpectedMessage);
        }
        let issuer = element.only_child(Vocabulary::Assertion, "Issuer").and_then(Element::text);
        let issuer = issuer.unwrap_or_default();
        if issuer != idp.entity_id {
            return Err(Refusal::WrongIssuer { received: repeated(issuer) });
        }
        message.verify(idp, now)?;
        // Bindings §3.4.5.2: a signed message says where it goes.
        let destination = element.attribute("Destination").unwrap_or_default();
        if destination != self.single_logout_url {
            return Err(Refusal::WrongDestination { received: repeated(destination) });
        }
        check_issue_instant(&element, now)?;
        Ok(element)
    }
}

fn attribute(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(r#" {name}="{}""#, escape(value)))
}
