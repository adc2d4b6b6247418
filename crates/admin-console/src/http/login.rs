//! Where everybody begins: a user name first, then the way in which their company signs in.
//!
//! Which way that is depends on the user name's domain alone, so nobody learns here who exists. What leads to an identity
//! provider is a page and no redirect: browsers hold a form to the hosts that its page allows, along every redirect (CSP3
//! §6.4.2), and ours allows none but our own.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
    web::{Data, Form},
};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use typed_ids::CompanyId;

use super::{
    problem::Problem,
    query::Fields,
    render, return_to,
    sign_in::{password_page, say},
};
use crate::{
    app::App,
    language::Key,
    page::{Page, Section},
    sign_in,
    signed_in::SignedIn,
    single_sign_on::{
        self, Configuration, Way, domain_of,
        federation::{Begun, Purpose, REQUEST_GOOD, Refusal, Wish},
        room,
    },
    store::single_sign_on as stored,
    throttle::Network,
};

/// A user name is longer than any that a directory holds.
const USER_NAME_MOST: usize = 320;

#[derive(Deserialize)]
pub(crate) struct LoginForm {
    user: String,
    #[serde(default, rename = "return")]
    path: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Page,
    path: String,
    user: String,
    done: Option<Key>,
    problem: Option<String>,
}

/// Leads somewhere else, by itself.
#[derive(Template)]
#[template(path = "leaving.html")]
struct LeavingPage {
    page: Page,
    title: Key,
    url: String,
    host: String,
}

/// `GET /login`.
pub(crate) async fn show(app: Data<App>, request: HttpRequest, query: Fields) -> HttpResponse {
    let page = Page::new(&request, app.clock.now(), Section::Nowhere);
    let path = return_to::checked(query.get("return")).to_owned();
    let done = (query.get("done") == "signed-out").then_some(Key("login-signed-out"));
    render::page(StatusCode::OK, &LoginPage { page, path, user: String::new(), done, problem: None })
}

/// `POST /login`.
pub(crate) async fn begin(
    app: Data<App>,
    request: HttpRequest,
    Form(form): Form<LoginForm>,
) -> Result<HttpResponse, Problem> {
    let path = return_to::checked(&form.path).to_owned();
    let user = form.user.trim().to_owned();
    if user.is_empty() || user.len() > USER_NAME_MOST {
        let page = Page::new(&request, app.clock.now(), Section::Nowhere).at("/login");
        let problem = Some(page.say("login-user-needed").to_string());
        let answer = LoginPage { page, path, user: String::new(), done: None, problem };
        return Ok(render::page(StatusCode::UNPROCESSABLE_ENTITY, &answer));
    }
    let network = Network::of(&app.address_of(&request));
    match of_domain(&app, &user, network.clone()).await? {
        Found::Waits { retry_at } => {
            let page = Page::new(&request, app.clock.now(), Section::Nowhere).at("/login");
            let said = say(&page, sign_in::Refusal::Throttled { retry_at }, "login-user-needed")?;
            let problem = Some(said.text.clone());
            Ok(said.on(&LoginPage { page, path, user, done: None, problem }))
        }
        Found::Elsewhere(company, configuration) => {
            let wish = Wish {
                purpose: Purpose::SignIn,
                tester: None,
                return_to: path,
                browser: kept(&app, &request),
                network,
            };
            let begun = single_sign_on::begin(&app, company, &configuration, wish).await.map_err(problem)?;
            leave(&app, &request, Key("leaving-title"), begun)
        }
        // Everybody else has a password, or nothing; nobody learns here which.
        Found::Here => Ok(password_page(&app, &request, path, &user)),
    }
}

/// Where somebody signs in.
enum Found {
    /// With a password, or nowhere.
    Here,
    /// At the identity provider of this company.
    Elsewhere(CompanyId, Box<Configuration>),
    /// Not before then: too many wait already.
    Waits { retry_at: DateTime<Utc> },
}

/// Whose people have user names like this one, and sign in at an identity provider.
async fn of_domain(app: &App, user: &str, network: Network) -> Result<Found, pg_pool::Error> {
    let Some(domain) = domain_of(user) else { return Ok(Found::Here) };
    let now = app.now();
    let admitted = app
        .pool
        .transaction("login.company", move |connection| {
            let Some(company) = stored::company_of_domain(connection, &domain)? else { return Ok(None) };
            // Before its metadata is read, which takes longer than to ask for it.
            let room = room::is_left(connection, company, (Purpose::SignIn, &network), now)?;
            Ok(Some(room.map(|()| company)))
        })
        .await?;
    let company = match admitted {
        None => return Ok(Found::Here),
        Some(Err(retry_at)) => {
            app.metrics.throttled.inc();
            return Ok(Found::Waits { retry_at });
        }
        Some(Ok(company)) => company,
    };
    let configuration = single_sign_on::of_company(app, company).await?;
    let configuration = configuration.filter(|configuration| configuration.way() != Way::Password);
    Ok(configuration.map_or(Found::Here, |configuration| Found::Elsewhere(company, Box::new(configuration))))
}

/// Has a person prove once more who they are, where they signed in.
pub(crate) async fn confirm(
    app: &App,
    request: &HttpRequest,
    who: &SignedIn,
    path: &str,
) -> Result<HttpResponse, Problem> {
    send(app, request, who, (Purpose::Confirm, path)).await
}

/// Sends whoever is signed in to their company's identity provider.
pub(crate) async fn send(
    app: &App,
    request: &HttpRequest,
    who: &SignedIn,
    (purpose, path): (Purpose, &str),
) -> Result<HttpResponse, Problem> {
    let configuration = single_sign_on::of_company(app, who.company).await?.ok_or(Problem::NotFound)?;
    let wish = Wish {
        purpose,
        tester: (purpose == Purpose::Test).then_some(who.account),
        return_to: path.to_owned(),
        browser: kept(app, request),
        network: Network::of(&who.address),
    };
    let begun = single_sign_on::begin(app, who.company, &configuration, wish).await.map_err(problem)?;
    leave(app, request, Key("leaving-title"), begun)
}

fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Database(error) => error.into(),
        Refusal::TooMany | Refusal::NoSigningKey => Problem::Unavailable(refusal.into()),
        refusal => Problem::Failed(refusal.into()),
    }
}

fn leave(app: &App, request: &HttpRequest, title: Key, begun: Begun) -> Result<HttpResponse, Problem> {
    let mut response = leaving(app, request, title, begun.url);
    response.add_cookie(&cookie(app, begun.browser)).map_err(|error| Problem::Failed(error.into()))?;
    Ok(response)
}

/// A page that goes on to somewhere else by itself.
pub(crate) fn leaving(app: &App, request: &HttpRequest, title: Key, url: String) -> HttpResponse {
    let page = Page::new(request, app.clock.now(), Section::Nowhere).at("/login");
    let host = url.parse::<actix_web::http::Uri>().ok();
    let host = host.and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    render::page(StatusCode::OK, &LeavingPage { page, title, url, host })
}

/// What tells the browser that asked from every other one. The answer comes by a POST from another site, with which no
/// browser sends a cookie that is `Lax` (RFC 6265bis §5.6.7.1), so this one is `None`; that takes `Secure`, which browsers
/// accept from this machine's own addresses without TLS too. It proves nothing by itself and is good for nothing else.
fn cookie(app: &App, value: String) -> Cookie<'static> {
    Cookie::build(cookie_name(app), value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::None)
        .max_age(Duration::seconds(REQUEST_GOOD.num_seconds()))
        .finish()
}

fn cookie_name(app: &App) -> &'static str {
    if app.is_secure() { "__Host-sign-in" } else { "sign-in" }
}

/// What this browser keeps from a sign-in that it began.
pub(crate) fn kept(app: &App, request: &HttpRequest) -> Option<String> {
    request.cookie(cookie_name(app)).map(|cookie| cookie.value().to_owned())
}
