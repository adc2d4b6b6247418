//! Who looks at a page: an administrator of one company, and nobody else's.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use bus_contract::audit::{Actor, actor};
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::http::problem::Problem;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Administrator,
    /// Look at everything that is no secret, change nothing.
    Auditor,
}

impl Role {
    /// As it is stored, and as forms send it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
        }
    }

    /// Reads what [`Role::as_str`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Administrator, Self::Auditor].into_iter().find(|role| role.as_str() == text)
    }
}

/// Somebody who has signed in, for one request. The company is theirs and comes from the session alone: no path, query
/// or form field names a company anywhere in the console.
///
/// A handler takes it as an argument; the guard of the route table has put it there.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) company: CompanyId,
    /// Empty while the directory cannot say.
    pub(crate) company_name: String,
    pub(crate) administrator: Uuid,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The language they chose; empty for what the browser asks for.
    pub(crate) language: String,
    /// Which of their sessions this is.
    pub(crate) session: Uuid,
    /// What every form of this session sends back.
    pub(crate) csrf_token: String,
    /// Whether the password was given within the last ten minutes, which showing a secret takes.
    pub(crate) is_fresh: bool,
    /// Where the request came from; empty when that is not known.
    pub(crate) address: String,
}

impl SignedIn {
    /// As the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            kind: actor::Kind::Administrator.into(),
            name: self.email.clone(),
            address: self.address.clone(),
        }
    }

    /// What to call them: their name, or their address until they have given one.
    pub(crate) fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.email } else { &self.name }
    }

    /// Whether they may change anything.
    pub(crate) fn may_change(&self) -> bool {
        self.role == Role::Administrator
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let signed_in = request.extensions().get::<Self>().cloned();
        // Only a route that the table calls public has none.
        ready(
            signed_in.ok_or_else(|| Problem::Failed(anyhow::anyhow!("a public page asked who is signed in"))),
        )
    }
}
