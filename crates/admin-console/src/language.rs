//! In which language somebody reads, and every text in it.
//!
//! A template says `{{ page.say("times-are-in").with("zone", zone) }}`; what that is in each language stands in
//! `locales/`. A test holds the two languages to the same keys and variables, and the code to keys that exist.

pub(crate) mod numbers;
pub(crate) mod times;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashMap, fmt};

use actix_web::{HttpRequest, http::header};
use fluent_templates::{Loader as _, fluent_bundle::FluentValue, static_loader};
use unic_langid::{LanguageIdentifier, langid};

static_loader! {
    static TEXTS = {
        locales: "./locales",
        fallback_language: "en",
        customise: |bundle| {
            // The marks that Fluent puts around what it inserts, for texts that mix writing directions, end up in
            // what people copy. Ours are all written from left to right.
            bundle.set_use_isolating(false);
            let is_french = bundle.locales.first().is_some_and(|locale| locale.language.as_str() == "fr");
            bundle.set_formatter(Some(if is_french { numbers::french } else { numbers::english }));
        },
    };
}

/// The cookie in which somebody who is not signed in keeps a language.
pub(crate) const LANGUAGE_COOKIE: &str = "language";

static ENGLISH: LanguageIdentifier = langid!("en");
static FRENCH: LanguageIdentifier = langid!("fr");

/// A language that the console speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    English,
    French,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::French];

    /// BCP 47, as in the attribute `lang`, the cookie and the account.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// What it calls itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
        }
    }

    /// The one with this tag; a region or script behind it changes nothing.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// What a browser asks for: its cookie, else the first of `Accept-Language` that we speak, else English.
    pub(crate) fn of_browser(request: &HttpRequest) -> Self {
        let chosen = request.cookie(LANGUAGE_COOKIE).and_then(|cookie| Self::parse(cookie.value()));
        let wished = || {
            let wishes = request.headers().get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Self::first_wish(wishes)
        };
        chosen.or_else(wished).unwrap_or(Self::English)
    }

    /// The most wanted language that we speak (RFC 9110 §12.5.4).
    fn first_wish(wishes: &str) -> Option<Self> {
        let wishes = wishes.split(',').filter_map(|wish| {
            let mut parts = wish.split(';');
            let language = Self::parse(parts.next()?)?;
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
            Some((language, quality.unwrap_or(1.0)))
        });
        // Of several equal ones the first: `max_by` would take the last.
        let best = wishes
            .filter(|(_, quality)| *quality > 0.0)
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(language, _)| language)
    }

    /// A text.
    pub(crate) fn say(self, key: impl Into<Key>) -> Text {
        Text { language: self, key: key.into(), arguments: HashMap::new() }
    }

    fn identifier(self) -> &'static LanguageIdentifier {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }
}

/// The name of a text. Written out wherever one is chosen, so that a test finds them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) &'static str);

impl From<&'static str> for Key {
    fn from(key: &'static str) -> Self {
        Self(key)
    }
}

/// Variables of templates' macros arrive by reference.
impl From<&&'static str> for Key {
    fn from(key: &&'static str) -> Self {
        Self(key)
    }
}

impl From<&&Key> for Key {
    fn from(key: &&Key) -> Self {
        **key
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        *key
    }
}

/// A text in a language, shown when it is written somewhere.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    language: Language,
    key: Key,
    arguments: HashMap<Cow<'static, str>, FluentValue<'static>>,
}

impl Text {
    /// Fills a variable of the text. Numbers choose plurals and are written as the language writes them.
    pub(crate) fn with(mut self, variable: &'static str, value: impl Argument) -> Self {
        self.arguments.insert(Cow::Borrowed(variable), value.into_value());
        self
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&TEXTS.lookup_complete(self.language.identifier(), self.key.0, Some(&self.arguments)))
    }
}

/// What may fill a variable.
pub(crate) trait Argument {
    fn into_value(self) -> FluentValue<'static>;
}

impl Argument for u64 {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

impl Argument for usize {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

impl Argument for u32 {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

impl Argument for &str {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self.to_owned())
    }
}

impl Argument for String {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

impl Argument for Text {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self.to_string())
    }
}

/// Templates hand everything over by reference.
impl<A: Argument + Clone> Argument for &A {
    fn into_value(self) -> FluentValue<'static> {
        self.clone().into_value()
    }
}
