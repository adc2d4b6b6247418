//! What holds for every group and every PATCH of one.

use crate::generate::{any_json, group_operation, group_patch_body};
use proptest::prelude::*;
use scim_protocol::error::{ScimError, ScimType};
use scim_protocol::group::{self, GroupPatch, MAX_MEMBERS_PER_REQUEST, MembersChange, NewGroup};
use scim_protocol::patch::{self, MAX_OPERATIONS};
use scim_protocol::resource::MAX_VALUES;
use scim_protocol::schema::groups;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn parse(body: &Value) -> Result<NewGroup, ScimError> {
    group::parse(body.to_string().as_bytes())
}

fn parse_patch(operations: &Value) -> Result<GroupPatch, ScimError> {
    group::parse_patch(json!({ "Operations": operations }).to_string().as_bytes())
}

/// What a directory does with a change.
fn applied(before: &BTreeSet<String>, change: &MembersChange) -> BTreeSet<String> {
    let mut after = if change.clear { BTreeSet::new() } else { before.clone() };
    after.retain(|id| !change.removed.contains(id));
    after.extend(change.added.iter().cloned());
    after
}

proptest! {
    #[test]
    fn the_net_change_is_what_the_operations_do_one_by_one(
        before in prop::collection::btree_set("[a-f]", 0..6),
        operations in prop::collection::vec(group_operation(), 0..12),
    ) {
        let mut one_by_one = before.clone();
        for operation in &operations {
            one_by_one = applied(&one_by_one, &parse_patch(&json!([operation])).unwrap().members);
        }
        let together = parse_patch(&json!(operations)).unwrap().members;
        prop_assert_eq!(applied(&before, &together), one_by_one);
        // Each id once, and the lists disjoint.
        let named: BTreeSet<_> = together.added.iter().chain(&together.removed).collect();
        prop_assert_eq!(named.len(), together.added.len() + together.removed.len());
        prop_assert!(!together.clear || together.removed.is_empty());
        // The second time there is nothing left to do.
        prop_assert_eq!(applied(&applied(&before, &together), &together), applied(&before, &together));
    }

    #[test]
    fn no_body_of_a_group_panics(
        body in prop_oneof![any_json(), group_patch_body()],
        noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        for bytes in [body.to_string().as_bytes(), &noise] {
            if let Ok(group) = group::parse(bytes) {
                prop_assert!(group.attributes.contains_key("displayName"));
                prop_assert!(!group.attributes.contains_key("members"));
            }
            if let Ok(patch) = group::parse_patch(bytes) {
                let before = json!({"displayName": "Payroll"});
                prop_assert!(patch.operations.iter().all(|operation| operation.path.attribute.name != "members"));
                if let Ok(patched) = patch::apply(groups(), before.as_object().unwrap(), &patch.operations) {
                    prop_assert!(!patched.attributes.contains_key("members"));
                }
            }
        }
    }

    #[test]
    fn reading_a_group_is_settled_after_once(body in any_json()) {
        if let Ok(once) = parse(&body) {
            let mut again = once.attributes.clone();
            again.insert("members".to_owned(), once.members.clone().into());
            prop_assert_eq!(parse(&Value::Object(again)), Ok(once));
        }
    }
}

#[test]
fn a_request_lists_ten_thousand_members_and_no_more() {
    let ids = |count: usize| (0..count).map(|n| json!({"value": format!("usr_{n}")})).collect::<Vec<_>>();
    let refused = "a request lists at most 10000 members; send the others in further requests";
    let body = |count| json!({"displayName": "All", "members": ids(count)});
    assert_eq!(parse(&body(MAX_MEMBERS_PER_REQUEST)).unwrap().members.len(), MAX_MEMBERS_PER_REQUEST);
    let error = parse(&body(MAX_MEMBERS_PER_REQUEST + 1)).unwrap_err();
    assert_eq!((error.scim_type, error.detail.as_str()), (Some(ScimType::InvalidValue), refused));

    let add = |count| json!({"op": "Add", "path": "members", "value": ids(count)});
    let half = MAX_MEMBERS_PER_REQUEST / 2;
    let patch = parse_patch(&json!([add(half), add(half)])).unwrap();
    assert_eq!(patch.members.added.len(), half);
    let error = parse_patch(&json!([add(half), add(half + 1)])).unwrap_err();
    assert_eq!(error.detail, format!("operation 2: {refused}"));
}

#[test]
fn a_patch_may_remove_each_of_ten_thousand_members_in_an_operation_of_its_own() {
    let remove = |n: usize| json!({"op": "remove", "path": format!("members[value eq \"usr_{n}\"]")});
    let removes = |count: usize| (0..count).map(remove).collect::<Vec<_>>();
    let patch = parse_patch(&json!(removes(MAX_MEMBERS_PER_REQUEST))).unwrap();
    assert_eq!(patch.members.removed.len(), MAX_MEMBERS_PER_REQUEST);
    assert_eq!(patch.operations, []);
    assert!(parse_patch(&json!(removes(MAX_MEMBERS_PER_REQUEST + 1))).is_err());
    // Even when they remove nobody.
    let nothing = json!({"op": "remove", "path": "members", "value": []});
    let error = parse_patch(&json!(vec![nothing; MAX_MEMBERS_PER_REQUEST + 1])).unwrap_err();
    assert_eq!(error.detail, "a PATCH of a group has at most 10000 operations on its members");
}

#[test]
fn other_operations_on_a_group_are_as_many_as_on_a_user() {
    let rename = json!({"op": "replace", "path": "displayName", "value": "Payroll"});
    let add = json!({"op": "add", "path": "members", "value": "usr_A"});
    let mut operations = vec![rename.clone(); MAX_OPERATIONS];
    operations.extend(vec![add; MAX_VALUES]);
    assert_eq!(parse_patch(&json!(operations)).unwrap().operations.len(), MAX_OPERATIONS);
    operations.push(rename);
    let refused = "a PATCH of a group has at most 1000 operations on other attributes than its members";
    assert_eq!(parse_patch(&json!(operations)).unwrap_err().detail, refused);
    // Those that are ignored are counted as well, and those that one operation amounts to.
    let unknown = json!({"op": "replace", "path": "favouriteColour", "value": "red"});
    assert_eq!(parse_patch(&json!(vec![unknown; MAX_OPERATIONS + 1])).unwrap_err().detail, refused);
    let both = json!({"op": "replace", "value": {"id": "x", "members": []}});
    assert_eq!(parse_patch(&json!(vec![both; MAX_OPERATIONS + 1])).unwrap_err().detail, refused);
    let two = json!({"op": "replace", "value": {"displayName": "a", "externalId": "b"}});
    assert_eq!(parse_patch(&json!(vec![two; MAX_OPERATIONS])).unwrap_err().detail, refused);
}

#[test]
fn a_group_has_no_list_but_its_members() {
    // Whose values and filters a PATCH of a group would have to limit, as that of a user does.
    let lists: Vec<_> =
        groups().base().attributes.iter().filter(|attribute| attribute.multi_valued).collect();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].name, "members");
}

#[test]
fn neither_a_refusal_nor_a_debug_print_of_a_group_shows_its_name() {
    let secret = "Works council";
    let group = parse(&json!({"displayName": secret, "members": ["usr_A"]})).unwrap();
    assert_eq!(format!("{group:?}"), "NewGroup { members: 1, .. }");
    let patch = parse_patch(&json!([{"op": "replace", "path": "displayName", "value": secret}])).unwrap();
    assert!(!format!("{patch:?}").contains(secret));
    let refusals = [
        json!([{"op": "remove", "path": format!("members[display eq \"{secret}\"]")}]),
        json!([{"op": "add", "path": "members", "value": [{"display": secret}]}]),
        json!([{"op": "add", "path": "members.display", "value": secret}]),
    ];
    for operations in &refusals {
        assert!(!parse_patch(operations).unwrap_err().detail.contains(secret), "{operations}");
    }
}
