//! What a setting is called, what it means and what it accepts: the one place that messages and the reference page
//! take it from.

use serde::Serialize;

/// A setting as a service declares it. What it accepts and its default are said where it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub(super) name: &'static str,
    meaning: &'static str,
    pub(crate) form: &'static str,
    unless_set: Option<&'static str>,
}

impl Setting {
    /// A setting of this name. Its meaning is one sentence; a name that ends in `_MS`, `_SECONDS`, `_BYTES` or `_DAYS`
    /// tells the unit.
    #[must_use]
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning, form: "a text", unless_set: None }
    }

    /// What its text has to be, as the end of the sentence "must be …".
    #[must_use]
    pub const fn form(self, form: &'static str) -> Self {
        Self { form, ..self }
    }

    /// What holds while it is not set, where that is no value or one that differs between machines.
    #[must_use]
    pub const fn unless_set(self, words: &'static str) -> Self {
        Self { unless_set: Some(words), ..self }
    }

    /// The environment variable.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn number_form(&self, limits: &str) -> String {
        let units =
            [("_MS", "milliseconds"), ("_SECONDS", "seconds"), ("_BYTES", "bytes"), ("_DAYS", "days")];
        match units.iter().find(|(ending, _)| self.name.ends_with(ending)) {
            Some((_, unit)) => format!("a number of {unit} {limits}"),
            None => format!("a number {limits}"),
        }
    }

    pub(super) fn declared(self, absence: Absence) -> Declaration {
        Declaration {
            name: self.name,
            meaning: self.meaning,
            form: self.form.to_owned(),
            absence: self.unless_set.map_or(absence, Absence::Means),
            secret: false,
        }
    }
}

/// A name alone is enough to read by; the test of the reference page asks for its meaning.
impl From<&'static str> for Setting {
    fn from(name: &'static str) -> Self {
        Self::new(name, "")
    }
}

/// What holds while a setting is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// The process does not start.
    Refused,
    /// This value.
    Default(String),
    /// What these words say.
    Means(&'static str),
}

/// Everything that can be said of a setting that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Declaration {
    /// The environment variable.
    pub name: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// What it has to be, as the end of the sentence "must be …".
    pub form: String,
    /// What holds while it is not set.
    pub absence: Absence,
    /// Whether its value is shown nowhere.
    pub secret: bool,
}
