//! How a language says when: dates, times of day, and how long from now.

use std::fmt;

use actix_web::{HttpRequest, http::header};
use askama::filters::HtmlSafe;
use bus_contract::Timestamp as WireTime;
use icu::{
    calendar::Iso,
    datetime::{DateTimeFormatter, fieldsets},
    locale::{Locale, locale},
    time::DateTime,
};
use jiff::{Timestamp, tz::TimeZone};
use jiff_icu::ConvertFrom as _;

use crate::language::{Key, Language, Text};

/// Where somebody's clock is; without one that the browser named, UTC, and pages say so.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) zone: TimeZone,
    pub(crate) name: String,
}

/// The longest name of a time zone that is looked up.
const MAX_ZONE_NAME: usize = 64;

impl Zone {
    /// The one with this IANA name, or UTC.
    pub(crate) fn named(name: Option<&str>) -> Self {
        let known = name.filter(|name| name.len() <= MAX_ZONE_NAME).and_then(|name| {
            let zone = TimeZone::get(name).ok()?;
            Some(Self { name: zone.iana_name()?.to_owned(), zone })
        });
        known.unwrap_or_else(|| Self { zone: TimeZone::UTC, name: "UTC".to_owned() })
    }
}

/// How dates and times of day are written, which a language alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Nov 26, 2026, 9:05 AM
    American,
    /// 26 Nov 2026, 09:05
    British,
    /// 26 nov. 2026, 09:05
    French,
}

impl Clock {
    /// English is written as in the United States for those whose browser says nothing else: its first wish for English may
    /// name another region, and it may wish for no English at all.
    pub(crate) fn of_browser(language: Language, request: &HttpRequest) -> Self {
        let wishes = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|wishes| wishes.to_str().ok());
        match language {
            Language::French => Self::French,
            Language::English if is_american(wishes.unwrap_or_default()) => Self::American,
            Language::English => Self::British,
        }
    }

    fn locale(self) -> Locale {
        match self {
            Self::American => locale!("en-US"),
            Self::British => locale!("en-GB"),
            Self::French => locale!("fr"),
        }
    }
}

fn is_american(wishes: &str) -> bool {
    let tags = wishes.split(',').filter_map(|wish| wish.split(';').next()).map(str::trim);
    let mut english = tags.filter(|tag| Language::parse(tag) == Some(Language::English));
    match english.next() {
        Some(tag) => tag.len() == 2 || tag.eq_ignore_ascii_case("en-US"),
        None => wishes.is_empty(),
    }
}

/// Says times to one reader.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    pub(crate) language: Language,
    pub(crate) clock: Clock,
    pub(crate) zone: Zone,
    pub(crate) now: Timestamp,
}

/// How a moment is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// May 12, 2026
    Date,
    /// 7:04 AM
    Minute,
    /// 7:04:18 AM
    Second,
    /// May 12, 2026, 7:04 AM
    DateAndMinute,
    /// May 12, 2026, 7:04:18 AM
    DateAndSecond,
}

/// One formatter for each style, because each set of fields is a type of its own.
struct Formatters {
    date: DateTimeFormatter<fieldsets::YMD>,
    minute: DateTimeFormatter<fieldsets::T>,
    second: DateTimeFormatter<fieldsets::T>,
    date_and_minute: DateTimeFormatter<fieldsets::YMDT>,
    date_and_second: DateTimeFormatter<fieldsets::YMDT>,
}

thread_local! {
    // A page writes up to a hundred times, and to make a formatter costs more than to use it. One set for each thread: they
    // do not go from one to another.
    static AMERICAN: Option<Formatters> = Formatters::new(Clock::American);
    static BRITISH: Option<Formatters> = Formatters::new(Clock::British);
    static FRENCH: Option<Formatters> = Formatters::new(Clock::French);
}

impl Formatters {
    fn new(clock: Clock) -> Option<Self> {
        let locale = || clock.locale().into();
        let date = fieldsets::YMD::medium();
        Some(Self {
            date: DateTimeFormatter::try_new(locale(), date).ok()?,
            minute: DateTimeFormatter::try_new(locale(), fieldsets::T::hm()).ok()?,
            second: DateTimeFormatter::try_new(locale(), fieldsets::T::hms()).ok()?,
            date_and_minute: DateTimeFormatter::try_new(locale(), date.with_time_hm()).ok()?,
            date_and_second: DateTimeFormatter::try_new(locale(), date.with_time_hms()).ok()?,
        })
    }

    fn write(&self, local: &DateTime<Iso>, style: Style) -> String {
        match style {
            Style::Date => self.date.format(local).to_string(),
            Style::Minute => self.minute.format(local).to_string(),
            Style::Second => self.second.format(local).to_string(),
            Style::DateAndMinute => self.date_and_minute.format(local).to_string(),
            Style::DateAndSecond => self.date_and_second.format(local).to_string(),
        }
    }
}

/// A moment in a page: `<time>` with the exact one in its attributes, for machines and for those who point at it.
pub(crate) struct Moment {
    at: Timestamp,
    exact: String,
    words: String,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every part is a number, a letter or a mark of punctuation out of our own formatters.
        let Self { at, exact, words } = self;
        write!(f, r#"<time datetime="{at:.0}" title="{exact}">{words}</time>"#)
    }
}

impl HtmlSafe for Moment {}

impl Times {
    /// A moment as text.
    pub(crate) fn written(&self, at: Timestamp, style: Style) -> String {
        let local = DateTime::convert_from(at.to_zoned(self.zone.zone.clone()).datetime());
        let formatters = match self.clock {
            Clock::American => &AMERICAN,
            Clock::British => &BRITISH,
            Clock::French => &FRENCH,
        };
        let written =
            formatters.with(|formatters| formatters.as_ref().map(|known| known.write(&local, style)));
        // The data are compiled in; RFC 3339 is still right.
        written.unwrap_or_else(|| format!("{at:.0}"))
    }

    /// A moment in a page.
    pub(crate) fn moment(&self, at: Timestamp, style: Style) -> Moment {
        Moment { at, exact: self.written(at, Style::DateAndSecond), words: self.written(at, style) }
    }

    /// A moment in a page, as seen from now: "2 minutes ago", "in 170 days".
    pub(crate) fn relative(&self, at: Timestamp) -> Moment {
        Moment { at, exact: self.written(at, Style::DateAndSecond), words: self.distance(at).to_string() }
    }

    /// How far a moment is from now: to the nearest minute or hour, and from a day on in days of the reader's calendar.
    pub(crate) fn distance(&self, at: Timestamp) -> Text {
        let seconds = at.as_second() - self.now.as_second();
        let away = seconds.unsigned_abs();
        // Within one second, what has been is not still to come.
        let is_past = at <= self.now;
        let (past, future, count) = match away {
            0..60 => (Key("ago-moment"), Key("in-moment"), 1),
            // Half a minute less than an hour is one.
            60..3_570 => (Key("ago-minutes"), Key("in-minutes"), (away + 30) / 60),
            3_570..86_400 => (Key("ago-hours"), Key("in-hours"), (away + 1_800) / 3_600),
            _ => (Key("ago-days"), Key("in-days"), self.days_to(at)),
        };
        self.language.say(if is_past { past } else { future }).with("count", count)
    }

    /// How many midnights of the reader's lie between now and a moment.
    fn days_to(&self, at: Timestamp) -> u64 {
        let date = |at: Timestamp| at.to_zoned(self.zone.zone.clone()).date();
        let days = (date(at) - date(self.now)).get_days();
        u64::from(days.unsigned_abs())
    }
}

/// As messages carry it; `None` when it is out of range.
pub(crate) fn from_wire(at: &WireTime) -> Option<Timestamp> {
    Timestamp::new(at.seconds, at.nanos).ok()
}

/// How many minutes lie between two moments, one at least.
pub(crate) fn minutes(from: Option<&WireTime>, until: Option<&WireTime>) -> u64 {
    let seconds = match (from, until) {
        (Some(from), Some(until)) => u64::try_from(until.seconds - from.seconds).unwrap_or(0),
        _ => 0,
    };
    seconds.div_ceil(60).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_moment_takes_a_minute() {
        let at = |seconds| WireTime { seconds, nanos: 0 };
        assert_eq!(minutes(Some(&at(100)), Some(&at(100))), 1);
        assert_eq!(minutes(Some(&at(0)), Some(&at(2_400))), 40);
        assert_eq!(minutes(Some(&at(0)), Some(&at(2_401))), 41);
        assert_eq!(minutes(None, Some(&at(9))), 1);
    }
}
