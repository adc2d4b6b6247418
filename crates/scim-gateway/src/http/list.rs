//! Lists of users and of groups.

use actix_web::http::StatusCode;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scim_protocol::{
    bulk::Endpoint,
    error::ScimError,
    filter::{Filter, Literal, Op},
    list::{Page, splice_list_response},
    projection::Projection,
    search_request::SearchRequest,
};

use super::{
    Answer, Authenticated,
    members::{Allowance, Members},
    resources::{is_id, projection},
    respond,
    respond::Refusal,
};
use crate::directory::{self, Found, Key, Record, Search};

/// Groups of one list whose members are asked for at once.
const GROUPS_AT_ONCE: usize = 8;

impl Authenticated<'_> {
    pub(super) async fn list(&self, endpoint: Endpoint, query: &SearchRequest) -> Answer {
        let projection = projection(endpoint, query)?;
        let page = Page::parse(query.start_index.as_deref(), query.count.as_deref())?;
        let filter = filter(endpoint, query)?;
        let found = self.page_of(endpoint, filter.as_ref(), page.offset(), page.count).await?;
        let resources = self.render_all(found.records, &projection, &Allowance::default()).await?;
        Ok(respond::json(StatusCode::OK, splice_list_response(page.start_index, found.total, &resources)))
    }

    /// The resources from `offset` on that a filter finds, at most `limit`, in the order of their ids.
    pub(super) async fn page_of(
        &self,
        endpoint: Endpoint,
        filter: Option<&Filter>,
        offset: u32,
        limit: u32,
    ) -> Result<Found, Refusal> {
        let company = self.caller.company;
        match filter.and_then(|filter| key_of(endpoint, filter)) {
            Some(Key::Id(id)) if !is_id(&id) => Ok(Found::default()),
            Some(key) => {
                let found = directory::look_up(self.app, company, endpoint, key).await?;
                let total = found.len() as u64;
                let [skip, take] =
                    [offset, limit].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
                let records = found.into_iter().skip(skip).take(take).collect();
                Ok(Found { total, records, next: None })
            }
            None => {
                let filter = filter.map(ToString::to_string).unwrap_or_default();
                let search = Search { filter, offset, limit, ..Search::default() };
                Ok(directory::search(self.app, company, endpoint, search).await?)
            }
        }
    }

    /// The resources as they are shown. A group that was deleted while its members were read is left out.
    pub(super) async fn render_all(
        &self,
        records: Vec<Record>,
        projection: &Projection,
        allowance: &Allowance,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let shown = records.into_iter().map(|record| self.with_members(record, projection, allowance));
        stream::iter(shown)
            .buffered(GROUPS_AT_ONCE)
            .try_filter_map(async |shown| match shown.members {
                Members::Gone => Ok(None),
                Members::Unasked | Members::Of(_) => self.render(&shown, projection).map(Some),
            })
            .try_collect()
            .await
    }
}

/// The filter of a query, canonical.
pub(super) fn filter(endpoint: Endpoint, query: &SearchRequest) -> Result<Option<Filter>, ScimError> {
    query.filter.as_deref().map(|text| Filter::parse(endpoint.schemas(), text)).transpose()
}

/// The key of a filter that asks for nothing but one, so that the directory answers from an index, many at once.
fn key_of(endpoint: Endpoint, filter: &Filter) -> Option<Key> {
    let Filter::Compare { path, op: Op::Equal, value } = filter else { return None };
    if path.urn.is_some() || path.sub.is_some() {
        return None;
    }
    match (endpoint, path.name.as_str(), value) {
        (Endpoint::Users, "userName", Literal::Folded(name))
        | (Endpoint::Groups, "displayName", Literal::Folded(name)) => Some(Key::Name(name.clone())),
        (_, "externalId", Literal::Exact(id)) => Some(Key::ExternalId(id.clone())),
        (_, "id", Literal::Exact(id)) => Some(Key::Id(id.clone())),
        _ => None,
    }
}
