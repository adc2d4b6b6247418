//! Under which conditions an assertion holds, and for whom (SAML core §2.4 and §2.5, profiles §4.1.4.3).

use chrono::{DateTime, Utc};

use crate::{
    document::{Element, Vocabulary},
    limits::{CLOCK_SKEW, MAX_NAME_BYTES},
    refusal::{Refusal, bounded, repeated},
    response::{check_issue_instant, instant_of, name_of},
    service_provider::ServiceProvider,
};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What the checks have read on their way. It names people, so it cannot be logged.
pub(crate) struct Claims {
    pub(crate) name_id: String,
    pub(crate) name_id_format: Option<String>,
    pub(crate) authn_instant: DateTime<Utc>,
    pub(crate) session_index: Option<String>,
    pub(crate) session_not_on_or_after: Option<DateTime<Utc>>,
    pub(crate) issued_at: DateTime<Utc>,
}

/// Checks every promise of an assertion.
pub(crate) fn check(
    assertion: &Element,
    sp: &ServiceProvider,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Claims, Refusal> {
    let issued_at = check_issue_instant(assertion, now)?;
    let conditions = only(assertion, "Conditions", "an assertion with Conditions")?;
    check_window(conditions, now)?.ok_or(Refusal::Malformed("Conditions with NotOnOrAfter"))?;
    check_each_condition(conditions, sp)?;
    let subject = only(assertion, "Subject", "an assertion with one Subject")?;
    check_confirmation(subject, sp, request_id, now)?;
    let (name_id, name_id_format) = name_id(subject)?;
    let authentication = check_authentication(assertion, now)?;
    Ok(Claims {
        name_id,
        name_id_format,
        authn_instant: authentication.instant,
        session_index: authentication.session_index,
        session_not_on_or_after: authentication.session_end,
        issued_at,
    })
}

fn only<'a>(element: &'a Element, name: &'a str, demand: &'static str) -> Result<&'a Element, Refusal> {
    element.only_child(Vocabulary::Assertion, name).ok_or(Refusal::Malformed(demand))
}

/// Checks `NotBefore` and `NotOnOrAfter`, and returns the latter.
fn check_window(element: &Element, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Refusal> {
    if let Some(at) = instant_of(element, "NotBefore")?
        && now + CLOCK_SKEW < at
    {
        return Err(Refusal::NotYetValid { at });
    }
    let end = instant_of(element, "NotOnOrAfter")?;
    if let Some(at) = end
        && now - CLOCK_SKEW >= at
    {
        return Err(Refusal::Expired { at });
    }
    Ok(end)
}

/// Core §2.5.1.4: every restriction must hold, and each holds when one of its audiences is us. Core §2.5.1: what is not
/// understood makes the assertion invalid. `OneTimeUse` is kept anyway; `ProxyRestriction` is for those who pass on.
fn check_each_condition(conditions: &Element, sp: &ServiceProvider) -> Result<(), Refusal> {
    let mut is_restricted = false;
    for condition in &conditions.children {
        match (condition.vocabulary, condition.name.as_str()) {
            (Vocabulary::Assertion, "AudienceRestriction") => {
                check_audience(condition, sp)?;
                is_restricted = true;
            }
            (Vocabulary::Assertion, "OneTimeUse" | "ProxyRestriction") => {}
            (_, name) => return Err(Refusal::UnknownCondition { name: repeated(name) }),
        }
    }
    if is_restricted { Ok(()) } else { Err(Refusal::WrongAudience { received: String::new() }) }
}

fn check_audience(restriction: &Element, sp: &ServiceProvider) -> Result<(), Refusal> {
    let audiences = restriction.children(Vocabulary::Assertion, "Audience");
    let audiences: Vec<&str> = audiences.filter_map(Element::text).collect();
    if audiences.contains(&sp.entity_id.as_str()) {
        return Ok(());
    }
    Err(Refusal::WrongAudience { received: repeated(&audiences.join(", ")) })
}

/// Profiles §4.1.4.3: one confirmation by bearer that holds in every part is enough. When none holds, the reason of the
/// first is told.
fn check_confirmation(
    subject: &Element,
    sp: &ServiceProvider,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let mut first = None;
    let confirmations = subject.children(Vocabulary::Assertion, "SubjectConfirmation");
    for confirmation in confirmations.filter(|confirmation| confirmation.attribute("Method") == Some(BEARER))
    {
        match check_bearer(confirmation, sp, request_id, now) {
            Ok(()) => return Ok(()),
            Err(refusal) => first = first.or(Some(refusal)),
        }
    }
    Err(first.unwrap_or(Refusal::NotBearer))
}

fn check_bearer(
    confirmation: &Element,
    sp: &ServiceProvider,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let data = only(confirmation, "SubjectConfirmationData", "a SubjectConfirmation with its data")?;
    let recipient = data.attribute("Recipient").unwrap_or_default();
    if recipient != sp.assertion_consumer_url {
        return Err(Refusal::WrongRecipient { received: repeated(recipient) });
    }
    // Also when nothing was asked: a stolen answer to somebody else's request is no unsolicited one.
    if data.attribute("InResponseTo") != request_id {
        return Err(Refusal::UnknownRequest);
    }
    check_window(data, now)?.ok_or(Refusal::Malformed("SubjectConfirmationData with NotOnOrAfter"))?;
    Ok(())
}

/// Who is named, and by what format.
pub(crate) fn name_id(subject: &Element) -> Result<(String, Option<String>), Refusal> {
    let element = subject.only_child(Vocabulary::Assertion, "NameID").ok_or(Refusal::NoNameId)?;
    let name = element.text().filter(|name| !name.is_empty()).ok_or(Refusal::NoNameId)?;
    Ok((bounded(name, "a NameID", MAX_NAME_BYTES)?.to_owned(), name_of(element, "Format")?))
}

/// When the person was authenticated, and the identity provider's session.
struct Authentication {
    instant: DateTime<Utc>,
    session_index: Option<String>,
    session_end: Option<DateTime<Utc>>,
}

/// Profiles §4.1.4.2: the assertion says how the person was authenticated, and when (core §2.7.2).
fn check_authentication(assertion: &Element, now: DateTime<Utc>) -> Result<Authentication, Refusal> {
    let statement = only(assertion, "AuthnStatement", "an assertion with one AuthnStatement")?;
    let instant = instant_of(statement, "AuthnInstant")?.ok_or(Refusal::Malformed("AuthnInstant"))?;
    let session_end = instant_of(statement, "SessionNotOnOrAfter")?;
    if let Some(at) = session_end
        && now - CLOCK_SKEW >= at
    {
        return Err(Refusal::Expired { at });
    }
    Ok(Authentication { instant, session_index: name_of(statement, "SessionIndex")?, session_end })
}
