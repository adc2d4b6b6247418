//! What Entra and its validators are known to send about groups: the cases of `testdata/entra/group_*.json`.

use scim_protocol::error::ScimError;
use scim_protocol::group::{self, MembersChange};
use scim_protocol::schema::groups;
use scim_protocol::{Attributes, patch};
use serde::Deserialize;
use serde_json::{Value, json};

/// A case: a body and what it has to mean. A PATCH meets a group that is called Payroll and has the members A, B and C.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    body: Value,
    /// The attributes afterwards; those of Payroll unless a case says otherwise.
    attributes: Option<Attributes>,
    /// A new group's members.
    members: Option<Vec<String>>,
    /// What a PATCH does to the members; nothing unless a case says otherwise.
    change: Option<Change>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Change {
    clear: bool,
    added: Vec<String>,
    removed: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Refusal {
    status: u16,
    scim_type: String,
    /// A part of the sentence.
    detail: String,
}

fn payroll() -> Attributes {
    serde_json::from_value(json!({"displayName": "Payroll", "externalId": "b7c0e6a4"})).unwrap()
}

/// What a case means, and what it has to.
type Meaning = (Attributes, Vec<String>, MembersChange);

fn created(case: &Case) -> Result<Meaning, ScimError> {
    let group = group::parse(case.body.to_string().as_bytes())?;
    Ok((group.attributes, group.members, MembersChange::default()))
}

fn patched(case: &Case) -> Result<Meaning, ScimError> {
    let patch = group::parse_patch(case.body.to_string().as_bytes())?;
    let attributes = patch::apply(groups(), &payroll(), &patch.operations)?.attributes;
    Ok((attributes, Vec::new(), patch.members))
}

fn complaint(case: &Case, outcome: Result<Meaning, ScimError>) -> Option<String> {
    let change = case.change.as_ref().map(|change| MembersChange {
        clear: change.clear,
        added: change.added.clone(),
        removed: change.removed.clone(),
    });
    let expected = (
        case.attributes.clone().unwrap_or_else(payroll),
        case.members.clone().unwrap_or_default(),
        change.unwrap_or_default(),
    );
    match (outcome, &case.error) {
        (Ok(meaning), None) => (meaning != expected).then(|| format!("means {meaning:?}")),
        (Ok(meaning), Some(_)) => Some(format!("was not refused, means {meaning:?}")),
        (Err(error), Some(expected)) => {
            let is_expected = error.status == expected.status
                && error.scim_type.is_some_and(|scim_type| scim_type.as_str() == expected.scim_type)
                && error.detail.contains(&expected.detail);
            (!is_expected).then(|| format!("was refused otherwise: {error:?}"))
        }
        (Err(error), None) => Some(format!("was refused: {error:?}")),
    }
}

fn check(document: &str, at_least: usize, run: fn(&Case) -> Result<Meaning, ScimError>) {
    let cases: Vec<Case> = serde_json::from_str(document).unwrap();
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let complaints: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case.name, complaint(case, run(case))?)))
        .collect();
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), cases.len(), complaints.join("\n"));
}

#[test]
fn every_create_of_a_group_means_what_it_has_to() {
    check(include_str!("../../testdata/entra/group_create.json"), 30, created);
}

#[test]
fn every_update_of_a_group_means_what_it_has_to() {
    check(include_str!("../../testdata/entra/group_update.json"), 70, patched);
}
