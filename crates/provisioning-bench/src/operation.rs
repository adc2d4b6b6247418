//! What is measured: the requests of Entra's provisioning service, each with the answer it must get.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Result, bail};
use hyper::{Method, StatusCode};
use rand::Rng as _;

use crate::{
    client::Connection,
    groups,
    neighbours::Beside,
    people::{FIRST_HIRE, Person},
    report::short,
};

/// What one operation consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A user of Entra's first cycle: GET by filter finds nobody, POST creates.
    InitialCycle,
    /// POST alone.
    Create,
    /// POST by callers of several companies.
    CreateInSeveral,
    GetById,
    FindByUserName,
    FindByExternalId,
    /// PATCH of two attributes.
    Patch,
    /// PATCH that turns `active` off, and on again when everybody is off, while somebody hires.
    Disable(Beside),
    /// POST of a group.
    CreateGroup,
    /// Two PATCH requests, by which 100 people join a group that has so many members, and leave it again.
    JoinAndLeave(u64),
    /// The same with one person each time, all in one group.
    JoinAndLeaveAlone,
    /// Another process's answer with nothing behind it: what HTTP and the load generator cost.
    Health,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InitialCycle => "initial cycle: GET filter, POST",
            Self::Create => "POST",
            Self::CreateInSeveral => "POST, 8 companies",
            Self::GetById => "GET by id",
            Self::FindByUserName => "GET filter userName",
            Self::FindByExternalId => "GET filter externalId",
            Self::Patch => "PATCH",
            Self::Disable(beside) => return write!(f, "PATCH active off, {beside}"),
            Self::CreateGroup => "POST group",
            Self::JoinAndLeave(members) => {
                return write!(f, "PATCH 100 members in and out of {}", short(*members));
            }
            Self::JoinAndLeaveAlone => "PATCH 1 member in and out",
            Self::Health => "HTTP: GET /healthz",
        })
    }
}

/// Who is in the directory, for those who ask and change.
#[derive(Debug)]
pub(crate) struct Population {
    /// People that were put there beforehand.
    pub(crate) there: u64,
    /// Hires and changes so far; each operation takes a number that none had before.
    count: AtomicU64,
    switches: AtomicU64,
}

impl Population {
    pub(crate) const fn nobody() -> Self {
        Self { there: 0, count: AtomicU64::new(0), switches: AtomicU64::new(0) }
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    fn newcomer(&self) -> Person {
        Person(FIRST_HIRE + self.next())
    }

    /// One after the other, and what they become: inactive in the first round, active in the second, so that each change
    /// is one.
    fn switched(&self) -> (Person, bool) {
        let number = self.switches.fetch_add(1, Ordering::Relaxed);
        (Person(number % self.there), (number / self.there) % 2 == 1)
    }

    fn somebody(&self) -> Person {
        Person(rand::rng().random_range(0..self.there))
    }
}

impl Operation {
    /// Performs it once.
    ///
    /// # Errors
    /// When the answer is not the one it must be; the error shows it.
    pub(crate) async fn perform(self, connection: &mut Connection, people: &Population) -> Result<()> {
        match self {
            Self::InitialCycle => {
                let person = people.newcomer();
                find(connection, "userName", &person.user_name(), 0).await?;
                create(connection, person).await
            }
            Self::Create | Self::CreateInSeveral => create(connection, people.newcomer()).await,
            Self::GetById => {
                let path = format!("/scim/Users/{}", people.somebody().id());
                expect(connection, Method::GET, &path, None, StatusCode::OK, "\"userName\"").await
            }
            Self::FindByUserName => find(connection, "userName", &people.somebody().user_name(), 1).await,
            Self::FindByExternalId => {
                find(connection, "externalId", &people.somebody().external_id(), 1).await
            }
            Self::Patch => {
                let path = format!("/scim/Users/{}", people.somebody().id());
                let body = Person::patch_body(people.next());
                expect(connection, Method::PATCH, &path, Some(body), StatusCode::OK, "\"userName\"").await
            }
            Self::Disable(_) => {
                let (person, active) = people.switched();
                let path = format!("/scim/Users/{}", person.id());
                let body = Some(Person::switching_body(active));
                let said = format!("\"active\":{active}");
                expect(connection, Method::PATCH, &path, body, StatusCode::OK, &said).await
            }
            Self::CreateGroup => {
                let body = groups::post_body(people.next());
                expect(connection, Method::POST, "/scim/Groups", Some(body), StatusCode::CREATED, "\"id\"")
                    .await
            }
            Self::JoinAndLeave(members) => {
                let group = groups::id(members);
                join_and_leave(connection, &group, || (0..groups::JOINING).map(Person)).await
            }
            Self::JoinAndLeaveAlone => {
                let person = Person(people.next() % people.there);
                let group = groups::id(groups::SIZES[1]);
                join_and_leave(connection, &group, || std::iter::once(person)).await
            }
            Self::Health => expect(connection, Method::GET, "/healthz", None, StatusCode::OK, "").await,
        }
    }
}

async fn create(connection: &mut Connection, person: Person) -> Result<()> {
    let body = person.post_body();
    expect(connection, Method::POST, "/scim/Users", Some(body), StatusCode::CREATED, "\"id\"").await
}

async fn join_and_leave<I: Iterator<Item = Person>>(
    connection: &mut Connection,
    group: &str,
    people: impl Fn() -> I,
) -> Result<()> {
    let path = format!("/scim/Groups/{group}");
    for op in ["Add", "Remove"] {
        let body = groups::patch_body(op, people());
        expect(connection, Method::PATCH, &path, Some(body), StatusCode::NO_CONTENT, "").await?;
    }
    Ok(())
}

async fn find(connection: &mut Connection, attribute: &str, value: &str, total: u32) -> Result<()> {
    // Encoded as Entra does; names and ids of ours hold nothing else that needs it.
    let value = value.replace('@', "%40");
    let path = format!("/scim/Users?filter={attribute}+eq+%22{value}%22");
    let found = format!("\"totalResults\":{total}");
    expect(connection, Method::GET, &path, None, StatusCode::OK, &found).await
}

async fn expect(
    connection: &mut Connection,
    method: Method,
    path: &str,
    body: Option<String>,
    status: StatusCode,
    contained: &str,
) -> Result<()> {
    let (answered, answer) = connection.send(method.clone(), path, body).await?;
    let found =
        contained.is_empty() || answer.windows(contained.len()).any(|part| part == contained.as_bytes());
    if answered != status || !found {
        let answer = String::from_utf8_lossy(&answer);
        bail!("{method} {path} was answered with {answered} instead of {status} {contained}: {answer}");
    }
    Ok(())
}
