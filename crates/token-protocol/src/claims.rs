//! What a token says.

use serde::{Deserialize, Serialize};
use typed_ids::{CompanyId, TokenId};

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
    /// Its own id, by which it is revoked.
    pub jti: TokenId,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// The second from which it is refused.
    pub exp: u64,
}
