//! Points in time as SAML writes them (core §1.3.3: `xs:dateTime` in UTC).

use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};

/// The last year that is read: the library for signatures adds the difference of clocks to a time, and panics when that
/// is beyond the year 9999.
const LAST_YEAR: i32 = 9998;
/// The longest one, in bytes: Entra writes up to seven digits of a second.
const MAX_LENGTH: usize = 40;

pub(crate) fn write(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    let is_utc = text.len() <= MAX_LENGTH && text.contains('T') && text.ends_with('Z');
    let instant = is_utc.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten()?.to_utc();
    (instant.year() <= LAST_YEAR).then_some(instant)
}
