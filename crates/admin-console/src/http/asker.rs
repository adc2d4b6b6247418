//! Whether whoever asked for something that is written for a while is still signed in.

use actix_web::{HttpRequest, web::Data};

use crate::{app::App, opaque, session};

/// Whoever asked, as their session's cookie has it.
#[derive(Clone)]
pub(crate) struct Asker {
    app: Data<App>,
    session_key: String,
}

impl Asker {
    pub(crate) fn of(app: &Data<App>, request: &HttpRequest) -> Self {
        let cookie = request.cookie(session::cookie_name(app));
        let session_key = cookie.and_then(|cookie| opaque::key(cookie.value())).unwrap_or_default();
        Self { app: app.clone(), session_key }
    }

    /// Without counting as somebody's being here.
    ///
    /// # Errors
    /// The database does not say.
    pub(crate) async fn is_signed_in(&self) -> Result<bool, pg_pool::Error> {
        let (key, cutoff) = (self.session_key.clone(), self.app.limits.cutoff(self.app.now()));
        self.app
            .pool
            .transaction("session.is_good", move |connection| session::is_good(connection, &key, cutoff))
            .await
    }
}
