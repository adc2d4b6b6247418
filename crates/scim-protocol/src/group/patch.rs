//! What a PATCH says about a group, taken apart into what it says about the members and everything else.

use super::members::{MemberOperations, MembersChange};
use super::{MAX_MEMBERS_PER_REQUEST, is_of_members};
use crate::error::ScimError;
use crate::patch::message::{self, Sent};
use crate::patch::{MAX_OPERATIONS, Operation, targets};
use crate::schema::groups;
use serde_json::Value;

/// What the body of a PATCH says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupPatch {
    /// The operations on all other attributes, in their order, for [`crate::patch::apply`].
    pub operations: Vec<Operation>,
    /// What all operations on members amount to.
    pub members: MembersChange,
}

impl GroupPatch {
    /// Whether it asks for nothing, as Microsoft's validator does with an empty list of operations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.members.is_empty()
    }
}

/// Reads the body of a PATCH of a group.
///
/// Operations on attributes are read as [`crate::patch::parse`] reads them, members as [`super::parse`] does.
/// Members are added and removed by `members` with a list, by `members[value eq "ID"]` (joined by `or` for a remove),
/// and by `members.value` with ids. A `replace` of `members` puts the list in the place of all that there are. A `remove`
/// of `members` without a value removes all; with a list just those in it, and with an empty list none.
///
/// # Errors
///
/// Those of [`crate::patch::parse`]. For members: 400 `invalidFilter` for a filter that asks for anything but ids, 400
/// `invalidPath` for a path to `members.value` that does not say which members are meant, 400 `mutability` for a path
/// to another part of a member, 400 `invalidValue` for a member without an id and beyond [`MAX_MEMBERS_PER_REQUEST`].
pub fn parse_patch(body: &[u8]) -> Result<GroupPatch, ScimError> {
    let sent = message::read(body, MAX_OPERATIONS + MAX_MEMBERS_PER_REQUEST)?;
    let (mut operations, mut members) = (Vec::new(), MemberOperations::default());
    let (mut on_members, mut on_others) = (0, 0);
    for (position, sent) in sent.into_iter().enumerate() {
        let is_on_members = carry_out(sent, &mut operations, &mut members).map_err(message::at(position))?;
        *(if is_on_members { &mut on_members } else { &mut on_others }) += 1;
        if on_others.max(operations.len()) > MAX_OPERATIONS {
            return Err(too_many(MAX_OPERATIONS, "other attributes than its members"));
        }
        if on_members > MAX_MEMBERS_PER_REQUEST {
            return Err(too_many(MAX_MEMBERS_PER_REQUEST, "its members"));
        }
    }
    Ok(GroupPatch { operations, members: members.net() })
}

/// Returns whether the operation is about members and nothing else. Entra's flagged dialect removes each member in an
/// operation of its own (entra-wire §2.1), so there may be more of those.
fn carry_out(
    sent: Value,
    operations: &mut Vec<Operation>,
    members: &mut MemberOperations,
) -> Result<bool, ScimError> {
    let (mut on_members, mut on_others) = (false, false);
    for target in targets(groups(), Sent::of(sent)?)? {
        if is_of_members(&target.path) {
            on_members = true;
            members.carry_out(target)?;
        } else {
            on_others = true;
            target.expand(groups(), operations)?;
        }
    }
    Ok(on_members && !on_others)
}

fn too_many(limit: usize, what: &str) -> ScimError {
    ScimError::invalid_value(format!("a PATCH of a group has at most {limit} operations on {what}"))
}
