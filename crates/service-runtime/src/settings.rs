//! Typed settings from environment variables, with every problem reported at once.
//!
//! A [`Reader`] never stops at the first problem: each method notes what is wrong and returns a value that stands in,
//! which nobody uses, because [`Reader::finish`] then refuses the lot. It also remembers what it was asked for, which
//! is what a program's command `settings` tells.

mod declaration;
mod spelling;

use std::{
    collections::BTreeMap, fmt, fs, net::SocketAddr, ops::RangeInclusive, str::FromStr, time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

pub use declaration::{Absence, Declaration, Setting};

/// What the names of our settings begin with.
pub const PREFIX: &str = "TIMECLOCK_";
/// What stands in place of a secret.
const SECRET: &str = "(secret)";
/// What the absence of an optional setting means, unless its declaration says it better.
const NOTHING: &str = "nothing";

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
    declared: BTreeMap<&'static str, Declaration>,
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
    pub fn required(&mut self, setting: impl Into<Setting>) -> String {
        let setting = setting.into();
        self.declare(setting.declared(Absence::Refused));
        self.value(setting).unwrap_or_else(|| {
            self.problem(setting.name, "is required");
            String::new()
        })
    }

    /// A text that may be there.
    pub fn optional(&mut self, setting: impl Into<Setting>) -> Option<String> {
        let setting = setting.into();
        self.declare(setting.declared(Absence::Means(NOTHING)));
        self.value(setting)
    }

    /// A text with a default.
    pub fn with_default(&mut self, setting: impl Into<Setting>, default: &str) -> String {
        let setting = setting.into();
        self.declare(setting.declared(Absence::Default(default.to_owned())));
        self.value(setting).unwrap_or_else(|| {
            self.effective.insert(setting.name, default.to_owned());
            default.to_owned()
        })
    }

    /// A value with a default; the setting's form says what it is read from.
    pub fn parsed<T: FromStr + fmt::Display>(&mut self, setting: impl Into<Setting>, default: T) -> T {
        let setting = setting.into();
        self.parsed_as(setting, setting.form.to_owned(), default, |_| true)
    }

    /// A whole number within limits, with a default.
    pub fn number<T>(&mut self, setting: impl Into<Setting>, default: T, limits: RangeInclusive<T>) -> T
    where
        T: FromStr + fmt::Display + PartialOrd + Copy,
    {
        let setting = setting.into();
        let form = setting.number_form(&format!("from {} to {}", limits.start(), limits.end()));
        self.parsed_as(setting, form, default, |value| limits.contains(value))
    }

    /// A duration in milliseconds within limits, with a default. The name ends in `_MS`.
    pub fn duration_ms(
        &mut self,
        setting: impl Into<Setting>,
        default: u64,
        limits: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_millis(self.number(setting, default, limits))
    }

    /// An address to listen on, with a default.
    pub fn address(&mut self, setting: impl Into<Setting>, default: SocketAddr) -> SocketAddr {
        let form = "an IP address and a port, such as 127.0.0.1:8080".to_owned();
        self.parsed_as(setting.into(), form, default, |_| true)
    }

    /// A secret that must be there, as `name` or as a file named by `name_FILE`.
    pub fn secret(&mut self, setting: impl Into<Setting>) -> SecretString {
        let setting = setting.into();
        self.declare(Declaration { secret: true, ..setting.declared(Absence::Refused) });
        let problems = self.problems.len();
        self.secret_value(setting).unwrap_or_else(|| {
            if self.problems.len() == problems {
                self.problem(setting.name, &format!("is required (or {})", in_file(setting.name)));
            }
            SecretString::default()
        })
    }

    /// A secret that may be there, as `name` or as a file named by `name_FILE`. One line break at the file's end is
    /// not part of it.
    pub fn optional_secret(&mut self, setting: impl Into<Setting>) -> Option<SecretString> {
        let setting = setting.into();
        self.declare(Declaration { secret: true, ..setting.declared(Absence::Means(NOTHING)) });
        self.secret_value(setting)
    }

    /// A secret that a library reads from the environment by itself.
    pub(crate) fn foreign_secret(&mut self, setting: Setting) -> Option<String> {
        self.declare(Declaration { secret: true, ..setting.declared(Absence::Means(NOTHING)) });
        let value = self.environment.get(setting.name)?.to_owned();
        self.effective.insert(setting.name, SECRET.to_owned());
        Some(value)
    }

    /// The names of the variables that are set and begin like this.
    pub(crate) fn names<'n>(&'n self, prefix: &'n str) -> impl Iterator<Item = &'n str> {
        let names = self.environment.0.iter().filter(|(_, value)| !value.is_empty());
        names.map(|(name, _)| name.as_str()).filter(move |name| name.starts_with(prefix))
    }

    /// Notes that a setting's text is not what its form says.
    pub fn refuse(&mut self, setting: Setting) {
        self.problem(setting.name, &format!("must be {}", setting.form));
    }

    /// Notes what is wrong with a setting, for rules that a form does not tell.
    pub fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name} {what}"));
    }

    /// What was asked for so far, whether it is set or not.
    pub fn declared(&self) -> impl Iterator<Item = &Declaration> {
        self.declared.values()
    }

    /// The settings that were read, or every problem with them.
    ///
    /// # Errors
    ///
    /// What was noted, and each variable that begins with [`PREFIX`] and that nothing read.
    pub fn finish(mut self) -> Result<Effective, Problems> {
        let files =
            self.declared.values().filter(|setting| setting.secret).map(|secret| in_file(secret.name));
        let files: Vec<String> = files.collect();
        let known = || self.declared.keys().copied().chain(files.iter().map(String::as_str));
        let ours = self.environment.0.keys().filter(|name| name.starts_with(PREFIX));
        let unknown = ours.filter(|name| known().all(|known| known != name.as_str()));
        let complaints = unknown.map(|name| match spelling::nearest(name, known()) {
            Some(meant) => format!("{name} is not a setting of this service; did you mean {meant}?"),
            None => format!("{name} is not a setting of this service"),
        });
        let complaints: Vec<String> = complaints.collect();
        self.problems.extend(complaints);
        if self.problems.is_empty() { Ok(self.effective) } else { Err(Problems(self.problems)) }
    }

    fn declare(&mut self, declaration: Declaration) {
        self.declared.insert(declaration.name, declaration);
    }

    fn value(&mut self, setting: Setting) -> Option<String> {
        let value = self.environment.get(setting.name)?.to_owned();
        self.effective.insert(setting.name, without_credentials(&value));
        Some(value)
    }

    fn parsed_as<T: FromStr + fmt::Display>(
        &mut self,
        setting: Setting,
        form: String,
        default: T,
        is_fit: impl FnOnce(&T) -> bool,
    ) -> T {
        let absence = Absence::Default(default.to_string());
        let declaration = Declaration { form, ..setting.declared(absence) };
        let value = match self.value(setting).map(|text| text.parse()) {
            None => default,
            Some(Ok(value)) if is_fit(&value) => value,
            Some(_) => {
                self.problem(setting.name, &format!("must be {}", declaration.form));
                default
            }
        };
        self.declare(declaration);
        self.effective.insert(setting.name, value.to_string());
        value
    }

    fn secret_value(&mut self, setting: Setting) -> Option<SecretString> {
        let name = setting.name;
        let file_name = in_file(name);
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
        self.effective.insert(name, SECRET.to_owned());
        Some(SecretString::from(value)).filter(|secret| !secret.expose_secret().is_empty())
    }
}

/// The variable that names a file with the secret.
fn in_file(name: &str) -> String {
    format!("{name}_FILE")
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
