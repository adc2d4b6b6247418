//! A resource's attributes as rows that people read, out of the JSON in which SCIM carries them.

use serde_json::{Map, Value};

/// Attributes of one person that a page shows; a company may have declared many more.
pub(crate) const MAX_ROWS: usize = 200;
/// Characters of one value that a page shows.
pub(crate) const MAX_VALUE: usize = 400;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// As Entra's attribute mappings name it: `name.givenName`, `emails[type eq "work"].value`.
    pub(crate) path: String,
    pub(crate) value: String,
}

/// A resource's attributes, read once; none out of what is not an object.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Map<String, Value>);

impl Attributes {
    pub(crate) fn read(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// Every single value.
    pub(crate) fn rows(&self) -> Vec<Attribute> {
        let mut rows = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, _)| *name != "schemas") {
            // Between a schema's URN and an attribute of it stands a colon (RFC 7644 §3.10).
            let between = if name.starts_with("urn:") { ':' } else { '.' };
            collect(name, between, value, &mut rows);
        }
        rows
    }

    /// An attribute of the resource's own, when it is text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// What somebody is called: the displayName, else the userName.
    pub(crate) fn shown_name(&self) -> &str {
        Some(self.text("displayName"))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.text("userName"))
    }

    /// What a user was assigned in Entra, by value.
    pub(crate) fn roles(&self) -> Vec<String> {
        match self.0.get("roles") {
            Some(Value::Array(roles)) => roles.iter().filter_map(role_value).collect(),
            Some(role) => role_value(role).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether a user may sign in. SCIM leaves `active` out of those who may (RFC 7643 §4.1.1 has no default; Entra means
    /// `true`).
    pub(crate) fn is_active(&self) -> bool {
        self.0.get("active").and_then(Value::as_bool).unwrap_or(true)
    }
}

/// The values of `roles`, in whichever of the shapes Entra sends them: an object with a value, text, or an object written as
/// text (its expression `AppRoleAssignmentsComplex`).
fn role_value(role: &Value) -> Option<String> {
    match role {
        Value::Object(parts) => role_value(parts.get("value")?),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(parts)) => parts.get("value")?.as_str().map(str::to_owned),
            _ => Some(text.clone()),
        },
        _ => None,
    }
}

/// A JSON value of the log as people write it: text without quotes, everything cut to what a cell holds.
pub(crate) fn shown_value(json: &str) -> String {
    let value = serde_json::from_str::<Value>(json).unwrap_or_default();
    // A manager is kept as Entra sends it.
    let only = value.as_object().filter(|parts| parts.len() == 1).and_then(|parts| parts.get("value"));
    match only.unwrap_or(&value) {
        Value::String(text) => cut(text),
        _ => cut(json),
    }
}

fn collect(path: &str, between: char, value: &Value, rows: &mut Vec<Attribute>) {
    if rows.len() >= MAX_ROWS {
        return;
    }
    match value {
        Value::Object(parts) => {
            for (name, part) in parts {
                collect(&format!("{path}{between}{name}"), '.', part, rows);
            }
        }
        Value::Array(values) => {
            for value in values {
                let kind = value.get("type").and_then(Value::as_str);
                let inner = value.get("value").unwrap_or(value);
                match kind {
                    Some(kind) => collect(&format!("{path}[{kind}]"), '.', inner, rows),
                    None => collect(path, '.', inner, rows),
                }
            }
        }
        Value::Null => {}
        Value::String(text) => rows.push(Attribute { path: short(path), value: cut(text) }),
        other => rows.push(Attribute { path: short(path), value: cut(&other.to_string()) }),
    }
}

/// The enterprise extension is so usual that its long name hides what matters.
pub(crate) fn short(path: &str) -> String {
    path.strip_prefix(ENTERPRISE).map_or(path, |rest| rest.trim_start_matches(':')).to_owned()
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_VALUE).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_row_under_its_path() {
        let json = format!(
            r#"{{"schemas":["x"],"userName":"a@b.c","name":{{"givenName":"A"}},"active":true,
                "emails":[{{"type":"work","value":"a@b.c","primary":true}}],
                "{ENTERPRISE}":{{"department":"Sales","manager":{{"value":"7"}}}},"roles":["x","y"],"title":null}}"#
        );
        let rows = Attributes::read(&json).rows();
        let rows: Vec<_> = rows.into_iter().map(|row| format!("{}={}", row.path, row.value)).collect();
        let expected = [
            "userName=a@b.c",
            "name.givenName=A",
            "active=true",
            "emails[work]=a@b.c",
            "department=Sales",
            "manager.value=7",
            "roles=x",
            "roles=y",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_is_no_object_has_no_rows_and_no_name() {
        for json in ["", "[]", "3", "{", "null"] {
            let attributes = Attributes::read(json);
            assert_eq!((attributes.rows(), attributes.shown_name()), (vec![], ""));
        }
    }

    #[test]
    fn a_value_of_the_log_is_shown_as_people_write_it() {
        for (json, expected) in [
            ("\"Clerk\"", "Clerk"),
            ("true", "true"),
            (r#"{"value":"7"}"#, "7"),
            (r#"{"a":"7"}"#, r#"{"a":"7"}"#),
        ] {
            assert_eq!(shown_value(json), expected);
        }
    }

    #[test]
    fn long_values_and_long_lists_are_cut() {
        assert_eq!(shown_value(&format!("\"{}\"", "é".repeat(MAX_VALUE + 1))).chars().count(), MAX_VALUE + 1);
        let many: Vec<String> = (0..2 * MAX_ROWS).map(|number| format!("\"a{number}\":1")).collect();
        let many = Attributes::read(&format!("{{{}}}", many.join(",")));
        assert_eq!(many.rows().len(), MAX_ROWS);
    }
}
