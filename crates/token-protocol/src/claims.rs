//! What a token says.

use serde::{Deserialize, Serialize};
use typed_ids::{CompanyId, CredentialId, TokenId};

/// Whom our tokens are for; the `aud` of every one of them.
pub const AUDIENCE: &str = "scim";

/// The claims of an Entra token, in the order in which they are signed (RFC 7519 §4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it; informative, since the key says the same.
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The company whose directory it opens.
    pub sub: CompanyId,
    /// Its own id.
    pub jti: TokenId,
    /// The OAuth client that it was given to; an Entra token stands for itself and has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<CredentialId>,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// The second from which it is refused.
    pub exp: u64,
}
