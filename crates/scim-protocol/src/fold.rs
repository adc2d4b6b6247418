//! The one meaning of "without regard to case".

use unicode_normalization::UnicodeNormalization as _;

/// The key under which two texts are the same when case does not matter.
///
/// RFC 7644 §5 asks for PRECIS preparation of `userName`; this is its core: NFC and Unicode lower case.
/// A final sigma is an ordinary one, because the same name in capitals does not tell them apart.
/// Unique indexes and filter comparisons both use it, so that a `userName` that a filter finds is a `userName`
/// that a create collides with. Folding a folded text changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
        // Lower case may have come apart into a letter and its marks.
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn capitals_composition_and_final_sigma_do_not_matter() {
        assert_eq!(fold("Adele.Vance@Contoso.COM"), fold("adele.vance@contoso.com"));
        assert_eq!(fold("JOSE\u{301}"), fold("jos\u{e9}"));
        assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("Οδυσσευς"));
        assert_ne!(fold("a"), fold("b"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
