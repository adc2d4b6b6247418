//! `/settings/company`: what the tutorial sends an administrator to. The tenant URL, the token's whole life, OAuth
//! clients, and how the connection is doing.

pub(crate) mod client;
pub(crate) mod single_sign_on;
pub(crate) mod token;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use bus_contract::{
    Timestamp,
    directory::CredentialUse,
    token::{Client, ClientSecret, SecretClient, Token},
};
use jiff::Timestamp as Moment;
use service_runtime::Causes;

use crate::{
    app::App,
    http::{problem::Problem, query::Fields, render},
    language::{Key, Text, times::from_wire},
    outlook::{
        Outlook,
        credential::{Credentials, Move, end_of},
        pulse::{Next, Pulse},
    },
    page::{Page, Section, Tone},
    question::{Answers, Unanswered},
    signed_in::SignedIn,
};

/// Tokens that have ended and are still listed.
const ENDED: usize = 5;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    page: Page,
    tenant_url: String,
    state: (Tone, Key),
    said: Option<Said>,
    tokens_are_away: bool,
    current: Option<Shown>,
    older: Vec<Older>,
    ended: Vec<Shown>,
    clients: Vec<OneClient>,
    /// A client whose secret is told now and never again.
    told: Option<SecretClient>,
    pulse: Option<Pulse>,
    active_people: Option<u64>,
    /// The form that somebody has proved who they are for, to go on with it.
    open_form: String,
}

/// What came of the act before.
struct Said {
    tone: Tone,
    text: Text,
    /// What the service said about a refusal, in English.
    detail: String,
}

/// A token with what was seen of it.
struct Shown {
    token: Token,
    ends_at: Option<Timestamp>,
    seen: Option<CredentialUse>,
    /// The token's own text, where somebody asked for it.
    secret: Option<String>,
}

/// A token that still works beside the current one.
struct Older {
    shown: Shown,
    /// How far Entra has come to the current one.
    moved: Move,
    /// Calls with the current one.
    calls_of_current: u64,
}

struct OneClient {
    client: Client,
    seen: Option<CredentialUse>,
    live_secrets: Vec<ClientSecret>,
}

impl OneClient {
    /// What becomes of Entra without one of the secrets.
    fn without_a_secret(&self) -> Key {
        match self.live_secrets.len() {
            ..=1 => Key("client-revoke-last-secret-text"),
            _ => Key("client-revoke-secret-text"),
        }
    }
}

/// What an act adds to the page that answers it.
#[derive(Default)]
struct Extra {
    said: Option<(Tone, Key)>,
    detail: String,
    /// A token's id and text.
    revealed: Option<(String, String)>,
    told: Option<SecretClient>,
    open_form: String,
}

/// `GET /settings/company`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    // An act sends the browser back here, so that loading the page again does not do it again.
    let done = match query.get("done") {
        "issued" => Some(Key("done-issued")),
        "rotated" => Some(Key("done-rotated")),
        "revoked" => Some(Key("done-revoked")),
        "retired" => Some(Key("done-retired")),
        "client-revoked" => Some(Key("done-client-revoked")),
        "secret-revoked" => Some(Key("done-secret-revoked")),
        _ => None,
    };
    let extra = Extra {
        said: done.map(|key| (Tone::Success, key)),
        open_form: query.get("form").to_owned(),
        ..Extra::default()
    };
    show(&app, &who, &request, StatusCode::OK, extra).await
}

/// The page, with what an act adds.
async fn show(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    status: StatusCode,
    extra: Extra,
) -> HttpResponse {
    let mut answers = Answers::default();
    let outlook = Outlook::ask(app, who, &mut answers).await;
    let mut page = Page::new(request, app.clock.now(), Section::Company).heeding(&outlook);
    if request.method() != actix_web::http::Method::GET {
        page = page.at("/settings/company");
    }
    let status = if status == StatusCode::OK { answers.status() } else { status };
    render::page(status, &fill(page, app, &outlook, extra))
}

fn fill(page: Page, app: &App, outlook: &Outlook, extra: Extra) -> Settings {
    let state = outlook.state();
    let (current, older, ended, clients) = match outlook.credentials() {
        Some(known) => {
            let current = known.current_token().map(|token| shown(token, &known, extra.revealed.as_ref()));
            let older = known.older_tokens().map(|token| older(token, &known, extra.revealed.as_ref()));
            let ended = known.tokens.iter().filter(|token| !crate::outlook::credential::is_live(token));
            let ended = ended.take(ENDED).map(|token| shown(token, &known, None));
            let clients = known.clients.iter().filter(|client| client.revoked_at.is_none());
            let clients = clients.map(|client| one_client(client, &known, page.times.now));
            (current, older.collect(), ended.collect(), clients.collect())
        }
        None => (None, Vec::new(), Vec::new(), Vec::new()),
    };
    let activity = outlook.activity.as_ref();
    let size = activity.and_then(|activity| activity.size).filter(|size| size.counted_at.is_some());
    Settings {
        tenant_url: app.scim_url.clone(),
        state,
        said: extra.said.map(|(tone, key)| Said { tone, text: page.say(key), detail: extra.detail }),
        tokens_are_away: outlook.tokens.is_none() || outlook.clients.is_none(),
        current,
        older,
        ended,
        clients,
        told: extra.told,
        pulse: activity.map(|activity| Pulse::of(activity, &page)),
        active_people: size.map(|size| size.active_users),
        open_form: extra.open_form,
        page,
    }
}

fn shown(token: &Token, known: &Credentials<'_>, revealed: Option<&(String, String)>) -> Shown {
    let secret = revealed.filter(|(id, _)| *id == token.token_id).map(|(_, secret)| secret.clone());
    Shown {
        ends_at: end_of(token),
        seen: known.use_of(&token.token_id).cloned(),
        secret,
        token: token.clone(),
    }
}

fn older(token: &Token, known: &Credentials<'_>, revealed: Option<&(String, String)>) -> Older {
    let current = known.current_token().map(|current| current.token_id.as_str()).unwrap_or_default();
    Older {
        shown: shown(token, known, revealed),
        moved: known.moved(&token.token_id, current),
        calls_of_current: known.use_of(current).map(|seen| seen.calls).unwrap_or_default(),
    }
}

fn one_client(client: &Client, known: &Credentials<'_>, now: Moment) -> OneClient {
    let live = |secret: &&ClientSecret| {
        let end = secret.expires_at.as_ref().and_then(from_wire);
        secret.revoked_at.is_none() && end.is_none_or(|end| end > now)
    };
    OneClient {
        seen: known.use_of(&client.client_id).cloned(),
        live_secrets: client.secrets.iter().filter(live).cloned().collect(),
        client: client.clone(),
    }
}

/// Answers an act that was not done: a refusal and an absence are said on the page, what does not exist is a 404.
async fn not_done(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    error: Unanswered,
) -> Result<HttpResponse, Problem> {
    let (status, key, detail) = match error {
        Unanswered::NotFound(_) => return Err(Problem::NotFound),
        Unanswered::Refused(detail) => (StatusCode::UNPROCESSABLE_ENTITY, Key("not-done-refused"), detail),
        away => {
            tracing::warn!(error = %Causes(&away), "an act on credentials was not done");
            (StatusCode::SERVICE_UNAVAILABLE, Key("not-done-away"), String::new())
        }
    };
    let extra = Extra { said: Some((Tone::Danger, key)), detail, ..Extra::default() };
    Ok(show(app, who, request, status, extra).await)
}
