//! A resource's base schema with its extensions, and the lookups that parsing needs.

use super::{Attribute, Schema, common, find};
use std::sync::Arc;

/// The schemas of one resource type. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaSet {
    endpoint: &'static str,
    base: Arc<Schema>,
    extensions: Arc<[Arc<Schema>]>,
}

impl SchemaSet {
    /// A base schema and its extensions, served under `endpoint` (`/Users` for example).
    #[must_use]
    pub fn new(endpoint: &'static str, base: Schema, extensions: Vec<Schema>) -> Self {
        Self { endpoint, base: Arc::new(base), extensions: extensions.into_iter().map(Arc::new).collect() }
    }

    /// The same set with one extension more, in place of one with the same URN.
    #[must_use]
    pub fn with_extension(&self, extension: Schema) -> Self {
        let extension = Arc::new(extension);
        let others = self.extensions.iter().filter(|known| !known.id.eq_ignore_ascii_case(&extension.id));
        let extensions = others.cloned().chain([Arc::clone(&extension)]).collect();
        Self { extensions, ..self.clone() }
    }

    /// The path below the SCIM root under which these resources are served, with its leading slash.
    #[must_use]
    pub fn endpoint(&self) -> &'static str {
        self.endpoint
    }

    /// The base schema.
    #[must_use]
    pub fn base(&self) -> &Schema {
        &self.base
    }

    /// The name of the resource type, `meta.resourceType`.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        &self.base.name
    }

    /// The extensions, in the order in which they are answered.
    pub fn extensions(&self) -> impl Iterator<Item = &Schema> {
        self.extensions.iter().map(AsRef::as_ref)
    }

    /// The base schema, then the extensions.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        std::iter::once(self.base()).chain(self.extensions())
    }

    /// The attribute of the base schema or the common attribute of that name, whatever its case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.base.attribute(name).or_else(|| find(common(), name))
    }

    /// The extension with that URN, whatever its case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions().find(|extension| extension.is_called(urn))
    }

    /// An attribute that is named without the URN of the extension it belongs to, as Entra does with `manager`.
    #[must_use]
    pub fn extension_attribute(&self, name: &str) -> Option<(&Schema, &Attribute)> {
        self.extensions().find_map(|extension| Some((extension, extension.attribute(name)?)))
    }

    /// Splits `urn:…:User:department` into the schema it names and `department`; the rest is empty when `text` is a
    /// URN alone.
    ///
    /// URNs contain dots (`2.0`), so they are recognised as a whole and the longest known one wins.
    /// A dot instead of the last colon is how Entra wrote extension paths before 2018.
    #[must_use]
    pub fn split_urn<'s, 't>(&'s self, text: &'t str) -> Option<(&'s Schema, &'t str)> {
        if !has_urn_prefix(text) {
            return None;
        }
        self.schemas()
            .flat_map(|schema| schema.urns().map(move |urn| (schema, urn)))
            .filter_map(|(schema, urn)| {
                let head = text.get(..urn.len())?;
                let tail = text.get(urn.len()..)?;
                let rest = match tail.chars().next() {
                    None => "",
                    Some(':' | '.') => tail.get(1..)?,
                    Some(_) => return None,
                };
                head.eq_ignore_ascii_case(urn).then_some((schema, rest, urn.len()))
            })
            .max_by_key(|(_, _, length)| *length)
            .map(|(schema, rest, _)| (schema, rest))
    }
}

/// Whether a name is, or begins with, a URN.
pub(crate) fn has_urn_prefix(text: &str) -> bool {
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("urn:"))
}

#[cfg(test)]
mod tests {
    use super::super::{ENTERPRISE_USER_URN, USER_URN, users};
    use super::*;

    #[test]
    fn a_urn_is_split_off_whole_although_it_contains_a_dot() {
        let text = format!("{ENTERPRISE_USER_URN}:department");
        let (schema, rest) = users().split_urn(&text).unwrap();
        assert_eq!((schema.id.as_str(), rest), (ENTERPRISE_USER_URN, "department"));
        let text = format!("{}.department", ENTERPRISE_USER_URN.to_uppercase());
        let (schema, rest) = users().split_urn(&text).unwrap();
        assert_eq!((schema.id.as_str(), rest), (ENTERPRISE_USER_URN, "department"));
        let (schema, rest) = users().split_urn(USER_URN).unwrap();
        assert_eq!((schema.id.as_str(), rest), (USER_URN, ""));
        assert_eq!(users().split_urn("urn:contoso:User:siteIds"), None);
        assert_eq!(users().split_urn("userName"), None);
    }

    #[test]
    fn the_misspelt_enterprise_urn_is_the_enterprise_extension() {
        let (schema, rest) =
            users().split_urn("urn:ietf:params:scim:schemas:extension:enterprise:2.0User:manager").unwrap();
        assert_eq!((schema.id.as_str(), rest), (ENTERPRISE_USER_URN, "manager"));
    }

    #[test]
    fn the_longest_urn_wins_and_an_extension_can_join_at_run_time() {
        let extension = |id: &str| Schema {
            id: id.to_owned(),
            name: "Contoso".to_owned(),
            description: "Contoso's own attributes".to_owned(),
            aliases: Vec::new(),
            attributes: Vec::new(),
        };
        let set = users()
            .with_extension(extension("urn:contoso:2.0"))
            .with_extension(extension("urn:contoso:2.0:User"));
        let (schema, rest) = set.split_urn("urn:contoso:2.0:user:siteIds").unwrap();
        assert_eq!((schema.id.as_str(), rest), ("urn:contoso:2.0:User", "siteIds"));
        assert_eq!(set.with_extension(extension("URN:contoso:2.0")).extensions().count(), 3);
    }
}
