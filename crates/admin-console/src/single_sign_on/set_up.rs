//! What an administrator sets up: what is kept of an identity provider, and when people may be led to it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::CompanyId;

use super::{
    CLIENT_ID_MOST, Configuration, Refusal, TEST_GOOD, Wanted, Way, domains_of,
    metadata::Kind,
    of_company,
    provider::{self, Documents, Provider},
    way_of,
};
use crate::{
    app::App,
    signed_in::{Account, SignedIn},
    store::{
        self, administrators,
        audit::{self, Act},
        person_sessions, sign_in_tests,
        single_sign_on::{self, SingleSignOnRow},
    },
};

impl Wanted {
    /// Before it is switched on, whoever gives a client's id means OpenID Connect.
    fn is_openid(&self) -> bool {
        match self.way {
            Way::Oidc => true,
            Way::Saml => false,
            Way::Password => !self.client_id.trim().is_empty(),
        }
    }
}

/// What was pasted, fetched or typed of an identity provider; `None` where what is kept of it stays.
#[derive(Debug, Default)]
struct Told {
    documents: Option<Documents>,
    client_id: Option<String>,
}

/// Sets how a company signs in. Another identity provider, or none, ends every session that rests on the one before; so does
/// one that has lost a certificate, which may have been stolen, and finding people by something else.
pub(crate) async fn save(app: &App, who: &SignedIn, wanted: Wanted) -> Result<(), Refusal> {
    let (company, account, now, actor) = (who.company, who.account, app.now(), who.actor());
    let domains = domains_of(&wanted.domains)?;
    let known = of_company(app, company).await?;
    let told = told(app, &wanted, known.as_ref()).await?;
    let saved = app
        .pool
        .transaction("single_sign_on.save", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let mine = single_sign_on::domains(connection, company)?;
            let vouched = single_sign_on::vouched_domains(connection, company)?;
            if let Some(domain) = domains.iter().find(|one| !mine.contains(one) && !vouched.contains(one)) {
                return Ok(Err(Refusal::NotVouchedFor(domain.clone())));
            }
            let before = single_sign_on::of_company(connection, company)?;
            let Some(row) = row_of(company, (&wanted, &told), before.as_ref(), now) else {
                return Ok(Err(Refusal::NoMetadata));
            };
            let whose = (company, account);
            if is_new_claim(before.as_ref(), &row)
                && !is_tested(connection, whose, before.as_ref(), &row, now)?
            {
                return Ok(Err(Refusal::TestFirst));
            }
            single_sign_on::put(connection, &row)?;
            single_sign_on::set_domains(connection, company, &domains)?;
            let goes_on = before.is_some_and(|before| before.way == row.way && is_same(&before, &row));
            let ended = if goes_on { 0 } else { person_sessions::end_of_company(connection, company)? };
            let act = Act::on("single_sign_on.changed", row.issuer.clone()).note(format!(
                "{}, by {}, {} domains, {ended} sessions ended",
                row.way,
                row.match_by,
                domains.len()
            ));
            audit::record(connection, company, &actor, &act, now)?;
            Ok(Ok(()))
        })
        .await;
    match saved {
        Err(pg_pool::Error::Unique { constraint, .. }) if constraint.contains("domain") => {
            Err(Refusal::DomainTaken)
        }
        Err(pg_pool::Error::Unique { .. }) => Err(Refusal::IssuerTaken),
        other => other?,
    }
}

/// The row as it will be; `None` when nothing is known of an identity provider that speaks what is wanted.
fn row_of(
    company: CompanyId,
    (wanted, told): (&Wanted, &Told),
    before: Option<&SingleSignOnRow>,
    now: DateTime<Utc>,
) -> Option<SingleSignOnRow> {
    let documents = told.documents.clone().or_else(|| before.map(Documents::of_row))?;
    let speaks_it = match wanted.way {
        Way::Password => true,
        Way::Saml => !documents.are_openid(),
        Way::Oidc => documents.are_openid(),
    };
    let kept_id = || before.map(|row| row.client_id.clone()).unwrap_or_default();
    // Nothing was read where everything stays, so it is as old as it was.
    let (refreshed_at, refresh_problem) = match (&told.documents, before) {
        (None, Some(row)) => (row.refreshed_at, row.refresh_problem.clone()),
        _ => (now, String::new()),
    };
    let mut row = SingleSignOnRow {
        company_id: company.as_uuid(),
        way: wanted.way.as_str().to_owned(),
        issuer: documents.issuer,
        metadata: documents.metadata,
        metadata_url: documents.metadata_url,
        match_by: wanted.match_by.as_str().to_owned(),
        allows_unsolicited: wanted.allows_unsolicited,
        // What was tested has changed.
        is_only: false,
        changed_at: now,
        refreshed_at,
        refresh_problem,
        client_id: told.client_id.clone().unwrap_or_else(kept_id),
        keys: documents.keys,
    };
    if let Some(before) = before.filter(|before| is_same(before, &row)) {
        row.changed_at = before.changed_at;
        row.is_only = before.is_only && before.way == row.way;
    }
    speaks_it.then_some(row)
}

/// Whether what was tested of the one is true of the other, and what was believed is believed still.
fn is_same(before: &SingleSignOnRow, row: &SingleSignOnRow) -> bool {
    row.issuer == before.issuer
        && row.client_id == before.client_id
        && row.match_by == before.match_by
        && provider::still_trusts(before, row)
}

/// Whether people are to be led to an identity provider that is not the company's yet. From then on it is nobody else's.
fn is_new_claim(before: Option<&SingleSignOnRow>, row: &SingleSignOnRow) -> bool {
    let is_claimed = before.is_some_and(|before| before.way == row.way && before.issuer == row.issuer);
    way_of(row) != Way::Password && !is_claimed
}

/// Whether this administrator has come back from it, with what is set up. Metadata is public: who has it has proved nothing.
fn is_tested(
    connection: &mut PgConnection,
    (company, account): (CompanyId, Account),
    before: Option<&SingleSignOnRow>,
    row: &SingleSignOnRow,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let Some(before) = before.filter(|before| is_same(before, row)) else { return Ok(false) };
    let when = (before.changed_at, now - TEST_GOOD);
    Ok(!sign_in_tests::accepted(connection, company, &account.key(), when)?.is_empty())
}

/// What the form says of the identity provider.
async fn told(app: &App, wanted: &Wanted, known: Option<&Configuration>) -> Result<Told, Refusal> {
    if wanted.is_openid() {
        return told_of_openid(app, wanted, known).await;
    }
    let (pasted, url) = (wanted.metadata.trim(), wanted.metadata_url.trim());
    let is_known = known
        .is_some_and(|known| matches!(known.provider, Provider::Saml(_)) && known.row.metadata_url == url);
    // What is pasted goes before what is fetched; nothing of both keeps what was there.
    let documents = if !pasted.is_empty() {
        Documents::of_metadata(pasted.to_owned(), String::new())?
    } else if is_known || (url.is_empty() && wanted.way == Way::Password) {
        return Ok(Told::default());
    } else if url.is_empty() {
        return Err(Refusal::NoMetadata);
    } else {
        Documents::of_metadata(app.metadata.fetch(Kind::Metadata, url).await?, url.to_owned())?
    };
    Ok(Told { documents: Some(documents), client_id: Some(String::new()) })
}

async fn told_of_openid(app: &App, wanted: &Wanted, known: Option<&Configuration>) -> Result<Told, Refusal> {
    let (url, client_id) = (wanted.configuration_url.trim(), wanted.client_id.trim());
    let address = oidc_protocol::Configuration::address_of(url);
    let is_known = known.is_some_and(|known| {
        matches!(known.provider, Provider::Oidc(_)) && known.row.metadata_url == address
    });
    // Who goes back to passwords needs no key of ours for that.
    if app.signing_key().is_none() && !(is_known && wanted.way == Way::Password) {
        return Err(Refusal::NoSigningKey);
    }
    let is_id = !client_id.is_empty()
        && client_id.len() <= CLIENT_ID_MOST
        && client_id.bytes().all(|byte| byte.is_ascii_graphic());
    if url.is_empty() || !is_id {
        return Err(Refusal::NoOpenIdProvider);
    }
    let documents = match is_known {
        true => None,
        false => Some(Documents::of_openid_provider(&app.metadata, &address).await?),
    };
    Ok(Told { documents, client_id: Some(client_id.to_owned()) })
}
