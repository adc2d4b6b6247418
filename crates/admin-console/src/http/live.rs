//! `/live`: the stream of server-sent events that says when a page's fragments are worth asking for again.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data},
};
use futures_util::stream;

use super::asker::Asker;
use crate::{app::App, live::Listener, signed_in::SignedIn};

/// A stream that says nothing for longer is taken for dead by what stands between.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Between two events of one stream. A cycle changes things many times a second; an eye does not follow.
const APART: Duration = Duration::from_secs(1);

struct Open {
    app: Data<App>,
    listener: Listener,
    asker: Asker,
    is_first: bool,
    /// When the session was good last.
    good_at: Duration,
}

/// `GET /live`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest) -> HttpResponse {
    let asker = Asker::of(&app, &request);
    let Ok(listener) = app.live.listen(who.company, who.session) else {
        return HttpResponse::TooManyRequests()
            .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
            .body("Too many pages are open at once. Close some.\n");
    };
    let good_at = app.clock.since_epoch();
    let open = Open { app, listener, asker, is_first: true, good_at };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // A proxy that collects an answer before it passes it on would collect this one forever.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream::unfold(open, |mut open| async move {
            let event = open.next().await?;
            Some((Ok::<_, std::convert::Infallible>(event), open))
        }))
}

impl Open {
    /// The next thing to write; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_first {
            // Something may have changed between the page and its stream, or while the stream was broken.
            self.is_first = false;
            return Some(self.event());
        }
        match tokio::time::timeout(HEARTBEAT, self.listener.changed()).await {
            Ok(true) => {
                if self.listener.ends_within(APART).await {
                    return None;
                }
                // Where something changes all the time there is no silence to look at the session in.
                let is_due = self.app.clock.since_epoch().saturating_sub(self.good_at) >= HEARTBEAT;
                (!is_due || self.is_signed_in().await).then(|| self.event())
            }
            Ok(false) => None,
            Err(_quiet) => self.is_signed_in().await.then(|| Bytes::from_static(b": still here\n\n")),
        }
    }

    fn event(&self) -> Bytes {
        Bytes::from(format!("id: {}\nevent: activity\ndata:\n\n", self.listener.count()))
    }

    /// Without counting as somebody's being here: an open page alone keeps no session alive.
    async fn is_signed_in(&mut self) -> bool {
        self.good_at = self.app.clock.since_epoch();
        // When the database does not say, the page that asks next will be told.
        self.asker.is_signed_in().await.unwrap_or(true)
    }
}
