//! Signing in by OpenID Connect: what is sent to a company's provider, and what is believed of what comes back.
//!
//! Signing out ends our session alone: nothing is sent to the provider, and nothing that it could send ends anything here.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use oidc_protocol::{
    AuthorizationOptions, Callback, ClientAuthentication, Identity, Keys, Refusal as Disbelief, RelyingParty,
    Unproven,
};
use serde_json::Value;
use service_runtime::Causes;
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{
    Way,
    federation::{self, Asked, Begun, Outcome, Proven, Purpose, Refusal, Refused, Wish},
    metadata::Kind,
    of_company,
    provider::{OpenIdProvider, Provider},
    sign_in_test::Received,
};
use crate::{
    app::App,
    opaque,
    session::From,
    store::{self, single_sign_on},
};

/// Where providers send browsers back to, followed by the company.
pub(crate) const CALLBACK: &str = "/oidc/callback";
/// Between two times that a company's keys are read because of one that is not among them.
const KEYS_SOUGHT_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Who we are to this company's provider.
fn ourselves(app: &App, company: CompanyId, provider: &OpenIdProvider) -> RelyingParty {
    RelyingParty { client_id: provider.client_id.clone(), redirect_url: redirect_url(app, company) }
}

/// What Entra calls *Redirect URI*. Each company has its own (RFC 9700 §4.4.2): another company's provider could send people
/// on to this one, and would be brought the code if the address did not say whose it is.
pub(crate) fn redirect_url(app: &App, company: CompanyId) -> String {
    format!("{}{CALLBACK}/{company}", app.console_url)
}

/// What only the browser that began this sign-in can produce again, and the provider is told of.
struct Secrets {
    nonce: String,
    code_verifier: String,
}

impl Secrets {
    /// Made of the browser's cookie, of which we keep a hash alone: nobody who reads our tables or the provider's addresses
    /// can finish a sign-in with them.
    fn of(browser: &str, request: Uuid) -> Self {
        let secret = |label: &str| {
            let text = format!("openid {label} {request} {browser}");
            BASE64_URL_SAFE_NO_PAD.encode(opaque::hash(text.as_bytes()))
        };
        Self { nonce: secret("nonce"), code_verifier: secret("code verifier") }
    }
}

/// Begins a sign-in at the company's provider.
pub(crate) async fn begin(
    app: &App,
    company: CompanyId,
    provider: &OpenIdProvider,
    wish: Wish,
) -> Result<Begun, Refusal> {
    if app.signing_key().is_none() {
        return Err(Refusal::NoSigningKey);
    }
    // A test shows what a second proof would get, with the time that it needs.
    let options = AuthorizationOptions { force_sign_in: wish.purpose != Purpose::SignIn };
    let asking = federation::ask(app, company, wish).await?;
    let secrets = Secrets::of(&asking.browser, asking.request);
    let told = (asking.relay_state.as_str(), secrets.nonce.as_str(), secrets.code_verifier.as_str());
    let url = ourselves(app, company, provider).authorization_url(&provider.configuration, told, options)?;
    Ok(Begun { url, browser: asking.browser })
}

/// Takes what a browser brings back to a company's address. The company is the one that the request was made for, whatever
/// the answer says; what comes back at another's address is nobody's.
pub(crate) async fn take(
    app: &App,
    (at, raw_query): (CompanyId, &str),
    browser: Option<String>,
    from: From,
) -> Result<Outcome, Refused> {
    let nobody = |refusal| Refused { refusal, company: None };
    let callback = Callback::read(raw_query).map_err(|refusal| nobody(Refusal::IdToken(refusal)))?;
    let asked = federation::asked(app, &callback.state, browser.as_deref()).await.map_err(nobody)?;
    // Sign-ins that begin at the provider do not exist in this protocol.
    let (Some(asked), Some(browser)) = (asked, browser) else { return Err(nobody(Refusal::OtherBrowser)) };
    let company = asked.company;
    if at != company {
        return Err(Refused { refusal: Refusal::OtherCompany, company: Some(company) });
    }
    let secrets = Secrets::of(&browser, asked.request);
    let taken = take_of_company(app, &asked, (&callback, &secrets), from).await;
    taken.map_err(|refusal| Refused { refusal, company: Some(company) })
}

async fn take_of_company(
    app: &App,
    asked: &Asked,
    (callback, secrets): (&Callback, &Secrets),
    from: From,
) -> Result<Outcome, Refusal> {
    let (company, is_test) = (asked.company, asked.purpose == Purpose::Test);
    let configuration = of_company(app, company).await?;
    // Before it is switched on for everybody, it can be tested.
    let configuration = configuration.filter(|configuration| is_test || configuration.way() == Way::Oidc);
    // There is none without a request of ours, which was made for what was set up then.
    let configuration = configuration.ok_or(Refusal::Changed)?;
    let Provider::Oidc(provider) = &configuration.provider else { return Err(Refusal::Changed) };
    let mut received = Received::default();
    match prove(app, company, provider, (callback, secrets), &mut received).await {
        Ok(proven) => {
            let context = (&configuration, Some(asked));
            federation::finish(app, company, context, (proven, received), from).await
        }
        Err(refusal) if is_test => {
            let context = (asked, configuration.row.changed_at);
            federation::note_test(app, context, received, None, Err(refusal)).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// Exchanges the code, and says whom the answer proves; notes what came.
async fn prove(
    app: &App,
    company: CompanyId,
    provider: &OpenIdProvider,
    (callback, secrets): (&Callback, &Secrets),
    received: &mut Received,
) -> Result<Proven, Refusal> {
    let code = callback.code(&provider.configuration).map_err(Refusal::IdToken)?;
    let answer = exchange(app, company, provider, (code, &secrets.code_verifier)).await?;
    let unproven = Unproven::read(answer.as_bytes());
    received.message = unproven.as_ref().map(readable).unwrap_or_default();
    let identity = accept(app, company, provider, (&answer, &secrets.nonce)).await?;
    note(received, &identity, unproven.as_ref());
    let taken = opaque::hex_hash(&format!("{} {code}", identity.issuer));
    Ok(Proven {
        way: Way::Oidc,
        object_id: identity.object_id,
        user_name: identity.preferred_user_name,
        roles: identity.roles,
        subject: (identity.subject, String::new()),
        session_index: identity.session_id.unwrap_or_default(),
        session_ends_at: None,
        authenticated_at: identity.authenticated_at,
        taken: (taken, identity.good_until),
    })
}

/// What the token endpoint answers to the code.
async fn exchange(
    app: &App,
    company: CompanyId,
    provider: &OpenIdProvider,
    (code, code_verifier): (&str, &str),
) -> Result<String, Refusal> {
    let key = app.signing_key().ok_or(Refusal::NoSigningKey)?;
    let (party, configuration) = (ourselves(app, company, provider), &provider.configuration);
    let (certificate, id) = (&key.certificate().der, Uuid::new_v4().to_string());
    let sign = |octets: &[u8]| key.sign_pss(octets);
    let assertion = party.client_assertion(configuration, (certificate, &id), app.now(), sign)?;
    let authentication = ClientAuthentication::Assertion(&assertion);
    let request = party.token_request(configuration, (code, code_verifier), authentication)?;
    Ok(app.metadata.submit(&request.url, request.body).await?)
}

/// Whom an answer proves. Where its key is not known, the provider may have rolled its keys over since they were read.
async fn accept(
    app: &App,
    company: CompanyId,
    provider: &OpenIdProvider,
    (answer, nonce): (&str, &str),
) -> Result<Identity, Refusal> {
    let (party, configuration) = (ourselves(app, company, provider), &provider.configuration);
    let accept = |keys: &Keys| party.accept(configuration, keys, (answer.as_bytes(), nonce), app.now());
    let accepted = match accept(&provider.keys) {
        Err(Disbelief::UnknownKey) => match seek_keys(app, company, provider).await? {
            Some(keys) => accept(&keys),
            None => Err(Disbelief::UnknownKey),
        },
        other => other,
    };
    accepted.map_err(Refusal::IdToken)
}

/// The provider's keys as they are now, or as whoever sought them a moment ago has kept them; `None` when they cannot be had.
async fn seek_keys(
    app: &App,
    company: CompanyId,
    provider: &OpenIdProvider,
) -> Result<Option<Keys>, pg_pool::Error> {
    let now = app.now();
    let issuer = provider.configuration.issuer.clone();
    let sought = app
        .pool
        .transaction("single_sign_on.seek_keys", move |connection| {
            store::act_for(connection, company)?;
            if single_sign_on::seek_keys(connection, company, (now, now - KEYS_SOUGHT_EVERY))? {
                return Ok(None);
            }
            let row = single_sign_on::of_company(connection, company)?;
            Ok(Some(row.filter(|row| row.issuer == issuer).map(|row| row.keys)))
        })
        .await?;
    // Whoever sought them a moment ago may have kept them after this sign-in read which ones there were.
    if let Some(kept) = sought {
        return Ok(kept.and_then(|keys| Keys::read(keys.as_bytes()).ok()));
    }
    let document = match app.metadata.fetch(Kind::Keys, &provider.configuration.keys_url).await {
        Ok(document) => document,
        Err(error) => {
            tracing::warn!(company.id = %company, error = %Causes(&error), "a provider's keys were not read again");
            return Ok(None);
        }
    };
    let Ok(keys) = Keys::read(document.as_bytes()) else { return Ok(None) };
    let issuer = provider.configuration.issuer.clone();
    app.pool
        .transaction("single_sign_on.keep_keys", move |connection| {
            store::act_for(connection, company)?;
            single_sign_on::keep_keys(connection, company, (&issuer, &document))
        })
        .await?;
    Ok(Some(keys))
}

/// What the provider has proved, for whoever tests.
fn note(received: &mut Received, identity: &Identity, unproven: Option<&Unproven>) {
    received.issuer.clone_from(&identity.issuer);
    received.subject.clone_from(&identity.subject);
    received.says_when = identity.authenticated_at.is_some();
    let Some(token) = unproven else { return };
    token.key_id().unwrap_or_default().clone_into(&mut received.key_id);
    received.claims = token.claims.iter().map(|(name, value)| (name.clone(), texts(value))).collect();
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

/// An ID token as people read it. Without its signature nobody can use it.
fn readable(token: &Unproven) -> String {
    let [header, claims] =
        [&token.header, &token.claims].map(|part| format!("{:#}", Value::Object(part.clone())));
    format!("{header}\n{claims}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_of_a_sign_in_are_its_browser_s_alone_and_differ() {
        let (browser, request) = (opaque::mint(), Uuid::new_v4());
        let secrets = Secrets::of(&browser, request);
        let again = Secrets::of(&browser, request);
        assert_eq!((&secrets.nonce, &secrets.code_verifier), (&again.nonce, &again.code_verifier));
        let others = [Secrets::of(&opaque::mint(), request), Secrets::of(&browser, Uuid::new_v4())];
        let mut all: Vec<_> =
            others.iter().chain([&secrets]).flat_map(|s| [&s.nonce, &s.code_verifier]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
        // RFC 7636 §4.1.
        assert!((43..=128).contains(&secrets.code_verifier.len()));
    }
}
