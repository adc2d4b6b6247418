//! How a language writes numbers: `1,284` and `1 284`.

use fluent_templates::fluent_bundle::FluentValue;
use icu::{
    decimal::{DecimalFormatter, input::Decimal},
    locale::{Locale, locale},
};

use crate::language::Language;

/// A whole number with its thousands set apart.
pub(crate) fn whole(language: Language, number: u64) -> String {
    match DecimalFormatter::try_new(locale_of(language).into(), Default::default()) {
        Ok(formatter) => formatter.format_to_string(&Decimal::from(number)),
        // The data are compiled in; digits alone are still right.
        Err(_) => number.to_string(),
    }
}

/// Tenths as a decimal number: `99.6` and `99,6`.
pub(crate) fn tenths(language: Language, tenths: u64) -> String {
    let mut decimal = Decimal::from(tenths);
    decimal.multiply_pow10(-1);
    match DecimalFormatter::try_new(locale_of(language).into(), Default::default()) {
        Ok(formatter) => formatter.format_to_string(&decimal),
        Err(_) => decimal.to_string(),
    }
}

/// For Fluent: numbers inside of English texts.
pub(super) fn english<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    inside_a_text(Language::English, value)
}

/// For Fluent: numbers inside of French texts.
pub(super) fn french<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    inside_a_text(Language::French, value)
}

fn inside_a_text(language: Language, value: &FluentValue<'_>) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    // Only whole numbers are ever handed to a text; as_string prints them without a point.
    number.as_string().parse().ok().map(|number| whole(language, number))
}

pub(super) fn locale_of(language: Language) -> Locale {
    match language {
        Language::English => locale!("en"),
        Language::French => locale!("fr"),
    }
}
