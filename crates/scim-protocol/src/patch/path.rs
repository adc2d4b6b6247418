//! `attribute[filter].sub`: what one operation of a PATCH points to (RFC 7644 §3.5.2, Figure 7).

use crate::attribute_path::{AttributePath, Resolved};
use crate::error::ScimError;
use crate::filter::{self, Filter};
use crate::schema::SchemaSet;
use std::fmt;

/// A path that the schemas know.
#[derive(Clone, PartialEq, Eq)]
pub struct PatchPath {
    /// The attribute, with the sub-attribute behind the value filter; or an extension as a whole.
    pub attribute: AttributePath,
    /// Which values of a multi-valued complex attribute are meant.
    pub filter: Option<Filter>,
}

impl PatchPath {
    /// Reads a path; `None` when it is well formed but names an attribute that the schemas do not know.
    ///
    /// # Errors
    ///
    /// 400 `invalidPath` when it is malformed or filters an attribute that has a single or plain values, 400
    /// `invalidFilter` when its filter is malformed.
    pub fn parse(schemas: &SchemaSet, text: &str) -> Result<Option<Self>, ScimError> {
        let text = text.trim();
        let refuse = |reason: &dyn fmt::Display| ScimError::invalid_path(format!("path: {reason}"));
        let attribute_path = |text| AttributePath::parse(schemas, text).map_err(|error| refuse(&error));
        let Some((head, rest)) = text.split_once('[') else {
            let attribute = attribute_path(text)?;
            let is_known = attribute.is_extension() || attribute.resolve(schemas).is_some();
            return Ok(is_known.then_some(Self { attribute, filter: None }));
        };
        let (inner, tail) = rest.rsplit_once(']').ok_or_else(|| refuse(&"a value filter ends with ']'"))?;
        let sub = match tail.trim() {
            "" => None,
            tail => Some(tail.strip_prefix('.').ok_or_else(|| refuse(&"'.' is expected after ']'"))?),
        };
        let bare = attribute_path(head)?;
        let Some(Resolved { attribute: definition, sub: None }) = bare.resolve(schemas) else {
            return if bare.sub.is_some() || bare.is_extension() {
                Err(refuse(&"a value filter stands behind an attribute, before its sub-attribute"))
            } else {
                Ok(None)
            };
        };
        if !definition.multi_valued || !definition.is_complex() {
            return Err(refuse(&format_args!(
                "'{bare}' is not a list of objects that a filter could select from"
            )));
        }
        let filter = Some(filter::parse_value_filter(schemas, &bare, inner)?);
        let Some(sub) = sub else { return Ok(Some(Self { attribute: bare, filter })) };
        let attribute = attribute_path(&format!("{bare}.{sub}"))?;
        Ok(attribute.resolve(schemas).is_some().then_some(Self { attribute, filter }))
    }

    /// [`PatchPath::parse`] for a member's name, where what is no path is merely an unknown name.
    pub(crate) fn parse_known(schemas: &SchemaSet, text: &str) -> Option<Self> {
        Self::parse(schemas, text).ok().flatten()
    }

    /// Whether the path is an attribute's name alone.
    pub(crate) fn names_whole_attribute(&self) -> bool {
        self.filter.is_none() && self.attribute.sub.is_none() && !self.attribute.is_extension()
    }
}

/// What an operation is told whose path no schema knows.
pub(super) fn unknown(path: &str) -> ScimError {
    let attribute = path.split('[').next().unwrap_or_default();
    ScimError::invalid_path(format!("no attribute is called '{attribute}'"))
}

/// Without the filter, which may hold a person's address.
impl fmt::Debug for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.attribute, if self.filter.is_some() { " (filtered)" } else { "" })
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(filter) = &self.filter else { return self.attribute.fmt(f) };
        let bare = AttributePath { sub: None, ..self.attribute.clone() };
        write!(f, "{bare}[{filter}]")?;
        match &self.attribute.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}
