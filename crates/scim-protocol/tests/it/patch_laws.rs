//! What holds for every PATCH, whatever it says.

use crate::generate::{any_json, attributes, operation, patch_body};
use proptest::prelude::*;
use scim_protocol::patch::{
    self, MAX_FILTERED_LENGTH, MAX_FOLDED_BYTES, MAX_LISTED_VALUES, MAX_OPERATIONS, MAX_PATH_LENGTH, Op,
    Operation, PatchPath, sets_active,
};
use scim_protocol::resource;
use scim_protocol::schema::{groups, users};
use serde_json::{Value, json};

proptest! {
    #[test]
    fn operations_survive_the_bus(operations in prop::collection::vec(operation(), 0..6)) {
        for operation in operations {
            let text = operation.path.to_string();
            let value = operation.value_json();
            let again = Operation::from_parts(users(), operation.op, &text, value.as_deref());
            prop_assert_eq!(again, Ok(operation));
        }
    }

    #[test]
    fn applying_a_replace_twice_is_applying_it_once(before in attributes(), operation in operation()) {
        let operations = [Operation { op: if operation.op == Op::Add { Op::Replace } else { operation.op }, ..operation }];
        // A replace may take away what its own filter selects; it then selects nothing the second time.
        if let Ok(once) = patch::apply(users(), &before, &operations)
            && let Ok(twice) = patch::apply(users(), &once.attributes, &operations)
        {
            prop_assert_eq!(twice.attributes, once.attributes);
            prop_assert_eq!(twice.changed, Vec::<String>::new());
        }
    }

    #[test]
    fn adding_a_new_value_and_removing_it_restores(before in attributes(), address in "[a-z]{3}@new\\.example") {
        let value = json!([{"value": address, "type": "other"}]);
        let run = |op: &str, attributes| {
            let body = json!({"Operations": [{"op": op, "path": "emails", "value": value.clone()}]});
            let operations = patch::parse(users(), body.to_string().as_bytes()).unwrap();
            patch::apply(users(), attributes, &operations).unwrap()
        };
        let added = run("Add", &before);
        prop_assert_eq!(&added.changed, &["emails"]);
        prop_assert_eq!(run("Remove", &added.attributes).attributes, before);
    }

    #[test]
    fn what_changed_is_what_differs(before in attributes(), operations in prop::collection::vec(operation(), 0..6)) {
        if let Ok(patched) = patch::apply(users(), &before, &operations) {
            prop_assert_eq!(patched.changed.is_empty(), patched.attributes == before);
            prop_assert_eq!(patched.changed, resource::changed(&before, &patched.attributes));
        }
    }

    #[test]
    fn what_a_patch_leaves_is_canonical(before in attributes(), operations in prop::collection::vec(operation(), 0..6)) {
        if let Ok(patched) = patch::apply(users(), &before, &operations) {
            let again = resource::parse(users(), &serde_json::to_vec(&patched.attributes).unwrap());
            prop_assert_eq!(again, Ok(patched.attributes));
        }
    }

    #[test]
    fn at_most_one_value_is_primary(before in attributes(), operations in prop::collection::vec(operation(), 0..6)) {
        if let Ok(patched) = patch::apply(users(), &before, &operations) {
            for value in patched.attributes.values().filter_map(Value::as_array) {
                prop_assert!(value.iter().filter(|item| item["primary"] == true).count() <= 1);
            }
        }
    }

    #[test]
    fn no_patch_panics(before in attributes(), body in patch_body()) {
        if let Ok(operations) = patch::parse(users(), body.to_string().as_bytes()) {
            let mut stepwise = Ok(before.clone());
            for operation in &operations {
                stepwise = stepwise.and_then(|attributes| {
                    patch::apply(users(), &attributes, std::slice::from_ref(operation)).map(|patched| patched.attributes)
                });
            }
            // Step by step is stricter: what is left of an element is dropped after every step, not at the end.
            let patched = patch::apply(users(), &before, &operations);
            prop_assert!(patched.is_ok() || stepwise.is_err());
        }
    }

    #[test]
    fn no_value_off_the_bus_panics(before in attributes(), operation in operation(), value in any_json()) {
        let odd = [Operation { value: Some(value), ..operation }];
        if let Ok(patched) = patch::apply(users(), &before, &odd) {
            prop_assert!(patched.attributes.contains_key("userName"));
        }
    }
}

fn parse(body: &Value) -> Result<Vec<Operation>, String> {
    patch::parse(users(), body.to_string().as_bytes()).map_err(|error| error.detail)
}

#[test]
fn the_limits_of_a_patch_hold() {
    let operation = json!({"op": "add", "path": "title", "value": "x"});
    let body = |count| json!({"Operations": vec![operation.clone(); count]});
    assert_eq!(parse(&body(MAX_OPERATIONS)).unwrap().len(), MAX_OPERATIONS);
    assert!(parse(&body(MAX_OPERATIONS + 1)).unwrap_err().contains("at most 1000 operations"));

    let three = json!({"op": "add", "value": {"title": "x", "name": {"familyName": "y", "givenName": "z"}}});
    let body = json!({"Operations": vec![three; MAX_OPERATIONS / 2]});
    assert!(parse(&body).unwrap_err().contains("at most 1000 operations"));

    let list = json!({"op": "add", "path": "roles", "value": vec!["x"; resource::MAX_VALUES]});
    let body = |count| json!({"Operations": vec![list.clone(); count]});
    let allowed = MAX_LISTED_VALUES / resource::MAX_VALUES;
    assert_eq!(parse(&body(allowed)).unwrap().len(), allowed);
    assert_eq!(parse(&body(allowed + 1)).unwrap_err(), "a PATCH lists at most 1000 values");

    let filter = format!("emails[type eq \"{}\"].value", "x".repeat(900));
    let body = |count| json!({"Operations": vec![json!({"op": "add", "path": filter, "value": "x"}); count]});
    let allowed = MAX_FILTERED_LENGTH / filter.len();
    assert_eq!(parse(&body(allowed)).unwrap().len(), allowed);
    assert!(parse(&body(allowed + 1)).unwrap_err().contains("at most 65536 bytes together"));

    let long = format!("emails[type eq \"{}\"].value", "x".repeat(MAX_PATH_LENGTH));
    let body = json!({"Operations": [{"op": "add", "path": long.clone(), "value": "x"}]});
    assert!(parse(&body).unwrap_err().contains("at most 1024 bytes"));
    let body = json!({"Operations": [{"op": "add", "value": {long: "x"}}]});
    assert!(parse(&body).unwrap_err().contains("at most 1024 bytes"));

    let list = vec!["x"; resource::MAX_VALUES + 1];
    let body = json!({"Operations": [{"op": "remove", "path": "roles", "value": list}]});
    assert_eq!(parse(&body).unwrap_err(), "operation 1: 'roles' has more than 1000 values");
}

#[test]
fn appending_stops_at_the_limit_of_values() {
    let mut user = resource::parse(users(), br#"{"userName":"a"}"#).unwrap();
    let list: Vec<Value> = (0..resource::MAX_VALUES).map(|n| json!({"value": n.to_string()})).collect();
    user.insert("roles".to_owned(), list.into());
    // Refused when it happens, although the list would be short again at the end.
    let operations = json!({"Operations": [
        {"op": "add", "path": "roles", "value": "new"},
        {"op": "remove", "path": "roles"},
    ]});
    let operations = parse(&operations).unwrap();
    let refusal = patch::apply(users(), &user, &operations).unwrap_err();
    assert_eq!(refusal.detail, "'roles' has more than 1000 values");
}

/// Asserts how many times the operation can be applied in one PATCH before the text to fold is too much.
fn folds_enough_after(times: usize, user: &Value, operation: &Value) {
    let attributes = resource::parse(users(), user.to_string().as_bytes()).unwrap();
    let run = |count: usize| {
        let operations = parse(&json!({"Operations": vec![operation.clone(); count]})).unwrap();
        patch::apply(users(), &attributes, &operations).map_err(|error| error.detail)
    };
    assert!(run(times).is_ok(), "{operation}");
    let refused = "the request compares more than 4194304 bytes of text without regard to case";
    assert_eq!(run(times + 1), Err(refused.to_owned()), "{operation}");
}

#[test]
fn operations_fold_only_so_much_text() {
    const LONG: usize = 65_536;
    let addresses = vec![json!({"formatted": "ü".repeat(LONG / 2)}); 7];
    let user = json!({"userName": "a", "addresses": addresses});
    let one = json!({"op": "replace", "path": "addresses[formatted eq \"x\"].region", "value": "x"});
    folds_enough_after(MAX_FOLDED_BYTES / (7 * LONG), &user, &one);
    // Every term of the filter folds on its own.
    let three = "addresses[formatted eq \"x\" or formatted co \"y\" or not (formatted ew \"z\")].region";
    let three = json!({"op": "replace", "path": three, "value": "x"});
    folds_enough_after(MAX_FOLDED_BYTES / (3 * 7 * LONG), &user, &three);

    let roles: Vec<Value> = (0..1_000).map(|n| json!({"value": format!("{n:04}")})).collect();
    let user = json!({"userName": "a", "roles": roles});
    let literal = json!({"op": "remove", "path": format!("roles[value eq \"{}\"]", "ü".repeat(450))});
    folds_enough_after(MAX_FOLDED_BYTES / (900 * 1_000), &user, &literal);

    let roles: Vec<Value> =
        (0..1_000).map(|n| json!({"value": format!("{}{n:04}", "ü".repeat(198))})).collect();
    let user = json!({"userName": "a", "roles": roles});
    for op in ["add", "remove"] {
        let listed = json!({"op": op, "path": "roles", "value": [{"value": "0999", "display": op}]});
        folds_enough_after(
            MAX_FOLDED_BYTES / (400 * 999),
            &json!({"userName": "a", "roles": roles[1..]}),
            &listed,
        );
    }
    // However much one operation lists, what is there is folded once.
    let all = json!({"Operations": [{"op": "remove", "path": "roles", "value": roles}]});
    let attributes = resource::parse(users(), user.to_string().as_bytes()).unwrap();
    let patched = patch::apply(users(), &attributes, &parse(&all).unwrap()).unwrap();
    assert_eq!(patched.attributes.get("roles"), None);
}

#[test]
fn ascii_is_compared_for_nothing() {
    let address = json!({"formatted": "x".repeat(65_536)});
    let body = json!({"userName": "a", "addresses": vec![address; 7]});
    let before = resource::parse(users(), body.to_string().as_bytes()).unwrap();
    let operation = json!({"op": "replace", "path": "addresses[formatted eq \"y\"].region", "value": "x"});
    let operations = parse(&json!({"Operations": vec![operation; 100]})).unwrap();
    assert!(patch::apply(users(), &before, &operations).is_ok());
}

#[test]
fn listed_values_are_found_without_regard_to_case() {
    let run = |before: &Value, op: &str, listed: &Value| {
        let before = json!({"userName": "a", "emails": before});
        let before = resource::parse(users(), before.to_string().as_bytes()).unwrap();
        let body = json!({"Operations": [{"op": op, "path": "emails", "value": listed}]});
        let patched = patch::apply(users(), &before, &parse(&body).unwrap()).unwrap();
        patched.attributes.get("emails").cloned()
    };
    for (there, listed) in [
        ("ADELE@x", "adele@X"),
        ("JOS\u{c9}@x", "jose\u{301}@X"),
        ("\u{212a}elvin@x", "KELVIN@x"),
        ("kelvin@x", "\u{212a}ELVIN@x"),
    ] {
        let before = json!([{"value": "other@x"}, {"value": there}]);
        assert_eq!(run(&before, "remove", &json!([{"value": listed}])), Some(json!([{"value": "other@x"}])));
        let twice = json!([{"value": listed, "display": "D"}, {"value": there, "display": "E"}]);
        assert_eq!(
            run(&before, "add", &twice),
            Some(json!([{"value": "other@x"}, {"value": there, "display": "E"}])),
            "{there} {listed}"
        );
        // The second is found although the first was added by the same operation.
        let new = json!([{"value": listed}, {"value": there}]);
        assert_eq!(run(&json!([]), "add", &new), Some(json!([{"value": there}])));
    }
    let before = json!([{"value": "JOSE@x"}]);
    let listed = json!([{"value": "jos\u{e9}@x"}]);
    assert_eq!(run(&before, "remove", &listed), Some(before));
}

#[test]
fn the_last_word_on_active_names_the_verb() {
    let of = |operations: Value| sets_active(&parse(&json!({"Operations": operations})).unwrap());
    assert_eq!(of(json!([{"op": "Replace", "path": "active", "value": "False"}])), Some(false));
    assert_eq!(of(json!([{"op": "replace", "value": {"title": "x", "active": true}}])), Some(true));
    assert_eq!(of(json!([{"op": "replace", "path": "title", "value": "x"}])), None);
    assert_eq!(of(json!([{"op": "remove", "path": "active"}])), Some(false));
    let both = json!([{"op": "add", "path": "active", "value": false}, {"op": "add", "path": "active", "value": true}]);
    assert_eq!(of(both), Some(true));
}

#[test]
fn group_members_follow_the_same_rules() {
    let before =
        json!({"displayName": "Payroll", "members": [{"value": "a"}, {"value": "b"}, {"value": "c"}]});
    let members = |operation: Value| {
        let body = json!({"Operations": [operation]}).to_string();
        let operations = patch::parse(groups(), body.as_bytes()).unwrap();
        let patched = patch::apply(groups(), before.as_object().unwrap(), &operations).unwrap();
        patched.attributes.get("members").cloned()
    };
    let without = |gone: &str| {
        let left = ["a", "b", "c"].into_iter().filter(|member| *member != gone);
        Some(left.map(|member| json!({"value": member})).collect::<Value>())
    };
    // Rule 4, bug 1: the most often reported way to lose a group.
    assert_eq!(members(json!({"op": "Remove", "path": "members", "value": [{"value": "b"}]})), without("b"));
    assert_eq!(members(json!({"op": "Remove", "path": "members", "value": ["b"]})), without("b"));
    assert_eq!(members(json!({"op": "Remove", "path": "members", "value": [{"value": "x"}]})), without(""));
    assert_eq!(members(json!({"op": "remove", "path": "members[value eq \"b\"]"})), without("b"));
    assert_eq!(members(json!({"op": "remove", "path": "members"})), None);
    assert_eq!(members(json!({"op": "replace", "path": "members", "value": []})), None);
    assert_eq!(members(json!({"op": "Add", "path": "members", "value": [{"value": "c"}]})), without(""));
}

#[test]
fn neither_a_refusal_nor_a_debug_print_shows_a_value() {
    let secret = "adele.vance@contoso.com";
    let path = format!("emails[value eq \"{secret}\" or type pr].display");
    let body = json!({"Operations": [{"op": "replace", "path": path, "value": secret}]});
    let operations = parse(&body).unwrap();
    let user = resource::parse(users(), br#"{"userName":"a"}"#).unwrap();
    let refusal = patch::apply(users(), &user, &operations).unwrap_err();
    assert_eq!(refusal.detail, "no value of 'emails' matches the filter of the path");
    assert_eq!(format!("{operations:?}"), "[Replace emails.display (filtered)]");
    let renamed =
        parse(&json!({"Operations": [{"op": "replace", "path": "userName", "value": secret}]})).unwrap();
    let patched = patch::apply(users(), &user, &renamed).unwrap();
    assert_eq!(format!("{patched:?}"), "Patched { changed: [\"userName\"], .. }");
    let path = format!("groups[value eq \"{secret}\"]");
    let body = json!({"Operations": [{"op": "remove", "path": path}]});
    assert_eq!(parse(&body).unwrap_err(), "operation 1: 'groups' is written by the server alone");
    let error =
        Operation::from_parts(users(), Op::Remove, &path.replace("groups", "guests"), None).unwrap_err();
    assert_eq!(error.detail, "no attribute is called 'guests'");
}

#[test]
fn a_path_that_came_off_the_bus_is_checked() {
    let error = Operation::from_parts(users(), Op::Add, "favouriteColour", Some("1")).unwrap_err();
    assert_eq!(error.detail, "no attribute is called 'favouriteColour'");
    let error = Operation::from_parts(users(), Op::Replace, "title", None).unwrap_err();
    assert_eq!(error.detail, "'title' needs a value");
    assert_eq!(PatchPath::parse(users(), "favouriteColour"), Ok(None));
}
