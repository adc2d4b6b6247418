//! Reading identity providers' metadata again, so that a certificate that is rolled over there is known here before it signs.

use bus_contract::audit::{Actor, actor};
use chrono::TimeDelta;
use typed_ids::CompanyId;

use super::{
    Configuration, Refusal, Way,
    metadata::{FetchError, Kind},
    of_company,
    provider::{Documents, Provider},
};
use crate::{
    app::App,
    store::{
        self,
        audit::{self, Act},
        single_sign_on::{self, SingleSignOnRow},
    },
};

/// Metadata that was read longer ago is read again. Entra makes a new certificate known weeks before it signs with it.
const OLD: TimeDelta = TimeDelta::hours(6);

/// How the company signs in, when its metadata is to be read again.
pub(super) async fn old(app: &App, company: CompanyId) -> Result<Option<Configuration>, pg_pool::Error> {
    let now = app.now();
    let is_old = |configuration: &Configuration| {
        let row = &configuration.row;
        let is_read = configuration.way() != Way::Password && !row.metadata_url.is_empty();
        is_read && now - row.refreshed_at >= OLD
    };
    Ok(of_company(app, company).await?.filter(is_old))
}

/// Who reads it when nobody asks for it.
pub(super) fn system() -> Actor {
    Actor { kind: actor::Kind::System.into(), name: String::new(), address: String::new() }
}

/// Reads a company's metadata again. What cannot be read is noted, and what was known stays.
pub(crate) async fn one(
    app: &App,
    company: CompanyId,
    configuration: Configuration,
    actor: Actor,
) -> Result<(), Refusal> {
    if configuration.row.metadata_url.is_empty() {
        return Err(Refusal::NoMetadata);
    }
    let read = read(app, &configuration).await;
    let (now, row) = (app.now(), configuration.row);
    match read {
        Ok(Documents { metadata, keys, .. }) => {
            let has_changed = metadata != row.metadata || keys != row.keys;
            let refresh_problem = String::new();
            let row = SingleSignOnRow { metadata, keys, refreshed_at: now, refresh_problem, ..row };
            app.pool
                .transaction("single_sign_on.refreshed", move |connection| {
                    store::act_for(connection, company)?;
                    // Somebody who has set up something else meanwhile knows better.
                    if !single_sign_on::refresh(connection, &row)? || !has_changed {
                        return Ok(());
                    }
                    let act = Act::on("single_sign_on.refreshed", row.issuer.clone());
                    audit::record(connection, company, &actor, &act, now)
                })
                .await?;
            Ok(())
        }
        Err(refusal) => {
            let problem = match &refusal {
                Refusal::Fetch(error) => error.to_string(),
                Refusal::Metadata(error) => error.to_string(),
                Refusal::OpenIdProvider(error) => error.to_string(),
                other => other.to_string(),
            };
            app.pool
                .transaction("single_sign_on.refresh_failed", move |connection| {
                    store::act_for(connection, company)?;
                    single_sign_on::refresh_failed(connection, company, &problem)
                })
                .await?;
            Err(refusal)
        }
    }
}

/// The documents, if they are still about the identity provider that the company trusts.
async fn read(app: &App, configuration: &Configuration) -> Result<Documents, Refusal> {
    let url = &configuration.row.metadata_url;
    let documents = match configuration.provider {
        Provider::Saml(_) => {
            Documents::of_metadata(app.metadata.fetch(Kind::Metadata, url).await?, url.clone())?
        }
        Provider::Oidc(_) => Documents::of_openid_provider(&app.metadata, url).await?,
    };
    if documents.issuer != configuration.row.issuer {
        return Err(FetchError::AnotherIssuer.into());
    }
    Ok(documents)
}
