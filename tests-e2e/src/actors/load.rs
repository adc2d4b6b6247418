//! Many callers at once, who write down what they were told.
//!
//! Some create users and put everyone into one group. The others change users, two callers per user: both set the same attribute, each to a value that
//! nobody else sets, so that every change makes a version, and a change that is applied again after a later one makes
//! one too many. Each also counts in an attribute of its own, which shows whether its changes kept their order.
//! Afterwards [`Ledger::verify`] compares what the callers were told with what is there.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinHandle;

use super::scim::{Answer, Scim, id, user, version};
use crate::eventually::{eventually, when};

/// Callers who create users.
const CREATORS: usize = 3;
/// Users who are changed.
const CHANGED: usize = 3;
/// The attributes in which a changed user's callers count, each in its own.
const COUNTERS: [&str; 2] = ["nickName", "userType"];
/// What a caller sends at most, so that a load that nobody stops ends.
const MOST_REQUESTS: usize = 20_000;
/// What a refused caller waits, in milliseconds; a crashed gateway would otherwise be asked ten thousand times.
const BREATH_MS: u64 = 20;

/// What a caller was told about one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// 2xx: it is done.
    Done,
    /// 503: it is stored and will be applied.
    Later,
    /// 503: nothing was changed.
    NotDone,
    /// Nothing, or nothing definite.
    Unknown,
}

impl Told {
    fn of(answer: Option<&Answer>) -> Self {
        let Some(answer) = answer else { return Self::Unknown };
        match answer.status {
            200 | 201 | 204 => return Self::Done,
            503 => answer.expect_error(503),
            other => panic!("{other} under load: {answer:#?}"),
        }
        assert!(answer.header("retry-after").is_some(), "{answer:#?}");
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        if detail.contains("is stored and will be applied") {
            Self::Later
        } else if detail.contains("nothing was changed") {
            Self::NotDone
        } else {
            Self::Unknown
        }
    }

    /// How often the change may be found.
    fn times(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::Done | Self::Later => 1..=1,
            Self::NotDone => 0..=0,
            Self::Unknown => 0..=1,
        }
    }
}

#[derive(Default)]
struct Board {
    stop: AtomicBool,
    succeeded: AtomicUsize,
    failed: AtomicUsize,
}

impl Board {
    fn count(&self, told: Told) {
        let counter = if told == Told::Done { &self.succeeded } else { &self.failed };
        counter.fetch_add(1, Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

/// What a creator was told.
#[derive(Default)]
struct Created {
    /// By user name.
    users: BTreeMap<String, Told>,
    /// By the id of whoever was to join the group.
    members: BTreeMap<String, Told>,
}

/// A load that runs.
pub struct Load {
    scim: Scim,
    board: Arc<Board>,
    group: String,
    creators: Vec<JoinHandle<Created>>,
    changers: Vec<(String, [JoinHandle<Vec<Told>>; 2])>,
}

/// What the callers were told.
pub struct Ledger {
    scim: Scim,
    group: String,
    created: Created,
    /// Users, and what each one's two callers were told, change by change.
    changes: Vec<(String, [Vec<Told>; 2])>,
    /// Requests that were answered with 503 or not at all.
    pub failed: usize,
}

impl Load {
    /// Sets the callers going.
    pub async fn start(scim: &Scim) -> Self {
        let board = Arc::new(Board::default());
        let mut changers = Vec::new();
        for number in 0..CHANGED {
            let user = id(&scim.create_user(&format!("changed-{number}@load.example")).await);
            let caller =
                |counter| tokio::spawn(change(scim.clone(), user.clone(), counter, Arc::clone(&board)));
            changers.push((user.clone(), COUNTERS.map(caller)));
        }
        let group = id(&scim.create_group("Everybody").await);
        let creator = |caller| tokio::spawn(create(scim.clone(), caller, group.clone(), Arc::clone(&board)));
        let creators = (0..CREATORS).map(creator).collect();
        Self { scim: scim.clone(), board, group, creators, changers }
    }

    /// Waits until so many more requests have succeeded.
    pub async fn succeeds(&self, more: usize) -> std::time::Duration {
        counts(&self.board.succeeded, more, "requests succeed").await
    }

    /// Waits until so many more requests have failed.
    pub async fn fails(&self, more: usize) {
        counts(&self.board.failed, more, "requests fail").await;
    }

    /// How many requests have failed so far.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.board.failed.load(Relaxed)
    }

    /// Lets the callers finish what they have begun.
    ///
    /// # Panics
    /// When one of them was told something that it should not have been.
    pub async fn stop(self) -> Ledger {
        self.board.stop.store(true, Relaxed);
        let mut created = Created::default();
        for creator in self.creators {
            let one = creator.await.expect("a caller failed");
            created.users.extend(one.users);
            created.members.extend(one.members);
        }
        let mut changes = Vec::new();
        for (user, [one, other]) in self.changers {
            changes
                .push((user, [one.await.expect("a caller failed"), other.await.expect("a caller failed")]));
        }
        Ledger {
            failed: self.board.failed.load(Relaxed),
            scim: self.scim,
            group: self.group,
            created,
            changes,
        }
    }
}

async fn counts(counter: &AtomicUsize, more: usize, what: &str) -> std::time::Duration {
    let goal = counter.load(Relaxed) + more;
    eventually(what, async || counter.load(Relaxed), |count| when(*count >= goal)).await.1
}

async fn create(scim: Scim, caller: usize, group: String, board: Arc<Board>) -> Created {
    let mut created = Created::default();
    for number in 0..MOST_REQUESTS {
        if board.is_stopped() {
            break;
        }
        let name = format!("created-{caller}-{number}@load.example");
        let answer = scim.try_send(Method::POST, "/Users", &user(&name)).await;
        let told = Told::of(answer.as_ref());
        board.count(told);
        created.users.insert(name, told);
        breathe(told).await;
        if let (Told::Done, Some(answer)) = (told, answer) {
            let member = id(&answer.json());
            let add = json!([{ "op": "Add", "path": "members", "value": [{ "value": member }] }]);
            let told = Told::of(scim.try_patch(&format!("/Groups/{group}"), &add).await.as_ref());
            board.count(told);
            created.members.insert(member, told);
            breathe(told).await;
        }
    }
    created
}

async fn change(scim: Scim, user: String, counter: &'static str, board: Arc<Board>) -> Vec<Told> {
    let mut told = Vec::new();
    while told.len() < MOST_REQUESTS && !board.is_stopped() {
        let number = told.len().to_string();
        let count = json!([
            { "op": "Replace", "path": "title", "value": format!("{counter} {number}") },
            { "op": "Replace", "path": counter, "value": number },
        ]);
        let answer = scim.try_patch(&format!("/Users/{user}"), &count).await;
        let next = Told::of(answer.as_ref());
        board.count(next);
        told.push(next);
        breathe(next).await;
    }
    told
}

async fn breathe(told: Told) {
    if told != Told::Done {
        tokio::time::sleep(std::time::Duration::from_millis(BREATH_MS)).await;
    }
}

impl Ledger {
    /// Demands that everything is there which was answered with success or promised, that nothing is there twice, and
    /// that each user's changes were applied in their order.
    ///
    /// Requests of a company are applied in the order in which they were accepted. So when a last change of each user
    /// has been answered, all before it have been applied, promised ones included.
    ///
    /// # Panics
    /// When anything of that is not so.
    pub async fn verify(&self) {
        for (user, told) in &self.changes {
            self.verify_changes(user, told).await;
        }
        self.verify_created().await;
        self.verify_members().await;
    }

    async fn verify_changes(&self, user: &str, told: &[Vec<Told>; 2]) {
        let last = json!([{ "op": "Add", "path": "locale", "value": "en" }]);
        let patch = async || self.scim.patch_user(user, last.clone()).await;
        let accepted = |answer: &Answer| (answer.status == 200).then(|| answer.json());
        let (after, _) = eventually("a last change is applied", patch, accepted).await;

        let all = || told.iter().flatten().map(|told| told.times());
        let expected = all().map(|times| *times.start()).sum()..=all().map(|times| *times.end()).sum();
        // The first version is the creation, the last one the last change.
        let applied = usize::try_from(version(&after)).expect("a version") - 2;
        assert!(expected.contains(&applied), "{applied} changes applied, {expected:?} expected: {after}");

        for (counter, told) in COUNTERS.into_iter().zip(told) {
            let count = after[counter].as_str().and_then(|count| count.parse::<usize>().ok());
            let possible = last_applied(told);
            assert!(possible.contains(&count), "{counter} is {count:?}, none of {possible:?}: {after}");
        }
    }

    async fn verify_created(&self) {
        let there = self.everybody().await;
        for (name, told) in &self.created.users {
            let times = there.get(name).copied().unwrap_or_default();
            assert!(told.times().contains(&times), "{name} is there {times} times, told {told:?}");
        }
    }

    async fn verify_members(&self) {
        let there = self.scim.members(&self.group).await;
        for (member, told) in &self.created.members {
            let times = there.iter().filter(|one| *one == member).count();
            assert!(told.times().contains(&times), "{member} is a member {times} times, told {told:?}");
        }
        let joined = there.iter().all(|member| self.created.members.contains_key(member));
        assert!(joined, "somebody is a member whom nobody added");
    }

    /// How many users there are of each name.
    async fn everybody(&self) -> BTreeMap<String, usize> {
        const PAGE: usize = 200;
        let mut names = BTreeMap::new();
        for start in (1..).step_by(PAGE) {
            let page =
                self.scim.get(&format!("/Users?startIndex={start}&count={PAGE}&attributes=userName")).await;
            let page = page.resources();
            if page.is_empty() {
                break;
            }
            for user in page {
                *names.entry(user["userName"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        names
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = || self.changes.iter().flat_map(|(_, told)| told.iter().flatten());
        let all = || self.created.users.values().chain(self.created.members.values()).chain(changes());
        let count = |told| all().filter(|one| **one == told).count();
        let [done, later, not_done, unknown] =
            [Told::Done, Told::Later, Told::NotDone, Told::Unknown].map(count);
        write!(f, "{done} done, {later} promised, {not_done} refused, {unknown} without a definite answer")
    }
}

/// What the last applied change may have been: the last certain one, or an uncertain one after it.
fn last_applied(told: &[Told]) -> Vec<Option<usize>> {
    let certain = told.iter().rposition(|told| *told.times().start() == 1);
    let after = certain.map_or(0, |last| last + 1);
    let uncertain = (after..told.len()).filter(|&number| told.get(number) == Some(&Told::Unknown));
    std::iter::once(certain).chain(uncertain.map(Some)).collect()
}
