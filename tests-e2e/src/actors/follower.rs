//! Somebody in TimeClock 365 who follows the facts: `fact-subscriber`, and what it says of one company's users.

use std::collections::{BTreeMap, BTreeSet};

use local_stack::{Stack, stack::Subscriber};
use reqwest::Client;
use serde_json::Value;
use tokio::task::block_in_place;

use super::scim::{Scim, id};
use crate::{
    eventually::{eventually, when},
    metrics::Told,
};

/// A company's users by their ids: whether they are active, and the groups that they are in.
pub type Seats = BTreeMap<String, (bool, BTreeSet<String>)>;

/// A running follower.
pub struct Follower {
    subscriber: Subscriber,
    company: String,
}

impl Follower {
    /// Starts one that uses the consumer of this name, to be asked about this company.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(stack: &Stack, name: &str, company: &str) -> Self {
        let subscriber = block_in_place(|| stack.start_subscriber(name)).expect("a subscriber");
        Self { subscriber, company: company.to_owned() }
    }

    /// Kills it and starts it again.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn crash(&mut self) {
        block_in_place(|| self.subscriber.crash()).expect("a subscriber that starts again");
    }

    /// What it says of the company's users; nobody before it has a model.
    #[must_use]
    pub fn seats(&self) -> Seats {
        block_in_place(|| self.subscriber.seats())
            .map_or_else(|_none| Seats::new(), |said| seats_of(&self.company, &said))
    }

    /// Waits until it says what SCIM says.
    ///
    /// # Panics
    /// When it never does.
    pub async fn agrees_with(&self, scim: &Scim) -> Seats {
        let expected = seats_by_scim(scim).await;
        let said = async || self.seats();
        let (seats, took) = eventually("the follower says what SCIM says", said, |seats| {
            (*seats == expected).then(|| seats.clone())
        })
        .await;
        println!("a follower agreed with SCIM about {} users after {took:?}", seats.len());
        seats
    }

    /// How many snapshots it has taken for this reason since it started; `None` when it does not say.
    pub async fn snapshots(&self, reason: &str) -> Option<f64> {
        let answer = Client::new().get(self.subscriber.metrics_url()).send().await.ok()?;
        let told = Told::read(&answer.text().await.ok()?);
        told.sum("timeclock_subscriber_snapshots_total", &[("reason", reason)])
    }

    /// Waits until it has taken a snapshot for one of these reasons.
    ///
    /// # Panics
    /// When it never does.
    pub async fn takes_a_snapshot(&self, reasons: &[&str]) {
        let taken = async || {
            let mut taken = 0.0;
            for reason in reasons {
                taken += self.snapshots(reason).await.unwrap_or_default();
            }
            taken
        };
        eventually("the follower takes a snapshot", taken, |taken| when(*taken > 0.0)).await;
    }
}

/// What a replay of the whole stream says of a company's users.
///
/// # Panics
/// When there is no replay.
#[must_use]
pub fn replayed(stack: &Stack, name: &str, company: &str) -> Seats {
    seats_of(company, &block_in_place(|| stack.replay_facts(name)).expect("a replay"))
}

/// What SCIM says of the company's users.
///
/// # Panics
/// When SCIM does not answer.
pub async fn seats_by_scim(scim: &Scim) -> Seats {
    let mut seats = Seats::new();
    for user in everything(scim, "/Users").await {
        seats.insert(id(&user), (user["active"] == true, BTreeSet::new()));
    }
    for group in everything(scim, "/Groups").await {
        for member in scim.members(&id(&group)).await {
            if let Some((_, groups)) = seats.get_mut(&member) {
                groups.insert(id(&group));
            }
        }
    }
    seats
}

async fn everything(scim: &Scim, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page = scim.get(&format!("{path}?startIndex={}&count=100", all.len() + 1)).await.resources();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn seats_of(company: &str, lines: &str) -> Seats {
    let seats = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let ours = seats.filter(|seat| seat["company"] == company);
    ours.map(|seat| {
        let groups = seat["groups"].as_array().into_iter().flatten();
        let groups = groups.filter_map(|group| group.as_str().map(str::to_owned)).collect();
        (seat["user"].as_str().expect("an id").to_owned(), (seat["active"] == true, groups))
    })
    .collect()
}
