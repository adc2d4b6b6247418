//! `/Users`.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use bus_contract::{
    Timestamp,
    directory::{UserRecord, look_up_user::Key},
    provisioning::{
        CreateUser, DeleteUser, PatchOperation, PatchUser, ReplaceUser, patch_operation, request::Change,
    },
    subject::Verb,
};
use chrono::{DateTime, Utc};
use scim_protocol::{
    Attributes,
    error::ScimError,
    etag,
    filter::{Filter, Literal, Op},
    list::{Page, splice_list_response},
    patch,
    projection::Projection,
    resource::{self, Manager, Rendering},
    schema::users,
};
use typed_ids::UserId;

use super::{Answer, Authenticated, conditions, respond, respond::Refusal, route::shown};
use crate::{directory, provision};

impl Authenticated<'_> {
    pub(super) async fn list_users(&self) -> Answer {
        let projection = self.projection()?;
        let page = Page::parse(self.query.start_index.as_deref(), self.query.count.as_deref())?;
        let filter = self.query.filter.as_deref().map(|text| Filter::parse(users(), text)).transpose()?;

        let (total, records) = match filter.as_ref().and_then(key_of) {
            Some(Key::UserId(id)) if id.parse::<UserId>().is_err() => (0, Vec::new()),
            Some(key) => {
                let found = directory::look_up(self.app, self.caller.company, key).await?;
                (found.len() as u64, page_of(found, page))
            }
            None => {
                let filter = filter.map(|filter| filter.to_string()).unwrap_or_default();
                let company = self.caller.company;
                let reply = directory::search(self.app, company, filter, page.offset(), page.count).await?;
                (reply.total, reply.users)
            }
        };
        let resources = records.iter().map(|record| self.render(record, &projection));
        let resources = resources.collect::<Result<Vec<_>, _>>()?;
        Ok(respond::json(StatusCode::OK, splice_list_response(page.start_index, total, &resources)))
    }

    pub(super) async fn get_user(&self, id: &str) -> Answer {
        let projection = self.projection()?;
        let user = user_id(id)?;
        let found = directory::look_up(self.app, self.caller.company, Key::UserId(user.to_string())).await?;
        let record = found.into_iter().next().ok_or_else(|| no_such_user(id))?;
        if conditions::has_already(self.request, record.version) {
            let not_modified = HttpResponse::NotModified()
                .insert_header((header::ETAG, etag::etag(record.version)))
                .finish();
            return Ok(not_modified);
        }
        self.show(StatusCode::OK, &record, &projection)
    }

    pub(super) async fn create_user(&self, body: &[u8]) -> Answer {
        let projection = self.projection()?;
        let attributes = resource::parse(users(), body)?;
        let create =
            CreateUser { user_id: UserId::mint().to_string(), attributes_json: to_json(&attributes)? };
        let record = self.change(Verb::Create, Change::CreateUser(create)).await?;
        self.show(StatusCode::CREATED, &record, &projection)
    }

    pub(super) async fn replace_user(&self, id: &str, body: &[u8]) -> Answer {
        let projection = self.projection()?;
        let user_id = user_id(id)?.to_string();
        let condition = conditions::demanded(self.request)?;
        let attributes_json = to_json(&resource::parse(users(), body)?)?;
        let replace = ReplaceUser { user_id, attributes_json, condition };
        let record = self.change(Verb::Replace, Change::ReplaceUser(replace)).await?;
        self.show(StatusCode::OK, &record, &projection)
    }

    pub(super) async fn patch_user(&self, id: &str, body: &[u8]) -> Answer {
        let projection = self.projection()?;
        let user_id = user_id(id)?.to_string();
        let condition = conditions::demanded(self.request)?;
        let operations = patch::parse(users(), body)?;
        // A PATCH without effect goes to the directory all the same: it alone knows the user's present state.
        let verb = match patch::sets_active(&operations) {
            Some(false) => Verb::Deactivate,
            Some(true) => Verb::Reactivate,
            None => Verb::Update,
        };
        let operations = operations.iter().map(on_the_bus).collect();
        let patch = PatchUser { user_id, operations, condition };
        let record = self.change(verb, Change::PatchUser(patch)).await?;
        // Microsoft's validator wants the whole user back rather than 204.
        self.show(StatusCode::OK, &record, &projection)
    }

    pub(super) async fn delete_user(&self, id: &str) -> Answer {
        let user_id = user_id(id)?.to_string();
        let delete = DeleteUser { user_id, condition: conditions::demanded(self.request)? };
        provision::submit(self.app, self.caller, self.id, Verb::Delete, Change::DeleteUser(delete)).await?;
        Ok(HttpResponse::NoContent().finish())
    }

    async fn change(&self, verb: Verb, change: Change) -> Result<UserRecord, Refusal> {
        let user = provision::submit(self.app, self.caller, self.id, verb, change).await?;
        user.ok_or_else(|| Refusal::internal("an applied change came back without its user"))
    }

    fn projection(&self) -> Result<Projection, ScimError> {
        Projection::parse(
            users(),
            self.query.attributes.as_deref(),
            self.query.excluded_attributes.as_deref(),
        )
    }

    fn show(&self, status: StatusCode, record: &UserRecord, projection: &Projection) -> Answer {
        let body = self.render(record, projection)?;
        let mut builder = respond::builder(status);
        builder.insert_header((header::ETAG, etag::etag(record.version)));
        if status == StatusCode::CREATED {
            builder
                .insert_header((header::LOCATION, format!("{}/Users/{}", self.base_url.0, record.user_id)));
        }
        Ok(builder.body(body))
    }

    fn render(&self, record: &UserRecord, projection: &Projection) -> Result<Vec<u8>, Refusal> {
        let manager = record.manager.as_ref();
        let rendering = Rendering {
            id: &record.user_id,
            base_url: &self.base_url.0,
            version: record.version,
            created: moment(record.created_at.as_ref()),
            last_modified: moment(record.last_modified_at.as_ref()),
            manager: manager
                .map(|manager| Manager { user_id: &manager.user_id, display_name: &manager.display_name }),
            ..Rendering::default()
        };
        let rendered = if projection.is_everything() {
            resource::render_bytes(users(), &record.attributes_json, &rendering)
        } else {
            serde_json::from_str::<Attributes>(&record.attributes_json).and_then(|attributes| {
                let mut shown = resource::render(users(), &attributes, &rendering);
                projection.apply(&mut shown);
                serde_json::to_vec(&shown)
            })
        };
        rendered.map_err(|error| Refusal::internal(format!("cannot render user {}: {error}", record.user_id)))
    }
}

/// The key of a filter that asks for nothing but one, so that the directory answers from an index, many at once.
fn key_of(filter: &Filter) -> Option<Key> {
    let Filter::Compare { path, op: Op::Equal, value } = filter else { return None };
    if path.urn.is_some() || path.sub.is_some() {
        return None;
    }
    match (path.name.as_str(), value) {
        ("userName", Literal::Folded(name)) => Some(Key::UserName(name.clone())),
        ("externalId", Literal::Exact(id)) => Some(Key::ExternalId(id.clone())),
        ("id", Literal::Exact(id)) => Some(Key::UserId(id.clone())),
        _ => None,
    }
}

fn page_of(records: Vec<UserRecord>, page: Page) -> Vec<UserRecord> {
    let [skip, take] =
        [page.offset(), page.count].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    records.into_iter().skip(skip).take(take).collect()
}

fn on_the_bus(operation: &patch::Operation) -> PatchOperation {
    let op = match operation.op {
        patch::Op::Add => patch_operation::Op::Add,
        patch::Op::Replace => patch_operation::Op::Replace,
        patch::Op::Remove => patch_operation::Op::Remove,
    };
    PatchOperation { op: op.into(), path: operation.path.to_string(), value_json: operation.value_json() }
}

/// An id that is none of ours is a user that does not exist, not a malformed request.
fn user_id(text: &str) -> Result<UserId, ScimError> {
    text.parse().map_err(|_not_an_id| no_such_user(text))
}

fn no_such_user(id: &str) -> ScimError {
    ScimError::not_found(format!("User {} not found", shown(id)))
}

fn to_json(attributes: &Attributes) -> Result<String, Refusal> {
    serde_json::to_string(attributes)
        .map_err(|error| Refusal::internal(format!("cannot write attributes: {error}")))
}

fn moment(at: Option<&Timestamp>) -> DateTime<Utc> {
    at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)).unwrap_or_default()
}
