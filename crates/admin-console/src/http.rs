//! The route table: what can be called, by whom, and who answers. What each access means is in [`guard`].

pub(crate) mod account;
mod administrators;
pub(crate) mod answer;
pub(crate) mod asker;
pub(crate) mod assets;
pub(crate) mod audit;
pub(crate) mod brakes;
mod came_back;
mod connect;
mod groups;
pub(crate) mod guard;
mod invitation;
mod language;
mod live;
mod login;
mod oidc;
mod overview;
mod people;
pub(crate) mod problem;
pub(crate) mod provisioning;
pub(crate) mod query;
pub(crate) mod render;
pub(crate) mod return_to;
mod saml;
mod settings;
mod sign_in;
mod sign_out;

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse, Route,
    middleware::{Compress, from_fn},
    web::{self, get, post},
};

use self::{
    Access::{Account, Administrator, Fresh, FromElsewhere, Own, Public, SignedIn},
    Shape::{Page, Part},
    Verb::{Get, Post},
    problem::Problem,
};
use crate::app::App;

/// The body of a form.
pub(crate) const FORM_MOST_BYTES: usize = 65_536;
/// A message of an identity provider, in base64 and in a form.
const MESSAGE_MOST_BYTES: usize = 524_288;
/// An identity provider's metadata in a form, where each of its signs may take three.
const METADATA_FORM_MOST_BYTES: usize = 2_097_152;

/// Whom a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; a POST must still come from our own page.
    Public,
    /// Everybody, sent here by another site, also with a POST and without a session's cookie: what is sent must prove itself.
    FromElsewhere,
    /// Whoever has a session; what is about that session alone.
    Own,
    /// Whoever has an account with a password; what is about that account alone.
    Account,
    /// Whoever looks after the company: administrators and auditors.
    SignedIn,
    /// Administrators; auditors are told that it is not for them.
    Administrator,
    /// Administrators who proved who they are a moment ago; others are asked to first.
    Fresh,
}

/// The method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Shows something.
    Get,
    /// Changes something.
    Post,
}

/// What a route answers with, which decides how it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A whole page: whoever has no session is sent to sign in.
    Page,
    /// A fragment, a stream, a file: whoever has no session gets a 401, and whoever has one is not taken to be there, because
    /// an open page asks for its fragments by itself.
    Part,
}

/// One line of the table.
pub(crate) struct Entry {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) shape: Shape,
    /// What its body may have, in bytes.
    most_bytes: usize,
    route: fn() -> Route,
}

const fn entry(verb: Verb, path: &'static str, access: Access, shape: Shape, route: fn() -> Route) -> Entry {
    Entry { verb, path, access, shape, most_bytes: FORM_MOST_BYTES, route }
}

impl Entry {
    const fn taking(self, most_bytes: usize) -> Self {
        Self { most_bytes, ..self }
    }
}

/// Everything that can be called. A path that two patterns match belongs to the one that stands first.
pub(crate) static ROUTES: &[Entry] = &[
    // Compressed, and pages not: what a page mixes of secrets and of others' words must not show in its length.
    entry(Get, "/assets/{name}", Public, Part, || get().to(assets::get).wrap(Compress::default())),
    entry(Get, "/sign-in", Public, Page, || get().to(sign_in::show)),
    entry(Post, "/sign-in", Public, Page, || post().to(sign_in::attempt)),
    entry(Get, "/login", Public, Page, || get().to(login::show)),
    entry(Post, "/login", Public, Page, || post().to(login::begin)),
    entry(Get, "/saml/metadata", Public, Part, || get().to(saml::metadata)),
    entry(Post, "/saml/login_check", FromElsewhere, Page, || post().to(saml::login_check))
        .taking(MESSAGE_MOST_BYTES),
    entry(Get, "/saml/logout", Public, Page, || get().to(saml::logout)),
    entry(Get, "/oidc/callback/{company}", FromElsewhere, Page, || get().to(oidc::callback)),
    entry(Get, "/oidc/certificate", Public, Part, || get().to(oidc::certificate)),
    entry(Get, "/invitation/{token}", Public, Page, || get().to(invitation::show)),
    entry(Post, "/invitation/{token}", Public, Page, || post().to(invitation::accept)),
    entry(Get, "/confirm-password", SignedIn, Page, || get().to(sign_in::ask_again)),
    entry(Post, "/confirm-password", SignedIn, Page, || post().to(sign_in::confirm)),
    entry(Get, "/account", Own, Page, || get().to(account::get)),
    entry(Post, "/account/profile", Account, Page, || post().to(account::set_profile)),
    entry(Post, "/account/notices", Account, Page, || post().to(account::set_notices)),
    entry(Post, "/account/password", Account, Page, || post().to(account::change_password)),
    entry(Post, "/account/sessions/end-others", Own, Page, || post().to(account::end_others)),
    entry(Post, "/account/sessions/{id}/end", Own, Page, || post().to(account::end_session)),
    entry(Get, "/settings/administrators", SignedIn, Page, || get().to(administrators::list)),
    entry(Post, "/settings/administrators/invite", Administrator, Page, || post().to(administrators::invite)),
    entry(Post, "/settings/administrators/{id}/role", Administrator, Page, || {
        post().to(administrators::change_role)
    }),
    entry(Post, "/settings/administrators/{id}/remove", Administrator, Page, || {
        post().to(administrators::remove)
    }),
    entry(Post, "/settings/administrators/{id}/sign-out", Administrator, Page, || {
        post().to(administrators::sign_out)
    }),
    entry(Post, "/settings/administrators/{id}/break-glass", Administrator, Page, || {
        post().to(administrators::set_break_glass)
    }),
    entry(Post, "/sign-out", Own, Page, || post().to(sign_out::sign_out)),
    entry(Post, "/language", Public, Page, || post().to(language::choose)),
    entry(Get, "/", SignedIn, Page, || get().to(overview::get)),
    entry(Get, "/live", SignedIn, Part, || get().to(live::get)),
    entry(Get, "/people", SignedIn, Page, || get().to(people::list)),
    entry(Get, "/people/{id}", SignedIn, Page, || get().to(people::get)),
    entry(Post, "/people/{id}/sign-out", Administrator, Page, || post().to(people::sign_out)),
    entry(Get, "/groups", SignedIn, Page, || get().to(groups::list)),
    entry(Get, "/groups/{id}", SignedIn, Page, || get().to(groups::get)),
    entry(Get, "/provisioning", SignedIn, Page, || get().to(provisioning::get)),
    entry(Get, "/provisioning/live", SignedIn, Part, || get().to(provisioning::fragment)),
    entry(Get, "/provisioning/cycles", SignedIn, Page, || get().to(provisioning::cycles::get)),
    entry(Get, "/provisioning/log.csv", SignedIn, Part, || get().to(provisioning::export::get)),
    entry(Get, "/provisioning/requests/{id}", SignedIn, Page, || get().to(provisioning::one)),
    entry(Get, "/provisioning/requests/{id}/receipt", SignedIn, Part, || {
        get().to(provisioning::receipt::get)
    }),
    entry(Get, "/provisioning/brakes", SignedIn, Page, || get().to(brakes::list)),
    entry(Post, "/provisioning/brakes/rule", Administrator, Page, || post().to(brakes::set_rule)),
    entry(Get, "/provisioning/brakes/{id}", SignedIn, Page, || get().to(brakes::get)),
    entry(Post, "/provisioning/brakes/{id}/undo", Administrator, Page, || post().to(brakes::undo)),
    entry(Post, "/provisioning/brakes/{id}/release", Administrator, Page, || post().to(brakes::release)),
    entry(Get, "/settings/company", SignedIn, Page, || get().to(settings::get)),
    entry(Post, "/settings/company/tokens", Administrator, Page, || post().to(settings::token::issue)),
    entry(Post, "/settings/company/tokens/rotate", Administrator, Page, || {
        post().to(settings::token::rotate)
    }),
    entry(Post, "/settings/company/tokens/{token}/reveal", Fresh, Page, || {
        post().to(settings::token::reveal)
    }),
    entry(Post, "/settings/company/tokens/{token}/revoke", Administrator, Page, || {
        post().to(settings::token::revoke)
    }),
    entry(Post, "/settings/company/clients", Fresh, Page, || post().to(settings::client::create)),
    entry(Post, "/settings/company/clients/{client}/secrets", Fresh, Page, || {
        post().to(settings::client::add_secret)
    }),
    entry(Post, "/settings/company/clients/{client}/secrets/{secret}/revoke", Administrator, Page, || {
        post().to(settings::client::revoke_secret)
    }),
    entry(Post, "/settings/company/clients/{client}/revoke", Administrator, Page, || {
        post().to(settings::client::revoke)
    }),
    entry(Get, "/settings/single-sign-on", SignedIn, Page, || get().to(settings::single_sign_on::show)),
    entry(Post, "/settings/single-sign-on", Fresh, Page, || post().to(settings::single_sign_on::save))
        .taking(METADATA_FORM_MOST_BYTES),
    entry(Post, "/settings/single-sign-on/refresh", Administrator, Page, || {
        post().to(settings::single_sign_on::refresh)
    }),
    entry(Post, "/settings/single-sign-on/only", Fresh, Page, || {
        post().to(settings::single_sign_on::set_only)
    }),
    entry(Post, "/settings/single-sign-on/test", Administrator, Page, || {
        post().to(settings::single_sign_on::test)
    }),
    entry(Get, "/settings/single-sign-on/tests/{id}", Administrator, Page, || {
        get().to(settings::single_sign_on::tested)
    }),
    entry(Get, "/connect", SignedIn, Page, || get().to(connect::get)),
    entry(Get, "/connect/steps", SignedIn, Part, || get().to(connect::steps)),
    entry(Get, "/audit", SignedIn, Page, || get().to(audit::get)),
    entry(Get, "/audit.csv", SignedIn, Part, || get().to(audit::export)),
];

/// The table for whoever checks it from outside: method, path pattern, access and shape of every route.
pub fn route_table() -> impl Iterator<Item = (Verb, &'static str, Access, Shape)> {
    ROUTES.iter().map(|entry| (entry.verb, entry.path, entry.access, entry.shape))
}

/// The template and method of every route, for the metrics.
pub(crate) fn labels() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|entry| {
        let method = match entry.verb {
            Get => "GET",
            Post => "POST",
        };
        (entry.path, method)
    })
}

/// Mounts the routes.
pub(crate) fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(app.clone()))
            .app_data(web::QueryConfig::default().error_handler(|_, _| Problem::Invalid.into()))
            .app_data(web::PathConfig::default().error_handler(|_, _| Problem::NotFound.into()))
            .service(console());
    }
}

fn form_config(most_bytes: usize) -> web::FormConfig {
    web::FormConfig::default().limit(most_bytes).error_handler(|error, _| Problem::of_form(&error).into())
}

/// One resource for each path, so that another method on it is 405 and not 404; the guard before each route.
fn console() -> impl actix_web::dev::HttpServiceFactory {
    let mut mounted = BTreeSet::new();
    let mut scope = web::scope("");
    for path in ROUTES.iter().map(|entry| entry.path) {
        if !mounted.insert(path) {
            continue;
        }
        let of_path = ROUTES.iter().filter(|entry| entry.path == path);
        let most_bytes = of_path.map(|entry| entry.most_bytes).max().unwrap_or(FORM_MOST_BYTES);
        let mut resource = web::resource(path)
            .app_data(web::PayloadConfig::new(most_bytes))
            .app_data(form_config(most_bytes));
        for entry in ROUTES.iter().filter(|entry| entry.path == path) {
            let guarded = from_fn(move |request, next| guard::check(entry, request, next));
            resource = resource.route((entry.route)().wrap(guarded));
        }
        scope = scope.service(resource.default_service(web::to(not_with_that)));
    }
    scope.default_service(web::to(nowhere)).wrap(from_fn(answer::finish))
}

/// What no route answers is said in the language and the frame of whoever is signed in.
async fn nowhere(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    guard::recognise(&app, &request).await?;
    Err(Problem::NotFound)
}

async fn not_with_that(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    guard::recognise(&app, &request).await?;
    Err(Problem::MethodNotAllowed)
}
