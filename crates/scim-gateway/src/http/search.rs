//! Searches by POST (RFC 7644 §3.4.3): a list whose query stands in the body.

use actix_web::http::StatusCode;
use scim_protocol::{
    bulk::Endpoint,
    error::ScimError,
    filter::Filter,
    list::{Page, splice_list_response},
    schema::SchemaSet,
    search_request::{self, SearchRequest},
};

use super::{
    Answer, Authenticated,
    list::{List, filter, is_given},
    members::Allowance,
    resources::projection,
    respond,
};

impl Authenticated<'_> {
    pub(super) async fn search(&self, endpoint: Endpoint, body: &[u8]) -> Answer {
        self.list(endpoint, &search_request::parse(body)?).await
    }

    /// `/.search`: all users that are found, then all groups, as one list.
    pub(super) async fn search_everything(&self, body: &[u8]) -> Answer {
        let query = search_request::parse(body)?;
        refuse_order(&query)?;
        let page = Page::parse(query.start_index.as_deref(), query.count.as_deref())?;
        // What is wrong with the query is said before anybody is asked.
        let part = |endpoint| part(endpoint, self.schemas_of(endpoint), &query);
        let parts = [part(Endpoint::Users)?, part(Endpoint::Groups)?];

        let allowance = Allowance::default();
        let (mut total, mut room, mut resources) = (0, page.count, Vec::new());
        for (endpoint, projection, list) in parts.into_iter().filter(|(_, _, list)| !finds_nothing(list)) {
            let offset = u64::from(page.offset()).saturating_sub(total);
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            let found = self.page_of(endpoint, &list, offset, room).await?;
            total += found.total;
            let count = u32::try_from(found.records.len()).unwrap_or(u32::MAX);
            // A page that the directory cut short ends the answer, or those behind the cut would be skipped.
            let is_cut = u64::from(count) < found.total.saturating_sub(offset.into()).min(room.into());
            room = if is_cut { 0 } else { room.saturating_sub(count) };
            resources.extend(self.render_all(found.records, &projection, &allowance).await?);
        }
        self.facts.borrow_mut().find(None, total, &[]);
        Ok(respond::json(StatusCode::OK, splice_list_response(page.start_index, total, &resources)))
    }
}

type Part = (Endpoint, scim_protocol::projection::Projection, List);

fn part(endpoint: Endpoint, schemas: &SchemaSet, query: &SearchRequest) -> Result<Part, ScimError> {
    let list = List { filter: filter(schemas, query)?, sort: None };
    Ok((endpoint, projection(schemas, query)?, list))
}

/// Users and groups are two lists in the directory, and no order goes through both.
fn refuse_order(query: &SearchRequest) -> Result<(), ScimError> {
    let (parameter, given) = if is_given(query.sort_by.as_deref()) {
        ("sortBy", true)
    } else {
        ("cursor", query.cursor.is_some())
    };
    if given {
        return Err(ScimError::invalid_value(format!(
            "'{parameter}' cannot be used where users and groups are searched together; search /Users or /Groups"
        )));
    }
    Ok(())
}

/// Whether a filter is about attributes of other resources alone, so that it finds none of these, negated or not.
fn finds_nothing(list: &List) -> bool {
    fn knows_nothing(filter: &Filter) -> bool {
        match filter {
            Filter::Unknown { .. } => true,
            Filter::Not(inner) => knows_nothing(inner),
            Filter::And(parts) | Filter::Or(parts) => parts.iter().all(knows_nothing),
            Filter::Present(_) | Filter::Compare { .. } | Filter::Element { .. } => false,
        }
    }
    list.filter.as_ref().is_some_and(knows_nothing)
}
