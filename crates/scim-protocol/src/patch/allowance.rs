//! How much text one request may have compared without regard to case.
//!
//! Folding text outside of ASCII costs a hundred times what comparing it does. Operations are many, lists are long and
//! texts are long; each has a limit of its own, but not their product, which is what one request costs.

use super::MAX_FOLDED_BYTES;
use crate::error::ScimError;
use crate::filter::Filter;
use serde_json::Value;

/// What is left of [`MAX_FOLDED_BYTES`].
pub(crate) struct Allowance(usize);

impl Allowance {
    /// What one request starts with.
    pub(crate) fn of_one_request() -> Self {
        Self(MAX_FOLDED_BYTES)
    }

    /// Pays for folding every text of the items once.
    pub(super) fn fold_items(&mut self, items: &[Value]) -> Result<(), ScimError> {
        self.pay(items.iter().map(folded_bytes).sum())
    }

    /// Pays for evaluating the filter on every item: each of its comparisons folds the item's text and its own.
    pub(super) fn evaluate(&mut self, filter: &Filter, items: &[Value]) -> Result<(), ScimError> {
        let literals = filter.folded_literals();
        let of_items = items.iter().map(folded_bytes).sum::<usize>().saturating_mul(literals.len());
        let of_filter = literals.into_iter().map(text_bytes).sum::<usize>().saturating_mul(items.len());
        self.pay(of_items.saturating_add(of_filter))
    }

    fn pay(&mut self, bytes: usize) -> Result<(), ScimError> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            ScimError::invalid_value(format!(
                "the request compares more than {MAX_FOLDED_BYTES} bytes of text without regard to case"
            ))
        })?;
        Ok(())
    }
}

/// ASCII is free: it is compared as fast as it is read.
fn text_bytes(text: &str) -> usize {
    if text.is_ascii() { 0 } else { text.len() }
}

fn folded_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text_bytes(text),
        Value::Array(items) => items.iter().map(folded_bytes).sum(),
        Value::Object(members) => members.values().map(folded_bytes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
