//! A body of a group is read without its members; a PATCH of one amounts to the same as its operations one by one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_protocol::group::{MembersChange, parse, parse_patch};
use scim_protocol::patch::apply;
use scim_protocol::schema::groups;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn change(members: &mut BTreeSet<String>, change: &MembersChange) {
    if change.clear {
        members.clear();
    }
    members.retain(|id| !change.removed.contains(id));
    members.extend(change.added.iter().cloned());
}

fuzz_target!(|body: &[u8]| {
    if let Ok(group) = parse(body) {
        let mut again = group.attributes.clone();
        assert_eq!(again.insert("members".to_owned(), group.members.clone().into()), None);
        let again = serde_json::to_vec(&again).unwrap_or_default();
        assert_eq!(parse(&again), Ok(group));
    }
    let Ok(patch) = parse_patch(body) else { return };
    let before = json!({"displayName": "Payroll"});
    let Some(before) = before.as_object() else { return };
    if let Ok(patched) = apply(groups(), before, &patch.operations) {
        assert_eq!(patched.attributes.get("members"), None);
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return };
    // Of two spellings of the list either could be the one that was read.
    let mut lists = body.iter().filter(|(key, _)| key.eq_ignore_ascii_case("Operations"));
    let (Some((_, Value::Array(operations))), None) = (lists.next(), lists.next()) else { return };
    let present = || BTreeSet::from(["a", "usr_A", "usr_B"].map(ToOwned::to_owned));
    let (mut together, mut one_by_one) = (present(), present());
    change(&mut together, &patch.members);
    for operation in operations {
        let alone = json!({"Operations": [operation]}).to_string();
        match parse_patch(alone.as_bytes()) {
            Ok(alone) => change(&mut one_by_one, &alone.members),
            Err(error) => panic!("{alone}: {error}"),
        }
    }
    assert_eq!(together, one_by_one);
});
