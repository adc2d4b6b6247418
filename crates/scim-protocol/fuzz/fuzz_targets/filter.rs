//! A filter that is read can be printed, read again and evaluated, and its negation says the opposite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_protocol::filter::{Filter, MAX_LENGTH, matches};
use scim_protocol::schema::users;
use serde_json::json;

fuzz_target!(|text: &str| {
    let Ok(filter) = Filter::parse(users(), text) else { return };
    let printed = filter.to_string();
    assert!(printed.len() <= MAX_LENGTH);
    assert_eq!(Filter::parse(users(), &printed).as_ref(), Ok(&filter), "{printed}");
    let user = json!({
        "id": "usr_A", "userName": "a", "active": true,
        "emails": [{"type": "work", "value": "a@b.example"}, {"primary": true}],
        "meta": {"created": "2026-09-01T08:00:00.000000Z"},
    });
    let Some(user) = user.as_object() else { return };
    let is_match = matches(&filter, user);
    // Brackets and `not` may take the text beyond its limits; then there is nothing to compare.
    if let Ok(negated) = Filter::parse(users(), &format!("not ({printed})")) {
        assert_ne!(matches(&negated, user), is_match, "{printed}");
    }
});
