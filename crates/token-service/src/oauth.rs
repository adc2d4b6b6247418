//! From a request at the token endpoint to an access token: the client credentials grant (RFC 6749 §4.4), with the client
//! proven by a secret or by an assertion (RFC 7523 §2.2).

mod limits;
mod refusal;
mod request;
pub(crate) mod revocation;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use secrecy::{ExposeSecret as _, SecretString};
use service_runtime::Causes;
use typed_ids::{CompanyId, CredentialId};

pub(crate) use self::{
    limits::Limits,
    refusal::{GRANTED, RESULTS, Reason, Refusal},
    request::{Credentials, Proof, RevocationRequest, TokenRequest},
};
use crate::{
    app::App,
    authority, client_secret,
    clients::SECRETS_LISTED_MOST,
    sign,
    store::{
        act_for,
        clients::{self, ClientRow, SecretRow, WithSecrets},
        keys::{self, KeyRow},
    },
};

/// The life of an access token.
pub(crate) const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// The only scope that there is; whoever asks for none gets it.
pub(crate) const SCOPE: &str = "scim";

/// An access token.
pub(crate) struct Grant {
    pub(crate) access_token: SecretString,
    pub(crate) expires_in: i64,
    /// Whose it is: for the log.
    pub(crate) company: CompanyId,
}

/// Grants an access token, or says why not.
pub(crate) async fn grant(app: &App, credentials: Credentials) -> Result<Grant, Refusal> {
    let Proven { client, company, key, now, .. } = prove(app, credentials).await?;
    let key = key.ok_or_else(|| Refusal::unavailable("there is no signing key yet; try again later"))?;
    let expires_at = now + ACCESS_TOKEN_LIFETIME;
    let text = sign::access_token(&app.sealing_keys, &key, &app.issuer, &client, now..expires_at)
        .map_err(|error| unavailable(&error))?;
    Ok(Grant { access_token: text.into(), expires_in: ACCESS_TOKEN_LIFETIME.num_seconds(), company })
}

/// Somebody who has proven to be a client that may ask for something.
struct Proven {
    id: CredentialId,
    client: ClientRow,
    company: CompanyId,
    key: Option<KeyRow>,
    now: DateTime<Utc>,
}

async fn prove(app: &App, credentials: Credentials) -> Result<Proven, Refusal> {
    let Credentials { client_id, proof } = credentials;
    // Of a name that is none of ours we look up another that nobody has, and work as for any client.
    let id: CredentialId = client_id.parse().unwrap_or_else(|_not_a_uuid| CredentialId::mint());
    let now = app.now();
    let found = app
        .pool
        .transaction("oauth.client", move |connection| known(connection, id, now))
        .await
        .map_err(|error| unavailable(&error))?;
    let Known { client, key } = found;
    let whose = client.as_ref().map(|(client, _)| (CompanyId::from_uuid(client.company_id), id));
    let client = check(app, client, id, proof, now).await.map_err(|refusal| refusal.to(whose))?;
    Ok(Proven { id, company: CompanyId::from_uuid(client.company_id), client, key, now })
}

/// The client, if that is who asks and it may.
async fn check(
    app: &App,
    client: Option<WithSecrets>,
    id: CredentialId,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<ClientRow, Refusal> {
    let client = match proof {
        Proof::Secret(secret) => with_secret(client, &secret, now)?,
        Proof::Assertion(assertion) => with_assertion(app, client, &assertion).await?,
    };
    let company = CompanyId::from_uuid(client.company_id);
    if client.revoked_at.is_some() {
        // Only whoever has proven to be the client learns this.
        return Err(Refusal::new(
            Reason::UnauthorizedClient,
            "the client is revoked; create another and use its id",
        )
        .of(company));
    }
    app.limits.check_client(id).map_err(|refusal| refusal.of(company))?;
    Ok(client)
}

/// What has to be read for one request.
struct Known {
    client: Option<WithSecrets>,
    key: Option<KeyRow>,
}

/// Asks the same questions whether there is such a client or not.
fn known(connection: &mut PgConnection, client: CredentialId, now: DateTime<Utc>) -> QueryResult<Known> {
    let key = keys::signing(connection, now)?;
    let company = clients::company_of(connection, client.as_uuid())?.unwrap_or_else(CompanyId::mint);
    act_for(connection, company)?;
    let client = clients::find(connection, company, client.as_uuid(), SECRETS_LISTED_MOST)?;
    Ok(Known { client, key })
}

fn with_secret(
    found: Option<WithSecrets>,
    secret: &SecretString,
    now: DateTime<Utc>,
) -> Result<ClientRow, Refusal> {
    let sent = client_secret::digest(secret.expose_secret());
    let (client, secrets) = found.unzip();
    let mut fitting: Option<SecretRow> = None;
    for kept in secrets.unwrap_or_default() {
        if client_secret::is_same(&kept.digest, &sent) {
            fitting = Some(kept);
        }
    }
    match (client, fitting) {
        // A revoked client's secrets are revoked as well; its own end is the better answer.
        (Some(client), Some(fitting)) if fitting.is_live(now) || client.revoked_at.is_some() => Ok(client),
        (Some(client), Some(fitting)) => {
            let end = if fitting.revoked_at.is_some() { "is revoked" } else { "has expired" };
            Err(Refusal::new(
                Reason::InvalidClient,
                &format!(
                    "the client secret that ends in {} {end}; use another secret of this client",
                    fitting.hint
                ),
            )
            .of(CompanyId::from_uuid(client.company_id)))
        }
        _ => Err(Refusal::new(
            Reason::InvalidClient,
            "there is no such client, or the secret is not one of its own; check both for missing characters",
        )),
    }
}

async fn with_assertion(
    app: &App,
    found: Option<WithSecrets>,
    assertion: &SecretString,
) -> Result<ClientRow, Refusal> {
    let nobody = || {
        Refusal::new(
            Reason::InvalidClient,
            "there is no client of this id that proves itself by assertions; check client_id",
        )
    };
    let (client, _) = found.ok_or_else(nobody)?;
    let (Some(tenant), Some(subject), Some(audiences)) =
        (client.tenant_id, &client.subject, &client.audiences)
    else {
        return Err(nobody());
    };
    match app.authority.verify(tenant, assertion.expose_secret(), subject, audiences).await {
        Ok(()) => Ok(client),
        Err(authority::Failure::Refused(refusal)) => {
            Err(Refusal::new(Reason::InvalidClient, &refusal.to_string()))
        }
        Err(authority::Failure::Unavailable) => Err(Refusal::unavailable(
            "the keys of the tenant cannot be fetched at the moment; try again later",
        )),
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Refusal {
    Refusal::unavailable("the service cannot do this at the moment; try again later")
        .because(Causes(error).to_string())
}
