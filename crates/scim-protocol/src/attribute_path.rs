//! `[urn:]attribute[.sub]`: how filters, PATCH paths and projections name an attribute (RFC 7644 §3.10).

use crate::schema::{Attribute, Schema, SchemaSet};
use serde_json::{Map, Value};
use std::fmt;

/// The name of an attribute or of one of its sub-attributes.
///
/// Names that the schemas know are spelt as the schemas spell them; unknown ones are kept as written, because what
/// an unknown name means differs: a filter on it matches nothing, a PATCH of it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    /// The URN of the extension. `None` for attributes of the base schema and common ones.
    pub urn: Option<String>,
    /// The attribute; empty when the path names an extension as a whole.
    pub name: String,
    /// The sub-attribute.
    pub sub: Option<String>,
}

/// The definitions behind a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'s> {
    /// The attribute.
    pub attribute: &'s Attribute,
    /// The sub-attribute that the path names.
    pub sub: Option<&'s Attribute>,
}

impl<'s> Resolved<'s> {
    /// The definition of what the path ends at.
    #[must_use]
    pub fn leaf(&self) -> &'s Attribute {
        self.sub.unwrap_or(self.attribute)
    }
}

/// Why a text is no attribute path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is nothing.
    #[error("the attribute path is empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("the attribute path is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// A name that breaks RFC 7643 §2.1.
    #[error("an attribute name begins with a letter and consists of letters, digits, '-' and '_'")]
    BadName,
    /// More than one sub-attribute.
    #[error("an attribute path has at most one sub-attribute")]
    TooDeep,
}

/// The longest attribute path, in bytes.
pub const MAX_LENGTH: usize = 512;

impl AttributePath {
    /// An attribute of the base schema, a common one, or a sub-attribute inside a value filter.
    #[must_use]
    pub fn of(name: impl Into<String>) -> Self {
        Self { urn: None, name: name.into(), sub: None }
    }

    /// Reads a path. Names and URNs in any case; the URN of the base schema is dropped; a bare name that only an
    /// extension knows (`manager`) is that extension's attribute.
    ///
    /// # Errors
    ///
    /// [`PathError`] when the text is not of the form `[urn:]attribute[.sub]`.
    pub fn parse(schemas: &SchemaSet, text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(PathError::TooLong);
        }
        if let Some((schema, rest)) = schemas.split_urn(text) {
            return Self::within(schemas, schema, rest);
        }
        if let Some((urn, rest)) = text.rsplit_once(':') {
            let (name, sub) = split_names(rest)?;
            return Ok(Self {
                urn: Some(urn.to_owned()),
                name: name.to_owned(),
                sub: sub.map(ToOwned::to_owned),
            });
        }
        let (name, sub) = split_names(text)?;
        if let Some(attribute) = schemas.attribute(name) {
            return Ok(Self::spelt(None, attribute, sub));
        }
        if let Some((schema, attribute)) = schemas.extension_attribute(name) {
            return Ok(Self::spelt(Some(schema.id.clone()), attribute, sub));
        }
        Ok(Self { urn: None, name: name.to_owned(), sub: sub.map(ToOwned::to_owned) })
    }

    fn within(schemas: &SchemaSet, schema: &Schema, rest: &str) -> Result<Self, PathError> {
        let is_base = schema.id == schemas.base().id;
        let urn = (!is_base).then(|| schema.id.clone());
        if rest.is_empty() && !is_base {
            return Ok(Self { urn, name: String::new(), sub: None });
        }
        let (name, sub) = split_names(rest)?;
        let known = if is_base { schemas.attribute(name) } else { schema.attribute(name) };
        Ok(match known {
            Some(attribute) => Self::spelt(urn, attribute, sub),
            None => Self { urn, name: name.to_owned(), sub: sub.map(ToOwned::to_owned) },
        })
    }

    fn spelt(urn: Option<String>, attribute: &Attribute, sub: Option<&str>) -> Self {
        let sub = sub.map(|written| {
            attribute.sub_attribute(written).map_or(written, |known| known.name.as_str()).to_owned()
        });
        Self { urn, name: attribute.name.clone(), sub }
    }

    /// Whether the path names an extension as a whole.
    #[must_use]
    pub fn is_extension(&self) -> bool {
        self.name.is_empty()
    }

    /// The definitions behind the path; `None` when the schemas do not know the attribute or its sub-attribute, and
    /// for an extension as a whole.
    #[must_use]
    pub fn resolve<'s>(&self, schemas: &'s SchemaSet) -> Option<Resolved<'s>> {
        let attribute = match &self.urn {
            None => schemas.attribute(&self.name)?,
            Some(urn) => schemas.extension(urn)?.attribute(&self.name)?,
        };
        let sub = match &self.sub {
            None => None,
            Some(sub) => Some(attribute.sub_attribute(sub)?),
        };
        Some(Resolved { attribute, sub })
    }

    /// The attribute's value in a canonical or rendered resource; the sub-attribute is not followed.
    #[must_use]
    pub fn get<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        match &self.urn {
            None => resource.get(&self.name),
            Some(urn) if self.is_extension() => resource.get(urn),
            Some(urn) => resource.get(urn)?.get(&self.name),
        }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            f.write_str(urn)?;
            if self.is_extension() {
                return Ok(());
            }
            f.write_str(":")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

fn split_names(text: &str) -> Result<(&str, Option<&str>), PathError> {
    let (name, sub) = match text.split_once('.') {
        Some((_, deeper)) if deeper.contains('.') => return Err(PathError::TooDeep),
        Some((name, sub)) => (name, Some(sub)),
        None => (text, None),
    };
    if is_name(name) && sub.is_none_or(is_name) { Ok((name, sub)) } else { Err(PathError::BadName) }
}

/// RFC 7643 §2.1, with `$ref` as the one name that begins with a dollar sign.
fn is_name(name: &str) -> bool {
    let mut bytes = name.strip_prefix('$').unwrap_or(name).bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ENTERPRISE_USER_URN, USER_URN, users};

    fn canonical(text: &str) -> String {
        AttributePath::parse(users(), text).unwrap().to_string()
    }

    #[test]
    fn names_are_printed_as_the_schema_spells_them() {
        assert_eq!(canonical("USERNAME"), "userName");
        assert_eq!(canonical("Name.FamilyName"), "name.familyName");
        assert_eq!(canonical(&format!("{USER_URN}:name.givenname")), "name.givenName");
        assert_eq!(canonical("Meta.LastModified"), "meta.lastModified");
        assert_eq!(canonical("manager.$REF"), format!("{ENTERPRISE_USER_URN}:manager.$ref"));
    }

    #[test]
    fn extension_attributes_are_found_however_they_are_addressed() {
        let department = format!("{ENTERPRISE_USER_URN}:department");
        for text in [
            department.clone(),
            department.to_uppercase(),
            format!("{ENTERPRISE_USER_URN}.Department"),
            "department".to_owned(),
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department".to_owned(),
        ] {
            assert_eq!(canonical(&text), department, "{text}");
        }
        assert!(AttributePath::parse(users(), ENTERPRISE_USER_URN).unwrap().is_extension());
    }

    #[test]
    fn unknown_names_are_kept_and_resolve_to_nothing() {
        for text in ["favouriteColour", "urn:contoso:2.0:User:siteIds", "name.nick"] {
            let path = AttributePath::parse(users(), text).unwrap();
            assert_eq!(path.to_string(), text);
            assert_eq!(path.resolve(users()), None);
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_reason() {
        let reason = |text: &str| AttributePath::parse(users(), text).unwrap_err();
        assert_eq!(reason(" "), PathError::Empty);
        assert_eq!(reason(&"a".repeat(MAX_LENGTH + 1)), PathError::TooLong);
        assert_eq!(reason("name.given.name"), PathError::TooDeep);
        for text in ["1name", "na me", "name.", "emails[type]", "urn:contoso:", "ü"] {
            assert_eq!(reason(text), PathError::BadName, "{text}");
        }
        assert_eq!(reason(USER_URN), PathError::BadName);
    }

    #[test]
    fn a_value_is_found_in_core_and_extension() {
        let resource = serde_json::json!({"userName": "a", ENTERPRISE_USER_URN: {"department": "Payroll"}});
        let get = |text: &str| {
            AttributePath::parse(users(), text).unwrap().get(resource.as_object().unwrap()).cloned()
        };
        assert_eq!(get("username"), Some("a".into()));
        assert_eq!(get("department"), Some("Payroll".into()));
        assert_eq!(get("title"), None);
    }
}
