//! Extensions that a company declares for its users (RFC 7643 §3.3): which documents define one, and how one may change.
//!
//! A declaration describes attributes and restricts nobody: whatever could refuse a user that Entra sends (`required`,
//! `uniqueness`) or make a promise that nothing keeps (`mutability`, `returned`) is refused, rather than ignored.

use super::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness, find};
use crate::error::ScimError;

/// The largest document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 32_768;
/// The most attributes of one extension.
pub const MAX_ATTRIBUTES: usize = 50;
/// The most parts of one of its complex attributes.
pub const MAX_SUB_ATTRIBUTES: usize = 20;
/// The longest URN, in bytes.
pub const MAX_URN_BYTES: usize = 200;
/// The longest name of an attribute, in bytes.
pub const MAX_NAME_BYTES: usize = 64;
/// The most extensions of one company.
pub const MAX_EXTENSIONS: usize = 5;

/// Reads a schema document in the form in which `/Schemas` shows them (RFC 7643 §7): `id`, `name`, `description`,
/// `attributes`.
///
/// # Errors
///
/// 400 `invalidSyntax` for what is no such document, 400 `invalidValue` for a URN or name that cannot be used, for a
/// characteristic that is not kept, and beyond a limit.
pub fn declared(document: &[u8]) -> Result<Schema, ScimError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(ScimError::invalid_value(format!("a schema has at most {MAX_DOCUMENT_BYTES} bytes")));
    }
    let mut schema: Schema = serde_json::from_slice(document).map_err(|error| {
        ScimError::invalid_syntax(format!("the document is no schema as /Schemas shows them: {error}"))
    })?;
    check_urn(&schema.id)?;
    schema.aliases.clear();
    if schema.attributes.is_empty() {
        return Err(ScimError::invalid_value("a schema defines one attribute at least"));
    }
    check_names(&schema.attributes, MAX_ATTRIBUTES, "a schema")?;
    for attribute in &mut schema.attributes {
        check(attribute)?;
        if attribute.is_complex() {
            check_names(&attribute.sub_attributes, MAX_SUB_ATTRIBUTES, "a complex attribute")?;
            for part in &mut attribute.sub_attributes {
                if part.is_complex() {
                    // RFC 7643 §2.3.8
                    return Err(refused(part, "is complex inside of a complex attribute"));
                }
                check(part)?;
            }
        }
    }
    Ok(schema)
}

/// Whether every user that fits the old declaration fits the new one: attributes may be added and described anew, not
/// taken away or typed differently.
///
/// # Errors
///
/// 400 `mutability` that names the first attribute in the way.
pub fn may_replace(old: &Schema, new: &Schema) -> Result<(), ScimError> {
    still_there(&old.attributes, &new.attributes)
}

fn still_there(old: &[Attribute], new: &[Attribute]) -> Result<(), ScimError> {
    old.iter().try_for_each(|old| match find(new, &old.name) {
        Some(new)
            if (new.kind, new.multi_valued, new.case_exact, &new.name)
                == (old.kind, old.multi_valued, old.case_exact, &old.name) =>
        {
            still_there(&old.sub_attributes, &new.sub_attributes)
        }
        _ => Err(ScimError::mutability(format!(
            "'{}' is declared already and keeps its spelling and type, because users may have values of it",
            old.name
        ))),
    })
}

fn check_urn(urn: &str) -> Result<(), ScimError> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_');
    let lower = urn.to_ascii_lowercase();
    // RFC 8141 §2: a namespace and something inside it.
    let has_parts = urn.split(':').filter(|part| !part.is_empty()).count() >= 3 && !urn.ends_with(':');
    if urn.len() > MAX_URN_BYTES || !lower.starts_with("urn:") || !urn.bytes().all(is_legal) || !has_parts {
        return Err(ScimError::invalid_value(format!(
            "'id' is a URN such as urn:contoso:scim:2.0:User, of letters, digits and :.-_, at most {MAX_URN_BYTES} long"
        )));
    }
    if lower.starts_with("urn:ietf:") {
        return Err(ScimError::invalid_value("URNs that begin with urn:ietf: belong to the standard"));
    }
    Ok(())
}

fn check_names(attributes: &[Attribute], most: usize, of: &str) -> Result<(), ScimError> {
    if attributes.len() > most {
        return Err(ScimError::invalid_value(format!("{of} has at most {most} attributes")));
    }
    for (place, attribute) in attributes.iter().enumerate() {
        let mut bytes = attribute.name.bytes();
        // RFC 7643 §2.1
        let is_name = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && attribute.name.len() <= MAX_NAME_BYTES;
        if !is_name {
            return Err(ScimError::invalid_value(format!(
                "attribute {} has no usable name: a letter, then letters, digits, - and _, at most {MAX_NAME_BYTES}",
                place + 1
            )));
        }
        if attributes.iter().take(place).any(|other| other.name.eq_ignore_ascii_case(&attribute.name)) {
            return Err(refused(attribute, "is defined twice"));
        }
    }
    Ok(())
}

fn check(attribute: &mut Attribute) -> Result<(), ScimError> {
    if attribute.is_complex() == attribute.sub_attributes.is_empty() {
        return Err(refused(attribute, "has sub-attributes exactly when its type is complex"));
    }
    if attribute.kind == Kind::Complex && attribute.multi_valued && attribute.sub_attribute("value").is_none()
    {
        return Err(refused(attribute, "is a list of objects and needs a sub-attribute 'value'"));
    }
    if attribute.required {
        return Err(refused(
            attribute,
            "is 'required', which would refuse users that Entra sends without it",
        ));
    }
    if attribute.uniqueness != Uniqueness::None {
        return Err(refused(attribute, "has a 'uniqueness' other than none, which is not enforced"));
    }
    if attribute.mutability != Mutability::ReadWrite || attribute.returned != Returned::Default {
        return Err(refused(attribute, "has a 'mutability' or 'returned' other than readWrite and default"));
    }
    // Ours, not the document's.
    attribute.max_length = None;
    attribute.cleared = None;
    Ok(())
}

fn refused(attribute: &Attribute, why: &str) -> ScimError {
    ScimError::invalid_value(format!("attribute '{}' {why}", attribute.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document(attributes: &Value) -> Vec<u8> {
        json!({"id": "urn:contoso:scim:2.0:User", "name": "Contoso", "description": "", "attributes": attributes})
            .to_string()
            .into_bytes()
    }

    fn schema(attributes: &Value) -> Schema {
        declared(&document(attributes)).unwrap()
    }

    #[test]
    fn a_document_as_schemas_shows_it_is_read() {
        let schema = schema(&json!([
            {"name": "badge", "type": "string", "multiValued": false, "caseExact": true, "description": "The badge"},
            {"name": "sites", "type": "complex", "multiValued": true, "subAttributes": [
                {"name": "value", "type": "string"}, {"name": "primary", "type": "boolean"}]},
        ]));
        assert_eq!(schema.attributes.len(), 2);
        assert!(schema.attribute("BADGE").is_some_and(|badge| badge.case_exact));
    }

    #[test]
    fn what_would_refuse_users_or_promise_too_much_is_refused() {
        for attributes in [
            json!([]),
            json!([{"name": "a", "required": true}]),
            json!([{"name": "a", "uniqueness": "server"}]),
            json!([{"name": "a", "mutability": "readOnly"}]),
            json!([{"name": "a", "returned": "never"}]),
            json!([{"name": "a", "type": "complex"}]),
            json!([{"name": "a", "subAttributes": [{"name": "b"}]}]),
            json!([{"name": "a"}, {"name": "A"}]),
            json!([{"name": "9a"}]),
            json!([{"name": "a.b"}]),
            json!([{"name": "a", "type": "complex", "multiValued": true, "subAttributes": [{"name": "b"}]}]),
            json!([{"name": "a", "type": "complex", "subAttributes": [
                {"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}]),
            json!((0..=MAX_ATTRIBUTES).map(|n| json!({"name": format!("a{n}")})).collect::<Vec<_>>()),
        ] {
            assert_eq!(declared(&document(&attributes)).unwrap_err().status, 400, "{attributes}");
        }
        assert!(declared(b"{}").is_err());
        assert!(declared(&vec![b' '; MAX_DOCUMENT_BYTES + 1]).is_err());
    }

    #[test]
    fn a_urn_is_nobody_elses() {
        for urn in [
            "contoso",
            "urn:contoso",
            "urn:contoso:",
            "urn:contoso:a b",
            "URN:IETF:params:scim:schemas:core:2.0:User",
            "urn:contoso:\"x\"",
        ] {
            let text = json!({"id": urn, "name": "x", "description": "", "attributes": [{"name": "a"}]});
            assert!(declared(text.to_string().as_bytes()).is_err(), "{urn}");
        }
    }

    #[test]
    fn a_new_declaration_adds_and_never_takes_away() {
        let old = schema(&json!([{"name": "badge", "caseExact": true}]));
        let wider = schema(
            &json!([{"name": "floor", "type": "integer"}, {"name": "badge", "caseExact": true, "description": "new"}]),
        );
        assert_eq!(may_replace(&old, &wider), Ok(()));
        for other in [
            json!([{"name": "floor"}]),
            json!([{"name": "badge"}]),
            json!([{"name": "Badge", "caseExact": true}]),
            json!([{"name": "badge", "caseExact": true, "multiValued": true}]),
            json!([{"name": "badge", "caseExact": true, "type": "integer"}]),
        ] {
            assert!(may_replace(&old, &schema(&other)).is_err(), "{other}");
        }
    }
}
