//! Pages by cursor.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use scim_protocol::cursor::{
    Cursor, MAX_ID_BYTES, MAX_KEY_BYTES, MAX_LENGTH, Page, Position, Question, TIMEOUT_SECONDS,
};
use scim_protocol::error::ScimType;
use scim_protocol::filter::Filter;
use scim_protocol::list::{DEFAULT_RESULTS, LIST_RESPONSE_URN, MAX_RESULTS, splice_cursor_response};
use scim_protocol::schema::users;
use scim_protocol::sort::Sort;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2026-09-18T07:12:44.123456Z".parse().unwrap()
}

fn behind(id: &str, key: Option<&str>) -> Position {
    Position { is_backward: false, id: id.to_owned(), key: key.map(ToOwned::to_owned) }
}

fn question(filter: &str, sort_by: &str) -> Question {
    let filter = Filter::parse(users(), filter).unwrap();
    Question::new("/Users", Some(&filter), Sort::parse(users(), Some(sort_by), None).unwrap().as_ref())
}

fn everything() -> Question {
    Question::new("/Users", None, None)
}

fn position() -> impl Strategy<Value = Position> {
    (any::<bool>(), "\\PC{0,60}", prop::option::of("\\PC{0,60}"))
        .prop_map(|(is_backward, id, key)| Position { is_backward, id, key })
}

proptest! {
    #[test]
    fn a_cursor_reads_back(position in position(), seconds in -62_135_596_800..253_402_300_800_i64) {
        let made_at = DateTime::from_timestamp(seconds, 0).unwrap();
        let cursor = Cursor::new(everything(), position, made_at);
        let bytes = cursor.encode().unwrap();
        prop_assert_eq!(Cursor::decode(&bytes), Ok(cursor));
        // Nothing can be cut off.
        for length in 0..19 {
            prop_assert!(Cursor::decode(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn no_bytes_panic_and_what_is_read_prints_the_same(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let versioned = |flags| [vec![1, flags], bytes.clone()].concat();
        for bytes in [bytes.clone(), versioned(0), versioned(3)] {
            match Cursor::decode(&bytes) {
                Ok(cursor) => prop_assert_eq!(cursor.encode(), Ok(bytes)),
                Err(error) => prop_assert_eq!(error.scim_type, Some(ScimType::InvalidCursor)),
            }
        }
    }
}

#[test]
fn the_bytes_of_a_cursor_are_frozen() {
    // A cursor outlives the process that made it: another release either reads it or has another first byte.
    let made_at = DateTime::from_timestamp(0x0102_0304, 0).unwrap();
    let bytes = Cursor::new(everything(), behind("usr_A", Some("adele")), made_at).encode().unwrap();
    let expected = [
        [1, 2].as_slice(),
        // FNV-1a of "/Users\0\0"
        &[0x4f, 0xd8, 0xea, 0x86, 0x37, 0xb9, 0x3f, 0x56],
        &[0, 0, 0, 0, 1, 2, 3, 4],
        b"\x05usr_Aadele",
    ];
    assert_eq!(bytes, expected.concat());
}

#[test]
fn a_cursor_leads_on_in_the_list_that_it_was_made_for_and_in_no_other() {
    let asked = question("userName sw \"J\"", "userName");
    let cursor = Cursor::new(asked, behind("usr_A", Some("jane")), now());
    // The same thing in other words.
    let again = question("USERNAME SW \"J\"", "username");
    assert_eq!(cursor.clone().position_in(again, now()), Ok(behind("usr_A", Some("jane"))));
    let filter = Filter::parse(users(), "userName sw \"J\"").unwrap();
    let descending = Sort::parse(users(), Some("userName"), Some("descending")).unwrap();
    let others = [
        everything(),
        question("userName sw \"j\"", "userName"),
        question("userName sw \"J\"", "title"),
        Question::new("/Users", Some(&filter), descending.as_ref()),
        Question::new("/Users", Some(&filter), None),
        Question::new(
            "/Groups",
            Some(&filter),
            Sort::parse(users(), Some("userName"), None).unwrap().as_ref(),
        ),
    ];
    for other in others {
        let error = cursor.clone().position_in(other, now()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidCursor));
    }
}

#[test]
fn a_cursor_expires() {
    let cursor = Cursor::new(everything(), behind("usr_A", None), now());
    let after = |seconds: u32| {
        let later = cursor.made_at + TimeDelta::seconds(seconds.into());
        cursor.clone().position_in(everything(), later).map_err(|error| error.scim_type)
    };
    assert!(after(TIMEOUT_SECONDS).is_ok());
    assert_eq!(after(TIMEOUT_SECONDS + 1), Err(Some(ScimType::ExpiredCursor)));
    // A clock that is behind the one that made it does no harm.
    assert!(cursor.clone().position_in(everything(), now() - TimeDelta::hours(2)).is_ok());
}

#[test]
fn what_a_cursor_cannot_hold_is_refused() {
    let encode = |id: &str, key: &str| Cursor::new(everything(), behind(id, Some(key)), now()).encode();
    let bytes = encode(&"i".repeat(MAX_ID_BYTES), &"k".repeat(MAX_KEY_BYTES)).unwrap();
    assert!(Cursor::decode(&bytes).is_ok());
    // With room for a seal, and in Base64.
    assert!((bytes.len() + 64).div_ceil(3) * 4 <= MAX_LENGTH);
    assert!(encode(&"i".repeat(MAX_ID_BYTES + 1), "").is_err());
    let error = encode("usr_A", &"k".repeat(MAX_KEY_BYTES + 1)).unwrap_err();
    assert!(error.detail.starts_with("a value to sort by is longer than 4096 bytes"), "{error}");
}

#[test]
fn bytes_that_no_cursor_has_are_none() {
    let bytes = Cursor::new(everything(), behind("usr_A", None), now()).encode().unwrap();
    assert!(Cursor::decode(&bytes).is_ok());
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        Cursor::decode(&bytes).map_err(|error| error.scim_type)
    };
    let none = Err(Some(ScimType::InvalidCursor));
    assert_eq!(with(&|bytes| bytes[0] = 2), none, "another version");
    assert_eq!(with(&|bytes| bytes[1] = 4), none, "an unknown flag");
    assert_eq!(with(&|bytes| bytes.push(b'x')), none, "a key that is not announced");
    assert_eq!(with(&|bytes| bytes[18] = 99), none, "an id that does not end");
    assert_eq!(with(&|bytes| bytes[19] = 0xff), none, "an id that is no text");
    let keyed = |length| {
        move |bytes: &mut Vec<u8>| {
            bytes[1] = 2;
            bytes.resize(bytes.len() + length, b'x');
        }
    };
    assert!(with(&keyed(MAX_KEY_BYTES)).is_ok());
    assert_eq!(with(&keyed(MAX_KEY_BYTES + 1)), none, "a key that is too long");
}

#[test]
fn a_cursor_that_was_just_made_is_the_one_that_is_read() {
    let cursor = Cursor::new(everything(), behind("usr_A", Some("adele")), now());
    assert_eq!(Cursor::decode(&cursor.encode().unwrap()), Ok(cursor));
}

#[test]
fn an_empty_cursor_asks_for_the_first_page() {
    assert_eq!(Page::parse("", None), Ok(Page { cursor: None, count: DEFAULT_RESULTS }));
    let page = Page::parse("VZUTiyhEQJ94IR-._~", Some("10")).unwrap();
    assert_eq!(page, Page { cursor: Some("VZUTiyhEQJ94IR-._~".to_owned()), count: 10 });
    assert_eq!(Page::parse("", Some("100000")).unwrap().count, MAX_RESULTS);
}

#[test]
fn what_is_no_cursor_and_no_count_of_one_has_a_keyword_of_its_own() {
    for cursor in ["a b", "a/b", "ä", "a%20", &"a".repeat(MAX_LENGTH + 1)] {
        assert_eq!(
            Page::parse(cursor, None).unwrap_err().scim_type,
            Some(ScimType::InvalidCursor),
            "{cursor}"
        );
    }
    assert!(Page::parse(&"a".repeat(MAX_LENGTH), None).is_ok());
    for count in ["0", "-1", "ten", "1.5"] {
        let error = Page::parse("", Some(count)).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidCount), "{count}");
        assert_eq!(error.detail, "'count' is a whole number from 1 to 200");
    }
}

#[test]
fn a_page_by_cursor_says_how_to_go_on() {
    let user = br#"{"id":"usr_A"}"#;
    let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    assert_eq!(
        read(splice_cursor_response(Some(7), Some("before"), Some("after"), &[user, user])),
        json!({
            "schemas": [LIST_RESPONSE_URN], "totalResults": 7, "itemsPerPage": 2,
            "previousCursor": "before", "nextCursor": "after", "Resources": [{"id": "usr_A"}, {"id": "usr_A"}],
        })
    );
    const NONE: [&[u8]; 0] = [];
    assert_eq!(
        read(splice_cursor_response(None, None, None, &NONE)),
        json!({"schemas": [LIST_RESPONSE_URN], "itemsPerPage": 0, "Resources": []})
    );
}

#[test]
fn a_debug_print_of_a_cursor_shows_no_value() {
    let cursor = Cursor::new(everything(), behind("usr_A", Some("adele")), now());
    assert!(!format!("{cursor:?}").contains("adele"));
}
