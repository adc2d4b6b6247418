//! How a failure is written into one log field: what failed, and why, down to the first cause.

use std::{error::Error, fmt};

/// Displays an error with its sources, separated by colons. An error's own Display names only what was being done.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'e>(pub &'e dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries print their source themselves; nothing is said twice.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            next = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not open the door")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_is_named_once() {
        let error = Outer(std::io::Error::other("the key is lost"));
        assert_eq!(Causes(&error).to_string(), "could not open the door: the key is lost");
    }
}
