//! `POST /language`: another language from here on, in this browser and, of somebody who has signed in, everywhere.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web::{Data, Form},
};
use serde::Deserialize;

use super::{guard::see_other, problem::Problem, return_to};
use crate::{
    app::App,
    language::{LANGUAGE_COOKIE, Language},
    session::{self, Presence},
    signed_in::Account,
    store,
    store::administrators,
};

/// How long a browser remembers.
const REMEMBERED: Duration = Duration::days(365);

#[derive(Deserialize)]
pub(crate) struct Choice {
    language: String,
    #[serde(default)]
    return_to: String,
}

/// `POST /language`.
pub(crate) async fn choose(
    app: Data<App>,
    request: HttpRequest,
    Form(choice): Form<Choice>,
) -> Result<HttpResponse, Problem> {
    let language = Language::parse(&choice.language).ok_or(Problem::Invalid)?;
    if let Some(cookie) = request.cookie(session::cookie_name(&app)) {
        let address = app.address_of(&request);
        let who = session::find(&app, cookie.value(), address, Presence::Shown).await?;
        if let Some(who) = who
            && let Account::Administrator(administrator) = who.account
        {
            app.pool
                .transaction("language.choose", move |connection| {
                    store::act_for(connection, who.company)?;
                    let (company, name) = (who.company, &who.name);
                    administrators::set_profile(connection, company, administrator, name, language.tag())
                })
                .await?;
        }
    }
    let cookie = Cookie::build(LANGUAGE_COOKIE, language.tag())
        .path("/")
        .secure(app.is_secure())
        .same_site(SameSite::Lax)
        .max_age(REMEMBERED)
        .finish();
    let mut response = see_other(return_to::checked(&choice.return_to));
    response.add_cookie(&cookie).map_err(|error| Problem::Failed(error.into()))?;
    Ok(response)
}
