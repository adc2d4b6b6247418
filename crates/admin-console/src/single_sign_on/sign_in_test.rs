//! What an administrator's test of single sign-on has received, and why it would have been accepted or not.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::federation::Refusal;
use crate::{
    app::App,
    session::Arrival,
    signed_in::{Account, Role},
    store::{
        self,
        sign_in_tests::{self, SignInTestRow},
    },
};

/// How long a test can be looked at: it holds what the identity provider says of a person.
pub(crate) const KEPT: TimeDelta = TimeDelta::hours(1);
/// Of a message, this many characters are shown.
const MESSAGE_MOST: usize = 40_000;
/// Of all claims together, this many characters are shown.
const CLAIMS_MOST: usize = 20_000;

/// What came from the identity provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Received {
    /// The message as it was sent, decoded.
    pub(crate) message: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) subject_format: String,
    /// SHA-256 of the certificate that it was signed with; empty when no signature was proved.
    pub(crate) certificate: String,
    pub(crate) claims: BTreeMap<String, Vec<String>>,
}

/// Whom it leads to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    pub(crate) display_name: String,
    pub(crate) role: String,
}

impl Person {
    pub(crate) fn role(&self) -> Role {
        Role::parse(&self.role).unwrap_or(Role::Member)
    }
}

/// What a test found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) received: Received,
    pub(crate) person: Option<Person>,
    /// Why it would have been refused, as a word; empty when it would not.
    pub(crate) reason: String,
    /// What whoever administers the identity provider can do about it, in English.
    pub(crate) detail: String,
}

impl Received {
    /// Cut to what is kept.
    fn bounded(mut self) -> Self {
        self.message = self.message.chars().take(MESSAGE_MOST).collect();
        let mut left = CLAIMS_MOST;
        self.claims.retain(|name, values| {
            let length =
                name.chars().count() + values.iter().map(|value| value.chars().count()).sum::<usize>();
            let fits = length <= left;
            left = left.saturating_sub(if fits { length } else { 0 });
            fits
        });
        self
    }
}

/// Keeps what a test of what was set up at this time found; its id.
pub(crate) async fn keep(
    app: &App,
    company: CompanyId,
    (tester, set_up_at): (&str, DateTime<Utc>),
    received: Received,
    found: Result<Arrival, Refusal>,
) -> Result<Uuid, Refusal> {
    let now = app.now();
    let (reason, detail) = match &found {
        Ok(_) => (String::new(), String::new()),
        // That the directory is away says nothing about the test.
        Err(Refusal::Directory(_) | Refusal::Database(_)) => return found.map(|_| Uuid::nil()),
        Err(Refusal::Message(refusal)) => (refusal.as_str().to_owned(), refusal.detail()),
        Err(refusal) => (refusal.reason().to_owned(), String::new()),
    };
    let is_accepted = found.is_ok();
    let person = found.ok().map(|arrival| Person {
        user_id: arrival.user.to_string(),
        user_name: arrival.user_name,
        display_name: arrival.display_name,
        role: arrival.role.as_str().to_owned(),
    });
    let role = person.as_ref().map(|person| person.role.clone()).unwrap_or_default();
    let report = Report { received: received.bounded(), person, reason, detail };
    let row = SignInTestRow {
        company_id: company.as_uuid(),
        test_id: Uuid::now_v7(),
        tester: tester.to_owned(),
        made_at: now,
        is_accepted,
        set_up_at: Some(set_up_at),
        role,
        // Text and lists of text are always JSON.
        report: serde_json::to_string(&report).unwrap_or_default(),
    };
    let test = row.test_id;
    app.pool
        .transaction("single_sign_on.keep_test", move |connection| {
            store::act_for(connection, company)?;
            sign_in_tests::insert(connection, &row, now - KEPT)
        })
        .await?;
    Ok(test)
}

/// A test of this administrator; `None` when there is none any more.
pub(crate) async fn find(
    app: &App,
    company: CompanyId,
    account: Account,
    test: Uuid,
) -> Result<Option<Report>, pg_pool::Error> {
    let since = app.now() - KEPT;
    let row = app
        .pool
        .transaction("single_sign_on.get_test", move |connection| {
            store::act_for(connection, company)?;
            sign_in_tests::find(connection, company, test, (&account.key(), since))
        })
        .await?;
    Ok(row.and_then(|row| serde_json::from_str(&row.report).ok()))
}
