//! Pages, and the documents they are answered in.

use proptest::prelude::*;
use scim_protocol::list::{DEFAULT_RESULTS, MAX_RESULTS, Page, list_response, splice_list_response};
use serde_json::{Value, json};

#[test]
fn a_page_is_what_was_asked_for_within_limits() {
    for (start_index, count, expected) in [
        (None, None, (1, DEFAULT_RESULTS)),
        (Some("6"), Some("5"), (6, 5)),
        (Some("0"), Some("0"), (1, 0)),
        (Some("-7"), Some("-1"), (1, 0)),
        (Some(" 2 "), Some("+3"), (2, 3)),
        (Some(""), Some(""), (1, DEFAULT_RESULTS)),
        (Some("4294967296"), Some("99999999999999999999"), (u32::MAX, MAX_RESULTS)),
        (Some("-99999999999999999999"), None, (1, DEFAULT_RESULTS)),
    ] {
        let page = Page::parse(start_index, count).unwrap();
        assert_eq!((page.start_index, page.count), expected, "{start_index:?} {count:?}");
    }
    assert_eq!(Page::parse(Some("6"), None).unwrap().offset(), 5);
}

#[test]
fn a_page_that_is_no_number_is_refused() {
    for text in ["one", "1.5", "-", "0x10", "1 2", "\u{0661}"] {
        let error = Page::parse(Some(text), None).unwrap_err();
        assert_eq!(error.to_json()["scimType"], "invalidValue", "{text}");
        assert_eq!(error.detail, "'startIndex' is a whole number");
        assert_eq!(Page::parse(None, Some(text)).unwrap_err().detail, "'count' is a whole number");
    }
}

#[test]
fn an_empty_list_still_has_its_resources() {
    let empty: [Value; 0] = [];
    assert_eq!(
        json!(list_response(1, 0, &empty)),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []
        })
    );
}

proptest! {
    #[test]
    fn a_spliced_list_is_a_serialised_one(
        names in proptest::collection::vec(any::<String>(), 0..4), start_index in 1u32.., more in 0u64..1_000_000,
    ) {
        let resources: Vec<Value> = names.iter().map(|name| json!({"userName": name})).collect();
        let bytes: Vec<Vec<u8>> = resources.iter().map(|resource| serde_json::to_vec(resource).unwrap()).collect();
        let total = more + resources.len() as u64;
        let serialised = serde_json::to_vec(&list_response(start_index, total, &resources)).unwrap();
        prop_assert_eq!(splice_list_response(start_index, total, &bytes), serialised);
    }
}
