//! `/Groups`: there are none yet. Entra's *Test connection* asks for one by name all the same, and must get an empty list.

use actix_web::http::StatusCode;
use scim_protocol::{
    error::ScimError,
    filter::Filter,
    list::{Page, splice_list_response},
    schema::groups,
};

use super::{Answer, Authenticated, respond, route::shown};

impl Authenticated<'_> {
    pub(super) fn list_groups(&self) -> Answer {
        const NONE: [&[u8]; 0] = [];
        let page = Page::parse(self.query.start_index.as_deref(), self.query.count.as_deref())?;
        // A filter that cannot be read is refused here as it will be when there are groups.
        if let Some(text) = &self.query.filter {
            Filter::parse(groups(), text)?;
        }
        Ok(respond::json(StatusCode::OK, splice_list_response(page.start_index, 0, &NONE)))
    }
}

pub(super) fn not_found(id: &str) -> Answer {
    Err(ScimError::not_found(format!("Group {} not found", shown(id))).into())
}

pub(super) fn not_implemented() -> Answer {
    Err(ScimError::not_implemented(
        "Groups cannot be provisioned yet. Turn the mapping of groups off in Entra.",
    )
    .into())
}
