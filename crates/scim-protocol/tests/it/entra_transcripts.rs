//! What Entra and its validators are known to send, and what it has to mean: the cases of `testdata/entra`.

use scim_protocol::error::ScimError;
use scim_protocol::patch::{self, Operation};
use scim_protocol::schema::users;
use scim_protocol::{Attributes, resource};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    kind: Kind,
    /// The canonical attributes that a PATCH meets.
    before: Option<Attributes>,
    body: Option<Value>,
    /// The body as text, where it matters or is not JSON.
    text: Option<String>,
    attributes: Option<Attributes>,
    /// The paths that a PATCH reports as changed.
    changed: Option<Vec<String>>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Post,
    Patch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Refusal {
    status: u16,
    scim_type: String,
    /// A part of the sentence.
    detail: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        match (&self.text, &self.body) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(body)) => body.to_string().into_bytes(),
            _ => panic!("{}: one of body and text", self.name),
        }
    }

    fn run(&self) -> Result<(Attributes, Vec<String>), ScimError> {
        let Kind::Patch = self.kind else {
            return resource::parse(users(), &self.bytes()).map(|attributes| (attributes, Vec::new()));
        };
        let operations = patch::parse(users(), &self.bytes())?;
        assert_eq!(over_the_bus(&operations), operations, "{}", self.name);
        let before = self.before.clone().unwrap();
        let patched = patch::apply(users(), &before, &operations)?;
        let again = patch::apply(users(), &before, &over_the_bus(&operations))?;
        assert_eq!(again, patched, "{}", self.name);
        Ok((patched.attributes, patched.changed))
    }

    fn complaint(&self) -> Option<String> {
        match (self.run(), &self.error) {
            (Ok((attributes, changed)), None) => {
                if Some(&attributes) != self.attributes.as_ref() {
                    return Some(format!("became {}", Value::Object(attributes)));
                }
                let expected = self.changed.clone().unwrap_or_default();
                (sorted(changed.clone()) != sorted(expected)).then(|| format!("changed {changed:?}"))
            }
            (Ok((attributes, _)), Some(_)) => {
                Some(format!("was not refused, became {}", Value::Object(attributes)))
            }
            (Err(error), Some(expected)) => {
                let is_expected = error.status == expected.status
                    && error.scim_type.is_some_and(|scim_type| scim_type.as_str() == expected.scim_type)
                    && error.detail.contains(&expected.detail);
                (!is_expected).then(|| format!("was refused otherwise: {error:?}"))
            }
            (Err(error), None) => Some(format!("was refused: {error:?}")),
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn over_the_bus(operations: &[Operation]) -> Vec<Operation> {
    let again = |operation: &Operation| {
        let value = operation.value_json();
        Operation::from_parts(users(), operation.op, &operation.path.to_string(), value.as_deref()).unwrap()
    };
    operations.iter().map(again).collect()
}

fn check(document: &str, at_least: usize) {
    let cases: Vec<Case> = serde_json::from_str(document).unwrap();
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let complaints: Vec<String> = cases
        .iter()
        .filter_map(|case| case.complaint().map(|complaint| format!("{}: {complaint}", case.name)))
        .collect();
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), cases.len(), complaints.join("\n"));
}

#[test]
fn every_create_means_what_it_has_to() {
    check(include_str!("../../testdata/entra/create.json"), 65);
}

#[test]
fn every_update_means_what_it_has_to() {
    check(include_str!("../../testdata/entra/update.json"), 110);
}
