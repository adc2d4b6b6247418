//! Receipts for auditors: what the console did when somebody lost access, in a form that can be checked without asking us.
//!
//! What a receipt says is the console's word; this service only sees that it can be, and puts the installation's issuer, the
//! time and a signature to it. It signs nothing else for the console, and what it signs is by its type no token (RFC 8725 §3.11).

use bus_contract::{
    Timestamp,
    token::{SignAccessEnd, SignedReceipt, sign_access_end::Cause},
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use typed_ids::{CompanyId, RequestId, UserId};

use crate::{
    app::App,
    ask::{Refusal, id},
    sign, signing_keys,
};

/// The claims of a receipt; times are RFC 3339 with milliseconds, but `iat`, which is JWT's.
#[derive(Serialize)]
pub(crate) struct Claims {
    iss: String,
    iat: u64,
    company_id: CompanyId,
    user_id: UserId,
    request_id: RequestId,
    cause: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_at: Option<String>,
    enforced_at: String,
    sessions_ended: u32,
}

/// Signs what the console says of an access that ended.
pub(crate) async fn sign(app: &App, ask: SignAccessEnd) -> Result<SignedReceipt, Refusal> {
    let claims = claims(app, &ask)?;
    let key = signing_keys::signing(app)
        .await?
        .ok_or_else(|| Refusal::Unavailable(anyhow::anyhow!("there is no signing key yet")))?;
    let jws = sign::receipt(&app.sealing_keys, &key, &claims);
    Ok(SignedReceipt { jws: jws.map_err(|error| Refusal::Unavailable(error.into()))? })
}

fn claims(app: &App, ask: &SignAccessEnd) -> Result<Claims, Refusal> {
    let cause = match ask.cause() {
        Cause::Deactivated => "deactivated",
        Cause::Deleted => "deleted",
        Cause::Unspecified => {
            return Err(Refusal::Invalid("the cause must be a deactivation or a deletion".to_owned()));
        }
    };
    let enforced_at = ask.enforced_at.as_ref();
    let enforced_at =
        enforced_at.ok_or_else(|| Refusal::Invalid("it must be said when access ended".to_owned()))?;
    Ok(Claims {
        iss: app.issuer.clone(),
        iat: sign::unix_seconds(app.now()),
        company_id: id("company", &ask.company_id)?,
        user_id: id("user", &ask.user_id)?,
        request_id: id("request", &ask.request_id)?,
        cause,
        requested_at: ask.requested_at.as_ref().map(rfc3339).transpose()?,
        enforced_at: rfc3339(enforced_at)?,
        sessions_ended: ask.sessions_ended,
    })
}

fn rfc3339(at: &Timestamp) -> Result<String, Refusal> {
    let nanos = u32::try_from(at.nanos).ok();
    let at = nanos.and_then(|nanos| DateTime::<Utc>::from_timestamp(at.seconds, nanos));
    let at = at.ok_or_else(|| Refusal::Invalid("a time of the receipt is none".to_owned()))?;
    Ok(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
