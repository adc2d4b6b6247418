//! How soon a session ends whose owner Entra disables: from the PATCH until the stream of an open page has ended.
//!
//! Everybody has one session, put there by SQL like the people themselves; so what is measured is the way from the request to
//! its end, and not how people sign in.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::future::join_all;
use hyper::{Method, StatusCode};

use crate::{
    client::{Connection, Credential},
    load::{Outcome, Target},
    people::Person,
    targets::{BUSY, USUAL},
};

/// What is measured.
pub(crate) const WHAT: &str = "PATCH active → session ended";
/// And how much at once.
pub(crate) const IN_FLIGHT: [usize; 3] = [1, USUAL, BUSY];

/// People who are signed in, each once.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) gateway: Target,
    pub(crate) console: SocketAddr,
    /// So many; the first has number 0.
    pub(crate) there: u64,
    next: AtomicU64,
}

impl SignedIn {
    pub(crate) fn new(gateway: Target, console: SocketAddr, there: u64) -> Self {
        Self { gateway, console, there, next: AtomicU64::new(0) }
    }

    /// Whom nobody has disabled yet.
    fn next(&self) -> Result<Person> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        ensure!(number < self.there, "all {} people are disabled; measure for a shorter time", self.there);
        Ok(Person(number))
    }

    /// Disables people for this long, so many at once.
    pub(crate) async fn disable(&self, callers: &mut [Connection], duration: Duration) -> Outcome {
        let begin = Instant::now();
        let calling = callers.iter_mut().map(async |caller| {
            let mut latencies = Vec::new();
            while begin.elapsed() < duration {
                match self.disable_one(caller).await {
                    Ok(latency) => latencies.push(latency),
                    Err(error) => return (latencies, Some(format!("{error:#}"))),
                }
            }
            (latencies, None)
        });
        let mut outcome = Outcome::default();
        for (mut latencies, failure) in join_all(calling).await {
            outcome.latencies.append(&mut latencies);
            outcome.failures.extend(failure);
        }
        outcome.elapsed = begin.elapsed();
        outcome
    }

    async fn disable_one(&self, caller: &mut Connection) -> Result<Duration> {
        let person = self.next()?;
        let cookie = Credential::Cookie(format!("session={}", cookie(person)));
        let mut page = Connection::open(self.console, &cookie).await?.stream("/live").await?;
        // The first event says that the console knows of the page.
        page.next().await?.context("the stream of a page ended before its owner was disabled")?;
        let path = format!("/scim/Users/{}", person.id());
        let body = Some(Person::switching_body(false));
        let begun = Instant::now();
        let (disabled, ended) = tokio::join!(caller.send(Method::PATCH, &path, body), page.end());
        let latency = begun.elapsed();
        ended?;
        let (status, said) = disabled?;
        if status != StatusCode::OK {
            bail!("PATCH {path} was answered with {status}: {}", String::from_utf8_lossy(&said));
        }
        let (status, _) = Connection::open(self.console, &cookie).await?.send(Method::GET, "/", None).await?;
        ensure!(status == StatusCode::SEE_OTHER, "the next click was answered with {status}");
        Ok(latency)
    }
}

/// What their browser holds: as long as a real one, and told by their number.
fn cookie(person: Person) -> String {
    format!("{:0>42}A", person.0)
}

/// Gives the first so many people of a company a session each.
pub(crate) fn insert_statement(company: &str, there: u64) -> String {
    format!(
        "insert into console.person_sessions (company_id, session_id, user_id, user_version, user_name, display_name, \
           role, way, subject, subject_format, session_index, session_key, created_at, last_seen_at, address, browser, \
           history_id) \
         select '{company}', gen_random_uuid(), ('01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, \
           'user', 'User', 'auditor', 'saml', 'user', '', '', \
           encode(sha256(convert_to(lpad(n::text, 42, '0') || 'A', 'UTF8')), 'hex'), now(), now(), '', '', \
           (select history_id from console.directory_history) \
         from generate_series(0, {there}::bigint - 1) as n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_as_long_as_the_console_makes_them() {
        assert_eq!(cookie(Person(1_234)).len(), 43);
        assert_ne!(cookie(Person(1)), cookie(Person(10)));
    }
}
