//! From what is asked to values that can be: what each field of a request may hold, and why a request is refused.

use std::ops::RangeInclusive;

use bus_contract::audit::{Actor, NoActor, acting, actor::Kind};
use chrono::{DateTime, TimeDelta, Utc};
use typed_ids::CompanyId;

use crate::{app::App, company, store::events::Doing};

/// The longest description, in characters.
const DESCRIPTION_MOST: usize = 100;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The request asks for something that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// There is no such company, token, client or secret.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Something we need does not work at the moment.
    #[error(transparent)]
    Unavailable(anyhow::Error),
}

impl Refusal {
    /// The metric label.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::NotFound(_) => "not_found",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<pg_pool::Error> for Refusal {
    fn from(error: pg_pool::Error) -> Self {
        Self::Unavailable(anyhow::Error::from(error).context("the tokens' database cannot be used"))
    }
}

/// The company of this id, which the directory knows.
pub(crate) async fn existing_company(app: &App, company_id: &str) -> Result<CompanyId, Refusal> {
    let company = id("company", company_id)?;
    match company::exists(&app.bus, company).await {
        Ok(true) => Ok(company),
        Ok(false) => Err(Refusal::NotFound("company")),
        Err(error) => Err(Refusal::Unavailable(error.into())),
    }
}

impl From<NoActor> for Refusal {
    fn from(nobody: NoActor) -> Self {
        Self::Invalid(nobody.to_string())
    }
}

/// Who does it, for the audit log.
pub(crate) fn doing(company: CompanyId, actor: Option<Actor>, now: DateTime<Utc>) -> Result<Doing, Refusal> {
    let actor = acting(actor)?;
    let actor_kind = match actor.kind() {
        Kind::Administrator => "administrator",
        Kind::Operator => "operator",
        Kind::System => "system",
        Kind::Unspecified => return Err(NoActor::Kind.into()),
    };
    Ok(Doing { company, actor_kind, actor_name: actor.name, actor_address: actor.address, now })
}

pub(crate) fn id<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_not_a_uuid| {
        Refusal::Invalid(format!("the {what} id must be a UUID, hyphenated and in lower case"))
    })
}

pub(crate) fn description(text: String) -> Result<String, Refusal> {
    is_line(&text, 0..=DESCRIPTION_MOST).then_some(text).ok_or_else(|| {
        Refusal::Invalid(format!(
            "the description must have at most {DESCRIPTION_MOST} characters and no line breaks"
        ))
    })
}

pub(crate) fn seconds(
    what: &str,
    asked: Option<u32>,
    default: u32,
    limits: RangeInclusive<u32>,
) -> Result<TimeDelta, Refusal> {
    let seconds = asked.unwrap_or(default);
    if limits.contains(&seconds) {
        return Ok(TimeDelta::seconds(seconds.into()));
    }
    let (least, most) = limits.into_inner();
    Err(Refusal::Invalid(format!("the {what} must be from {} to {}", spelt(least), spelt(most))))
}

/// As people say it, who write `--lifetime 365d`.
fn spelt(seconds: u32) -> String {
    const DAY: u32 = 24 * 3600;
    if seconds.is_multiple_of(DAY) { format!("{} days", seconds / DAY) } else { format!("{seconds} seconds") }
}

/// Whether the text has so many characters, none of them a line break or another control character.
pub(crate) fn is_line(text: &str, lengths: RangeInclusive<usize>) -> bool {
    lengths.contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_that_is_refused_is_told_its_limits_in_days() {
        const DAY: u32 = 24 * 3600;
        let told = |limits| seconds("overlap", Some(200 * DAY), 0, limits).unwrap_err().to_string();
        assert!(told(0..=90 * DAY).ends_with("must be from 0 days to 90 days"), "{}", told(0..=90 * DAY));
        assert!(told(60..=2 * DAY).ends_with("must be from 60 seconds to 2 days"), "{}", told(60..=2 * DAY));
    }
}
