//! A company's identity provider, by the protocol that it speaks: read from what is kept of it, and fetched anew.

use oidc_protocol::Keys;
use saml_protocol::{Certificate, IdentityProvider};

use super::{
    Refusal,
    metadata::{Fetcher, Kind},
};
use crate::store::single_sign_on::SingleSignOnRow;

/// Where a company's people sign in.
#[derive(Debug, Clone)]
pub(crate) enum Provider {
    Saml(IdentityProvider),
    Oidc(OpenIdProvider),
}

/// One that speaks OpenID Connect.
#[derive(Debug, Clone)]
pub(crate) struct OpenIdProvider {
    pub(crate) configuration: oidc_protocol::Configuration,
    pub(crate) keys: Keys,
    /// What it calls us.
    pub(crate) client_id: String,
}

impl Provider {
    /// What is kept of it. What was read once can be read again, until a later version of ours is stricter: then it must be
    /// set up anew.
    pub(crate) fn of_row(row: &SingleSignOnRow) -> Option<Self> {
        if is_json(&row.metadata) {
            let configuration = oidc_protocol::Configuration::read(&row.issuer, row.metadata.as_bytes());
            let keys = Keys::read(row.keys.as_bytes());
            let client_id = row.client_id.clone();
            return Some(Self::Oidc(OpenIdProvider {
                configuration: configuration.ok()?,
                keys: keys.ok()?,
                client_id,
            }));
        }
        IdentityProvider::read_metadata(&row.metadata).ok().map(Self::Saml)
    }

    /// By which the company's messages are verified; an OpenID provider publishes keys, which have no end.
    pub(crate) fn certificates(self) -> Vec<Certificate> {
        match self {
            Self::Saml(provider) => provider.certificates,
            Self::Oidc(_) => Vec::new(),
        }
    }
}

/// What is kept of an identity provider, as it was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    pub(crate) issuer: String,
    pub(crate) metadata: String,
    /// Empty when it was pasted.
    pub(crate) metadata_url: String,
    pub(crate) keys: String,
}

impl Documents {
    pub(crate) fn of_row(row: &SingleSignOnRow) -> Self {
        Self {
            issuer: row.issuer.clone(),
            metadata: row.metadata.clone(),
            metadata_url: row.metadata_url.clone(),
            keys: row.keys.clone(),
        }
    }

    /// Metadata of SAML is XML and a configuration of OpenID Connect is JSON, whatever older code left in other columns.
    pub(crate) fn are_openid(&self) -> bool {
        is_json(&self.metadata)
    }

    /// SAML's metadata.
    pub(crate) fn of_metadata(metadata: String, metadata_url: String) -> Result<Self, Refusal> {
        let issuer = IdentityProvider::read_metadata(&metadata)?.entity_id;
        Ok(Self { issuer, metadata, metadata_url, keys: String::new() })
    }

    /// An OpenID provider's configuration at this address, and its keys where that says they are.
    pub(crate) async fn of_openid_provider(fetcher: &Fetcher, address: &str) -> Result<Self, Refusal> {
        let metadata = fetcher.fetch(Kind::Metadata, address).await?;
        let configuration = oidc_protocol::Configuration::read_from(address, metadata.as_bytes())?;
        let keys = fetcher.fetch(Kind::Keys, &configuration.keys_url).await?;
        Keys::read(keys.as_bytes())?;
        Ok(Self { issuer: configuration.issuer, metadata, metadata_url: address.to_owned(), keys })
    }
}

fn is_json(metadata: &str) -> bool {
    metadata.trim_start().starts_with('{')
}

/// Whether what is believed by the one row is believed by the other. More certificates are no less trust; an OpenID
/// provider's keys are whatever it publishes.
pub(super) fn still_trusts(before: &SingleSignOnRow, row: &SingleSignOnRow) -> bool {
    match (Provider::of_row(before), Provider::of_row(row)) {
        (Some(Provider::Saml(before)), Some(Provider::Saml(now))) => {
            let is_still = |one: &Certificate| {
                now.certificates.iter().any(|other| other.fingerprint_sha256 == one.fingerprint_sha256)
            };
            before.certificates.iter().all(is_still)
        }
        (Some(Provider::Oidc(_)), Some(Provider::Oidc(_))) => true,
        _ => false,
    }
}
