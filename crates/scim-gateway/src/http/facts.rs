//! What a call is about and what came of it: noted by its handlers as they learn it, reported when it ends.
//!
//! A report goes into logs that people read. It names whom the call names, and never quotes what else a body says.

use std::{net::IpAddr, time::Duration};

use actix_web::http::{Method, StatusCode};
use bus_contract::{call::Verb, directory::call::Answer, subject};
use scim_protocol::{
    bulk::{self, BulkOperation, Endpoint},
    resource,
};
use typed_ids::RequestId;
use uuid::Uuid;

use super::{respond::Refusal, route::Target};
use crate::{
    app::App,
    auth::Caller,
    calls::{About, Report, shortened},
    directory::{Key, Record},
    provision::{Applied, Asked},
};

/// The longest userName or displayName that is reported, in characters.
const MAX_NAME: usize = 200;

/// What is known of a call so far.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    verb: Verb,
    about: Option<About>,
    name: Option<String>,
    /// When it goes well.
    answer: Answer,
    is_decided: bool,
    is_made_of_others: bool,
}

impl Facts {
    /// What the request's first line says.
    pub(super) fn of(target: &Target, method: &Method) -> Self {
        let about = match target {
            Target::One(endpoint, id) => About::parse(*endpoint, id),
            _ => None,
        };
        Self::new(verb_of(target, method), about)
    }

    /// What an operation of a bulk request says before it is looked at.
    pub(super) fn of_operation(operation: &BulkOperation) -> Self {
        let verb = operation.method.map_or(Verb::Other, |method| {
            Verb::Change(match method {
                bulk::Method::Post => subject::Verb::Create,
                bulk::Method::Put => subject::Verb::Replace,
                bulk::Method::Patch => subject::Verb::Update,
                bulk::Method::Delete => subject::Verb::Delete,
            })
        });
        let target = operation.action.as_ref().ok().map(|action| &action.target);
        Self::new(verb, target.and_then(Self::about_target))
    }

    const fn new(verb: Verb, about: Option<About>) -> Self {
        let answer = Answer::Found;
        Self { verb, about, name: None, answer, is_decided: false, is_made_of_others: false }
    }

    /// Whom an operation of a bulk request turns out to be about.
    pub(super) fn concern(&mut self, target: &bulk::Target) {
        self.about = Self::about_target(target);
    }

    fn about_target(target: &bulk::Target) -> Option<About> {
        About::parse(target.endpoint, target.id.as_deref()?)
    }

    /// What a change asks for.
    pub(super) fn ask(&mut self, asked: &mut Asked) {
        self.verb = Verb::Change(asked.verb);
        self.name = asked.name.take().map(|name| shortened(name, MAX_NAME));
    }

    /// Whom a body names that is refused before anything can be asked for.
    pub(super) fn name_whom(&mut self, endpoint: Endpoint, body: &[u8]) {
        let attribute = match endpoint {
            Endpoint::Users => "userName",
            Endpoint::Groups => "displayName",
        };
        self.name = resource::name_in(body, attribute).map(|name| shortened(name, MAX_NAME));
    }

    /// What the directory made of a change.
    pub(super) fn apply(&mut self, applied: &Applied) {
        self.is_decided = true;
        self.about = applied.record.as_ref().and_then(about_record).or(self.about);
        self.answer = match self.verb {
            Verb::Change(subject::Verb::Create) => Answer::Created,
            Verb::Change(subject::Verb::Delete) => Answer::Deleted,
            _ if applied.is_changed => Answer::Updated,
            _ => Answer::Unchanged,
        };
    }

    /// What a list was asked for, when by a key alone, and whom it found.
    pub(super) fn find(&mut self, key: Option<Key>, total: u64, records: &[Record]) {
        self.answer = if total == 0 { Answer::NothingFound } else { Answer::Found };
        self.about = records.first().filter(|_| total == 1).and_then(about_record);
        self.verb = match (&key, total) {
            // Entra's Test connection, and each of its cycles, begins with a name that nobody has (entra-wire §1.3).
            (Some(Key::Name(name)), 0) if is_uuid(name) => Verb::Test,
            (Some(_), 1..) => Verb::Read,
            _ => Verb::Search,
        };
        self.name = match key {
            Some(Key::Name(name)) => Some(shortened(name, MAX_NAME)),
            Some(Key::Id(_) | Key::ExternalId(_)) | None => None,
        };
    }

    /// That each part of the call is reported for itself.
    pub(super) const fn be_made_of_others(&mut self) {
        self.is_made_of_others = true;
    }

    /// Reports a call that ended so, unless its parts have their own reports.
    pub(super) fn report(self, app: &App, end: &End<'_>) {
        let End { request_id, caller, address, duration, status, refusal } = *end;
        let answer = match status.as_u16() {
            // A known caller is refused for one reason alone: what let it in has ended.
            401 => Answer::Unauthenticated,
            500.. => Answer::Failed,
            400.. => Answer::Refused,
            _ if self.is_made_of_others => return,
            _ => self.answer,
        };
        app.calls.report(Report {
            request_id,
            caller,
            address,
            answered_at: app.clock.since_epoch(),
            duration,
            verb: self.verb,
            answer,
            status: status.as_u16(),
            about: self.about,
            name: self.name,
            is_decided: self.is_decided || refusal.is_some_and(Refusal::is_decided),
            refused: refusal.map(Refusal::reported),
        });
    }
}

/// How a call ended.
pub(super) struct End<'a> {
    pub(super) request_id: RequestId,
    pub(super) caller: Caller,
    pub(super) address: Option<IpAddr>,
    pub(super) duration: Duration,
    pub(super) status: StatusCode,
    pub(super) refusal: Option<&'a Refusal>,
}

fn about_record(record: &Record) -> Option<About> {
    About::parse(record.endpoint(), record.id())
}

fn is_uuid(name: &str) -> bool {
    name.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(name).is_ok()
}

const fn verb_of(target: &Target, method: &Method) -> Verb {
    use subject::Verb::{Create, Delete, Replace, Update};
    match (target, method) {
        (Target::All(_), &(Method::GET | Method::HEAD)) | (Target::Search(_), &Method::POST) => Verb::Search,
        (Target::All(_), &Method::POST) => Verb::Change(Create),
        (Target::One(..), &(Method::GET | Method::HEAD)) => Verb::Read,
        (Target::One(..), &Method::PUT) => Verb::Change(Replace),
        (Target::One(..), &Method::PATCH) => Verb::Change(Update),
        (Target::One(..), &Method::DELETE) => Verb::Change(Delete),
        (Target::Bulk, &Method::POST) => Verb::Bulk,
        (
            Target::ServiceProviderConfig
            | Target::ResourceTypes
            | Target::ResourceType(_)
            | Target::Schemas
            | Target::Schema(_),
            &(Method::GET | Method::HEAD),
        ) => Verb::Discover,
        _ => Verb::Other,
    }
}
