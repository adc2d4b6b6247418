//! The groups of the benchmark: some of very different size that are put there beforehand, and those that it forms.

use crate::people::Person;

/// Members that the groups have whose cost must not depend on it.
pub(crate) const SIZES: [u64; 3] = [10, 10_000, 100_000];
/// Members that join and leave together.
pub(crate) const JOINING: u64 = 100;

/// The id of the group with so many members.
pub(crate) fn id(size: u64) -> String {
    format!("01890000-0000-7000-9000-{size:012x}")
}

/// SQL that puts the groups there, as the directory would have stored them. Their members are ids that nobody asks for:
/// there may be fewer users than members.
pub(crate) fn insert_statement(company: &str) -> String {
    let of_size = |size| {
        let id = id(size);
        let name = format!("Group of {size}");
        format!(
            "insert into directory.groups (company_id, group_id, display_name_key, display_name, version, created_at, \
               last_modified_at, attributes) \
             values ('{company}', '{id}', lower('{name}'), '{name}', 1, now(), now(), '{{\"displayName\":\"{name}\"}}') \
             on conflict do nothing; \
             insert into directory.memberships (company_id, group_id, member_id, is_group) \
             select '{company}', '{id}', ('01890000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, false \
             from generate_series(1, {size}) as n on conflict do nothing; "
        )
    };
    SIZES.map(of_size).concat()
}

/// What Entra posts of a group; `number` makes its name one that nobody has.
pub(crate) fn post_body(number: u64) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Store {number}","externalId":"store-{number}","meta":{{"resourceType":"Group"}}}}"#
    )
}

/// What Entra sends when people join (`Add`) or leave (`Remove`).
pub(crate) fn patch_body(op: &str, people: impl Iterator<Item = Person>) -> String {
    let members: Vec<String> =
        people.map(|person| format!(r#"{{"$ref":null,"value":"{}"}}"#, person.id())).collect();
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"{op}","path":"members","value":[{}]}}]}}"#,
        members.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json() {
        let parsed: serde_json::Value =
            serde_json::from_str(&patch_body("Add", (0..JOINING).map(Person))).unwrap();
        assert_eq!(parsed["Operations"][0]["value"].as_array().unwrap().len(), 100);
        let parsed: serde_json::Value = serde_json::from_str(&post_body(7)).unwrap();
        assert_eq!(parsed["displayName"], "Store 7");
    }
}
