//! What the commands of a program read from their environment: for people as a file to fill in, and as JSON.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::settings::{Absence, Declaration, Environment, PREFIX, Reader};

/// All settings of a program, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Listing {
    program: &'static str,
    settings: BTreeMap<&'static str, Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    declaration: Declaration,
    read_by: Vec<&'static str>,
}

impl Listing {
    pub(crate) fn new(program: &'static str) -> Self {
        Self { program, settings: BTreeMap::new() }
    }

    /// Adds what a command reads. It is asked with nothing set, so it must ask for everything in any case.
    pub(crate) fn add(&mut self, command: &'static str, read: impl FnOnce(&mut Reader)) {
        let mut reader = Reader::new(Environment::default());
        read(&mut reader);
        for declaration in reader.declared() {
            let listed = self.settings.entry(declaration.name);
            let listed =
                listed.or_insert_with(|| Listed { declaration: declaration.clone(), read_by: Vec::new() });
            listed.read_by.push(command);
        }
    }

    pub(crate) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

impl fmt::Display for Listing {
    /// One paragraph per setting: what it means, what it must be, who reads it, and the line to fill in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Listed { declaration, read_by } in self.settings.values() {
            let Declaration { name, meaning, form, absence, secret } = declaration;
            writeln!(f, "# {meaning}\n# Must be {form}. Read by {}.", read_by.join(", "))?;
            if *secret && name.starts_with(PREFIX) {
                writeln!(f, "# Secret; {name}_FILE may name a file that holds it.")?;
            }
            match absence {
                Absence::Refused => writeln!(f, "# Required.\n{name}=\n")?,
                Absence::Default(value) => writeln!(f, "{name}={value}\n")?,
                Absence::Means(words) => writeln!(f, "# Unless it is set: {words}.\n#{name}=\n")?,
            }
        }
        Ok(())
    }
}
