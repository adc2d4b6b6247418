//! From a message on the stream to a request that can be applied, or the reason why it never can.

use bus_contract::{
    Message,
    provisioning::{self, patch_operation, request::Change as WireChange},
    subject::{RequestSubject, Resource},
};
use chrono::{DateTime, Utc};
use scim_protocol::{
    error::ScimError,
    patch,
    schema::{self, SchemaSet},
};
use typed_ids::{BrakeId, CompanyId, GroupId, MemberId, RequestId, TokenId, UserId};

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
    pub(crate) change: Change,
}

impl Request {
    /// The kind of resource and what is done with it, as its subject says them.
    pub(crate) fn operation(&self) -> (&'static str, &'static str) {
        match self.change {
            Change::User(..) => (Resource::User.as_str(), self.verb),
            Change::Group(..) => (Resource::Group.as_str(), self.verb),
        }
    }

    /// The user that it is about.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self.change {
            Change::User(user, _) => Some(user),
            Change::Group(..) => None,
        }
    }

    /// userName or displayName, where the request says one.
    pub(crate) fn named(&self) -> Option<&str> {
        let (attributes, name) = match &self.change {
            Change::User(_, UserChange::Create(attributes) | UserChange::Replace(attributes, _)) => {
                (attributes, "userName")
            }
            Change::Group(_, GroupChange::Create(attributes, _) | GroupChange::Replace(attributes, ..)) => {
                (attributes, "displayName")
            }
            Change::User(..) | Change::Group(..) => return None,
        };
        attributes.get(name)?.as_str()
    }

    /// The group that it is about.
    pub(crate) fn group(&self) -> Option<GroupId> {
        match self.change {
            Change::Group(group, _) => Some(group),
            Change::User(..) => None,
        }
    }
}

/// What is asked for, and of whom.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    User(UserId, UserChange),
    Group(GroupId, GroupChange),
}

#[derive(Debug, Clone)]
pub(crate) enum UserChange {
    Create(Canonical),
    Replace(Canonical, Condition),
    /// As they arrive: what their paths mean depends on the company's schemas, which are read with the batch.
    Patch(Vec<provisioning::PatchOperation>, Condition),
    Delete(Condition),
    /// The directory's own wish, when a mass removal is undone.
    Restore(BrakeId),
}

#[derive(Debug, Clone)]
pub(crate) enum GroupChange {
    Create(Canonical, MembersChange),
    /// The members are those that are added after everybody was removed.
    Replace(Canonical, MembersChange, Condition),
    Patch(Vec<patch::Operation>, MembersChange, Condition),
    Delete(Condition),
}

impl GroupChange {
    /// What it does to the members; nothing for a delete, which ends the group.
    pub(crate) fn members(&self) -> Option<&MembersChange> {
        match self {
            Self::Create(_, members) | Self::Replace(_, members, _) | Self::Patch(_, members, _) => {
                Some(members)
            }
            Self::Delete(_) => None,
        }
    }
}

/// The net effect on a group's members: an id is in one of the lists at most.
#[derive(Debug, Clone, Default)]
pub(crate) struct MembersChange {
    /// Whether all present members are removed first.
    pub(crate) clear: bool,
    pub(crate) added: Vec<MemberId>,
    pub(crate) removed: Vec<MemberId>,
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
    #[error("the body is about another kind of resource than the subject")]
    Resource,
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
    let change = change(message.change.ok_or(Unreadable::Field("change"))?)?;
    let resource = match change {
        Change::User(..) => Resource::User,
        Change::Group(..) => Resource::Group,
    };
    if resource != subject.resource {
        return Err(Unreadable::Resource);
    }
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
        change,
    })
}

fn change(wire: WireChange) -> Result<Change, Unreadable> {
    let user = |id: &str, change| Ok(Change::User(field("user_id", id)?, change));
    let group = |id: &str, change| Ok(Change::Group(field("group_id", id)?, change));
    match wire {
        WireChange::CreateUser(create) => {
            user(&create.user_id, UserChange::Create(attributes(create.attributes_json)?))
        }
        WireChange::ReplaceUser(replace) => {
            let attributes = attributes(replace.attributes_json)?;
            user(&replace.user_id, UserChange::Replace(attributes, condition(replace.condition)))
        }
        WireChange::PatchUser(patch) => {
            user(&patch.user_id, UserChange::Patch(patch.operations, condition(patch.condition)))
        }
        WireChange::DeleteUser(delete) => {
            user(&delete.user_id, UserChange::Delete(condition(delete.condition)))
        }
        WireChange::RestoreUser(restore) => {
            user(&restore.user_id, UserChange::Restore(field("brake_id", &restore.brake_id)?))
        }
        WireChange::CreateGroup(create) => {
            let members = MembersChange { added: ids(&create.member_ids)?, ..MembersChange::default() };
            group(&create.group_id, GroupChange::Create(attributes(create.attributes_json)?, members))
        }
        WireChange::ReplaceGroup(replace) => {
            let members = MembersChange { clear: true, added: ids(&replace.member_ids)?, removed: vec![] };
            let attributes = attributes(replace.attributes_json)?;
            group(&replace.group_id, GroupChange::Replace(attributes, members, condition(replace.condition)))
        }
        WireChange::PatchGroup(patch) => {
            let operations = operations(schema::groups(), &patch.operations)
                .map_err(|_not_operations| Unreadable::Field("operations"))?;
            let members = patch.members.unwrap_or_default();
            let members = MembersChange {
                clear: members.clear,
                added: ids(&members.added)?,
                removed: ids(&members.removed)?,
            };
            group(&patch.group_id, GroupChange::Patch(operations, members, condition(patch.condition)))
        }
        WireChange::DeleteGroup(delete) => {
            group(&delete.group_id, GroupChange::Delete(condition(delete.condition)))
        }
    }
}

fn ids(texts: &[String]) -> Result<Vec<MemberId>, Unreadable> {
    texts.iter().map(|text| field("member_ids", text)).collect()
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

/// What operations that came over the bus mean to these schemas.
///
/// # Errors
///
/// Those of [`patch::Operation::from_parts`]: the gateway has printed them, so only for schemas that changed meanwhile.
pub(crate) fn operations(
    schemas: &SchemaSet,
    wire: &[provisioning::PatchOperation],
) -> Result<Vec<patch::Operation>, ScimError> {
    wire.iter().map(|operation| read_operation(schemas, operation)).collect()
}

fn read_operation(
    schemas: &SchemaSet,
    wire: &provisioning::PatchOperation,
) -> Result<patch::Operation, ScimError> {
    let op = match wire.op() {
        patch_operation::Op::Add => patch::Op::Add,
        patch_operation::Op::Replace => patch::Op::Replace,
        patch_operation::Op::Remove => patch::Op::Remove,
        patch_operation::Op::Unspecified => {
            return Err(ScimError::invalid_syntax("'op' is one of add, replace and remove"));
        }
    };
    patch::Operation::from_parts(schemas, op, &wire.path, wire.value_json.as_deref())
}
