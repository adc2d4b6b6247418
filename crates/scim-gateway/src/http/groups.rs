//! What is asked of groups: bodies into requests for the bus.

use bus_contract::{
    provisioning::{
        CreateGroup, DeleteGroup, MembersChange, PatchGroup, ReplaceGroup, VersionCondition, request::Change,
    },
    subject::{Resource, Verb},
};
use scim_protocol::{error::ScimError, group};
use typed_ids::{GroupId, MemberId};

use super::{
    change::{name, on_the_bus, to_json},
    respond::Refusal,
    route::shown,
};
use crate::provision::Asked;

pub(super) fn create(body: &[u8]) -> Result<Asked, Refusal> {
    let Whole { attributes_json, member_ids, name } = whole(body)?;
    let create = CreateGroup { group_id: GroupId::mint().to_string(), attributes_json, member_ids };
    Ok(Asked { name, ..asked(Verb::Create, Change::CreateGroup(create)) })
}

pub(super) fn replace(id: &str, body: &[u8], condition: Option<VersionCondition>) -> Result<Asked, Refusal> {
    let group_id = known(id)?;
    let Whole { attributes_json, member_ids, name } = whole(body)?;
    let replace = ReplaceGroup { group_id, attributes_json, member_ids, condition };
    Ok(Asked { name, ..asked(Verb::Replace, Change::ReplaceGroup(replace)) })
}

pub(super) fn patch(id: &str, body: &[u8], condition: Option<VersionCondition>) -> Result<Asked, Refusal> {
    let group_id = known(id)?;
    let patch = group::parse_patch(body)?;
    let group::MembersChange { clear, added, mut removed } = patch.members;
    each_could_be_a_member(&added)?;
    // An id that nobody can have names no member, and removing who is none changes nothing (RFC 7644 §3.5.2.2).
    removed.retain(|id| could_be_a_member(id));
    let members = Some(MembersChange { clear, added, removed });
    let operations = patch.operations.iter().map(on_the_bus).collect();
    Ok(asked(Verb::Update, Change::PatchGroup(PatchGroup { group_id, operations, members, condition })))
}

pub(super) fn delete(id: &str, condition: Option<VersionCondition>) -> Result<Asked, Refusal> {
    let group_id = known(id)?;
    Ok(asked(Verb::Delete, Change::DeleteGroup(DeleteGroup { group_id, condition })))
}

/// Whether nobody is a member of the group once this has been done.
pub(super) const fn leaves_nobody(change: &Change) -> bool {
    match change {
        Change::CreateGroup(create) => create.member_ids.is_empty(),
        Change::ReplaceGroup(replace) => replace.member_ids.is_empty(),
        _ => false,
    }
}

const fn asked(verb: Verb, change: Change) -> Asked {
    Asked { resource: Resource::Group, verb, change, name: None }
}

/// A body that describes a group as a whole.
struct Whole {
    attributes_json: String,
    member_ids: Vec<String>,
    name: Option<String>,
}

fn whole(body: &[u8]) -> Result<Whole, Refusal> {
    let group::NewGroup { attributes, members } = group::parse(body)?;
    each_could_be_a_member(&members)?;
    let (attributes_json, name) = (to_json(&attributes)?, name(&attributes, "displayName"));
    Ok(Whole { attributes_json, member_ids: members, name })
}

/// In the directory's own words: it refuses those ids that nobody has, this those that nobody could have.
fn each_could_be_a_member(ids: &[String]) -> Result<(), Refusal> {
    match ids.iter().find(|id| !could_be_a_member(id)) {
        None => Ok(()),
        Some(id) => Err(Refusal::quoting_the_body(ScimError::invalid_value(format!(
            "No user or group of this company has the id '{}'; nothing was changed. Provision the members first, or \
             restart provisioning if they were deleted here.",
            shown(id)
        )))),
    }
}

fn could_be_a_member(id: &str) -> bool {
    id.parse::<MemberId>().is_ok()
}

/// An id that is none of ours is a group that does not exist, not a malformed request.
fn known(id: &str) -> Result<String, ScimError> {
    id.parse::<GroupId>().map(|id| id.to_string()).map_err(|_not_an_id| not_found(id))
}

pub(super) fn not_found(id: &str) -> ScimError {
    ScimError::not_found(format!("Group {} not found", shown(id)))
}
