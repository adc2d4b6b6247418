//! What every page knows: who looks, in which language and time zone, where they are, and what they must be told.

use std::{borrow::Borrow, fmt};

use actix_web::{HttpMessage as _, HttpRequest};
use askama::filters::HtmlSafe;
use bus_contract::Timestamp as WireTime;
use jiff::Timestamp;

use crate::{
    app::App,
    http::{answer::Nonce, assets, guard::CONFIRMED},
    language::{
        Key, Language, Text, numbers,
        times::{Clock, Moment, Style, Times, Zone, from_wire},
    },
    outlook::Outlook,
    signed_in::SignedIn,
};

/// The cookie in which the browser's time zone is kept.
const ZONE_COOKIE: &str = "time_zone";

/// The part of the console that a page is in; its entry in the navigation is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    People,
    Groups,
    Provisioning,
    Company,
    Administrators,
    Audit,
    /// In none: errors, the account.
    Nowhere,
}

/// What an administrator must be told, and what they can do about it.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) tone: Tone,
    pub(crate) title: Text,
    pub(crate) advice: Text,
    /// Where to go about it.
    pub(crate) link: &'static str,
    pub(crate) link_text: Text,
}

/// How grave something is. Always with an icon and words: colour alone says nothing to some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Success,
    Neutral,
    Info,
    Warning,
    Danger,
}

impl Tone {
    /// Its class in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    /// Its icon.
    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Neutral => "unchanged",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "error",
        }
    }
}

/// The first field of every page's template.
pub(crate) struct Page {
    pub(crate) times: Times,
    pub(crate) section: Section,
    pub(crate) who: Option<SignedIn>,
    pub(crate) banner: Option<Notice>,
    nonce: String,
    /// Path and query, to come back to after the language was changed.
    here: String,
}

impl Page {
    /// For whoever sent the request; without a banner, which takes an [`Outlook`].
    pub(crate) fn new(request: &HttpRequest, now: std::time::SystemTime, section: Section) -> Self {
        let who = request.extensions().get::<SignedIn>().cloned();
        let nonce = request.extensions().get::<Nonce>().map(|nonce| nonce.0.clone());
        let chosen = who.as_ref().and_then(|who| Language::parse(&who.language));
        let language = chosen.unwrap_or_else(|| Language::of_browser(request));
        let clock = Clock::of_browser(language, request);
        let zone = Zone::named(request.cookie(ZONE_COOKIE).as_ref().map(|cookie| cookie.value()));
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            times: Times { language, clock, zone, now },
            section,
            who,
            banner: None,
            nonce: nonce.unwrap_or_default(),
            here: request.uri().path_and_query().map_or("/", |here| here.as_str()).to_owned(),
        }
    }

    /// With the banner that every page of somebody who has signed in carries.
    pub(crate) async fn open(app: &App, request: &HttpRequest, who: &SignedIn, section: Section) -> Self {
        let outlook = Outlook::glance(app, who).await;
        Self::new(request, app.clock.now(), section).heeding(&outlook)
    }

    /// Where to come back to from an answer to a form, whose own address answers no GET.
    pub(crate) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.here);
        self
    }

    /// The gravest of what must be said becomes the banner.
    pub(crate) fn heeding(mut self, outlook: &Outlook) -> Self {
        self.banner = outlook.notices(&self.times).into_iter().next();
        self
    }

    pub(crate) fn language(&self) -> Language {
        self.times.language
    }

    /// The languages that this page is not in.
    pub(crate) fn other_languages(&self) -> impl Iterator<Item = Language> {
        let current = self.language();
        Language::ALL.into_iter().filter(move |language| *language != current)
    }

    /// A text in the reader's language.
    pub(crate) fn say(&self, key: impl Into<Key>) -> Text {
        self.language().say(key)
    }

    /// An icon out of the sprite. Decoration: the words beside it, or the label of the button, say what it means.
    #[expect(clippy::unused_self, reason = "templates reach everything through their page")]
    pub(crate) fn icon<'a>(&self, name: &'a str) -> Icon<'a> {
        Icon(name)
    }

    /// Where an asset is, under the name that changes with its content.
    #[expect(clippy::unused_self, reason = "templates reach everything through their page")]
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::url_of(name)
    }

    /// A whole number as the language writes it.
    pub(crate) fn number(&self, number: impl Borrow<u64>) -> String {
        numbers::whole(self.language(), *number.borrow())
    }

    /// 99.6%, out of tenths of a per cent.
    pub(crate) fn per_cent(&self, tenths: u64) -> String {
        self.say("per-cent").with("number", numbers::tenths(self.language(), tenths)).to_string()
    }

    /// May 12, 2026
    pub(crate) fn date(&self, at: &WireTime) -> Shown {
        self.shown(at, Style::Date)
    }

    /// 7:04 AM
    pub(crate) fn minute(&self, at: &WireTime) -> Shown {
        self.shown(at, Style::Minute)
    }

    /// 7:04:18 AM
    pub(crate) fn second(&self, at: &WireTime) -> Shown {
        self.shown(at, Style::Second)
    }

    /// May 12, 2026, 7:04 AM
    pub(crate) fn date_and_minute(&self, at: &WireTime) -> Shown {
        self.shown(at, Style::DateAndMinute)
    }

    /// May 12, 2026, 7:04:18 AM
    pub(crate) fn date_and_second(&self, at: &WireTime) -> Shown {
        self.shown(at, Style::DateAndSecond)
    }

    /// 2 minutes ago, in 170 days
    pub(crate) fn relative(&self, at: &WireTime) -> Shown {
        Shown(from_wire(at).map(|at| self.times.relative(at)))
    }

    fn shown(&self, at: &WireTime, style: Style) -> Shown {
        Shown(from_wire(at).map(|at| self.times.moment(at, style)))
    }

    pub(crate) fn is_in(&self, section: &Section) -> bool {
        self.section == *section
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(crate) fn here(&self) -> &str {
        &self.here
    }

    /// Whether the reader may look at what is the company's; the navigation is for nobody else.
    pub(crate) fn may_look(&self) -> bool {
        self.who.as_ref().is_some_and(SignedIn::may_look)
    }

    /// Whether the reader may change anything; templates leave out what they may not.
    pub(crate) fn may_change(&self) -> bool {
        self.who.as_ref().is_some_and(SignedIn::may_change)
    }

    /// Whether what is protected may be done at once; a form that takes time to fill is opened only then.
    pub(crate) fn is_fresh(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.is_fresh)
    }

    /// Whether the reader has just proved who they are, because they had sent something that needs it.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.here.contains(CONFIRMED)
    }

    /// What each form of this session sends back.
    pub(crate) fn csrf_token(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.csrf_token)
    }
}

/// A moment, or nothing for one that no clock can show.
pub(crate) struct Shown(Option<Moment>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |moment| moment.fmt(f))
    }
}

impl HtmlSafe for Shown {}

/// See [`Page::icon`].
pub(crate) struct Icon<'a>(&'a str);

impl fmt::Display for Icon<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sprite = assets::url_of("icons.svg");
        write!(
            f,
            r##"<svg class="icon" aria-hidden="true" focusable="false"><use href="{sprite}#{}"/></svg>"##,
            self.0
        )
    }
}

impl HtmlSafe for Icon<'_> {}

/// The letters in the circle that stands for somebody: of the first and the last word of a name.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split([' ', '.', '-', '_']).filter_map(|word| word.chars().next());
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}
