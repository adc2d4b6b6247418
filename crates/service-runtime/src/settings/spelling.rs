//! Which setting somebody meant who wrote a name that there is not.

use super::PREFIX;

/// How alike two names are at least for one to be offered for the other: 1 is the same, 0 nothing in common.
const ALIKE: f64 = 0.7;

/// The name most like `unknown`, if any is alike.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // All of our names begin alike, which must not count.
    let own_part = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_uppercase();
    let unknown = own_part(unknown);
    let rated = known.map(|name| (strsim::normalized_damerau_levenshtein(&unknown, &own_part(name)), name));
    let alike = rated.filter(|(likeness, _)| *likeness >= ALIKE);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}
