//! The end of one access token (RFC 7009). Gateways refuse single tokens as they refuse clients: by the bucket `TOKENS`.

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use token_protocol::{KeySet, Principal};
use typed_ids::CompanyId;

use super::{Reason, Refusal, RevocationRequest, prove, unavailable};
use crate::{
    app::App,
    lifecycle, sign,
    store::{keys, revocations},
};

/// Ends the token if it is the client's own and still good; whose client it is.
///
/// A token that is good no more, or was never one, needs no end: that is a success (RFC 7009 §2.2).
pub(crate) async fn revoke(app: &App, asked: RevocationRequest) -> Result<CompanyId, Refusal> {
    let RevocationRequest { credentials, token } = asked;
    let proven = prove(app, credentials).await?;
    let company = proven.company;
    let keys = key_set(app).await.map_err(|refusal| refusal.of(company))?;
    let now = sign::unix_seconds(proven.now);
    let Ok(Principal { token_id, credential_id, expires_at, .. }) = keys.verify(token.expose_secret(), now)
    else {
        return Ok(company);
    };
    if credential_id != proven.id {
        // RFC 7009 §2.1: whoever holds another's token may not end it.
        let refusal = Refusal::new(Reason::UnauthorizedClient, "the token was not given to this client");
        return Err(refusal.of(company));
    }
    app.limits.check_end(proven.id).map_err(|refusal| refusal.of(company))?;
    let end = (token_id.as_uuid(), moment(expires_at).unwrap_or(proven.now));
    let ended = app
        .pool
        .transaction("oauth.revoke", move |connection| revocations::end(connection, &[end], proven.now))
        .await;
    ended.map_err(|error| unavailable(&error).of(company))?;
    if !lifecycle::published(app).await {
        let refusal =
            Refusal::unavailable("the end is recorded, and gateways hear of it soon; ask again to know");
        return Err(refusal.of(company));
    }
    Ok(company)
}

async fn key_set(app: &App) -> Result<KeySet, Refusal> {
    let public = app.pool.run("keys.public", keys::public).await.map_err(|error| unavailable(&error))?;
    let mut set = KeySet::default();
    for (kid, public) in &public {
        set.add(sign::jwk(kid, public).to_string().as_bytes()).map_err(|error| unavailable(&error))?;
    }
    Ok(set)
}

fn moment(unix_seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(unix_seconds).ok()?, 0)
}
