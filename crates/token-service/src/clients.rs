//! What can be done to OAuth clients: create, list, add a secret, revoke a secret, revoke.

use bus_contract::token::{
    AddClientSecret, Client, ClientList, ClientSecret, CreateClient, Federation, ListClients, RevokeClient,
    RevokeClientSecret, SecretClient, create_client::Authentication,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, CredentialId};
use uuid::Uuid;

use crate::{
    app::App,
    ask::{Refusal, description, doing, existing_company, id, is_line, seconds},
    client_secret::NewSecret,
    lifecycle::{day, published, timestamp},
    oauth::ACCESS_TOKEN_LIFETIME,
    store::{
        act_for,
        clients::{self, ClientRow, SecretRow, WithSecrets},
        events::{self, Act, Doing},
        expiries, revocations, take_turns,
    },
};

const YEAR: u32 = 365 * 24 * 3600;
/// The life of a secret, in seconds: what Entra's gallery demands of client secrets.
const SECRET_LIFETIMES: std::ops::RangeInclusive<u32> = YEAR..=3 * YEAR;
/// Clients of one company that are not revoked.
const LIVE_MOST: i64 = 10;
/// Secrets of one client that are neither revoked nor expired.
const LIVE_SECRETS_MOST: usize = 5;
/// Clients that a list shows; more than can be live.
const LISTED_MOST: i64 = 100;
/// Secrets that are shown of a client, the newest first; more than can be live.
pub(crate) const SECRETS_LISTED_MOST: i64 = 20;
/// The longest subject of an assertion, in characters.
const SUBJECT_MOST: usize = 200;
/// The longest audience, in characters.
const AUDIENCE_MOST: usize = 300;
/// Audiences that one client may accept.
const AUDIENCES: std::ops::RangeInclusive<usize> = 1..=5;

/// What became of an attempt to change a client.
enum Outcome {
    Done(Box<WithSecrets>),
    NoClient,
    NoSecret,
    Refused(&'static str),
}

/// A new client for a company that exists, with its first secret unless it proves itself by assertions.
pub(crate) async fn create(app: &App, ask: CreateClient) -> Result<SecretClient, Refusal> {
    let company = existing_company(app, &ask.company_id).await?;
    let doing = doing(company, ask.actor, app.now())?;
    let mut client = ClientRow {
        company_id: company.as_uuid(),
        client_id: CredentialId::mint().as_uuid(),
        description: description(ask.description)?,
        created_at: doing.now,
        created_by: doing.actor_name.clone(),
        revoked_at: None,
        tenant_id: None,
        subject: None,
        audiences: None,
    };
    let first = match ask.authentication {
        Some(Authentication::Secret(wanted)) => Some(secret(&client, wanted.lifetime_seconds, doing.now)?),
        Some(Authentication::Federation(federation)) => {
            let tenant: Uuid = id("tenant", &federation.tenant_id)?;
            check(&federation)?;
            client.tenant_id = Some(tenant);
            client.subject = Some(federation.subject);
            client.audiences = Some(federation.audiences);
            None
        }
        None => {
            return Err(Refusal::Invalid(
                "say how the client proves itself: by a secret or by federation".to_owned(),
            ));
        }
    };
    let (made, row) = first.unzip();
    let shown = (client.clone(), Vec::from_iter(row.clone()));
    let secret_id = row.as_ref().map(|row: &SecretRow| row.secret_id);
    let has_room = app
        .pool
        .transaction("clients.create", move |connection| {
            act_for(connection, company)?;
            insert(connection, &doing, &client, row.as_ref())
        })
        .await?;
    if !has_room {
        return Err(Refusal::Invalid(format!(
            "the company has {LIVE_MOST} clients already; revoke one that is not used"
        )));
    }
    Ok(told(app, &shown, made.as_ref().zip(secret_id)))
}

/// A company's clients: those that are not revoked, then the newest of the others.
pub(crate) async fn list(app: &App, ask: ListClients) -> Result<ClientList, Refusal> {
    let company: CompanyId = id("company", &ask.company_id)?;
    let found = app
        .pool
        .transaction("clients.list", move |connection| {
            act_for(connection, company)?;
            clients::of_company(connection, company, LISTED_MOST, SECRETS_LISTED_MOST)
        })
        .await?;
    Ok(ClientList { clients: found.iter().map(|client| shown(app, client)).collect() })
}

/// One secret more, beside which the others go on.
pub(crate) async fn add_secret(app: &App, ask: AddClientSecret) -> Result<SecretClient, Refusal> {
    let (company, client) = of_ask(&ask.company_id, &ask.client_id)?;
    let doing = doing(company, ask.actor, app.now())?;
    let made = NewSecret::generate().map_err(|error| Refusal::Unavailable(error.into()))?;
    let lifetime = seconds("lifetime", ask.lifetime_seconds, YEAR, SECRET_LIFETIMES)?;
    let row = secret_row(company.as_uuid(), client, &made, lifetime, doing.now);
    let secret_id = row.secret_id;
    let outcome = app
        .pool
        .transaction("clients.add_secret", move |connection| {
            act_for(connection, company)?;
            take_turns(connection, company)?;
            let Some((found, secrets)) = clients::find(connection, company, client, SECRETS_LISTED_MOST)?
            else {
                return Ok(Outcome::NoClient);
            };
            if found.revoked_at.is_some() {
                return Ok(Outcome::Refused("the client is revoked; create another"));
            }
            if found.tenant_id.is_some() {
                return Ok(Outcome::Refused("the client proves itself by assertions and has no secrets"));
            }
            if secrets.iter().filter(|secret| secret.is_live(doing.now)).count() >= LIVE_SECRETS_MOST {
                return Ok(Outcome::Refused(
                    "the client has 5 valid secrets already; revoke one that is not used",
                ));
            }
            insert_secret(connection, &doing, &row)?;
            reread(connection, company, client)
        })
        .await?;
    Ok(told(app, &done(outcome)?, Some((&made, secret_id))))
}

/// The end of a secret. Access tokens that were got with it live out their hour.
pub(crate) async fn revoke_secret(app: &App, ask: RevokeClientSecret) -> Result<Client, Refusal> {
    let (company, client) = of_ask(&ask.company_id, &ask.client_id)?;
    let secret: Uuid = id("secret", &ask.secret_id)?;
    let doing = doing(company, ask.actor, app.now())?;
    let outcome = app
        .pool
        .transaction("clients.revoke_secret", move |connection| {
            act_for(connection, company)?;
            take_turns(connection, company)?;
            let Some((_, secrets)) = clients::find(connection, company, client, SECRETS_LISTED_MOST)? else {
                return Ok(Outcome::NoClient);
            };
            let Some(found) = secrets.iter().find(|found| found.secret_id == secret) else {
                return Ok(Outcome::NoSecret);
            };
            if found.is_live(doing.now) {
                clients::revoke_secrets(connection, company, &[secret], doing.now)?;
                expiries::forget(connection, vec![secret])?;
                let note = format!("Secret {secret}, which ends in {}.", found.hint);
                events::record(connection, &doing, Act::ClientSecretRevoked, [client], &note)?;
            }
            reread(connection, company, client)
        })
        .await?;
    Ok(shown(app, &done(outcome)?))
}

/// The end of a client, its secrets and every access token that it got, from this second on.
pub(crate) async fn revoke(app: &App, ask: RevokeClient) -> Result<Client, Refusal> {
    let (company, client) = of_ask(&ask.company_id, &ask.client_id)?;
    let doing = doing(company, ask.actor, app.now())?;
    let outcome = app
        .pool
        .transaction("clients.revoke", move |connection| {
            act_for(connection, company)?;
            take_turns(connection, company)?;
            let Some((found, secrets)) = clients::find(connection, company, client, SECRETS_LISTED_MOST)?
            else {
                return Ok(Outcome::NoClient);
            };
            if found.revoked_at.is_none() {
                let secrets: Vec<_> = secrets.iter().map(|secret| secret.secret_id).collect();
                clients::revoke(connection, company, client, doing.now)?;
                clients::revoke_secrets(connection, company, &secrets, doing.now)?;
                expiries::forget(connection, secrets)?;
                // No access token outlives this, so it need not be remembered for longer.
                let last_expiry = doing.now + ACCESS_TOKEN_LIFETIME;
                revocations::end(connection, &[(client, last_expiry)], doing.now)?;
                events::record(connection, &doing, Act::ClientRevoked, [client], "")?;
            }
            reread(connection, company, client)
        })
        .await?;
    let revoked = done(outcome)?;
    // Also when it had ended before: whoever asks again may do so because publishing failed.
    if !published(app).await {
        return Err(Refusal::Unavailable(anyhow::anyhow!(
            "the revocation is recorded, but could not be published to the gateways yet; it will be"
        )));
    }
    Ok(shown(app, &revoked))
}

/// Stores a client and its first secret; whether the company may have one client more.
fn insert(
    connection: &mut PgConnection,
    doing: &Doing,
    client: &ClientRow,
    secret: Option<&SecretRow>,
) -> QueryResult<bool> {
    take_turns(connection, doing.company)?;
    if clients::live(connection, doing.company)? >= LIVE_MOST {
        return Ok(false);
    }
    clients::insert(connection, client)?;
    let note = match client.tenant_id {
        Some(tenant) => format!("It proves itself by assertions of the tenant {tenant}."),
        None => "It proves itself by secrets.".to_owned(),
    };
    events::record(connection, doing, Act::ClientCreated, [client.client_id], &note)?;
    if let Some(secret) = secret {
        insert_secret(connection, doing, secret)?;
    }
    Ok(true)
}

fn insert_secret(connection: &mut PgConnection, doing: &Doing, secret: &SecretRow) -> QueryResult<()> {
    clients::insert_secret(connection, secret)?;
    expiries::insert(connection, expiries::Kind::ClientSecret, secret.secret_id, secret.expires_at)?;
    let (id, hint, expiry) = (secret.secret_id, &secret.hint, day(secret.expires_at));
    let note = format!("Secret {id}, which ends in {hint} and expires on {expiry}.");
    events::record(connection, doing, Act::ClientSecretAdded, [secret.client_id], &note)
}

fn reread(connection: &mut PgConnection, company: CompanyId, client: Uuid) -> QueryResult<Outcome> {
    let found = clients::find(connection, company, client, SECRETS_LISTED_MOST)?;
    Ok(found.map_or(Outcome::NoClient, |found| Outcome::Done(Box::new(found))))
}

fn done(outcome: Outcome) -> Result<WithSecrets, Refusal> {
    match outcome {
        Outcome::Done(client) => Ok(*client),
        Outcome::NoClient => Err(Refusal::NotFound("client")),
        Outcome::NoSecret => Err(Refusal::NotFound("secret")),
        Outcome::Refused(why) => Err(Refusal::Invalid(why.to_owned())),
    }
}

fn of_ask(company: &str, client: &str) -> Result<(CompanyId, Uuid), Refusal> {
    Ok((id("company", company)?, id::<CredentialId>("client", client)?.as_uuid()))
}

fn check(federation: &Federation) -> Result<(), Refusal> {
    if !is_line(&federation.subject, 1..=SUBJECT_MOST) {
        return Err(Refusal::Invalid(format!(
            "the subject must have 1 to {SUBJECT_MOST} characters: the object id of the service principal that provisions"
        )));
    }
    if !AUDIENCES.contains(&federation.audiences.len()) {
        return Err(Refusal::Invalid(format!("there must be 1 to {} audiences", AUDIENCES.end())));
    }
    if !federation.audiences.iter().all(|audience| is_line(audience, 1..=AUDIENCE_MOST)) {
        return Err(Refusal::Invalid(format!("an audience must have 1 to {AUDIENCE_MOST} characters")));
    }
    Ok(())
}

fn secret(
    client: &ClientRow,
    lifetime_seconds: Option<u32>,
    now: DateTime<Utc>,
) -> Result<(NewSecret, SecretRow), Refusal> {
    let lifetime = seconds("lifetime", lifetime_seconds, YEAR, SECRET_LIFETIMES)?;
    let made = NewSecret::generate().map_err(|error| Refusal::Unavailable(error.into()))?;
    let row = secret_row(client.company_id, client.client_id, &made, lifetime, now);
    Ok((made, row))
}

fn secret_row(
    company_id: Uuid,
    client_id: Uuid,
    made: &NewSecret,
    lifetime: TimeDelta,
    now: DateTime<Utc>,
) -> SecretRow {
    SecretRow {
        company_id,
        secret_id: Uuid::now_v7(),
        client_id,
        digest: made.digest(),
        hint: made.hint(),
        created_at: now,
        expires_at: now + lifetime,
        revoked_at: None,
    }
}

/// The client with the secret that was just made for it.
fn told(app: &App, client: &WithSecrets, made: Option<(&NewSecret, Uuid)>) -> SecretClient {
    let (secret, secret_id) =
        made.map(|(made, id)| (made.text().to_owned(), id.to_string())).unwrap_or_default();
    SecretClient { client: Some(shown(app, client)), secret_id, secret }
}

fn shown(app: &App, (client, secrets): &WithSecrets) -> Client {
    let issuer = client.tenant_id.map(|tenant| app.authority.issuer(tenant));
    Client {
        client_id: client.client_id.to_string(),
        company_id: client.company_id.to_string(),
        description: client.description.clone(),
        created_at: Some(timestamp(client.created_at)),
        revoked_at: client.revoked_at.map(timestamp),
        secrets: secrets
            .iter()
            .map(|secret| ClientSecret {
                secret_id: secret.secret_id.to_string(),
                created_at: Some(timestamp(secret.created_at)),
                expires_at: Some(timestamp(secret.expires_at)),
                revoked_at: secret.revoked_at.map(timestamp),
                hint: secret.hint.clone(),
            })
            .collect(),
        federation: client.tenant_id.map(|tenant| Federation {
            tenant_id: tenant.to_string(),
            subject: client.subject.clone().unwrap_or_default(),
            audiences: client.audiences.clone().unwrap_or_default(),
        }),
        created_by: client.created_by.clone(),
        token_endpoint: app.token_endpoint(),
        issuer: issuer.unwrap_or_default(),
    }
}
