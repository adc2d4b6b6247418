//! From a message on the stream to a request that can be applied, or the reason why it never can.

use bus_contract::{
    Message,
    provisioning::{self, patch_operation, request::Change as WireChange},
    subject::RequestSubject,
};
use chrono::{DateTime, Utc};
use scim_protocol::{patch, schema};
use typed_ids::{CompanyId, RequestId, TokenId, UserId};

use crate::{time::from_timestamp, user::Canonical};

/// A request as the directory decides on it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) company: CompanyId,
    pub(crate) token: Option<TokenId>,
    /// The subject's last token, for the provisioning log.
    pub(crate) verb: &'static str,
    pub(crate) accepted_at: DateTime<Utc>,
    pub(crate) user: UserId,
    pub(crate) change: Change,
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    Create(Canonical),
    Replace(Canonical, Condition),
    Patch(Vec<patch::Operation>, Condition),
    Delete(Condition),
}

/// The versions that an If-Match names.
#[derive(Debug, Clone, Default)]
pub(crate) enum Condition {
    /// No If-Match.
    #[default]
    None,
    /// `If-Match: *` or a list; empty means any.
    OneOf(Vec<i64>),
}

impl Condition {
    /// Whether a resource of this version satisfies it.
    pub(crate) fn holds(&self, version: i64) -> bool {
        match self {
            Self::None => true,
            Self::OneOf(versions) => versions.is_empty() || versions.contains(&version),
        }
    }
}

/// Why a message can never be applied. Goes to the dead letters as text, so nothing here repeats the message's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the subject is not one of the contract's")]
    Subject,
    #[error("the body is not a timeclock.provisioning.v1.Request")]
    Body,
    #[error("the body names another company than the subject")]
    Company,
    #[error("the body's {0} is missing or malformed")]
    Field(&'static str),
}

/// Reads one message. The company of the subject and of the body must agree: the subject decided the partition and so
/// the order.
pub(crate) fn read(subject: &str, payload: &[u8]) -> Result<Request, Unreadable> {
    let subject = RequestSubject::parse(subject).ok_or(Unreadable::Subject)?;
    let message = provisioning::Request::decode(payload).map_err(|_not_protobuf| Unreadable::Body)?;
    let company: CompanyId = field("company_id", &message.company_id)?;
    if company != subject.company {
        return Err(Unreadable::Company);
    }
    let token = match message.token_id.as_str() {
        "" => None,
        text => Some(field("token_id", text)?),
    };
    let (user, change) = match message.change.ok_or(Unreadable::Field("change"))? {
        WireChange::CreateUser(create) => {
            (create.user_id, Change::Create(attributes(create.attributes_json)?))
        }
        WireChange::ReplaceUser(replace) => (
            replace.user_id,
            Change::Replace(attributes(replace.attributes_json)?, condition(replace.condition)),
        ),
        WireChange::PatchUser(patch) => {
            let operations = patch.operations.iter().map(operation).collect::<Result<_, _>>()?;
            (patch.user_id, Change::Patch(operations, condition(patch.condition)))
        }
        WireChange::DeleteUser(delete) => (delete.user_id, Change::Delete(condition(delete.condition))),
    };
    Ok(Request {
        id: field("request_id", &message.request_id)?,
        company,
        token,
        verb: subject.verb.as_str(),
        accepted_at: message
            .accepted_at
            .as_ref()
            .and_then(from_timestamp)
            .ok_or(Unreadable::Field("accepted_at"))?,
        user: field("user_id", &user)?,
        change,
    })
}

fn field<T: std::str::FromStr>(name: &'static str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_not_an_id| Unreadable::Field(name))
}

fn attributes(json: String) -> Result<Canonical, Unreadable> {
    Canonical::read(json).map_err(|_not_an_object| Unreadable::Field("attributes_json"))
}

fn condition(wire: Option<provisioning::VersionCondition>) -> Condition {
    wire.map_or(Condition::None, |condition| Condition::OneOf(condition.versions))
}

fn operation(wire: &provisioning::PatchOperation) -> Result<patch::Operation, Unreadable> {
    let op = match wire.op() {
        patch_operation::Op::Add => patch::Op::Add,
        patch_operation::Op::Replace => patch::Op::Replace,
        patch_operation::Op::Remove => patch::Op::Remove,
        patch_operation::Op::Unspecified => return Err(Unreadable::Field("operations")),
    };
    patch::Operation::from_parts(schema::users(), op, &wire.path, wire.value_json.as_deref())
        .map_err(|_not_an_operation| Unreadable::Field("operations"))
}
