//! A directory that lives in memory: enough of one to judge what the gateway asks and how it words the answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bus_contract::{
    Message as _, Timestamp,
    directory::{
        Failure, LookUpUser, LookUpUserReply, Reply, SearchUsers, SearchUsersReply, UserRecord, failure,
        look_up_user::Key, reply,
    },
    headers::OUTCOME_INBOX,
    provisioning::{
        Applied, Outcome, Refused, Request, VersionCondition, outcome, patch_operation, refused,
        request::Change,
    },
    subject::{self, RequestSubject, Verb},
};
use bus_jetstream::{Bus, request::Incoming};
use futures_util::StreamExt as _;
use scim_protocol::{
    Attributes,
    filter::Filter,
    fold::fold,
    patch,
    resource::{self, Rendering},
    schema::users,
};
use tokio::task::JoinSet;

/// When every user of this directory was made.
const CREATED: Timestamp = Timestamp { seconds: 1_790_000_000, nanos: 0 };

/// How the directory behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It does what it is asked.
    Working,
    /// It hears and says nothing.
    Silent,
    /// It refuses every change for this reason.
    Refusing(refused::Reason),
    /// It says that it cannot answer now.
    Unavailable,
    /// It answers with bytes that mean nothing.
    Babbling,
}

/// The directory, and what it has been asked.
pub(crate) struct Directory {
    state: Arc<Mutex<State>>,
    answering: tokio::sync::Mutex<JoinSet<()>>,
}

struct State {
    mood: Mood,
    users: BTreeMap<(String, String), UserRecord>,
    requests: Vec<(RequestSubject, Request)>,
    searches: Vec<SearchUsers>,
    look_ups: Vec<LookUpUser>,
    last_inbox: Option<String>,
}

impl Directory {
    pub(crate) async fn start(bus: &Bus) -> Self {
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Working,
            users: BTreeMap::new(),
            requests: Vec::new(),
            searches: Vec::new(),
            look_ups: Vec::new(),
            last_inbox: None,
        }));
        let mut answering = JoinSet::new();
        for subject in ["provisioning.v1.>", subject::LOOK_UP_USER, subject::SEARCH_USERS] {
            let mut arriving = bus.subscribe(subject).await.unwrap();
            let (bus, state) = (bus.clone(), Arc::clone(&state));
            answering.spawn(async move {
                while let Some(incoming) = arriving.next().await {
                    let answer = state.lock().unwrap().answer(&incoming);
                    let inbox = incoming.headers.get(OUTCOME_INBOX).map(ToOwned::to_owned);
                    let Some(to) = inbox.or_else(|| incoming.reply.map(|reply| reply.to_string())) else {
                        continue;
                    };
                    if let Some(answer) = answer {
                        bus.publish(to, answer).await.unwrap();
                    }
                }
            });
        }
        Self { state, answering: tokio::sync::Mutex::new(answering) }
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// Goes away: its subscriptions end, and with them whoever the server could tell.
    pub(crate) async fn stop_listening(&self) {
        self.answering.lock().await.shutdown().await;
    }

    /// Does the last change once more, as after a redelivery, and sends its outcome.
    pub(crate) async fn answer_again(&self, bus: &Bus) {
        let (answer, inbox) = {
            let mut state = self.state.lock().unwrap();
            let (subject, request) = state.requests.last().cloned().unwrap();
            state.users.clear();
            (state.change(subject, request).encode_to_vec(), state.last_inbox.clone().unwrap())
        };
        bus.publish(inbox, answer).await.unwrap();
    }

    /// The changes that were asked for, oldest first.
    pub(crate) fn requests(&self) -> Vec<(RequestSubject, Request)> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The verb of the last change that was asked for.
    pub(crate) fn last_verb(&self) -> Option<Verb> {
        self.state.lock().unwrap().requests.last().map(|(subject, _)| subject.verb)
    }

    pub(crate) fn last_search(&self) -> Option<SearchUsers> {
        self.state.lock().unwrap().searches.last().cloned()
    }

    pub(crate) fn last_look_up(&self) -> Option<LookUpUser> {
        self.state.lock().unwrap().look_ups.last().cloned()
    }
}

impl State {
    fn answer(&mut self, incoming: &Incoming) -> Option<Vec<u8>> {
        let answer = match &*incoming.subject {
            subject::LOOK_UP_USER => {
                self.look_up(&LookUpUser::decode(incoming.payload.clone()).unwrap()).encode_to_vec()
            }
            subject::SEARCH_USERS => {
                self.search(&SearchUsers::decode(incoming.payload.clone()).unwrap()).encode_to_vec()
            }
            other => {
                let subject = RequestSubject::parse(other).unwrap();
                self.last_inbox = incoming.headers.get(OUTCOME_INBOX).map(ToOwned::to_owned);
                self.change(subject, Request::decode(incoming.payload.clone()).unwrap()).encode_to_vec()
            }
        };
        match self.mood {
            Mood::Silent => None,
            Mood::Babbling => Some(b"\xff\xff\xff".to_vec()),
            Mood::Working | Mood::Refusing(_) | Mood::Unavailable => Some(answer),
        }
    }

    fn look_up(&mut self, question: &LookUpUser) -> Reply {
        self.look_ups.push(question.clone());
        let is_asked_for = |user: &UserRecord| match question.key.as_ref().unwrap() {
            Key::UserId(id) => user.user_id == *id,
            Key::UserName(name) => text(user, "userName").is_some_and(|own| fold(&own) == fold(name)),
            Key::ExternalId(id) => text(user, "externalId").as_deref() == Some(id),
        };
        let users = self.of(&question.company_id).filter(|user| is_asked_for(user)).cloned().collect();
        self.reply(reply::Result::LookUpUser(LookUpUserReply { users }))
    }

    fn search(&mut self, question: &SearchUsers) -> Reply {
        self.searches.push(question.clone());
        let filter = (!question.filter.is_empty()).then(|| Filter::parse(users(), &question.filter).unwrap());
        let found = self
            .of(&question.company_id)
            .filter(|user| filter.as_ref().is_none_or(|filter| satisfies(user, filter)));
        let found: Vec<_> = found.cloned().collect();
        let total = found.len() as u64;
        let [offset, limit] = [question.offset, question.limit].map(|number| number as usize);
        let users = found.into_iter().skip(offset).take(limit).collect();
        self.reply(reply::Result::SearchUsers(SearchUsersReply { total, users }))
    }

    fn reply(&self, result: reply::Result) -> Reply {
        let unavailable = || Failure { reason: failure::Reason::Unavailable.into(), ..Failure::default() };
        let result =
            if self.mood == Mood::Unavailable { reply::Result::Failure(unavailable()) } else { result };
        Reply { result: Some(result) }
    }

    fn of(&self, company: &str) -> impl Iterator<Item = &UserRecord> {
        self.users.iter().filter(move |((owner, _), _)| owner == company).map(|(_, user)| user)
    }

    fn change(&mut self, subject: RequestSubject, request: Request) -> Outcome {
        assert_eq!(subject.company.to_string(), request.company_id);
        self.requests.push((subject, request.clone()));
        let result = match self.mood {
            Mood::Refusing(reason) => Err((reason, "", "refused by the test".to_owned())),
            _ => self.apply(&request),
        };
        let result = match result {
            Ok(user) => outcome::Result::Applied(Applied { user, changed: true }),
            Err((reason, scim_type, detail)) => outcome::Result::Refused(Refused {
                reason: reason.into(),
                scim_type: scim_type.to_owned(),
                detail,
            }),
        };
        Outcome { request_id: request.request_id, repeated: false, result: Some(result) }
    }

    fn apply(
        &mut self,
        request: &Request,
    ) -> Result<Option<UserRecord>, (refused::Reason, &'static str, String)> {
        let company = request.company_id.clone();
        match request.change.clone().unwrap() {
            Change::CreateUser(create) => {
                let attributes: Attributes = serde_json::from_str(&create.attributes_json).unwrap();
                let name = attributes["userName"].as_str().unwrap().to_owned();
                if self
                    .of(&company)
                    .any(|user| text(user, "userName").is_some_and(|own| fold(&own) == fold(&name)))
                {
                    return Err((
                        refused::Reason::Conflict,
                        "uniqueness",
                        "userName is already in use in this company".to_owned(),
                    ));
                }
                Ok(Some(self.store(company, create.user_id, 1, &attributes)))
            }
            Change::ReplaceUser(replace) => {
                let old = self.existing(&company, &replace.user_id, replace.condition.as_ref())?;
                let attributes: Attributes = serde_json::from_str(&replace.attributes_json).unwrap();
                Ok(Some(self.store(company, replace.user_id, old.version + 1, &attributes)))
            }
            Change::PatchUser(patch) => {
                let old = self.existing(&company, &patch.user_id, patch.condition.as_ref())?;
                let operations: Vec<_> = patch.operations.iter().map(read_operation).collect();
                let before: Attributes = serde_json::from_str(&old.attributes_json).unwrap();
                let patched = patch::apply(users(), &before, &operations).map_err(|error| {
                    (refused::Reason::Invalid, error.scim_type.map_or("", |kind| kind.as_str()), error.detail)
                })?;
                let version = old.version + i64::from(!patched.changed.is_empty());
                Ok(Some(self.store(company, patch.user_id, version, &patched.attributes)))
            }
            Change::DeleteUser(delete) => {
                self.existing(&company, &delete.user_id, delete.condition.as_ref())?;
                self.users.remove(&(company, delete.user_id));
                Ok(None)
            }
        }
    }

    fn existing(
        &self,
        company: &str,
        id: &str,
        condition: Option<&VersionCondition>,
    ) -> Result<UserRecord, (refused::Reason, &'static str, String)> {
        let key = (company.to_owned(), id.to_owned());
        let user =
            self.users.get(&key).ok_or((refused::Reason::NotFound, "", format!("User {id} not found")))?;
        match condition {
            Some(condition)
                if !condition.versions.is_empty() && !condition.versions.contains(&user.version) =>
            {
                Err((refused::Reason::PreconditionFailed, "", "the user has another version".to_owned()))
            }
            _ => Ok(user.clone()),
        }
    }

    fn store(&mut self, company: String, id: String, version: i64, attributes: &Attributes) -> UserRecord {
        let user = UserRecord {
            user_id: id.clone(),
            version,
            created_at: Some(CREATED),
            last_modified_at: Some(Timestamp { seconds: CREATED.seconds + version, nanos: 0 }),
            attributes_json: serde_json::to_string(attributes).unwrap(),
            manager: None,
        };
        self.users.insert((company, id), user.clone());
        user
    }
}

fn read_operation(operation: &bus_contract::provisioning::PatchOperation) -> patch::Operation {
    let op = match operation.op() {
        patch_operation::Op::Add => patch::Op::Add,
        patch_operation::Op::Replace => patch::Op::Replace,
        patch_operation::Op::Remove => patch::Op::Remove,
        patch_operation::Op::Unspecified => panic!("an operation must say what it does"),
    };
    patch::Operation::from_parts(users(), op, &operation.path, operation.value_json.as_deref()).unwrap()
}

fn satisfies(user: &UserRecord, filter: &Filter) -> bool {
    let attributes: Attributes = serde_json::from_str(&user.attributes_json).unwrap();
    let rendering = Rendering {
        id: &user.user_id,
        base_url: "",
        version: user.version,
        created: chrono::DateTime::default(),
        last_modified: chrono::DateTime::default(),
        manager: None,
    };
    scim_protocol::filter::matches(filter, &resource::render(users(), &attributes, &rendering))
}

fn text(user: &UserRecord, attribute: &str) -> Option<String> {
    let attributes: Attributes = serde_json::from_str(&user.attributes_json).unwrap();
    attributes.get(attribute)?.as_str().map(ToOwned::to_owned)
}
