//! Versions and conditions.

use proptest::prelude::*;
use scim_protocol::etag::{MAX_TAGS, Versions, etag, parse_if_match, parse_if_none_match};

#[test]
fn a_condition_names_versions_in_weak_and_strong_form() {
    let one_of = |versions: &[i64]| Versions::OneOf(versions.to_vec());
    for (header, expected) in [
        (r#"W/"7""#, one_of(&[7])),
        (r#""7""#, one_of(&[7])),
        (r#" W/"7" , "8","9"  "#, one_of(&[7, 8, 9])),
        ("*", Versions::Any),
        // Somebody else's tags are well-formed and name nothing.
        (r#""abc", "a,b", "", W/"07", "+7", "7""#, one_of(&[7])),
    ] {
        assert_eq!(parse_if_match(header), Ok(expected.clone()), "{header}");
        assert_eq!(parse_if_none_match(header), expected, "{header}");
    }
}

#[test]
fn a_condition_that_is_not_understood_is_never_met() {
    let too_many = vec!["\"7\""; MAX_TAGS + 1].join(",");
    for header in ["", "7", "W/7", r#"w/"7""#, r#""7"#, r#""7" "8""#, r#""7","#, r#"*, "7""#, &too_many] {
        assert_eq!(parse_if_match(header).unwrap_err().status, 400, "{header}");
        assert!(!parse_if_none_match(header).contain(7), "{header}");
    }
    assert!(parse_if_match(&vec!["\"7\""; MAX_TAGS].join(",")).is_ok());
}

proptest! {
    #[test]
    fn a_version_matches_its_own_tag_and_no_other(version: i64, other: i64) {
        let versions = parse_if_match(&etag(version)).unwrap();
        prop_assert!(versions.contain(version));
        prop_assert_eq!(versions.contain(other), version == other);
        prop_assert!(Versions::Any.contain(version));
    }

    #[test]
    fn no_header_makes_the_parser_panic(header in r#"[W/",*0-9a ]{0,40}"#) {
        let _met_or_not = parse_if_match(&header);
    }
}
