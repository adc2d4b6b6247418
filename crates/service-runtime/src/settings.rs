//! Typed settings from environment variables, with every problem reported at once.
//!
//! A [`Reader`] never stops at the first problem: each method notes what is wrong and returns a value that stands in,
//! which nobody uses, because [`Reader::finish`] then refuses the lot.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    net::SocketAddr,
    ops::RangeInclusive,
    str::FromStr,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

/// What the names of our settings begin with.
pub const PREFIX: &str = "TIMECLOCK_";

/// Environment variables: those of the process, or those that a test makes up.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Ones that are not UTF-8 are read with replacement characters.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect()
    }

    /// The variable, unless it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    /// Names alone: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Problems(pub Vec<String>);

/// The settings in effect by name, secrets redacted.
pub type Effective = BTreeMap<&'static str, String>;

/// Reads settings by name and type.
#[derive(Debug, Default)]
pub struct Reader {
    environment: Environment,
    known: BTreeSet<String>,
    effective: Effective,
    problems: Vec<String>,
}

impl Reader {
    /// Reads from these variables.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { environment, ..Self::default() }
    }

    /// A text that must be there.
    pub fn required(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problem(name, "is required");
            String::new()
        })
    }

    /// A text that may be there.
    pub fn optional(&mut self, name: &'static str) -> Option<String> {
        self.known.insert(name.to_owned());
        let value = self.environment.get(name)?.to_owned();
        self.effective.insert(name, without_credentials(&value));
        Some(value)
    }

    /// A text with a default.
    pub fn with_default(&mut self, name: &'static str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.effective.insert(name, default.to_owned());
            default.to_owned()
        })
    }

    /// A value with a default; `expected` completes the sentence "must be …".
    pub fn parsed<T: FromStr + fmt::Display>(&mut self, name: &'static str, default: T, expected: &str) -> T {
        let value = match self.optional(name).map(|text| text.parse()) {
            Some(Ok(value)) => value,
            Some(Err(_unparsable)) => {
                self.problem(name, &format!("must be {expected}"));
                default
            }
            None => default,
        };
        self.effective.insert(name, value.to_string());
        value
    }

    /// A whole number within limits, with a default.
    pub fn number<T>(&mut self, name: &'static str, default: T, limits: RangeInclusive<T>) -> T
    where
        T: FromStr + fmt::Display + PartialOrd + Copy,
    {
        let expected = format!("a number from {} to {}", limits.start(), limits.end());
        let value = self.parsed(name, default, &expected);
        if limits.contains(&value) {
            return value;
        }
        self.problem(name, &format!("must be {expected}"));
        default
    }

    /// A duration in milliseconds within limits, with a default. The name ends in `_MS`.
    pub fn duration_ms(&mut self, name: &'static str, default: u64, limits: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(name, default, limits))
    }

    /// An address to listen on, with a default.
    pub fn address(&mut self, name: &'static str, default: SocketAddr) -> SocketAddr {
        self.parsed(name, default, "an IP address and a port, such as 127.0.0.1:8080")
    }

    /// A secret that must be there, as `name` or as a file named by `name_FILE`.
    pub fn secret(&mut self, name: &'static str) -> SecretString {
        let problems = self.problems.len();
        self.optional_secret(name).unwrap_or_else(|| {
            if self.problems.len() == problems {
                self.problem(name, &format!("is required (or {name}_FILE)"));
            }
            SecretString::default()
        })
    }

    /// A secret that may be there, as `name` or as a file named by `name_FILE`. One line break at the file's end is
    /// not part of it.
    pub fn optional_secret(&mut self, name: &'static str) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        self.known.extend([name.to_owned(), file_name.clone()]);
        let value = match (self.environment.get(name), self.environment.get(&file_name)) {
            (Some(_), Some(_)) => {
                self.problem(name, &format!("and {file_name} are both set; keep one"));
                return None;
            }
            (Some(value), None) => value.to_owned(),
            (None, Some(path)) => match fs::read_to_string(path) {
                Ok(text) => text
                    .strip_suffix('\n')
                    .map(|t| t.strip_suffix('\r').unwrap_or(t))
                    .unwrap_or(&text)
                    .to_owned(),
                Err(error) => {
                    self.problem(&file_name, &format!("cannot be read: {error}"));
                    return None;
                }
            },
            (None, None) => return None,
        };
        self.effective.insert(name, "(secret)".to_owned());
        Some(SecretString::from(value)).filter(|secret| !secret.expose_secret().is_empty())
    }

    /// A text that may be there and is shown nowhere.
    pub(crate) fn unshown(&mut self, name: &'static str) -> Option<String> {
        self.known.insert(name.to_owned());
        self.environment.get(name).map(str::to_owned)
    }

    /// The names of the variables that are set and begin like this.
    pub(crate) fn names<'n>(&'n self, prefix: &'n str) -> impl Iterator<Item = &'n str> {
        let names = self.environment.0.iter().filter(|(_, value)| !value.is_empty());
        names.map(|(name, _)| name.as_str()).filter(move |name| name.starts_with(prefix))
    }

    /// Notes what is wrong with a setting, for rules that the other methods do not know.
    pub fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name} {what}"));
    }

    /// The settings that were read, or every problem with them.
    ///
    /// # Errors
    ///
    /// What was noted, and each variable that begins with [`PREFIX`] and that nothing read.
    pub fn finish(mut self) -> Result<Effective, Problems> {
        let unknown =
            self.environment.0.keys().filter(|name| name.starts_with(PREFIX) && !self.known.contains(*name));
        self.problems.extend(unknown.map(|name| format!("{name} is not a setting of this service")));
        if self.problems.is_empty() { Ok(self.effective) } else { Err(Problems(self.problems)) }
    }
}

/// A URL's `user:password@` is not shown, wherever it has one.
fn without_credentials(value: &str) -> String {
    let parts = value.split("://").enumerate().map(|(index, part)| {
        let authority = part.split(['/', '?', ',']).next().unwrap_or(part);
        match authority.rfind('@') {
            Some(at) if index > 0 => format!("(secret){}", part.split_at(at).1),
            _ => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("://")
}
