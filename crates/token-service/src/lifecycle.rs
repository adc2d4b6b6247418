//! What can be done to tokens: issue, list, reveal, rotate, revoke.

use std::collections::HashMap;

use bus_contract::{
    Timestamp,
    token::{
        IssueToken, ListTokens, RevealToken, RevokeToken, RotateToken, SecretToken, Token, TokenList,
        token::State,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, TokenId};
use uuid::Uuid;

use crate::{
    app::App,
    ask::{Refusal, description, doing, existing_company, id, seconds},
    sign,
    signing_keys::{self, SetupError},
    store::{
        act_for,
        events::{self, Act, Doing},
        expiries,
        keys::{self, KeyRow},
        revocations, take_turns,
        tokens::{self, TokenRow, WithEnd},
    },
};

/// The default life of a token, in seconds: one year.
const LIFETIME: u32 = 365 * 24 * 3600;
/// The shortest and the longest life, in seconds: a minute, three years.
const LIFETIMES: std::ops::RangeInclusive<u32> = 60..=3 * LIFETIME;
/// The default time in which an old token still works beside its successor, in seconds: seven days.
const OVERLAP: u32 = 7 * 24 * 3600;
/// The longest overlap, in seconds: ninety days.
const OVERLAP_MOST: u32 = 90 * 24 * 3600;
/// Live tokens that one company may have.
const LIVE_MOST: usize = 20;
/// Characters by which a list tells tokens apart.
const HINT: usize = 4;
/// Tokens that a list shows, the newest first.
const LISTED_MOST: i64 = 200;

/// A new token for a company that exists.
pub(crate) async fn issue(app: &App, ask: IssueToken) -> Result<SecretToken, Refusal> {
    let company = existing_company(app, &ask.company_id).await?;
    let wanted = Wanted {
        description: description(ask.description)?,
        lifetime: seconds("lifetime", ask.lifetime_seconds, LIFETIME, LIFETIMES)?,
        overlap: None,
    };
    issue_wanted(app, doing(company, ask.actor, app.now())?, wanted).await
}

/// A successor, beside which every other live token works for the overlap only.
pub(crate) async fn rotate(app: &App, ask: RotateToken) -> Result<SecretToken, Refusal> {
    let company = existing_company(app, &ask.company_id).await?;
    let wanted = Wanted {
        description: String::new(),
        lifetime: seconds("lifetime", ask.lifetime_seconds, LIFETIME, LIFETIMES)?,
        overlap: Some(seconds("overlap", ask.overlap_seconds, OVERLAP, 0..=OVERLAP_MOST)?),
    };
    let successor = issue_wanted(app, doing(company, ask.actor, app.now())?, wanted).await?;
    // The old tokens' ends are recorded and will be published; withheld, the successor would be one more live token
    // that nobody has.
    if !published(app).await {
        tracing::warn!("a rotation is recorded, but could not be published to the gateways yet");
    }
    Ok(successor)
}

/// Every token of a company, the newest first.
pub(crate) async fn list(app: &App, ask: ListTokens) -> Result<TokenList, Refusal> {
    let company: CompanyId = id("company", &ask.company_id)?;
    let now = app.now();
    let rows = app
        .pool
        .transaction("tokens.list", move |connection| {
            act_for(connection, company)?;
            let rows = tokens::of_company(connection, company, LISTED_MOST)?;
            let mut keys = HashMap::new();
            for (row, _) in rows.iter().filter(|row| is_live(row, now)) {
                if !keys.contains_key(&row.kid) {
                    keys.insert(row.kid.clone(), keys::by_id(connection, &row.kid)?);
                }
            }
            Ok((rows, keys))
        })
        .await?;
    let (rows, keys) = rows;
    let listed = rows.iter().map(|row| {
        let key = keys.get(&row.0.kid).filter(|_| is_live(row, now));
        let hint = key.map(|key| hint(app, key, &row.0)).unwrap_or_default();
        Token { hint, ..shown(row, now) }
    });
    Ok(TokenList { tokens: listed.collect() })
}

/// The token's last characters: of the signature, which says nothing about the rest. Empty when its key does not open;
/// the list is right without it.
fn hint(app: &App, key: &KeyRow, row: &TokenRow) -> String {
    let signed = sign::secret_token(&app.sealing_keys, key, row, Token::default());
    let signed = signed.map(|signed| signed.secret).unwrap_or_default();
    signed.get(signed.len().saturating_sub(HINT)..).unwrap_or_default().to_owned()
}

/// The text of a token once more.
pub(crate) async fn reveal(app: &App, ask: RevealToken) -> Result<SecretToken, Refusal> {
    let (company, token): (CompanyId, TokenId) =
        (id("company", &ask.company_id)?, id("token", &ask.token_id)?);
    let now = app.now();
    let doing = doing(company, ask.actor, now)?;
    let found = app
        .pool
        .transaction("tokens.reveal", move |connection| {
            act_for(connection, company)?;
            let Some(found) = tokens::find(connection, company, token)? else { return Ok(None) };
            if is_live(&found, now) {
                events::record(connection, &doing, Act::TokenRevealed, [token.as_uuid()], "")?;
            }
            let key = keys::by_id(connection, &found.0.kid)?;
            Ok(Some((found, key)))
        })
        .await?;
    let (found, key) = found.ok_or(Refusal::NotFound("token"))?;
    if !is_live(&found, now) {
        return Err(Refusal::Invalid("the token is no longer valid, so it is not shown".to_owned()));
    }
    sign(app, &key, &found.0, shown(&found, now))
}

/// The end of a token, from this second on.
pub(crate) async fn revoke(app: &App, ask: RevokeToken) -> Result<Token, Refusal> {
    let (company, token): (CompanyId, TokenId) =
        (id("company", &ask.company_id)?, id("token", &ask.token_id)?);
    let now = app.now();
    let doing = doing(company, ask.actor, now)?;
    let is_unrecorded = ask.unrecorded && doing.is_operators();
    let revoked = app
        .pool
        .transaction("tokens.revoke", move |connection| {
            act_for(connection, company)?;
            let found = match tokens::find(connection, company, token)? {
                Some(found) => found,
                None if is_unrecorded => return revoke_unrecorded(connection, &doing, token),
                None => return Ok(None),
            };
            if !is_live(&found, now) {
                return Ok(Some(found));
            }
            revocations::end(connection, &[(token.as_uuid(), found.0.expires_at)], now)?;
            expiries::forget(connection, vec![token.as_uuid()])?;
            events::record(connection, &doing, Act::TokenRevoked, [token.as_uuid()], "")?;
            tokens::find(connection, company, token)
        })
        .await?
        .ok_or(Refusal::NotFound("token"))?;
    // Also when it had ended before: whoever asks again may do so because publishing failed.
    if !published(app).await {
        return Err(Refusal::Unavailable(anyhow::anyhow!(
            "the revocation is recorded, but could not be published to the gateways yet; it will be"
        )));
    }
    Ok(shown(&revoked, now))
}

/// The end of a token that the database knows nothing of any more, which therefore may live as long as any.
fn revoke_unrecorded(
    connection: &mut PgConnection,
    doing: &Doing,
    token: TokenId,
) -> QueryResult<Option<WithEnd>> {
    let Doing { company, now, .. } = *doing;
    let id = token.as_uuid();
    let ends_at = revocations::end_of(connection, id)?;
    let has_ended = ends_at.is_some_and(|ends_at| ends_at <= now);
    // Not to end the token of a company by naming another one.
    if !has_ended && (ends_at.is_some() || expiries::is_known(connection, id)?) {
        return Ok(None);
    }
    let expires_at = now + TimeDelta::seconds((*LIFETIMES.end()).into());
    // Asked again, as whoever does to whom it could not be published, it stays as it was.
    if !has_ended {
        revocations::end(connection, &[(id, expires_at)], now)?;
        events::record(connection, doing, Act::TokenRevoked, [id], "There was no record of it.")?;
    }
    let row = TokenRow {
        company_id: company.as_uuid(),
        token_id: id,
        kid: String::new(),
        issuer: String::new(),
        description: String::new(),
        issued_at: minted_at(id).unwrap_or(now),
        expires_at,
        created_by: String::new(),
    };
    Ok(Some((row, Some(ends_at.unwrap_or(now)))))
}

/// When an id was minted: the ids of tokens begin with that (RFC 9562 §5.7).
fn minted_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, _) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

/// What a new token is to be like.
struct Wanted {
    description: String,
    lifetime: TimeDelta,
    /// How long other live tokens go on; `None` when they are left alone.
    overlap: Option<TimeDelta>,
}

async fn issue_wanted(app: &App, doing: Doing, wanted: Wanted) -> Result<SecretToken, Refusal> {
    let (company, now) = (doing.company, doing.now);
    let key =
        signing_keys::signing(app).await?.ok_or_else(|| Refusal::Unavailable(SetupError::None.into()))?;
    let row = TokenRow {
        company_id: company.as_uuid(),
        token_id: TokenId::mint().as_uuid(),
        kid: key.kid.clone(),
        issuer: app.issuer.clone(),
        description: wanted.description,
        issued_at: now,
        expires_at: now + wanted.lifetime,
        created_by: doing.actor_name.clone(),
    };
    // Signed before anything is stored: with a key that does not open, no old token may begin to end.
    let secret = sign(app, &key, &row, shown(&(row.clone(), None), now))?;
    let has_room = app
        .pool
        .transaction("tokens.issue", move |connection| {
            act_for(connection, company)?;
            insert(connection, &doing, &row, wanted.overlap)
        })
        .await?;
    has_room.then_some(secret).ok_or_else(|| {
        Refusal::Invalid(format!(
            "the company has {LIVE_MOST} valid tokens already; revoke one that is not used"
        ))
    })
}

/// Stores a token and, after a rotation, the ends of all others; whether the company may have one more.
fn insert(
    connection: &mut PgConnection,
    doing: &Doing,
    row: &TokenRow,
    overlap: Option<TimeDelta>,
) -> QueryResult<bool> {
    let Doing { company, now, .. } = *doing;
    take_turns(connection, company)?;
    let others = tokens::live(connection, company, now)?;
    if others.len() >= LIVE_MOST {
        return Ok(false);
    }
    tokens::insert(connection, row)?;
    expiries::insert(connection, expiries::Kind::Token, row.token_id, row.expires_at)?;
    let note = format!("It expires on {}.", day(row.expires_at));
    events::record(connection, doing, Act::TokenIssued, [row.token_id], &note)?;
    if let Some(overlap) = overlap {
        let ends_at = now + overlap;
        // One that expires sooner needs no other end.
        let ending: Vec<_> = others.into_iter().filter(|(_, expires_at)| *expires_at > ends_at).collect();
        let ids: Vec<_> = ending.iter().map(|(token, _)| *token).collect();
        revocations::end(connection, &ending, ends_at)?;
        expiries::forget(connection, ids.clone())?;
        let note = format!("Replaced by {}; it works until {}.", row.token_id, minute(ends_at));
        events::record(connection, doing, Act::TokenRetiring, ids, &note)?;
    }
    Ok(true)
}

/// A day in a note.
pub(crate) fn day(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%Y-%m-%d")
}

fn minute(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%Y-%m-%d %H:%M UTC")
}

fn sign(app: &App, key: &KeyRow, row: &TokenRow, shown: Token) -> Result<SecretToken, Refusal> {
    sign::secret_token(&app.sealing_keys, key, row, shown).map_err(|error| Refusal::Unavailable(error.into()))
}

/// Waits until the change is where the gateways see it; whether it is.
pub(crate) async fn published(app: &App) -> bool {
    tokio::time::timeout(PUBLISH_TIMEOUT, app.publisher.publish()).await.unwrap_or(false)
}

/// How long a request waits for its change to be published.
const PUBLISH_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Whether a gateway lets it in.
fn is_live((row, ends_at): &WithEnd, now: DateTime<Utc>) -> bool {
    now < row.expires_at && ends_at.is_none_or(|ends_at| now < ends_at)
}

fn shown((row, ends_at): &WithEnd, now: DateTime<Utc>) -> Token {
    let state = match ends_at {
        Some(ends_at) if now >= *ends_at => State::Revoked,
        _ if now >= row.expires_at => State::Expired,
        Some(_) => State::Retiring,
        None => State::Active,
    };
    Token {
        token_id: TokenId::from_uuid(row.token_id).to_string(),
        company_id: CompanyId::from_uuid(row.company_id).to_string(),
        description: row.description.clone(),
        issued_at: Some(timestamp(row.issued_at)),
        expires_at: Some(timestamp(row.expires_at)),
        ends_at: ends_at.map(timestamp),
        state: state.into(),
        created_by: row.created_by.clone(),
        hint: String::new(),
        key_id: row.kid.clone(),
    }
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: 0 }
}
