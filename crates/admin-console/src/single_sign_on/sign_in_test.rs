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
/// Of a message, this many characters of JSON are kept.
const MESSAGE_MOST: usize = 40_000;
/// Of all claims together, this many characters of JSON.
const CLAIMS_MOST: usize = 20_000;
/// Of every other text, this many characters of JSON.
const TEXT_MOST: usize = 3_000;

/// What came from the identity provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Received {
    /// The message as it was sent, decoded; of an ID token all but its signature.
    pub(crate) message: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) subject_format: String,
    /// SHA-256 of the certificate that it was signed with; empty when no signature was proved.
    pub(crate) certificate: String,
    /// Of the key that an ID token was signed with.
    #[serde(default)]
    pub(crate) key_id: String,
    pub(crate) claims: BTreeMap<String, Vec<String>>,
    /// Whether it says when somebody has proved there who they are, which a second proof here rests on.
    #[serde(default)]
    pub(crate) says_when: bool,
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
        self.message = cut(&self.message, MESSAGE_MOST);
        let Self { issuer, subject, subject_format, certificate, key_id, .. } = &mut self;
        for text in [issuer, subject, subject_format, certificate, key_id] {
            *text = cut(text, TEXT_MOST);
        }
        let mut left = CLAIMS_MOST;
        self.claims.retain(|name, values| {
            let length = written(name) + values.iter().map(|value| written(value)).sum::<usize>();
            let fits = length <= left;
            left = left.saturating_sub(if fits { length } else { 0 });
            fits
        });
        self
    }
}

/// Of a report as it is kept.
pub(super) fn says_when(report: &str) -> bool {
    serde_json::from_str::<Report>(report).is_ok_and(|report| report.received.says_when)
}

/// How many characters of JSON these are (RFC 8259 §7), with quotation marks and a comma.
fn written(text: &str) -> usize {
    text.chars().map(escaped).sum::<usize>() + 3
}

fn escaped(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        '\0'..='\x1f' => 6,
        _ => 1,
    }
}

/// As much of the beginning as has so many characters of JSON.
fn cut(text: &str, most: usize) -> String {
    let mut left = most;
    let fits = |character: &char| {
        let length = escaped(*character);
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    };
    text.chars().take_while(fits).collect()
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
        Err(refusal) => (refusal.reason().to_owned(), refusal.detail()),
    };
    let is_accepted = found.is_ok();
    let person = found.ok().map(|arrival| Person {
        user_id: arrival.user.to_string(),
        user_name: cut(&arrival.user_name, TEXT_MOST),
        display_name: cut(&arrival.display_name, TEXT_MOST),
        role: arrival.role.as_str().to_owned(),
    });
    let role = person.as_ref().map(|person| person.role.clone()).unwrap_or_default();
    let report = Report { received: received.bounded(), person, reason, detail: cut(&detail, TEXT_MOST) };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As `sign_in_tests.report` allows.
    const REPORT_MOST: usize = 100_000;

    #[test]
    fn whatever_comes_a_report_of_it_can_be_kept() {
        for text in ["\u{1}", "\"", "é", "a"] {
            let long = text.repeat(300_000);
            let claims = (0..2_000).map(|number| (format!("c{number}"), vec![text.to_owned(); 10]));
            let received = Received {
                message: long.clone(),
                issuer: long.clone(),
                subject: long.clone(),
                subject_format: long.clone(),
                certificate: long.clone(),
                key_id: long.clone(),
                claims: claims.collect(),
                says_when: true,
            };
            let named = cut(&long, TEXT_MOST);
            let person = Person {
                user_id: String::new(),
                user_name: named.clone(),
                display_name: named.clone(),
                role: String::new(),
            };
            let received = received.bounded();
            assert!(received.message.starts_with(text) && !received.claims.is_empty(), "{text:?}");
            let report = Report { received, person: Some(person), reason: String::new(), detail: named };
            let length = serde_json::to_string(&report).unwrap().chars().count();
            assert!(length <= REPORT_MOST, "{text:?}: {length}");
        }
    }
}
