//! Lists of users and of groups: filtered, sorted, and paged through by index or by cursor.

use actix_web::http::StatusCode;
use bus_contract::directory::{Order, Position};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scim_protocol::{
    bulk::Endpoint,
    cursor::{self, Cursor, Question},
    error::ScimError,
    filter::{Filter, Literal, Op},
    list::{Page, splice_cursor_response, splice_list_response},
    projection::Projection,
    schema::SchemaSet,
    search_request::SearchRequest,
    sort::Sort,
};
use service_runtime::clock::Clock;

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

/// Which resources, and in which order.
pub(super) struct List {
    pub(super) filter: Option<Filter>,
    pub(super) sort: Option<Sort>,
}

impl Authenticated<'_> {
    pub(super) async fn list(&self, endpoint: Endpoint, query: &SearchRequest) -> Answer {
        let schemas = self.schemas_of(endpoint);
        let projection = projection(schemas, query)?;
        let sort = Sort::parse(schemas, query.sort_by.as_deref(), query.sort_order.as_deref())?;
        let list = List { filter: filter(schemas, query)?, sort };
        match query.cursor.as_deref() {
            None => self.list_by_index(endpoint, query, &list, &projection).await,
            Some(cursor) => self.list_by_cursor(endpoint, query, &list, &projection, cursor).await,
        }
    }

    async fn list_by_index(
        &self,
        endpoint: Endpoint,
        query: &SearchRequest,
        list: &List,
        projection: &Projection,
    ) -> Answer {
        let page = Page::parse(query.start_index.as_deref(), query.count.as_deref())?;
        let found = self.page_of(endpoint, list, page.offset(), page.count).await?;
        self.facts.borrow_mut().find(list.key(endpoint), found.total, &found.records);
        let resources = self.render_all(found.records, projection, &Allowance::default()).await?;
        Ok(respond::json(StatusCode::OK, splice_list_response(page.start_index, found.total, &resources)))
    }

    /// RFC 9865. There is no way back: `previousCursor` is optional, and the directory reads forward alone.
    async fn list_by_cursor(
        &self,
        endpoint: Endpoint,
        query: &SearchRequest,
        list: &List,
        projection: &Projection,
        cursor: &str,
    ) -> Answer {
        if is_given(query.start_index.as_deref()) {
            return Err(ScimError::invalid_value("'startIndex' and 'cursor' exclude each other").into());
        }
        let page = cursor::Page::parse(cursor, query.count.as_deref())?;
        let path = endpoint.schemas().endpoint();
        let question = Question::new(path, list.filter.as_ref(), list.sort.as_ref());
        let company = self.caller.company;
        let open = |cursor: &str| {
            self.app.cursor_key.open(company, cursor)?.position_in(question, now(&self.app.clock))
        };
        let after = page.cursor.as_deref().map(open).transpose()?;
        let after = after.map(|position| Position { id: position.id, key: position.key });

        let search = Search { after, limit: page.count, ..list.search() };
        let found = directory::search(self.app, company, endpoint, search).await?;
        self.facts.borrow_mut().find(list.key(endpoint), found.total, &found.records);
        let next = found.next.map(|next| self.sealed(question, next)).transpose()?;
        let resources = self.render_all(found.records, projection, &Allowance::default()).await?;
        let body = splice_cursor_response(Some(found.total), None, next.as_deref(), &resources);
        Ok(respond::json(StatusCode::OK, body))
    }

    fn sealed(&self, question: Question, next: Position) -> Result<String, Refusal> {
        let position = cursor::Position { is_backward: false, id: next.id, key: next.key };
        let cursor = Cursor::new(question, position, now(&self.app.clock)).encode()?;
        let sealed = self.app.cursor_key.seal(self.caller.company, &cursor);
        sealed.map_err(|error| Refusal::internal(error.to_string()))
    }

    /// The resources of a list from `offset` on, at most `limit`.
    pub(super) async fn page_of(
        &self,
        endpoint: Endpoint,
        list: &List,
        offset: u32,
        limit: u32,
    ) -> Result<Found, Refusal> {
        let company = self.caller.company;
        match list.key(endpoint) {
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
                let search = Search { offset, limit, ..list.search() };
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
pub(super) fn filter(schemas: &SchemaSet, query: &SearchRequest) -> Result<Option<Filter>, ScimError> {
    query.filter.as_deref().map(|text| Filter::parse(schemas, text)).transpose()
}

/// Whether a parameter says anything.
pub(super) fn is_given(parameter: Option<&str>) -> bool {
    parameter.is_some_and(|text| !text.trim().is_empty())
}

impl List {
    /// The list as the directory is asked for it, from its beginning.
    fn search(&self) -> Search {
        let order = self
            .sort
            .as_ref()
            .map(|sort| Order { path: sort.path.to_string(), descending: sort.is_descending });
        let filter = self.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        Search { filter, order, ..Search::default() }
    }

    /// The key of a filter that asks for nothing but one, so that the directory answers from an index, many at once.
    fn key(&self, endpoint: Endpoint) -> Option<Key> {
        // What a key finds comes in the order of ids.
        let (None, Some(Filter::Compare { path, op: Op::Equal, value })) = (&self.sort, &self.filter) else {
            return None;
        };
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
}

fn now(clock: &Clock) -> DateTime<Utc> {
    clock.now().into()
}
