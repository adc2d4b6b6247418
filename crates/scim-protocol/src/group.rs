//! Groups: their attributes, and apart from them their members.
//!
//! A group may have 100,000 members, so they are no part of what is stored and rewritten as one resource.
//! What a client says about them is read as ids to add and ids to remove, and the directory applies just those.
//! Whoever reads a capped list of members and writes it back loses the rest (entra-wire bug 16).

mod members;
mod patch;

pub use members::MembersChange;
pub use patch::{GroupPatch, parse_patch};

use crate::error::ScimError;
use crate::patch::{Op, PatchPath, Target, TargetOrigin};
use crate::resource::canonical::sent_twice;
use crate::resource::parse_object;
use crate::schema::groups;
use crate::{Attributes, json};
use members::MemberOperations;
use serde_json::Map;
use std::fmt;

/// The most members that one request lists, whatever it does with them, and the most operations on members that one
/// PATCH has.
pub const MAX_MEMBERS_PER_REQUEST: usize = 10_000;

/// What the body of a POST or PUT says.
#[derive(Clone, PartialEq)]
pub struct NewGroup {
    /// The canonical attributes, without `members`.
    pub attributes: Attributes,
    /// The ids of all members, each once, in the order in which they were sent. Whether they exist is not known here.
    pub members: Vec<String>,
}

/// Without the attributes, as everywhere in this crate.
impl fmt::Debug for NewGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewGroup").field("members", &self.members.len()).finish_non_exhaustive()
    }
}

/// Reads the body of a POST or PUT of a group.
///
/// Attributes are read as [`crate::resource::parse`] reads them. A member is an object with its id in `value`, an object
/// without that but with a `$ref` that ends in `/Users/ID` or `/Groups/ID`, or the id as text; one alone needs no list.
/// `null`, `""`, `[]` and `{}` are no members. What else is said of a member (`type`, `display`) follows from its id and
/// is ignored.
///
/// # Errors
///
/// Those of [`crate::resource::parse`]; 400 `invalidValue` for a member without an id, with one that is no text or
/// longer than an index holds, and for more than [`MAX_MEMBERS_PER_REQUEST`] of them.
pub fn parse(body: &[u8]) -> Result<NewGroup, ScimError> {
    let mut members = MemberOperations::default();
    let mut attributes = Map::new();
    let mut is_listed = false;
    for (key, value) in json::read_object(body)? {
        let Some(path) = PatchPath::parse_known(groups(), &key).filter(is_of_members) else {
            attributes.insert(key, value);
            continue;
        };
        if path.names_whole_attribute() && std::mem::replace(&mut is_listed, true) {
            return Err(sent_twice("members"));
        }
        members.carry_out(Target { op: Op::Add, path, value, origin: TargetOrigin::Member })?;
    }
    Ok(NewGroup { attributes: parse_object(groups(), attributes)?, members: members.net().added })
}

/// Whether a path is about the members.
fn is_of_members(path: &PatchPath) -> bool {
    path.attribute.urn.is_none() && path.attribute.name == "members"
}
