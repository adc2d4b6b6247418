//! A query in a body means what it means in a query string.

use crate::generate::any_json;
use proptest::prelude::*;
use scim_protocol::error::ScimType;
use scim_protocol::list::Page;
use scim_protocol::projection::Projection;
use scim_protocol::schema::users;
use scim_protocol::search_request::{SEARCH_REQUEST_URN, SearchRequest, parse};
use serde_json::{Value, json};

fn read(body: &Value) -> SearchRequest {
    parse(body.to_string().as_bytes()).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_example_of_the_rfc_is_read() {
    // RFC 7644 §3.4.3
    let search = read(&json!({
        "schemas": [SEARCH_REQUEST_URN],
        "attributes": ["displayName", "userName"],
        "filter": "displayName sw \"smith\"",
        "startIndex": 1,
        "count": 10
    }));
    let expected = SearchRequest {
        attributes: some("displayName,userName"),
        filter: some("displayName sw \"smith\""),
        start_index: some("1"),
        count: some("10"),
        ..SearchRequest::default()
    };
    assert_eq!(search, expected);
    let mut shown = json!({"userName": "a", "displayName": "b", "title": "c"});
    let asked = Projection::parse(users(), search.attributes.as_deref(), None).unwrap();
    asked.apply(shown.as_object_mut().unwrap());
    assert_eq!(shown, json!({"userName": "a", "displayName": "b"}));
    let page = Page::parse(search.start_index.as_deref(), search.count.as_deref()).unwrap();
    assert_eq!((page.start_index, page.count), (1, 10));
}

#[test]
fn names_in_any_case_text_for_lists_and_numbers_and_nulls_are_read() {
    let search = read(&json!({
        "ExcludedAttributes": "members, emails[type eq \"work\"]",
        "SORTBY": "userName",
        "sortorder": "descending",
        "StartIndex": "7",
        "count": -1,
        "cursor": "",
        "filter": null,
        "aadOptscim062020": true,
    }));
    let expected = SearchRequest {
        excluded_attributes: some("members, emails[type eq \"work\"]"),
        sort_by: some("userName"),
        sort_order: some("descending"),
        start_index: some("7"),
        count: some("-1"),
        cursor: some(""),
        ..SearchRequest::default()
    };
    assert_eq!(search, expected);
    assert_eq!(read(&json!({})), SearchRequest::default());
    assert_eq!(read(&json!({"schemas": []})), SearchRequest::default());
}

#[test]
fn what_is_no_search_is_refused_with_its_reason() {
    let refusal = |body: Value| {
        let error = parse(body.to_string().as_bytes()).unwrap_err();
        (error.scim_type.unwrap(), error.detail)
    };
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a"});
    assert_eq!(refusal(user).0, ScimType::InvalidSyntax);
    assert_eq!(refusal(json!([])).0, ScimType::InvalidSyntax);
    let twice = json!({"filter": "title pr", "Filter": "userName pr"});
    assert_eq!(
        refusal(twice),
        (ScimType::InvalidSyntax, "'filter' is sent twice, in different spellings".to_owned())
    );
    for (body, reason) in [
        (json!({"attributes": {}}), "'attributes' takes a list of strings, not an object"),
        (json!({"excludedAttributes": [7]}), "'excludedAttributes' takes a list of strings, not a number"),
        (json!({"filter": ["title pr"]}), "'filter' takes a string, not a list"),
        (json!({"count": true}), "'count' takes a whole number, not a boolean"),
        (json!({"sortBy": 1}), "'sortBy' takes a string, not a number"),
    ] {
        assert_eq!(refusal(body), (ScimType::InvalidValue, reason.to_owned()));
    }
    let fraction = read(&json!({"count": 1.5}));
    assert!(Page::parse(None, fraction.count.as_deref()).is_err());
}

#[test]
fn a_debug_print_names_parameters_and_not_what_they_ask_for() {
    let search = read(&json!({"filter": "userName eq \"adele\"", "count": 1}));
    assert_eq!(format!("{search:?}"), r#"SearchRequest {"filter", "count"}"#);
}

proptest! {
    #[test]
    fn no_search_panics(body in any_json(), name in "(?i)attributes|filter|count|schemas|cursor") {
        for body in [json!({name: body.clone()}), body] {
            if let Err(error) = parse(body.to_string().as_bytes()) {
                prop_assert_eq!(error.status, 400);
            }
        }
    }
}
