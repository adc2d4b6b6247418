//! What is a filter, what it becomes, and what is refused where.

use scim_protocol::attribute_path::AttributePath;
use scim_protocol::error::ScimType;
use scim_protocol::filter::{Filter, Literal, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Op};
use scim_protocol::schema::{groups, users};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The canonical text of a user filter.
fn canonical(text: &str) -> String {
    Filter::parse(users(), text).unwrap().to_string()
}

/// Why a user filter is refused.
fn refusal(text: &str) -> String {
    let error = Filter::parse(users(), text).unwrap_err();
    assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidFilter)), "{text}");
    error.detail
}

#[test]
fn the_examples_of_rfc_7644_are_read() {
    for (written, expected) in [
        (r#"userName eq "bjensen""#, r#"userName eq "bjensen""#),
        (r#"name.familyName co "O'Malley""#, r#"name.familyName co "O'Malley""#),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#, r#"userName sw "J""#),
        ("title pr", "title pr"),
        (r#"meta.lastModified gt "2011-05-13T04:42:34Z""#, r#"meta.lastModified gt "2011-05-13T04:42:34Z""#),
        (r#"title pr and userType eq "Employee""#, r#"title pr and userType eq "Employee""#),
        (r#"title pr or userType eq "Intern""#, r#"title pr or userType eq "Intern""#),
        (
            r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
            r#"userType eq "Employee" and (emails[value co "example.com"] or emails[value co "example.org"])"#,
        ),
        (
            r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
            r#"not (userType eq "Employee") and not (emails[value co "example.com"] or emails[value co "example.org"])"#,
        ),
        (
            r#"userType eq "Employee" and (emails.type eq "work")"#,
            r#"userType eq "Employee" and emails[type eq "work"]"#,
        ),
        (
            r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
            r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        ),
        (
            r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
            r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        ),
    ] {
        assert_eq!(canonical(written), expected, "{written}");
    }
}

#[test]
fn what_entra_okta_and_the_validators_send_is_read() {
    let manager = format!(r#"{ENTERPRISE}:manager.value eq "usr_M""#);
    for (written, expected) in [
        (r#"userName eq "adele.vance@contoso.com""#, r#"userName eq "adele.vance@contoso.com""#),
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        ("externalId eq 10442", r#"externalId eq "10442""#),
        (
            r#"emails[type eq "work"].value eq "a@b.example""#,
            r#"emails[type eq "work" and value eq "a@b.example"]"#,
        ),
        (
            r#"emails[type eq "work"] eq "a@b.example""#,
            r#"emails[type eq "work" and value eq "a@b.example"]"#,
        ),
        (r#"email eq "a@b.example""#, r#"emails[value eq "a@b.example"]"#),
        (r#"email.value eq "a@b.example""#, r#"emails[value eq "a@b.example"]"#),
        (r#"email[type eq "work"]"#, r#"emails[type eq "work"]"#),
        (r#"manager eq "usr_M""#, &manager),
        (&format!(r#"{ENTERPRISE}:manager eq "usr_M""#), &manager),
        (&format!(r#"{ENTERPRISE}.Manager.Value eq "usr_M""#), &manager),
        (r#"id eq "usr_A" and manager eq "usr_M""#, &format!(r#"id eq "usr_A" and {manager}"#)),
        (r#"DisplayName EQ "Adele""#, r#"displayName eq "Adele""#),
        (
            r#"roles[primary eq "True"].value eq "Supervisor""#,
            r#"roles[primary eq true and value eq "Supervisor"]"#,
        ),
        ("active eq True", "active eq true"),
        (r#"active ne "False""#, "not (active eq false)"),
        (r#"department eq "Payroll""#, &format!(r#"{ENTERPRISE}:department eq "Payroll""#)),
        (r#"userName eq "CONTOSO\adele""#, r#"userName eq "CONTOSO\\adele""#),
        (r#"userName eq "CONTOSO\nancy""#, r#"userName eq "CONTOSO\\nancy""#),
        (r#"userName eq "CONTOSO\bob""#, r#"userName eq "CONTOSO\\bob""#),
        (r#"userName eq "CONTOSO\u0007x""#, r#"userName eq "CONTOSO\\u0007x""#),
    ] {
        assert_eq!(canonical(written), expected, "{written}");
    }
}

#[test]
fn every_way_to_ask_for_the_groups_of_a_member_is_one_filter() {
    let expected = Filter::parse(groups(), r#"members[value eq "usr_A"]"#).unwrap();
    assert_eq!(expected.to_string(), r#"members[value eq "usr_A"]"#);
    for written in [
        r#"members eq "usr_A""#,
        r#"members.value eq "usr_A""#,
        r#"MEMBERS[Value EQ "usr_A"]"#,
        "members eq usr_A",
        r#"members[value eq "usr_A"] pr"#,
        r#"urn:ietf:params:scim:schemas:core:2.0:Group:members.value eq "usr_A""#,
    ] {
        assert_eq!(Filter::parse(groups(), written).as_ref(), Ok(&expected), "{written}");
    }
    let Filter::Element { path, filter } = expected else { panic!("{expected}") };
    assert_eq!(path, AttributePath::of("members"));
    let value = Literal::Exact("usr_A".to_owned());
    assert_eq!(*filter, Filter::Compare { path: AttributePath::of("value"), op: Op::Equal, value });
}

#[test]
fn a_group_is_found_by_its_name_without_regard_to_case_and_by_its_external_id_exactly() {
    let group = Filter::parse(groups(), r#"displayname eq "Payroll Berlin""#).unwrap();
    assert_eq!(group.to_string(), r#"displayName eq "Payroll Berlin""#);
    assert!(
        matches!(&group, Filter::Compare { value: Literal::Folded(text), .. } if text == "Payroll Berlin")
    );
    let group = Filter::parse(groups(), r#"externalId eq "B7C0""#).unwrap();
    assert!(matches!(&group, Filter::Compare { value: Literal::Exact(text), .. } if text == "B7C0"));
}

#[test]
fn not_binds_tighter_than_and_which_binds_tighter_than_or() {
    for (written, expected) in [
        ("title pr or nickName pr and locale pr", "title pr or nickName pr and locale pr"),
        ("(title pr or nickName pr) and locale pr", "(title pr or nickName pr) and locale pr"),
        ("title pr or (nickName pr and locale pr)", "title pr or nickName pr and locale pr"),
        ("NOT(title pr)AND nickName pr", "not (title pr) and nickName pr"),
        ("not (title pr or nickName pr)", "not (title pr or nickName pr)"),
        ("((title pr and (nickName pr)) and locale pr)", "title pr and nickName pr and locale pr"),
        ("not (not (title pr))", "title pr"),
        (r#"not (title ne "x")"#, r#"title eq "x""#),
    ] {
        assert_eq!(canonical(written), expected, "{written}");
    }
}

#[test]
fn null_is_the_absence_of_a_value() {
    assert_eq!(canonical("title eq null"), "not (title pr)");
    assert_eq!(canonical("title ne null"), "title pr");
    assert_eq!(canonical("emails eq null"), "not (emails pr)");
    assert_eq!(canonical("emails.value eq null"), "not (emails[value pr])");
    assert_eq!(canonical(r#"emails[type eq "work"] eq null"#), r#"not (emails[type eq "work"])"#);
    assert_eq!(
        canonical(r#"emails[type eq "work"].value ne null"#),
        r#"emails[type eq "work" and value pr]"#
    );
    assert_eq!(canonical(r#"title eq "null""#), r#"title eq "null""#);
    assert_eq!(refusal("title gt null"), "null can only be compared with 'eq' and 'ne' (position 9)");
}

#[test]
fn what_no_schema_knows_is_a_term_of_its_own() {
    for (written, expected) in [
        (r#"favouriteColour eq "red""#, "favouriteColour pr"),
        (r#"favouriteColour ne "red""#, "favouriteColour pr"),
        ("name.nick pr", "name.nick pr"),
        (r#"name eq "Adele""#, "name.value pr"),
        (r#"urn:contoso:2.0:User:siteIds eq "7""#, "urn:contoso:2.0:User:siteIds pr"),
        (r#"pets[kind eq "cat" and not (name pr)].name eq "Tom""#, "pets pr"),
        (r#"emails[colour eq "red"].value eq "x""#, r#"emails[colour pr and value eq "x"]"#),
        (&format!("{ENTERPRISE} pr"), &format!("{ENTERPRISE} pr")),
    ] {
        assert_eq!(canonical(written), expected, "{written}");
        assert_eq!(canonical(expected), expected, "{written}");
    }
    assert!(matches!(
        Filter::parse(users(), "favouriteColour pr").unwrap(),
        Filter::Unknown { path } if path == "favouriteColour"
    ));
}

#[test]
fn a_literal_is_typed_by_its_attribute() {
    for (written, expected) in [
        (r#"meta.created gt "2026-09-01T10:00:00+02:00""#, r#"meta.created gt "2026-09-01T08:00:00Z""#),
        (r#"meta.created ge "2026-09-01""#, r#"meta.created ge "2026-09-01T00:00:00Z""#),
        (
            r#"meta.created lt 2026-09-01T08:00:00.1234567"#,
            r#"meta.created lt "2026-09-01T08:00:00.123456Z""#,
        ),
        (r#"userName eq "Zo\u00eb \"\\\/""#, r#"userName eq "Zoë \"\\/""#),
        (r#"x509Certificates.value eq "TUlJ""#, r#"x509Certificates[value eq "TUlJ"]"#),
    ] {
        assert_eq!(canonical(written), expected, "{written}");
    }
    for (written, reason) in [
        ("active gt true", "'active' is a boolean and can only be compared with 'eq' and 'ne' (position 10)"),
        ("active eq yes", "'active' is a boolean: expected true or false (position 10)"),
        (
            "meta.created gt yesterday",
            "'meta.created' is a date-time: expected something like \"2026-09-01T08:00:00Z\" (position 16)",
        ),
        (
            "meta.created sw 2026",
            "'meta.created' is no text and cannot be compared with 'co', 'sw' and 'ew' (position 16)",
        ),
        (r#"x509Certificates gt "TUlJ""#, "'value' is binary and has no order (position 20)"),
        ("userName eq \"a\0b\"", "'userName' cannot contain control characters (position 12)"),
        ("userName eq \"a\nb\"", "'userName' cannot contain control characters (position 12)"),
        ("userName eq a\u{1}b", "'userName' cannot contain control characters (position 12)"),
        (
            r#"meta.created lt "9999-12-31T23:59:59-01:00""#,
            "'meta.created' is a date-time: expected something like \"2026-09-01T08:00:00Z\" (position 16)",
        ),
    ] {
        assert_eq!(refusal(written), reason, "{written}");
    }
}

#[test]
fn a_refusal_says_where_and_never_quotes_a_value() {
    for (written, reason) in [
        ("", "the attribute path is empty (position 0)"),
        ("userName", "expected one of eq, ne, co, sw, ew, pr, gt, ge, lt, le (position 8)"),
        ("userName matches \"x\"", "expected one of eq, ne, co, sw, ew, pr, gt, ge, lt, le (position 9)"),
        ("userName adele@contoso.com", "expected one of eq, ne, co, sw, ew, pr, gt, ge, lt, le (position 9)"),
        ("userName eq", "expected a value (position 11)"),
        ("userName eq )", "expected a value (position 12)"),
        (r#"userName eq "adele"#, "the quoted value does not end (position 12)"),
        (r#"userName eq "a" b"#, "expected 'and', 'or' or the end (position 16)"),
        (r#"userName eq "a" and"#, "the attribute path is empty (position 19)"),
        ("(title pr", "expected 'and', 'or' or ')' (position 9)"),
        ("title pr)", "expected 'and', 'or' or the end (position 8)"),
        ("emails[type eq work", "expected 'and', 'or' or ']' (position 19)"),
        ("emails[type eq work)", "expected 'and', 'or' or ']' (position 19)"),
        ("emails[]", "the attribute path is empty (position 7)"),
        ("not title pr", "expected one of eq, ne, co, sw, ew, pr, gt, ge, lt, le (position 4)"),
        ("userName[value eq x]", "a value filter follows a complex attribute only (position 0)"),
        (
            "name.givenName[value eq x]",
            "a value filter follows an attribute, not a sub-attribute (position 0)",
        ),
        ("emails[type[value eq x]]", "expected one of eq, ne, co, sw, ew, pr, gt, ge, lt, le (position 11)"),
        ("emails[type eq work].  eq x", "the attribute path is empty (position 21)"),
        (
            "na!me eq x",
            "an attribute name begins with a letter and consists of letters, digits, '-' and '_' (position 0)",
        ),
    ] {
        assert_eq!(refusal(written), reason, "{written}");
    }
}

#[test]
fn length_depth_and_terms_are_limited_in_what_is_read_and_in_what_is_printed() {
    let long = |length: usize| format!("title eq \"{}\"", "x".repeat(length - "title eq \"\"".len()));
    assert_eq!(canonical(&long(MAX_LENGTH)).len(), MAX_LENGTH);
    assert_eq!(refusal(&long(MAX_LENGTH + 1)), "the filter is longer than 4096 bytes");

    let deep = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(canonical(&deep(MAX_DEPTH)), "title pr");
    assert_eq!(refusal(&deep(MAX_DEPTH + 1)), "the filter is nested more than 16 deep");

    let many = |terms: usize| vec!["title pr"; terms].join(" or ");
    assert_eq!(canonical(&many(MAX_TERMS)), many(MAX_TERMS));
    assert_eq!(refusal(&many(MAX_TERMS + 1)), "the filter has more than 64 terms");

    // Sixty times the enterprise URN is more than the limit, although sixty times `manager` is less.
    assert_eq!(refusal(&vec!["manager pr"; 60].join(" or ")), "the filter is longer than 4096 bytes");
    let nested = |depth: usize| {
        format!("{}emails.value ne x{}", "not (title pr and ".repeat(depth), ")".repeat(depth))
    };
    assert_eq!(canonical(&canonical(&nested(MAX_DEPTH - 2))), canonical(&nested(MAX_DEPTH - 2)));
    assert_eq!(refusal(&nested(MAX_DEPTH - 1)), "the filter is nested more than 16 deep");
}

#[test]
fn hostile_text_is_refused_at_once() {
    for text in
        ["(".repeat(1_000_000), "not(".repeat(1_000_000), "a[".repeat(1_000_000), "\"".repeat(1_000_000)]
    {
        assert_eq!(refusal(&text), "the filter is longer than 4096 bytes");
        let start = text.get(..MAX_LENGTH).unwrap();
        assert!(!refusal(start).is_empty());
    }
}
