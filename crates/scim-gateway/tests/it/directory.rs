//! A directory that lives in memory: enough of one to judge what the gateway asks and how it words the answers.

mod changes;
mod questions;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use bus_contract::{
    Message, Timestamp,
    directory::{
        GroupRecord, ListMembers, LookUpGroup, LookUpUser, Reply, SearchGroups, SearchUsers, UserRecord,
    },
    headers::OUTCOME_INBOX,
    provisioning::{Request, refused},
    subject::{self, RequestSubject, Verb},
};
use bus_jetstream::{Bus, request::Incoming};
use futures_util::StreamExt as _;
use scim_protocol::schema::{Schema, SchemaSet, users};
use tokio::task::JoinSet;

/// When everything in this directory was made.
const CREATED: Timestamp = Timestamp { seconds: 1_790_000_000, nanos: 0 };

/// Members of one page, however many are asked for, so that three of them take two pages.
const MEMBERS_PER_PAGE: usize = 2;

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
    /// It promises more members and tells of none.
    Promising,
}

/// What the directory has been asked, oldest first.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) searches: Vec<SearchUsers>,
    pub(crate) look_ups: Vec<LookUpUser>,
    pub(crate) group_searches: Vec<SearchGroups>,
    pub(crate) group_look_ups: Vec<LookUpGroup>,
    pub(crate) pages_of_members: Vec<ListMembers>,
}

/// The directory, and what it has been asked.
pub(crate) struct Directory {
    state: Arc<Mutex<State>>,
    answering: tokio::sync::Mutex<JoinSet<()>>,
}

/// Whose it is, and its id.
type Key = (String, String);

struct State {
    mood: Mood,
    /// Of users, whoever they belong to.
    schemas: SchemaSet,
    users: BTreeMap<Key, UserRecord>,
    groups: BTreeMap<Key, GroupRecord>,
    members: BTreeMap<Key, BTreeSet<String>>,
    /// Each group has so many further members, who are none of its users.
    crowd: usize,
    /// A page of users is cut off behind so many.
    cut: usize,
    /// Before so many pages of members are read, somebody changes the group, but so many are read in peace first.
    disturbances: usize,
    peace: usize,
    /// Whoever asks for the members of a group comes too late.
    vanishing: bool,
    /// How many outcomes are held back until as many changes have come.
    held_back: usize,
    requests: Vec<(RequestSubject, Request)>,
    asked: Asked,
    last_inbox: Option<String>,
}

const SUBJECTS: [&str; 6] = [
    "provisioning.v1.>",
    subject::LOOK_UP_USER,
    subject::SEARCH_USERS,
    subject::LOOK_UP_GROUP,
    subject::SEARCH_GROUPS,
    subject::LIST_MEMBERS,
];

impl Directory {
    pub(crate) async fn start(bus: &Bus) -> Self {
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Working,
            schemas: users().clone(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            members: BTreeMap::new(),
            crowd: 0,
            cut: usize::MAX,
            disturbances: 0,
            peace: 0,
            vanishing: false,
            held_back: 0,
            requests: Vec::new(),
            asked: Asked::default(),
            last_inbox: None,
        }));
        let mut answering = JoinSet::new();
        for subject in SUBJECTS {
            let mut arriving = bus.subscribe(subject).await.unwrap();
            let (bus, state) = (bus.clone(), Arc::clone(&state));
            answering.spawn(async move {
                let mut outgoing = Vec::new();
                while let Some(incoming) = arriving.next().await {
                    let answer = state.lock().unwrap().answer(&incoming);
                    let inbox = incoming.headers.get(OUTCOME_INBOX).map(ToOwned::to_owned);
                    let held_back = if inbox.is_some() { state.lock().unwrap().held_back } else { 0 };
                    let Some(to) = inbox.or_else(|| incoming.reply.map(|reply| reply.to_string())) else {
                        continue;
                    };
                    outgoing.extend(answer.map(|answer| (to, answer)));
                    if outgoing.len() < held_back {
                        continue;
                    }
                    // What came last is answered first: nobody may rely on the order of outcomes.
                    for (to, answer) in outgoing.drain(..).rev() {
                        bus.publish(to, answer).await.unwrap();
                    }
                }
            });
        }
        Self { state, answering: tokio::sync::Mutex::new(answering) }
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// From now on every group has so many members more.
    pub(crate) fn set_crowd(&self, crowd: usize) {
        self.state().crowd = crowd;
    }

    /// From now on so many users are all that one reply can carry.
    pub(crate) fn cut_users_off_behind(&self, count: usize) {
        self.state().cut = count;
    }

    /// A group changes before each of `pages` of its members, those that are read behind the next `peace` ones.
    pub(crate) fn disturb(&self, peace: usize, pages: usize) {
        let mut state = self.state();
        (state.peace, state.disturbances) = (peace, pages);
    }

    /// Groups are deleted when somebody asks for their members.
    pub(crate) fn let_groups_vanish(&self) {
        self.state().vanishing = true;
    }

    /// Outcomes come when so many changes have been asked for, the last one first.
    pub(crate) fn hold_back(&self, changes: usize) {
        self.state().held_back = changes;
    }

    /// Goes away: its subscriptions end, and with them whoever the server could tell.
    pub(crate) async fn stop_listening(&self) {
        self.answering.lock().await.shutdown().await;
    }

    /// Does the last change once more, as after a redelivery, and sends its outcome.
    pub(crate) async fn answer_again(&self, bus: &Bus) {
        let (answer, inbox) = {
            let mut state = self.state();
            let (subject, request) = state.requests.last().cloned().unwrap();
            state.users.clear();
            (state.change(subject, request).encode_to_vec(), state.last_inbox.clone().unwrap())
        };
        bus.publish(inbox, answer).await.unwrap();
    }

    /// Users have these attributes too.
    pub(crate) fn extend_users(&self, schema: Schema) {
        let mut state = self.state();
        state.schemas = state.schemas.with_extension(schema);
    }

    /// The changes that were asked for, oldest first.
    pub(crate) fn requests(&self) -> Vec<(RequestSubject, Request)> {
        self.state().requests.clone()
    }

    /// The verb of the last change that was asked for.
    pub(crate) fn last_verb(&self) -> Option<Verb> {
        self.state().requests.last().map(|(subject, _)| subject.verb)
    }

    /// The questions since this was last called.
    pub(crate) fn take_asked(&self) -> Asked {
        std::mem::take(&mut self.state().asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn answer(&mut self, incoming: &Incoming) -> Option<Vec<u8>> {
        let answer = match &*incoming.subject {
            subject::LOOK_UP_USER => self.reply(incoming, Self::look_up_user),
            subject::SEARCH_USERS => self.reply(incoming, Self::search_users),
            subject::LOOK_UP_GROUP => self.reply(incoming, Self::look_up_group),
            subject::SEARCH_GROUPS => self.reply(incoming, Self::search_groups),
            subject::LIST_MEMBERS => self.reply(incoming, Self::list_members),
            other => {
                let subject = RequestSubject::parse(other).unwrap();
                self.last_inbox = incoming.headers.get(OUTCOME_INBOX).map(ToOwned::to_owned);
                self.change(subject, Request::decode(incoming.payload.clone()).unwrap()).encode_to_vec()
            }
        };
        match self.mood {
            Mood::Silent => None,
            Mood::Babbling => Some(b"\xff\xff\xff".to_vec()),
            Mood::Working | Mood::Refusing(_) | Mood::Unavailable | Mood::Promising => Some(answer),
        }
    }

    fn reply<Q: Message + Default>(
        &mut self,
        incoming: &Incoming,
        answer: fn(&mut Self, Q) -> bus_contract::directory::reply::Result,
    ) -> Vec<u8> {
        let result = answer(self, Q::decode(incoming.payload.clone()).unwrap());
        let result = if self.mood == Mood::Unavailable { questions::unavailable() } else { result };
        Reply { result: Some(result) }.encode_to_vec()
    }
}
