//! What does an administrator enter under *Admin Credentials*? One of the three kinds that Entra offers.

use std::fmt;

use secrecy::SecretString;

use crate::authority::Authority;

/// How the job proves to the target that it may provision.
#[derive(Clone)]
pub enum Credential {
    /// *Bearer authentication*: the token itself, without the word Bearer.
    SecretToken(SecretString),
    /// *OAuth 2.0 client credentials*: a secret that gets access tokens.
    ClientSecret {
        /// The client and where it gets them.
        client: OAuthClient,
        /// Its secret.
        secret: SecretString,
        /// Where in the request the secret stands.
        place: SecretPlace,
    },
    /// *Workload identity federation*: assertions that the tenant's authority signs get access tokens.
    Federation {
        /// The client and where it gets them.
        client: OAuthClient,
        /// Entra itself, as far as assertions go.
        authority: Authority,
        /// What the assertions say.
        identity: Identity,
    },
}

/// An OAuth client of the target's.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// *Client identifier*.
    pub id: String,
    /// *Token endpoint*.
    pub token_endpoint: String,
}

/// Where a client's secret stands (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SecretPlace {
    /// In the form, beside the client's id.
    #[default]
    Body,
    /// In a Basic header, and not in the form.
    Basic,
}

/// Whom assertions are about.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The tenant's id.
    pub tenant: String,
    /// The object id of the service principal that provisions.
    pub subject: String,
    /// For whom the assertions are.
    pub audience: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretToken(_) => f.write_str("SecretToken"),
            Self::ClientSecret { client, place, .. } => {
                f.debug_struct("ClientSecret").field("client", client).field("place", place).finish()
            }
            Self::Federation { client, authority, identity } => f
                .debug_struct("Federation")
                .field("client", client)
                .field("authority", authority)
                .field("identity", identity)
                .finish(),
        }
    }
}
