//! What the service says about itself: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`.

use actix_web::http::StatusCode;
use scim_protocol::{
    discovery,
    error::ScimError,
    schema::{SchemaSet, groups},
};
use serde_json::Value;

use super::{Answer, Authenticated, respond, route::shown};

impl Authenticated<'_> {
    /// The resource types that have an endpoint, as they are for this company.
    fn served(&self) -> [&SchemaSet; 2] {
        [&self.users, groups()]
    }

    pub(super) fn service_provider_config(&self) -> Answer {
        self.document(&discovery::service_provider_config(&self.base_url.0))
    }

    pub(super) fn resource_types(&self) -> Answer {
        self.document(&discovery::resource_types(&self.base_url.0, &self.served()))
    }

    pub(super) fn resource_type(&self, name: &str) -> Answer {
        let found = discovery::resource_type(&self.base_url.0, &self.served(), name);
        self.document(
            &found.ok_or_else(|| ScimError::not_found(format!("Resource type {} not found", shown(name))))?,
        )
    }

    pub(super) fn schemas(&self) -> Answer {
        self.document(&discovery::schemas(&self.base_url.0, &self.served()))
    }

    pub(super) fn schema(&self, urn: &str) -> Answer {
        let found = discovery::schema(&self.base_url.0, &self.served(), urn);
        self.document(&found.ok_or_else(|| ScimError::not_found(format!("Schema {} not found", shown(urn))))?)
    }

    /// RFC 7644 §4: a filter is refused, so that nobody takes the whole for what the filter asked for.
    fn document(&self, document: &Value) -> Answer {
        if self.query.filter.is_some() {
            return Err(ScimError::forbidden("This resource cannot be filtered.").into());
        }
        Ok(respond::json(StatusCode::OK, document.to_string().into_bytes()))
    }
}
