//! Changes of users and groups alike: read, handed to the directory, and what came of them.
//!
//! What can be refused without knowing the present state is refused here, before anything is stored.

use bus_contract::provisioning::{PatchOperation, VersionCondition, patch_operation};
use scim_protocol::{Attributes, bulk::Endpoint, patch, schema::SchemaSet};

use super::{Authenticated, groups, respond::Refusal, users};
use crate::{
    directory::Record,
    provision::{self, Asked},
};

pub(super) fn create(endpoint: Endpoint, schemas: &SchemaSet, body: &[u8]) -> Result<Asked, Refusal> {
    match endpoint {
        Endpoint::Users => users::create(schemas, body),
        Endpoint::Groups => groups::create(body),
    }
}

pub(super) fn replace(
    endpoint: Endpoint,
    schemas: &SchemaSet,
    id: &str,
    body: &[u8],
    condition: Option<VersionCondition>,
) -> Result<Asked, Refusal> {
    match endpoint {
        Endpoint::Users => users::replace(schemas, id, body, condition),
        Endpoint::Groups => groups::replace(id, body, condition),
    }
}

pub(super) fn patch(
    endpoint: Endpoint,
    schemas: &SchemaSet,
    id: &str,
    body: &[u8],
    condition: Option<VersionCondition>,
) -> Result<Asked, Refusal> {
    match endpoint {
        Endpoint::Users => users::patch(schemas, id, body, condition),
        Endpoint::Groups => groups::patch(id, body, condition),
    }
}

pub(super) fn delete(
    endpoint: Endpoint,
    id: &str,
    condition: Option<VersionCondition>,
) -> Result<Asked, Refusal> {
    match endpoint {
        Endpoint::Users => users::delete(id, condition),
        Endpoint::Groups => groups::delete(id, condition),
    }
}

impl Authenticated<'_> {
    /// Has a change carried out. The resource as it is then; none after a delete.
    pub(super) async fn carry_out(&self, mut asked: Asked) -> Result<Option<Record>, Refusal> {
        self.facts.borrow_mut().ask(&mut asked);
        let applied = provision::begin(self.app, self.caller, self.id, asked).await?.outcome().await?;
        self.facts.borrow_mut().apply(&applied);
        Ok(applied.record)
    }
}

/// The resource that a change other than a delete is answered with.
pub(super) fn applied(record: Option<Record>) -> Result<Record, Refusal> {
    record.ok_or_else(|| Refusal::internal("an applied change came back without its resource"))
}

pub(super) fn on_the_bus(operation: &patch::Operation) -> PatchOperation {
    let op = match operation.op {
        patch::Op::Add => patch_operation::Op::Add,
        patch::Op::Replace => patch_operation::Op::Replace,
        patch::Op::Remove => patch_operation::Op::Remove,
    };
    PatchOperation { op: op.into(), path: operation.path.to_string(), value_json: operation.value_json() }
}

/// The userName or displayName of a resource that a body describes as a whole.
pub(super) fn name(attributes: &Attributes, attribute: &str) -> Option<String> {
    attributes.get(attribute)?.as_str().map(ToOwned::to_owned)
}

pub(super) fn to_json(attributes: &Attributes) -> Result<String, Refusal> {
    serde_json::to_string(attributes)
        .map_err(|error| Refusal::internal(format!("cannot write attributes: {error}")))
}
