//! Who looks at a page: somebody of one company, and nobody else's.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use bus_contract::audit::{Actor, actor};
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use crate::http::problem::Problem;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Administrator,
    /// Look at everything that is no secret, change nothing.
    Auditor,
    /// Nothing but see that they are signed in, and sign out: whoever is provisioned and looks after nothing.
    Member,
}

impl Role {
    /// As it is stored, and as forms send it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Member => "member",
        }
    }

    /// Reads what [`Role::as_str`] writes of the two roles that somebody can be given.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Administrator, Self::Auditor].into_iter().find(|role| role.as_str() == text)
    }

    /// Whichever may do less.
    pub(crate) fn lesser(self, other: Self) -> Self {
        match (self, other) {
            (Self::Member, _) | (_, Self::Member) => Self::Member,
            (Self::Auditor, _) | (_, Self::Auditor) => Self::Auditor,
            (Self::Administrator, Self::Administrator) => Self::Administrator,
        }
    }
}

/// Whose a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// Was invited, and has a password here.
    Administrator(Uuid),
    /// Was provisioned, and signs in at the company's identity provider. They have no account here beside the session.
    Person(UserId),
}

impl Account {
    /// As what they did is kept under.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Administrator(id) => format!("administrator {id}"),
            Self::Person(id) => format!("person {id}"),
        }
    }

    /// Whether it is this administrator's.
    pub(crate) fn is_administrator(self, id: Uuid) -> bool {
        self == Self::Administrator(id)
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
    pub(crate) account: Account,
    /// Of a person, their userName.
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The language they chose; empty for what the browser asks for.
    pub(crate) language: String,
    /// Which of their sessions this is.
    pub(crate) session: Uuid,
    /// What every form of this session sends back.
    pub(crate) csrf_token: String,
    /// Whether they proved who they are within the last ten minutes, which showing a secret takes.
    pub(crate) is_fresh: bool,
    /// Where the request came from; empty when that is not known.
    pub(crate) address: String,
}

impl SignedIn {
    /// Their account with a password; a person who was provisioned has none.
    pub(crate) fn administrator(&self) -> Result<Uuid, Problem> {
        match self.account {
            Account::Administrator(id) => Ok(id),
            Account::Person(_) => Err(Problem::Forbidden),
        }
    }

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

    /// Whether they may look at what is the company's.
    pub(crate) fn may_look(&self) -> bool {
        self.role != Role::Member
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
