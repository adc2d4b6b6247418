//! `/Users`, `/Groups` and what is below them, one resource at a time. Lists are in `list`.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use scim_protocol::{
    bulk::Endpoint, error::ScimError, etag, projection::Projection, schema::SchemaSet,
    search_request::SearchRequest,
};
use typed_ids::UserId;

use super::{
    Answer, Authenticated, change, conditions, groups,
    members::{Allowance, Members, Shown},
    respond,
    respond::Refusal,
    users,
};
use crate::directory::{self, Key, Record};

impl Authenticated<'_> {
    pub(super) async fn get(&self, endpoint: Endpoint, id: &str) -> Answer {
        let projection = projection(self.schemas_of(endpoint), &self.query)?;
        let record = self.find(endpoint, id).await?;
        if conditions::has_already(self.request, record.version()) {
            return Ok(HttpResponse::NotModified().insert_header(tag(&record)).finish());
        }
        let shown = self.with_members(record, &projection, &Allowance::default()).await?;
        if matches!(shown.members, Members::Gone) {
            return Err(not_found(endpoint, id).into());
        }
        self.show(StatusCode::OK, &shown, &projection)
    }

    pub(super) async fn create(&self, endpoint: Endpoint, body: &[u8]) -> Answer {
        let projection = projection(self.schemas_of(endpoint), &self.query)?;
        let asked = change::create(endpoint, self.schemas_of(endpoint), body)
            .inspect_err(|_refusal| self.facts.borrow_mut().name_whom(endpoint, body))?;
        let is_empty = groups::leaves_nobody(&asked.change);
        let record = change::applied(self.carry_out(asked).await?)?;
        let shown = self.after_change(record, is_empty, &projection).await?;
        self.show(StatusCode::CREATED, &shown, &projection)
    }

    pub(super) async fn replace(&self, endpoint: Endpoint, id: &str, body: &[u8]) -> Answer {
        let projection = projection(self.schemas_of(endpoint), &self.query)?;
        let asked = change::replace(
            endpoint,
            self.schemas_of(endpoint),
            id,
            body,
            conditions::demanded(self.request)?,
        )
        .inspect_err(|_refusal| self.facts.borrow_mut().name_whom(endpoint, body))?;
        let is_empty = groups::leaves_nobody(&asked.change);
        let record = change::applied(self.carry_out(asked).await?)?;
        let shown = self.after_change(record, is_empty, &projection).await?;
        self.show(StatusCode::OK, &shown, &projection)
    }

    pub(super) async fn patch(&self, endpoint: Endpoint, id: &str, body: &[u8]) -> Answer {
        let projection = projection(self.schemas_of(endpoint), &self.query)?;
        let asked = change::patch(
            endpoint,
            self.schemas_of(endpoint),
            id,
            body,
            conditions::demanded(self.request)?,
        )?;
        let record = change::applied(self.carry_out(asked).await?)?;
        // Microsoft's validator wants the whole user back, and Entra a group without its members: to list a hundred
        // thousand of them for each that is added is the cost of a change (entra-wire §2.2). RFC 7644 §3.5.2 has a body
        // for whoever says which attributes it should show.
        if endpoint == Endpoint::Groups && !names_attributes(&self.query) {
            return Ok(HttpResponse::NoContent().insert_header(tag(&record)).finish());
        }
        let shown = self.after_change(record, false, &projection).await?;
        self.show(StatusCode::OK, &shown, &projection)
    }

    pub(super) async fn delete(&self, endpoint: Endpoint, id: &str) -> Answer {
        let asked = change::delete(endpoint, id, conditions::demanded(self.request)?)?;
        self.carry_out(asked).await?;
        Ok(HttpResponse::NoContent().finish())
    }

    async fn find(&self, endpoint: Endpoint, id: &str) -> Result<Record, Refusal> {
        if !is_id(id) {
            return Err(not_found(endpoint, id).into());
        }
        let key = Key::Id(id.to_owned());
        let found = directory::look_up(self.app, self.caller.company, endpoint, key).await?;
        found.into_iter().next().ok_or_else(|| not_found(endpoint, id).into())
    }

    /// A group of nobody is not asked for its members.
    async fn after_change(
        &self,
        record: Record,
        is_empty: bool,
        projection: &Projection,
    ) -> Result<Shown, Refusal> {
        if is_empty {
            return Ok(Shown { record, members: Members::Of(Vec::new()) });
        }
        self.with_members(record, projection, &Allowance::default()).await
    }

    pub(super) fn location(&self, record: &Record) -> String {
        format!("{}{}/{}", self.base_url.0, record.endpoint().schemas().endpoint(), record.id())
    }

    fn show(&self, status: StatusCode, shown: &Shown, projection: &Projection) -> Answer {
        let body = self.render(shown, projection)?;
        let record = &shown.record;
        let mut builder = respond::builder(status);
        builder.insert_header(tag(record));
        if status == StatusCode::CREATED {
            builder.insert_header((header::LOCATION, self.location(record)));
        }
        Ok(builder.body(body))
    }
}

/// Which attributes a query asks for.
pub(super) fn projection(schemas: &SchemaSet, query: &SearchRequest) -> Result<Projection, ScimError> {
    let excluded = query.excluded_attributes.as_deref();
    Projection::parse(schemas, query.attributes.as_deref(), excluded)
}

/// Whether a text can be the id of a user or group.
pub(super) fn is_id(text: &str) -> bool {
    text.parse::<UserId>().is_ok()
}

fn names_attributes(query: &SearchRequest) -> bool {
    let lists = [&query.attributes, &query.excluded_attributes];
    lists.into_iter().flatten().any(|list| !list.trim().is_empty())
}

fn tag(record: &Record) -> (header::HeaderName, String) {
    (header::ETAG, etag::etag(record.version()))
}

fn not_found(endpoint: Endpoint, id: &str) -> ScimError {
    match endpoint {
        Endpoint::Users => users::not_found(id),
        Endpoint::Groups => groups::not_found(id),
    }
}
