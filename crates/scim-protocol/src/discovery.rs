//! What the service says about itself: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7643 §5–7,
//! RFC 7644 §4).
//!
//! `base` is the SCIM root as the client reaches it, without a trailing slash; `served` are the resource types that
//! have an endpoint. Lists are `ListResponse` documents, which is the form that Entra's schema discovery reads.

use serde_json::{Value, json};

use crate::list::{DEFAULT_RESULTS, MAX_RESULTS, list_response};
use crate::schema::{Schema, SchemaSet};
use crate::{bulk, cursor};

const SERVICE_PROVIDER_CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What may be served or not. The parts of the protocol that are not here always are, or never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// `/Bulk` (RFC 7644 §3.7).
    pub bulk: bool,
    /// `sortBy` (RFC 7644 §3.4.2.3).
    pub sort: bool,
    /// Paging by cursor (RFC 9865).
    pub cursor: bool,
}

/// What is served now. A client is promised what is `true` here, so it becomes that together with the endpoint.
pub const SERVED: Features = Features { bulk: true, sort: true, cursor: true };

/// What is supported and what is not (RFC 7643 §5, `pagination` from RFC 9865 §4): [`SERVED`].
#[must_use]
pub fn service_provider_config(base: &str) -> Value {
    service_provider_config_of(base, SERVED)
}

/// The same with other features.
#[must_use]
pub fn service_provider_config_of(base: &str, served: Features) -> Value {
    let (operations, bytes) =
        if served.bulk { (bulk::MAX_OPERATIONS, bulk::MAX_PAYLOAD_BYTES) } else { (0, 0) };
    let mut pagination = json!({
        "cursor": served.cursor,
        "index": true,
        "defaultPaginationMethod": "index",
        "defaultPageSize": DEFAULT_RESULTS,
        "maxPageSize": MAX_RESULTS,
    });
    if served.cursor {
        pagination["cursorTimeout"] = cursor::TIMEOUT_SECONDS.into();
    }
    json!({
        "schemas": [SERVICE_PROVIDER_CONFIG_URN],
        "patch": {"supported": true},
        "bulk": {"supported": served.bulk, "maxOperations": operations, "maxPayloadSize": bytes},
        "filter": {"supported": true, "maxResults": MAX_RESULTS},
        "changePassword": {"supported": false},
        "sort": {"supported": served.sort},
        "etag": {"supported": true},
        "pagination": pagination,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "The token that TimeClock 365 issued to the company for provisioning",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}

/// The resource types, as a list (RFC 7643 §6).
#[must_use]
pub fn resource_types(base: &str, served: &[&SchemaSet]) -> Value {
    let types: Vec<Value> = served.iter().map(|schemas| described_type(base, schemas)).collect();
    list(&types)
}

/// The resource type of that name; `None` when it is not served.
#[must_use]
pub fn resource_type(base: &str, served: &[&SchemaSet], name: &str) -> Option<Value> {
    let schemas = served.iter().find(|schemas| schemas.resource_type() == name)?;
    Some(described_type(base, schemas))
}

/// The schemas of the resource types, as a list (RFC 7643 §7).
#[must_use]
pub fn schemas(base: &str, served: &[&SchemaSet]) -> Value {
    let documents: Vec<Value> = documents(base, served).map(|(_, document)| document).collect();
    list(&documents)
}

/// The schema of that URN, whatever its case; `None` when no resource type that is served has it.
#[must_use]
pub fn schema(base: &str, served: &[&SchemaSet], urn: &str) -> Option<Value> {
    documents(base, served)
        .find(|(schema, _)| schema.id.eq_ignore_ascii_case(urn))
        .map(|(_, document)| document)
}

fn described_type(base: &str, schemas: &SchemaSet) -> Value {
    let name = schemas.resource_type();
    let extensions: Vec<Value> =
        schemas.extensions().map(|extension| json!({"schema": extension.id, "required": false})).collect();
    json!({
        "schemas": [RESOURCE_TYPE_URN],
        "id": name,
        "name": name,
        "description": schemas.base().description,
        "endpoint": schemas.endpoint(),
        "schema": schemas.base().id,
        "schemaExtensions": extensions,
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}")},
    })
}

fn documents<'s>(base: &str, served: &[&'s SchemaSet]) -> impl Iterator<Item = (&'s Schema, Value)> {
    served.iter().flat_map(move |schemas| {
        let extensions = schemas.extensions().map(move |extension| (extension, described(base, extension)));
        std::iter::once((schemas.base(), described(base, &with_external_id(schemas)))).chain(extensions)
    })
}

/// The base schema with `externalId`. RFC 7643 §3.1 makes common attributes part of every base schema; this one is the
/// client's to write, and an Entra mapping may name only what discovery lists.
fn with_external_id(schemas: &SchemaSet) -> Schema {
    let mut schema = schemas.base().clone();
    schema.attributes.extend(schemas.attribute("externalId").cloned());
    schema
}

fn described(base: &str, schema: &Schema) -> Value {
    json!({
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes,
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id)},
    })
}

fn list(resources: &[Value]) -> Value {
    json!(list_response(1, resources.len() as u64, resources))
}
