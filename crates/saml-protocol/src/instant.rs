//! Points in time as SAML writes them (core §1.3.3: `xs:dateTime` in UTC).

use chrono::{DateTime, SecondsFormat, Utc};

/// The longest one, in bytes: Entra writes up to seven digits of a second.
const MAX_LENGTH: usize = 40;

pub(crate) fn write(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    let is_utc = text.len() <= MAX_LENGTH && text.contains('T') && text.ends_with('Z');
    is_utc.then(|| DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())).flatten()
}
