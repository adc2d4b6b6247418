//! Signing out: this browser, another one, or all.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use service_runtime::Causes;

use super::{guard::see_other, login, problem::Problem};
use crate::{
    app::App,
    language::Key,
    session::{self, Ended},
    signed_in::SignedIn,
    single_sign_on::saml,
};

/// Ends this session and takes its cookie away; then the identity provider's, where there is one.
pub(crate) async fn sign_out(
    app: Data<App>,
    request: HttpRequest,
    signed_in: SignedIn,
) -> Result<HttpResponse, Problem> {
    let ended = session::end(&app, &signed_in, signed_in.session).await?;
    let mut response = match ended {
        Some(Ended::Elsewhere(session)) => match saml::leave(&app, &session).await {
            Ok(Some(url)) => {
                // The page is for somebody who has signed out.
                actix_web::HttpMessage::extensions_mut(&request).remove::<SignedIn>();
                login::leaving(&app, &request, Key("leaving-signed-out"), url)
            }
            Ok(None) => see_other("/login?done=signed-out"),
            // They are signed out here, which is what they asked for.
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "an identity provider was not told of a sign-out");
                see_other("/login?done=signed-out")
            }
        },
        Some(Ended::Here) | None => see_other("/login?done=signed-out"),
    };
    let mut cookie = session::cookie(&app, "");
    cookie.make_removal();
    response.add_cookie(&cookie).map_err(|error| Problem::Failed(error.into()))?;
    Ok(response)
}
