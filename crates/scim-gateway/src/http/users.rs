//! What is asked of users: bodies into requests for the bus.

use bus_contract::{
    provisioning::{CreateUser, DeleteUser, PatchUser, ReplaceUser, VersionCondition, request::Change},
    subject::{Resource, Verb},
};
use scim_protocol::{error::ScimError, patch, resource, schema::SchemaSet};
use typed_ids::UserId;

use super::{
    change::{name, on_the_bus, to_json},
    respond::Refusal,
    route::shown,
};
use crate::provision::Asked;

pub(super) fn create(schemas: &SchemaSet, body: &[u8]) -> Result<Asked, Refusal> {
    let (attributes_json, name) = whole(schemas, body)?;
    let create = CreateUser { user_id: UserId::mint().to_string(), attributes_json };
    Ok(Asked { name, ..asked(Verb::Create, Change::CreateUser(create)) })
}

pub(super) fn replace(
    schemas: &SchemaSet,
    id: &str,
    body: &[u8],
    condition: Option<VersionCondition>,
) -> Result<Asked, Refusal> {
    let user_id = known(id)?;
    let (attributes_json, name) = whole(schemas, body)?;
    let replace = ReplaceUser { user_id, attributes_json, condition };
    Ok(Asked { name, ..asked(Verb::Replace, Change::ReplaceUser(replace)) })
}

pub(super) fn patch(
    schemas: &SchemaSet,
    id: &str,
    body: &[u8],
    condition: Option<VersionCondition>,
) -> Result<Asked, Refusal> {
    let user_id = known(id)?;
    let operations = patch::parse(schemas, body)?;
    // A PATCH without effect goes to the directory all the same: it alone knows the user's present state.
    let verb = match patch::sets_active(&operations) {
        Some(false) => Verb::Deactivate,
        Some(true) => Verb::Reactivate,
        None => Verb::Update,
    };
    let operations = operations.iter().map(on_the_bus).collect();
    Ok(asked(verb, Change::PatchUser(PatchUser { user_id, operations, condition })))
}

pub(super) fn delete(id: &str, condition: Option<VersionCondition>) -> Result<Asked, Refusal> {
    let user_id = known(id)?;
    Ok(asked(Verb::Delete, Change::DeleteUser(DeleteUser { user_id, condition })))
}

const fn asked(verb: Verb, change: Change) -> Asked {
    Asked { resource: Resource::User, verb, change, name: None }
}

/// The attributes of a body that describes a user as a whole, and the userName among them.
fn whole(schemas: &SchemaSet, body: &[u8]) -> Result<(String, Option<String>), Refusal> {
    let attributes = resource::parse(schemas, body)?;
    Ok((to_json(&attributes)?, name(&attributes, "userName")))
}

/// An id that is none of ours is a user that does not exist, not a malformed request.
fn known(id: &str) -> Result<String, ScimError> {
    id.parse::<UserId>().map(|id| id.to_string()).map_err(|_not_an_id| not_found(id))
}

pub(super) fn not_found(id: &str) -> ScimError {
    ScimError::not_found(format!("User {} not found", shown(id)))
}
