//! Signing in and out by SAML 2.0: what is sent to a company's identity provider, and what is believed of what comes back.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bus_contract::audit::{Actor, actor};
use saml_protocol::{
    Assertion, AuthnOptions, Expected, IdentityProvider, LogoutRequest, LogoutSubject, Unproven,
};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{
    Way,
    federation::{self, Asked, Begun, Outcome, Proven, Purpose, Refusal, Refused, Wish},
    of_company,
    provider::Provider,
    sign_in_test::Received,
};
use crate::{
    app::App,
    opaque,
    session::From,
    store::{
        self,
        audit::{self, Act},
        person_sessions::{self, PersonSessionRow},
        single_sign_on,
    },
};

/// Entra's object id: what Entra calls somebody for ever.
pub(crate) const OBJECT_ID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
/// The app roles that somebody was assigned.
pub(crate) const ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/// Begins a sign-in at the company's identity provider.
pub(crate) async fn begin(
    app: &App,
    company: CompanyId,
    identity_provider: &IdentityProvider,
    wish: Wish,
) -> Result<Begun, Refusal> {
    let options = AuthnOptions { force_authn: wish.purpose == Purpose::Confirm };
    let asking = federation::ask(app, company, wish).await?;
    let id = message_id(asking.request);
    let sent =
        app.service_provider.authn_request(identity_provider, &id, &asking.relay_state, app.now(), options);
    Ok(Begun { url: sent?, browser: asking.browser })
}

/// The ID of a request of ours. It must not begin with a digit (XML Schema §3.3.8).
fn message_id(request: Uuid) -> String {
    format!("_{}", request.simple())
}

/// What a browser brings back.
#[derive(Debug)]
pub(crate) struct Brought {
    pub(crate) response: String,
    pub(crate) relay_state: String,
    /// What the browser kept.
    pub(crate) browser: Option<String>,
}

/// Takes what the identity provider sent back. The company is the one that the request was made for; where there was no
/// request, the one whose identity provider the message says it is from. Either way it is believed only if that company's
/// certificates prove it.
pub(crate) async fn take(app: &App, brought: Brought, from: From) -> Result<Outcome, Refused> {
    let nobody = |refusal| Refused { refusal, company: None };
    let asked = federation::asked(app, &brought.relay_state, brought.browser.as_deref()).await;
    let asked = asked.map_err(nobody)?;
    let company = match &asked {
        Some(asked) => asked.company,
        None => company_of(app, Unproven::read(&brought.response)).await.map_err(nobody)?,
    };
    let taken = take_of_company(app, company, asked, brought.response, from).await;
    taken.map_err(|refusal| Refused { refusal, company: Some(company) })
}

/// Whose identity provider a message says it is from.
async fn company_of(
    app: &App,
    unproven: Result<Unproven, saml_protocol::Refusal>,
) -> Result<CompanyId, Refusal> {
    let issuer = unproven.map_err(Refusal::Message)?.issuer;
    let found = app
        .pool
        .transaction("single_sign_on.company_of_issuer", move |connection| {
            single_sign_on::company_of_issuer(connection, &issuer)
        })
        .await?;
    found.ok_or(Refusal::UnknownIssuer)
}

async fn take_of_company(
    app: &App,
    company: CompanyId,
    asked: Option<Asked>,
    response: String,
    from: From,
) -> Result<Outcome, Refusal> {
    let is_test = asked.as_ref().is_some_and(|asked| asked.purpose == Purpose::Test);
    let configuration = of_company(app, company).await?;
    // Before it is switched on for everybody, it can be tested.
    let configuration = configuration.filter(|configuration| is_test || configuration.way() == Way::Saml);
    // What answers a request of ours was asked for when this way was set up.
    let off = || if asked.is_some() { Refusal::Changed } else { Refusal::Off };
    let configuration = configuration.ok_or_else(off)?;
    let Provider::Saml(identity_provider) = &configuration.provider else { return Err(off()) };
    let request = asked.as_ref().map(|asked| message_id(asked.request));
    let expected = Expected {
        request_id: request.as_deref(),
        // What answers a request says so.
        allows_unsolicited: asked.is_none() && configuration.row.allows_unsolicited,
    };
    let now = app.now();
    let accepted = app.service_provider.accept(identity_provider, &response, expected, now);
    match (accepted, &asked) {
        (Ok(assertion), _) => {
            let received = Received { message: readable(&response), ..received(&assertion) };
            let context = (&configuration, asked.as_ref());
            federation::finish(app, company, context, (proven(assertion), received), from).await
        }
        (Err(refusal), Some(asked)) if is_test => {
            let received = Received { message: readable(&response), ..Received::default() };
            let context = (asked, configuration.row.changed_at);
            federation::note_test(app, context, received, None, Err(Refusal::Message(refusal))).await
        }
        (Err(refusal), _) => Err(Refusal::Message(refusal)),
    }
}

fn proven(assertion: Assertion) -> Proven {
    let taken = opaque::hex_hash(&format!("{} {}", assertion.issuer, assertion.assertion_id));
    Proven {
        way: Way::Saml,
        object_id: assertion.only_value(OBJECT_ID).map(str::to_owned),
        user_name: Some(assertion.name_id.clone()),
        roles: assertion.attributes.get(ROLE).cloned(),
        subject: (assertion.name_id, assertion.name_id_format.unwrap_or_default()),
        session_index: assertion.session_index.unwrap_or_default(),
        session_ends_at: assertion.session_not_on_or_after,
        authenticated_at: Some(assertion.authn_instant),
        taken: (taken, assertion.good_until),
    }
}

fn received(assertion: &Assertion) -> Received {
    Received {
        message: String::new(),
        issuer: assertion.issuer.clone(),
        subject: assertion.name_id.clone(),
        subject_format: assertion.name_id_format.clone().unwrap_or_default(),
        certificate: assertion.signed_with.clone(),
        key_id: String::new(),
        claims: assertion.attributes.clone(),
        // It must (core §2.7.2).
        says_when: true,
    }
}

/// A message as people read it, when it can be read at all.
fn readable(response: &str) -> String {
    let packed: String = response.split_ascii_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(packed).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where a browser goes so that the identity provider ends the session there too; `None` when it takes no logouts.
pub(crate) async fn leave(app: &App, session: &PersonSessionRow) -> Result<Option<String>, Refusal> {
    if session.way != Way::Saml.as_str() {
        return Ok(None);
    }
    let configuration = of_company(app, CompanyId::from_uuid(session.company_id)).await?;
    let Some(Provider::Saml(identity_provider)) = configuration.map(|known| known.provider) else {
        return Ok(None);
    };
    if identity_provider.single_logout_url.is_none() {
        return Ok(None);
    }
    let subject = LogoutSubject {
        name_id: &session.subject,
        name_id_format: Some(session.subject_format.as_str()).filter(|format| !format.is_empty()),
        session_index: Some(session.session_index.as_str()).filter(|index| !index.is_empty()),
    };
    let id = message_id(Uuid::new_v4());
    let sent = app.service_provider.logout_request(&identity_provider, &id, subject, "", app.now());
    Ok(Some(sent?))
}

/// Ends what the identity provider asks to end; where the browser goes with our answer, if it takes one.
pub(crate) async fn end(app: &App, raw_query: &str, from: From) -> Result<Option<String>, Refused> {
    let nobody = |refusal| Refused { refusal, company: None };
    let company = company_of(app, Unproven::read_logout(raw_query)).await.map_err(nobody)?;
    let ended = end_of_company(app, company, raw_query, from).await;
    ended.map_err(|refusal| Refused { refusal, company: Some(company) })
}

async fn end_of_company(
    app: &App,
    company: CompanyId,
    raw_query: &str,
    from: From,
) -> Result<Option<String>, Refusal> {
    let configuration = of_company(app, company).await?.ok_or(Refusal::Off)?;
    let Provider::Saml(identity_provider) = &configuration.provider else { return Err(Refusal::Off) };
    let now = app.now();
    let request = app.service_provider.read_logout_request(identity_provider, raw_query, now);
    let request = request.map_err(Refusal::Message)?;
    end_sessions(app, company, request.clone(), from).await?;
    if identity_provider.single_logout_url.is_none() {
        return Ok(None);
    }
    let id = message_id(Uuid::new_v4());
    let answer = app.service_provider.logout_response(identity_provider, &id, &request, now);
    Ok(Some(answer?))
}

async fn end_sessions(
    app: &App,
    company: CompanyId,
    request: LogoutRequest,
    from: From,
) -> Result<(), Refusal> {
    let now = app.now();
    let ended = app
        .pool
        .transaction("single_sign_on.end_sessions", move |connection| {
            store::act_for(connection, company)?;
            let mut ended = Vec::new();
            if request.session_indexes.is_empty() {
                ended = person_sessions::end_of_subject(connection, company, &request.name_id, None)?;
            }
            for index in &request.session_indexes {
                let of_index =
                    person_sessions::end_of_subject(connection, company, &request.name_id, Some(index))?;
                ended.extend(of_index);
            }
            let (count, name) = (ended.len(), ended.into_iter().next());
            if let Some(name) = name {
                // It was the identity provider's word, and not that of somebody who was here.
                let actor = Actor {
                    kind: actor::Kind::System.into(),
                    name: name.clone(),
                    address: from.address.clone(),
                };
                let act = Act::on("session.signed_out", name).note("at the identity provider");
                audit::record(connection, company, &actor, &act, now)?;
            }
            Ok(count)
        })
        .await?;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
    Ok(())
}
