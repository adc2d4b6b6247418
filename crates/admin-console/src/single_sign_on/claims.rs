//! What a company has claimed for its sign-in that no other company can have, as operators see it and take it away.

use bus_contract::audit::Actor;
use typed_ids::CompanyId;

use super::{Way, domains_of, way_of};
use crate::{
    app::App,
    question::Unanswered,
    store::{
        self, administrators,
        audit::{self, Act},
        person_sessions,
        single_sign_on::{self, SingleSignOnRow},
    },
};

/// What a company has claimed.
#[derive(Debug)]
pub(crate) struct Claims {
    row: Option<SingleSignOnRow>,
    pub(crate) domains: Vec<String>,
    pub(crate) vouched_domains: Vec<String>,
}

impl Claims {
    pub(crate) fn way(&self) -> Way {
        self.row.as_ref().map_or(Way::Password, way_of)
    }

    /// Empty when there is no identity provider.
    pub(crate) fn issuer(&self) -> &str {
        self.row.as_ref().map_or("", |row| row.issuer.as_str())
    }

    pub(crate) fn are_passwords_off(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.is_only) && self.way() != Way::Password
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("a domain is needed, such as contoso.com")]
    Domain,
    #[error("there is no such company")]
    NoCompany,
    #[error("nobody has vouched for this domain, and it does not lead to the company")]
    NoDomain,
    #[error("the company has no identity provider")]
    NotSetUp,
    #[error("the company cannot be looked up")]
    Company(#[from] Unanswered),
    #[error("claims cannot be read or written")]
    Database(#[from] pg_pool::Error),
}

/// What a company has claimed.
pub(crate) async fn of_company(app: &App, company: CompanyId) -> Result<Claims, Refusal> {
    app.companies.find(company).await?.ok_or(Refusal::NoCompany)?;
    let claims = app
        .pool
        .transaction("claims.get", move |connection| {
            store::act_for(connection, company)?;
            Ok(Claims {
                row: single_sign_on::of_company(connection, company)?,
                domains: single_sign_on::domains(connection, company)?,
                vouched_domains: single_sign_on::vouched_domains(connection, company)?,
            })
        })
        .await?;
    Ok(claims)
}

/// An operator has made sure that the domain is the company's. Doing it again changes nothing.
pub(crate) async fn vouch(app: &App, company: CompanyId, domain: &str, actor: Actor) -> Result<(), Refusal> {
    let (domain, now) = (one_domain(domain)?, app.now());
    app.companies.find(company).await?.ok_or(Refusal::NoCompany)?;
    app.pool
        .transaction("claims.vouch", move |connection| {
            store::act_for(connection, company)?;
            if !single_sign_on::vouch(connection, company, (&domain, now))? {
                return Ok(());
            }
            audit::record(connection, company, &actor, &Act::on("domain.vouched", &domain), now)
        })
        .await?;
    Ok(())
}

/// Takes that back, and the domain from the company.
pub(crate) async fn withdraw(
    app: &App,
    company: CompanyId,
    domain: &str,
    actor: Actor,
) -> Result<(), Refusal> {
    let (domain, now) = (one_domain(domain)?, app.now());
    app.pool
        .transaction("claims.withdraw", move |connection| {
            store::act_for(connection, company)?;
            // Whoever saves the settings at the same time has read what is vouched for before.
            administrators::take_turns(connection, company)?;
            if !single_sign_on::withdraw(connection, company, &domain)? {
                return Ok(Err(Refusal::NoDomain));
            }
            audit::record(connection, company, &actor, &Act::on("domain.withdrawn", &domain), now)?;
            Ok(Ok(()))
        })
        .await?
}

/// Has the company give up its identity provider and its domains.
pub(crate) async fn release(app: &App, company: CompanyId, actor: Actor) -> Result<(), Refusal> {
    let now = app.now();
    let ended = app
        .pool
        .transaction("claims.release", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let Some(issuer) = single_sign_on::release(connection, company)? else {
                return Ok(Err(Refusal::NotSetUp));
            };
            single_sign_on::set_domains(connection, company, &[])?;
            let ended = person_sessions::end_of_company(connection, company)?;
            let act = Act::on("single_sign_on.released", issuer).note(format!("{ended} sessions ended"));
            audit::record(connection, company, &actor, &act, now)?;
            Ok(Ok(ended))
        })
        .await??;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
    Ok(())
}

fn one_domain(text: &str) -> Result<String, Refusal> {
    let domains = domains_of(text).map_err(|_no_domain| Refusal::Domain)?;
    let [domain] = domains.as_slice() else { return Err(Refusal::Domain) };
    Ok(domain.clone())
}
