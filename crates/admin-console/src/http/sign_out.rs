//! Signing out: this browser, another one, or all.

use actix_web::{HttpResponse, web::Data};

use super::{guard::see_other, problem::Problem};
use crate::{app::App, session, signed_in::SignedIn};

/// Ends this session and takes its cookie away.
pub(crate) async fn sign_out(app: Data<App>, signed_in: SignedIn) -> Result<HttpResponse, Problem> {
    session::end(&app, &signed_in, signed_in.session).await?;
    let mut response = see_other("/sign-in");
    let mut cookie = session::cookie(&app, "");
    cookie.make_removal();
    response.add_cookie(&cookie).map_err(|error| Problem::Failed(error.into()))?;
    Ok(response)
}
