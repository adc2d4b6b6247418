//! The canonical text of a filter, which parses to the same filter.

use std::fmt;

use super::{Filter, Literal};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(filters) => separated(f, filters, " and "),
            Self::Or(filters) => separated(f, filters, " or "),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare { path, op, value } => write!(f, "{path} {} {value}", op.as_str()),
            Self::Element { path, filter } => write!(f, "{path}[{filter}]"),
            // Every operator says the same of an attribute that nobody has; this one needs no literal.
            Self::Unknown { path } => write!(f, "{path} pr"),
        }
    }
}

fn separated(f: &mut fmt::Formatter<'_>, filters: &[Filter], separator: &str) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        // `and` binds tighter than `or`, so only an `or` inside an `and` needs brackets.
        match filter {
            Filter::Or(_) => write!(f, "({filter})")?,
            _ => write!(f, "{filter}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

impl Filter {
    /// The most brackets that are open at one place of the canonical text.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::And(filters) => {
                filters.iter().map(|filter| filter.depth() + filter.is_or()).max().unwrap_or(0)
            }
            Self::Or(filters) => filters.iter().map(Self::depth).max().unwrap_or(0),
            Self::Not(filter) | Self::Element { filter, .. } => 1 + filter.depth(),
            Self::Present(_) | Self::Compare { .. } | Self::Unknown { .. } => 0,
        }
    }

    fn is_or(&self) -> usize {
        usize::from(matches!(self, Self::Or(_)))
    }
}
