//! A resource's attributes as rows that people read, out of the JSON in which SCIM carries them.

use serde_json::Value;

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

/// Every single value of a resource; none of what is not an object.
pub(crate) fn rows(attributes_json: &str) -> Vec<Attribute> {
    let mut rows = Vec::new();
    if let Ok(Value::Object(attributes)) = serde_json::from_str(attributes_json) {
        for (name, value) in &attributes {
            if name != "schemas" {
                // Between a schema's URN and an attribute of it stands a colon (RFC 7644 §3.10).
                let between = if name.starts_with("urn:") { ':' } else { '.' };
                collect(name, between, value, &mut rows);
            }
        }
    }
    rows
}

/// A resource's own attribute, when it is text.
pub(crate) fn text(attributes_json: &str, name: &str) -> String {
    let attributes = serde_json::from_str::<Value>(attributes_json).unwrap_or_default();
    attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What somebody is called: the displayName, else the userName.
pub(crate) fn shown_name(attributes_json: &str) -> String {
    let name = text(attributes_json, "displayName");
    if name.is_empty() { text(attributes_json, "userName") } else { name }
}

/// Whether a user may sign in. SCIM leaves `active` out of those who may (RFC 7643 §4.1.1 has no default; Entra means
/// `true`).
pub(crate) fn is_active(attributes_json: &str) -> bool {
    let attributes = serde_json::from_str::<Value>(attributes_json).unwrap_or_default();
    attributes.get("active").and_then(Value::as_bool).unwrap_or(true)
}

/// A JSON value of the log as people write it: text without quotes, everything cut to what a cell holds.
pub(crate) fn shown_value(json: &str) -> String {
    match serde_json::from_str::<Value>(json) {
        Ok(Value::String(text)) => cut(&text),
        // A manager, as Entra sends and the directory keeps it.
        Ok(Value::Object(parts)) if parts.len() == 1 && parts.contains_key("value") => {
            parts.get("value").map_or_else(String::new, |value| shown_value(&value.to_string()))
        }
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
        let rows: Vec<_> = rows(&json).into_iter().map(|row| format!("{}={}", row.path, row.value)).collect();
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
            assert_eq!(rows(json), []);
            assert_eq!(shown_name(json), "");
        }
    }

    #[test]
    fn long_values_and_long_lists_are_cut() {
        assert_eq!(shown_value(&format!("\"{}\"", "é".repeat(MAX_VALUE + 1))).chars().count(), MAX_VALUE + 1);
        let many: Vec<String> = (0..2 * MAX_ROWS).map(|number| format!("\"a{number}\":1")).collect();
        assert_eq!(rows(&format!("{{{}}}", many.join(","))).len(), MAX_ROWS);
    }
}
