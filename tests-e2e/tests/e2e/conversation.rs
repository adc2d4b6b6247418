//! A conversation from a file: requests, and what must be in their answers.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value};
use tests_e2e::{
    World,
    actors::raw::{self, RawAnswer},
};

/// Entra's label of a body.
const CONTENT_TYPE: (&str, &str) = ("Content-Type", "application/scim+json; charset=utf-8");
/// Stands for any value at all in an expected body.
const ANYTHING: &str = "<any>";

/// Requests that follow each other in a new company.
pub(crate) struct Conversation {
    pub(crate) name: String,
    steps: Vec<Step>,
}

/// One request and its answer.
struct Step {
    method: String,
    target: String,
    headers: Map<String, Value>,
    body: Option<Value>,
    status: u16,
    expected_headers: Map<String, Value>,
    expected: Value,
    /// Names for what later steps refer to as `{name}`: where it is in the answer.
    keep: Map<String, Value>,
}

/// The conversations of a file in `testdata`.
pub(crate) fn read(file: &str) -> Vec<Conversation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(file);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read: Vec<Value> = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    read.iter().map(|value| Conversation::of(value, &read)).collect()
}

impl Conversation {
    /// One conversation, which may begin with others of its file.
    fn of(value: &Value, file: &[Value]) -> Self {
        let name = value["name"].as_str().expect("a conversation has a name").to_owned();
        let mut steps = Vec::new();
        for first in value["after"].as_array().into_iter().flatten() {
            let found = file.iter().find(|other| other["name"] == *first);
            let found = found.unwrap_or_else(|| panic!("{name}: nothing is called {first}"));
            steps.extend(Self::of(found, file).steps);
        }
        let own = value["steps"].as_array().unwrap_or_else(|| panic!("{name} has no steps"));
        steps.extend(own.iter().map(|step| Step::of(step, &name)));
        Self { name, steps }
    }

    /// Says it all; `Err` tells the first answer that is not as expected.
    pub(crate) async fn hold(&self, world: &World) -> Result<(), String> {
        let url = world.stack().endpoints().scim_url;
        let address = url.trim_start_matches("http://").trim_end_matches("/scim").to_owned();
        let mut known = BTreeMap::new();
        for (number, step) in self.steps.iter().enumerate() {
            let answer = step.send(&address, &world.company.scim_token, &known).await;
            step.check(&answer, &known).map_err(|what| {
                format!("step {} ({} {}): {what}\n  {answer:?}", number + 1, step.method, step.target)
            })?;
            let body = answer.json();
            for (name, pointer) in &step.keep {
                let found =
                    pointer.as_str().and_then(|pointer| body.pointer(pointer)).and_then(Value::as_str);
                let found = found.ok_or_else(|| format!("step {}: nothing to keep as {name}", number + 1))?;
                known.insert(name.clone(), found.to_owned());
            }
        }
        Ok(())
    }
}

impl Step {
    fn of(value: &Value, conversation: &str) -> Self {
        let known = ["request", "headers", "body", "status", "answer_headers", "answer", "keep"];
        let step = value.as_object().unwrap_or_else(|| panic!("{conversation}: a step is an object"));
        let unknown: Vec<_> = step.keys().filter(|key| !known.contains(&key.as_str())).collect();
        assert!(unknown.is_empty(), "{conversation}: {unknown:?}");
        let (method, target) =
            value["request"].as_str().and_then(|request| request.split_once(' ')).expect("METHOD target");
        let map = |key: &str| value[key].as_object().cloned().unwrap_or_default();
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: map("headers"),
            body: step.get("body").cloned(),
            status: value["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status"),
            expected_headers: map("answer_headers"),
            expected: value["answer"].clone(),
            keep: map("keep"),
        }
    }

    async fn send(&self, address: &str, token: &str, known: &BTreeMap<String, String>) -> RawAnswer {
        // A body that is a string in the file is sent as it stands there.
        let body = self.body.as_ref().map(|body| match body {
            Value::String(text) => filled(text, known),
            other => filled(&other.to_string(), known),
        });
        let body = body.unwrap_or_default();
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("a header")));
        let mut headers: Vec<_> = own.collect();
        if !body.is_empty() && !self.headers.contains_key(CONTENT_TYPE.0) {
            headers.push(CONTENT_TYPE);
        }
        let filled_headers: Vec<_> =
            headers.iter().map(|(name, value)| (*name, filled(value, known))).collect();
        let headers: Vec<_> = filled_headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let target = format!("/scim{}", filled(&self.target, known));
        raw::exchange(address, &raw::request(&self.method, &target, Some(token), &headers, body.as_bytes()))
            .await
    }

    fn check(&self, answer: &RawAnswer, known: &BTreeMap<String, String>) -> Result<(), String> {
        if answer.status != self.status {
            return Err(format!("status {} instead of {}", answer.status, self.status));
        }
        if ![204, 304].contains(&self.status)
            && answer.header("content-type") != Some("application/scim+json")
        {
            return Err("not labelled as SCIM".to_owned());
        }
        for (name, expected) in &self.expected_headers {
            let expected = filled(expected.as_str().unwrap_or_default(), known);
            let found = answer.header(name);
            if found.is_none() || (expected != ANYTHING && found != Some(expected.as_str())) {
                return Err(format!("header {name} is {found:?} instead of {expected:?}"));
            }
        }
        let expected = serde_json::from_str(&filled(&self.expected.to_string(), known)).expect("still JSON");
        if self.expected.is_null() { Ok(()) } else { matches(&expected, &answer.json(), "") }
    }
}

/// Whether everything expected is there: keys of objects, elements of arrays, scalars; `null` demands absence.
fn matches(expected: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::String(any), found) if any == ANYTHING && !found.is_null() => Ok(()),
        (Value::Object(expected), Value::Object(found)) => expected.iter().try_for_each(|(key, value)| {
            matches(value, found.get(key).unwrap_or(&Value::Null), &format!("{at}/{key}"))
        }),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs
                .try_for_each(|(index, (expected, found))| matches(expected, found, &format!("{at}/{index}")))
        }
        _ if expected == found => Ok(()),
        _ => Err(format!("{at} is {found} instead of {expected}")),
    }
}

fn filled(text: &str, known: &BTreeMap<String, String>) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
