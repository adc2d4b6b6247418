//! Pages that begin behind a resource rather than at a number (RFC 9865).
//!
//! What a [`Cursor`] holds is defined here; how it is kept from being read and forged is not. Its bytes hold an attribute's
//! value, so whoever hands them out encrypts and authenticates them, together with the company that asked.
//! To the client it is text of unreserved characters that means nothing.

use crate::error::ScimError;
use crate::filter::Filter;
use crate::list::{DEFAULT_RESULTS, MAX_RESULTS, number};
use crate::sort::Sort;
use chrono::{DateTime, SubsecRound as _, Utc};
use std::fmt;

/// How long a cursor can be used, in seconds. Published as `pagination.cursorTimeout`.
pub const TIMEOUT_SECONDS: u32 = 3_600;
/// The longest cursor as clients send it, in bytes.
pub const MAX_LENGTH: usize = 6_144;
/// The longest sort key in a cursor, in bytes.
pub const MAX_KEY_BYTES: usize = 4_096;
/// The longest id in a cursor, in bytes.
pub const MAX_ID_BYTES: usize = 255;

/// The page that is asked for by cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The cursor as it was handed out; `None` for the first page.
    pub cursor: Option<String>,
    /// The most resources to answer, 1 to [`MAX_RESULTS`].
    pub count: u32,
}

impl Page {
    /// Reads the query parameters `cursor` and `count`. Whoever sends no `cursor` at all pages by index, see
    /// [`crate::list::Page`]; an empty one asks for the first page. What is too large a `count` is the largest.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor` for what cannot be a cursor: characters that RFC 3986 §2.3 reserves, or more than
    /// [`MAX_LENGTH`] bytes. 400 `invalidCount` when `count` is no whole number from 1: with cursors there is no page that
    /// holds the total alone (RFC 9865 §2.1).
    pub fn parse(cursor: &str, count: Option<&str>) -> Result<Self, ScimError> {
        let is_unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if cursor.len() > MAX_LENGTH || !cursor.bytes().all(is_unreserved) {
            return Err(invalid());
        }
        let count = number("count", count, DEFAULT_RESULTS).ok().filter(|count| *count > 0);
        let count = count.ok_or_else(|| {
            ScimError::invalid_count(format!("'count' is a whole number from 1 to {MAX_RESULTS}"))
        })?;
        let cursor = Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty());
        Ok(Self { cursor, count: count.min(MAX_RESULTS) })
    }
}

/// What a list asks for, apart from the page: 64 bits of which resources in which order.
///
/// It notices mistakes. It is no proof against whoever looks for two queries with the same one; that leads nowhere,
/// because a position is nothing but a place to begin in what the query finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question(u64);

impl Question {
    /// Of the resources that are served at `endpoint` (`/Users`), those that the filter finds in this order. Filters and
    /// orders that mean the same thing count as the same where they print the same.
    #[must_use]
    pub fn new(endpoint: &str, filter: Option<&Filter>, sort: Option<&Sort>) -> Self {
        let printed = |part: Option<&dyn fmt::Display>| part.map(ToString::to_string).unwrap_or_default();
        let filter = printed(filter.map(|filter| filter as &dyn fmt::Display));
        let sort = printed(sort.map(|sort| sort as &dyn fmt::Display));
        // None of the parts holds a NUL.
        Self(fnv1a(format!("{endpoint}\0{filter}\0{sort}").as_bytes()))
    }
}

/// FNV-1a: the same in every process and every release, which the hashes of the standard library are not.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A place in an ordered list: between two resources, next to the one that it names.
#[derive(Clone, PartialEq, Eq)]
pub struct Position {
    /// Whether the page is what comes before the resource (`previousCursor`) rather than behind it.
    pub is_backward: bool,
    /// The id of the resource. It need not exist any more.
    pub id: String,
    /// What the resource was sorted by, as the directory writes it; `None` without an order or without a value.
    pub key: Option<String>,
}

/// Without the key, which is personal data.
impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_backward { "before" } else { "behind" }, self.id)
    }
}

/// What a cursor stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The list that it belongs to.
    pub question: Question,
    /// Where the page begins.
    pub position: Position,
    /// When it was made, in whole seconds.
    pub made_at: DateTime<Utc>,
}

/// The first byte of a cursor.
const VERSION: u8 = 1;
const BACKWARD: u8 = 1;
const KEYED: u8 = 2;

impl Cursor {
    /// A cursor of this moment.
    #[must_use]
    pub fn new(question: Question, position: Position, now: DateTime<Utc>) -> Self {
        Self { question, position, made_at: now.trunc_subsecs(0) }
    }

    /// Its bytes: 19 and those of id and key.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` when the key is longer than [`MAX_KEY_BYTES`] or the id than [`MAX_ID_BYTES`]: such an order
    /// cannot be paged through by cursor.
    pub fn encode(&self) -> Result<Vec<u8>, ScimError> {
        let Position { is_backward, id, key } = &self.position;
        let text = key.as_deref().unwrap_or_default();
        let length = u8::try_from(id.len()).ok().filter(|_| text.len() <= MAX_KEY_BYTES);
        let length = length.ok_or_else(|| {
            ScimError::invalid_value(format!(
                "a value to sort by is longer than {MAX_KEY_BYTES} bytes; page by 'startIndex', or sort by another attribute"
            ))
        })?;
        let flags = if *is_backward { BACKWARD } else { 0 } | if key.is_some() { KEYED } else { 0 };
        let mut bytes = Vec::with_capacity(19 + id.len() + text.len());
        bytes.extend([VERSION, flags]);
        bytes.extend(self.question.0.to_be_bytes());
        bytes.extend(self.made_at.timestamp().to_be_bytes());
        bytes.push(length);
        bytes.extend(id.as_bytes());
        bytes.extend(text.as_bytes());
        Ok(bytes)
    }

    /// Reads the bytes again.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor` for any others, those of another release included.
    pub fn decode(bytes: &[u8]) -> Result<Self, ScimError> {
        Self::decoded(bytes).ok_or_else(invalid)
    }

    fn decoded(bytes: &[u8]) -> Option<Self> {
        let (&[version, flags], rest) = bytes.split_first_chunk()?;
        if version != VERSION || flags & !(BACKWARD | KEYED) != 0 {
            return None;
        }
        let (question, rest) = rest.split_first_chunk()?;
        let (made_at, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first()?;
        let (id, key) = rest.split_at_checked(usize::from(*length))?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let key = match flags & KEYED {
            0 if !key.is_empty() => return None,
            0 => None,
            _ => Some(text(key).filter(|key| key.len() <= MAX_KEY_BYTES)?),
        };
        Some(Self {
            question: Question(u64::from_be_bytes(*question)),
            position: Position { is_backward: flags & BACKWARD != 0, id: text(id)?, key },
            made_at: DateTime::from_timestamp(i64::from_be_bytes(*made_at), 0)?,
        })
    }

    /// Where the page begins, when the cursor belongs to this list and is not too old.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor` when it was made for another filter, order or endpoint; 400 `expiredCursor` when it is older
    /// than [`TIMEOUT_SECONDS`].
    pub fn position_in(self, question: Question, now: DateTime<Utc>) -> Result<Position, ScimError> {
        if self.question != question {
            return Err(ScimError::invalid_cursor(
                "the cursor belongs to another list; repeat the filter and the order with which it was handed out",
            ));
        }
        if (now - self.made_at).num_seconds() > i64::from(TIMEOUT_SECONDS) {
            return Err(ScimError::expired_cursor(format!(
                "the cursor is older than {TIMEOUT_SECONDS} seconds; begin again with an empty one"
            )));
        }
        Ok(self.position)
    }
}

fn invalid() -> ScimError {
    ScimError::invalid_cursor(
        "this is no cursor of this service; send an empty one for the first page, then the one that was answered",
    )
}
