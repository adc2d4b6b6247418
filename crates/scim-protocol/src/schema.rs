//! Which attributes a resource has, and what may be done with each (RFC 7643 §2, §4, §7).
//!
//! The definitions are the JSON documents beside this file, in the form in which `/Schemas` serves them.
//! A [`SchemaSet`] is a value, so a company's own extension can join at run time.

pub mod extension;
mod set;

pub use set::SchemaSet;

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The URN of the core user.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the enterprise extension of the user.
pub const ENTERPRISE_USER_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The URN of the core group.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// One schema: a URN and the attributes that it defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The schema's URN, spelt as it is answered.
    pub id: String,
    /// Its name for people, `User` for example.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Misspelt URNs under which clients are known to send it. Accepted on input, never answered.
    #[serde(default, skip_serializing)]
    pub aliases: Vec<String>,
    /// The attributes, the frequent ones first: lookups run from the front.
    pub attributes: Vec<Attribute>,
}

/// The definition of an attribute (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// The name as it is answered. Names are matched without regard to case (RFC 7643 §2.1).
    pub name: String,
    /// The data type of the value, or of each value.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// Whether the attribute is a list.
    #[serde(default)]
    pub multi_valued: bool,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// Whether a resource must have a value.
    #[serde(default)]
    pub required: bool,
    /// Usual values. They suggest, they do not restrict: any other value is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// Whether comparisons regard case.
    #[serde(default)]
    pub case_exact: bool,
    /// Who may write it.
    #[serde(default)]
    pub mutability: Mutability,
    /// When it is answered.
    #[serde(default)]
    pub returned: Returned,
    /// Where a value must be unique.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// The most characters a text may have, where an index holds it; [`crate::resource::MAX_TEXT_BYTES`] elsewhere.
    /// Ours, not RFC 7643's, hence not answered.
    #[serde(default, skip_serializing)]
    pub max_length: Option<usize>,
    /// What a PATCH that clears the attribute leaves in its place. Ours as well.
    #[serde(default, skip_serializing)]
    pub cleared: Option<serde_json::Value>,
    /// For references: what they may point to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<Attribute>,
}

/// Data types (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Unicode text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An `xsd:dateTime` as text.
    DateTime,
    /// Base64 text.
    Binary,
    /// A URI or the id of a resource, as text.
    Reference,
    /// An object with sub-attributes.
    Complex,
}

/// Who may write an attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the server.
    ReadOnly,
    /// The client, at any time.
    #[default]
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody reads it back.
    WriteOnly,
}

/// When an attribute is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// Always, whatever the projection.
    Always,
    /// Never.
    Never,
    /// Unless the projection leaves it out.
    #[default]
    Default,
    /// Only when the projection asks for it.
    Request,
}

/// Where a value must be unique.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Nowhere.
    #[default]
    None,
    /// Within the company.
    Server,
    /// Everywhere.
    Global,
}

impl Schema {
    /// The attribute of that name, whatever its case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }

    /// Whether the schema goes by this URN, whatever its case; misspelt ones that clients send included.
    #[must_use]
    pub fn is_called(&self, urn: &str) -> bool {
        self.urns().any(|own| own.eq_ignore_ascii_case(urn))
    }

    /// The URN and its known misspellings.
    pub(crate) fn urns(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.aliases).map(String::as_str)
    }
}

impl Attribute {
    /// The sub-attribute of that name, whatever its case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }

    /// Whether it is an object with sub-attributes.
    #[must_use]
    pub fn is_complex(&self) -> bool {
        self.kind == Kind::Complex
    }

    /// Whether only the server writes it: a client's value is ignored in a body and refused in a PATCH.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// Whether what a client sends is kept. Secrets (`writeOnly`) are accepted and dropped.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !matches!(self.mutability, Mutability::ReadOnly | Mutability::WriteOnly)
    }
}

pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The user: the core schema and the enterprise extension.
#[must_use]
pub fn users() -> &'static SchemaSet {
    static USERS: LazyLock<SchemaSet> = LazyLock::new(|| {
        SchemaSet::new(
            "/Users",
            read(include_str!("schema/user.json")),
            vec![read(include_str!("schema/enterprise_user.json"))],
        )
    });
    &USERS
}

/// The group.
#[must_use]
pub fn groups() -> &'static SchemaSet {
    static GROUPS: LazyLock<SchemaSet> =
        LazyLock::new(|| SchemaSet::new("/Groups", read(include_str!("schema/group.json")), Vec::new()));
    &GROUPS
}

/// The attributes that every resource has and no schema document lists (RFC 7643 §3.1): `schemas`, `id`,
/// `externalId`, `meta`.
#[must_use]
pub fn common() -> &'static [Attribute] {
    static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| read(include_str!("schema/common.json")));
    &COMMON
}

#[expect(clippy::expect_used, reason = "the documents are compiled in, and a test reads every one of them")]
fn read<T: for<'de> Deserialize<'de>>(document: &str) -> T {
    serde_json::from_str(document).expect("a schema document of this crate is well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every<'a>(attributes: &'a [Attribute], seen: &mut Vec<&'a Attribute>) {
        for attribute in attributes {
            seen.push(attribute);
            every(&attribute.sub_attributes, seen);
        }
    }

    #[test]
    fn every_document_reads_and_every_attribute_is_described() {
        let mut seen = Vec::new();
        every(common(), &mut seen);
        for set in [users(), groups()] {
            for schema in set.schemas() {
                every(&schema.attributes, &mut seen);
            }
        }
        for attribute in &seen {
            assert!(!attribute.description.is_empty(), "{} has no description", attribute.name);
            assert_eq!(attribute.is_complex(), !attribute.sub_attributes.is_empty(), "{}", attribute.name);
        }
        assert!(seen.len() >= 90, "only {} definitions", seen.len());
    }

    #[test]
    fn a_schema_serialises_to_what_it_was_read_from() {
        for schema in users().schemas().chain(groups().schemas()) {
            let again: Schema = serde_json::from_value(serde_json::to_value(schema).unwrap()).unwrap();
            let names =
                |schema: &Schema| schema.attributes.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
            assert_eq!(names(&again), names(schema));
            assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(schema).unwrap());
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(users().attribute("USERNAME").unwrap().name, "userName");
        assert_eq!(users().attribute("ExternalId").unwrap().name, "externalId");
        assert_eq!(users().attribute("favouriteColour"), None);
    }
}
