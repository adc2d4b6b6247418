//! Reading JSON more strictly than `serde_json` does: what two readers could understand differently, and what
//! Postgres cannot store, is refused before anything else looks at it.

use crate::error::ScimError;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};
use std::fmt;

/// Reads a request body that has to be an object.
///
/// # Errors
///
/// 400 `invalidSyntax` for an empty body, bad UTF-8, malformed JSON, nesting beyond 127 levels, a member that appears
/// twice, a NUL character, or anything but an object.
pub(crate) fn read_object(body: &[u8]) -> Result<Map<String, Value>, ScimError> {
    // .NET writers may put a byte order mark in front.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|error| {
        ScimError::invalid_syntax(format!("the body is not UTF-8 (byte {})", error.valid_up_to()))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(ScimError::invalid_syntax("the body is empty, a JSON object is expected"));
    }
    match read_value(text)? {
        Value::Object(object) => Ok(object),
        other => Err(ScimError::invalid_syntax(format!(
            "the body is {}, a JSON object is expected",
            kind_of(&other)
        ))),
    }
}

/// Reads any JSON text; the same rules.
pub(crate) fn read_value(text: &str) -> Result<Value, ScimError> {
    match serde_json::from_str(text) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => Err(ScimError::invalid_syntax(format!("the JSON cannot be read: {error}"))),
    }
}

/// Refuses a message whose `schemas` name others only. Missing ones are forgiven, as everywhere.
pub(crate) fn expect_message(schemas: &Value, urn: &str, what: &str) -> Result<(), ScimError> {
    let named = match schemas {
        Value::Null => return Ok(()),
        Value::Array(named) if named.is_empty() => return Ok(()),
        Value::Array(named) => named.as_slice(),
        single => std::slice::from_ref(single),
    };
    let is_named = named.iter().filter_map(Value::as_str).any(|name| name.eq_ignore_ascii_case(urn));
    if is_named {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!("this is no message of {what}: 'schemas' does not name {urn}")))
    }
}

/// What a value is, for people.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

const NUL: &str = "NUL characters (\\u0000) cannot be stored";

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        if value.contains('\0') { Err(E::custom(NUL)) } else { Ok(Value::String(value)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom(NUL));
            }
            let Strict(value) = access.next_value()?;
            match object.entry(key) {
                Entry::Vacant(entry) => entry.insert(value),
                Entry::Occupied(_) => return Err(A::Error::custom("a member appears twice in one object")),
            };
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &[u8]) -> String {
        let error = read_object(body).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(crate::error::ScimType::InvalidSyntax)));
        error.detail
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_reason() {
        assert!(refusal(b"").contains("empty"));
        assert!(refusal(b" \r\n").contains("empty"));
        assert!(refusal(b"{\"a\":\"\xff\"}").contains("not UTF-8 (byte 6)"));
        assert!(refusal(b"{\"a\":").contains("EOF"));
        assert!(refusal(b"{} {}").contains("trailing"));
        assert!(refusal(b"[1]").contains("a list"));
        assert!(refusal(br#"{"a":1,"a":2}"#).contains("twice"));
        assert!(refusal(br#"{"a":{"b":["x\u0000"]}}"#).contains("NUL"));
        assert!(refusal(br#"{"a\u0000":1}"#).contains("NUL"));
        assert!(refusal(br#"{"a":"\ud800"}"#).contains("hex escape"));
        let bomb = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(refusal(&bomb).contains("recursion limit"));
    }

    #[test]
    fn every_kind_of_value_survives() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"\"ü\\u0000"],"b":{}}"#;
        let value = Value::Object(read_object(text.as_bytes()).unwrap());
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert!(read_object(b"\xEF\xBB\xBF{}").unwrap().is_empty());
    }
}
