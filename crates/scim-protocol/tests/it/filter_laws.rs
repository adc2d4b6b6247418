//! Properties of filters: printing and parsing are inverse, nothing panics, negation negates.

use proptest::prelude::*;
use scim_protocol::filter::{Filter, matches};
use scim_protocol::schema::users;
use serde_json::{Map, Value, json};

/// The text of a filter as a client may write it.
fn written() -> impl Strategy<Value = String> {
    written_with(resource_term(), 3)
}

fn written_with(term: BoxedStrategy<String>, depth: u32) -> BoxedStrategy<String> {
    term.prop_recursive(depth, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" and ")),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" OR ")),
            inner.clone().prop_map(|part| format!("({part})")),
            inner.prop_map(|part| format!("Not ({part})")),
        ]
    })
    .boxed()
}

fn resource_term() -> BoxedStrategy<String> {
    let text = proptest::sample::select(vec![
        "userName",
        "DISPLAYNAME",
        "externalId",
        "name.givenName",
        "emails",
        "emails.value",
        "phoneNumbers.type",
        "manager",
        "department",
        "favouriteColour",
        "name",
        "id",
        "title",
        "email",
        "profileUrl",
        "schemas",
    ]);
    let element = written_with(element_term(), 1);
    prop_oneof![
        (text.clone(), text_operator(), literal())
            .prop_map(|(path, op, value)| format!("{path} {op} {value}")),
        text.prop_map(|path| format!("{path} pr")),
        prop_oneof![Just("active eq true"), Just("active ne \"False\""), Just("active EQ null")]
            .prop_map(str::to_owned),
        (proptest::sample::select(vec!["eq", "ne", "gt", "ge", "lt", "le"]), 0i64..4_000_000_000).prop_map(
            |(op, at)| format!(
                "meta.created {op} \"{}\"",
                chrono::DateTime::from_timestamp(at, 5).unwrap().to_rfc3339()
            )
        ),
        element.clone().prop_map(|filter| format!("emails[{filter}]")),
        (element, text_operator(), literal())
            .prop_map(|(filter, op, value)| format!("emails[{filter}].value {op} {value}")),
    ]
    .boxed()
}

fn element_term() -> BoxedStrategy<String> {
    let name = proptest::sample::select(vec!["type", "VALUE", "display", "colour"]);
    prop_oneof![
        (name.clone(), text_operator(), literal())
            .prop_map(|(name, op, value)| format!("{name} {op} {value}")),
        name.prop_map(|name| format!("{name} pr")),
        Just("primary eq \"True\"".to_owned()),
    ]
    .boxed()
}

fn text_operator() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["eq", "NE", "co", "Sw", "ew", "gt", "ge", "lt", "le"])
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,2}".prop_map(|text| Value::from(text).to_string()),
        "[^\0]{0,6}".prop_map(|text| Value::from(text).to_string()),
        "[a-cA-C0-9]{1,3}",
    ]
}

fn user() -> impl Strategy<Value = Map<String, Value>> {
    let text = || proptest::option::of("[a-cA-C]{1,2}");
    let email = (text(), proptest::option::of(any::<bool>()), text())
        .prop_map(|(kind, primary, value)| json!({"type": kind, "primary": primary, "value": value}));
    (text(), text(), proptest::option::of(any::<bool>()), proptest::collection::vec(email, 0..3), 0i64..4_000_000_000).prop_map(
        |(name, title, active, emails, at)| {
            let created = chrono::DateTime::from_timestamp(at, 0).unwrap().to_rfc3339();
            let user = json!({
                "userName": name, "title": title, "active": active, "emails": emails, "meta": {"created": created}
            });
            user.as_object().unwrap().clone()
        },
    )
}

proptest! {
    #[test]
    fn parsing_what_was_printed_gives_the_same_filter(text in written()) {
        // Names grow when they are printed, so some of what is generated is too long.
        if let Ok(filter) = Filter::parse(users(), &text) {
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(users(), &printed), Ok(filter), "{}", printed);
        } else {
            prop_assert!(text.len() > 500, "{} is refused", text);
        }
    }

    #[test]
    fn a_printed_filter_means_what_the_written_one_means(text in written(), user in user()) {
        if let Ok(filter) = Filter::parse(users(), &text) {
            let again = Filter::parse(users(), &filter.to_string()).unwrap();
            prop_assert_eq!(matches(&filter, &user), matches(&again, &user));
            let negated = Filter::parse(users(), &format!("not ({filter})")).unwrap();
            prop_assert_eq!(matches(&negated, &user), !matches(&filter, &user));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _refused_or_not = Filter::parse(users(), &text);
    }

    #[test]
    fn no_heap_of_tokens_makes_the_parser_panic(tokens in proptest::collection::vec(token(), 0..40)) {
        if let Ok(filter) = Filter::parse(users(), &tokens.concat()) {
            prop_assert_eq!(Filter::parse(users(), &filter.to_string()), Ok(filter));
        }
    }
}

fn token() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        " ",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "\\",
        ".",
        ":",
        "not",
        "and",
        "or",
        "pr",
        "eq",
        "ne",
        "null",
        "true",
        "1e5",
        "é",
        "emails",
        "type",
        "value",
        "userName",
        "active",
        "meta.created",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "2026-09-01",
        " eq ",
        " and ",
        " pr ",
        "not (",
        "\"x\"",
    ])
}
