//! The bodies of the reference, character by character. These are the oracle's own ground truth.

use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::{people::People, tenant::Account};

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

fn wording(dialect: Dialect, mapping: Mapping) -> Wording {
    Wording {
        dialect,
        mapping,
        manager_shape: ManagerShape::String,
        manager_removal: ManagerRemoval::NotSent,
    }
}

fn adele() -> Person {
    Person {
        user_principal_name: "adele.vance@contoso.com".into(),
        display_name: "Adele Vance".into(),
        given_name: Some("Adele".into()),
        surname: Some("Vance".into()),
        mail: Some("adele.vance@contoso.com".into()),
        mail_nickname: Some("adele.vance".into()),
        employee_id: Some("10442".into()),
        job_title: None,
        department: None,
        preferred_language: None,
        office: None,
        street_address: None,
        city: None,
        state: None,
        postal_code: None,
        country: None,
        telephone_number: None,
        mobile: None,
        fax: None,
        account: Account::Enabled,
        ..People::at("contoso.com").next(&mut StdRng::seed_from_u64(1))
    }
}

fn body(request: Option<Request>) -> String {
    request.unwrap().body.unwrap().to_string()
}

/// What the target has, where the changes of a test start from.
fn adele_in_the_target() -> Map<String, Value> {
    let created = wording(Dialect::Default, Mapping::Default).create_user(&adele());
    created.body.unwrap().as_object().unwrap().clone()
}

fn patch_of(dialect: Dialect, change: impl FnOnce(&mut Person)) -> String {
    let mut person = adele();
    change(&mut person);
    let changes = Mapping::Default.differences(&person, &adele_in_the_target());
    body(Some(wording(dialect, Mapping::Default).update_user("usr_1", &changes)))
}

fn operations(list: &str) -> String {
    format!("{{\"schemas\":[\"{PATCH_OP}\"],\"Operations\":[{list}]}}")
}

#[test]
fn a_user_is_created_as_documented() {
    let request = wording(Dialect::Default, Mapping::Default).create_user(&adele());
    assert_eq!((request.method, request.target.as_str()), (Method::Post, "/Users"));
    let expected = concat!(
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","#,
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"#,
        r#""externalId":"adele.vance","userName":"adele.vance@contoso.com","active":true,"#,
        r#""displayName":"Adele Vance","#,
        r#""emails":[{"primary":true,"type":"work","value":"adele.vance@contoso.com"}],"#,
        r#""meta":{"resourceType":"User"},"#,
        r#""name":{"givenName":"Adele","familyName":"Vance","formatted":"Adele Vance"},"#,
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"10442"}}"#,
    );
    assert_eq!(body(Some(request)), expected);
}

#[test]
fn the_gallery_application_sends_seven_attributes_at_most() {
    let mut person = adele();
    person.job_title = Some("Engineer".into());
    person.mobile = Some("+1 412 5550123".into());
    let request = wording(Dialect::Default, Mapping::Gallery).create_user(&person);
    let expected = concat!(
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","#,
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"#,
        r#""externalId":"adele.vance","userName":"adele.vance@contoso.com","active":true,"#,
        r#""displayName":"Adele Vance","#,
        r#""emails":[{"primary":true,"type":"work","value":"adele.vance@contoso.com"}],"#,
        r#""meta":{"resourceType":"User"},"#,
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"10442"}}"#,
    );
    assert_eq!(body(Some(request)), expected);
}

#[test]
fn active_is_a_boolean_in_a_post_of_either_dialect() {
    for dialect in [Dialect::Default, Dialect::AadOptScim062020] {
        let request = wording(dialect, Mapping::Default).create_user(&adele());
        assert_eq!(request.body.unwrap()["active"], json!(true));
    }
}

#[test]
fn the_default_dialect_sends_one_operation_per_attribute_and_strings_for_booleans() {
    let sent = patch_of(Dialect::Default, |person| {
        person.display_name = "Adele Vance-Young".into();
        person.mobile = Some("+49 30 5550123".into());
        person.department = Some("Payroll".into());
        person.mail = Some("adele.young@contoso.com".into());
        person.account = Account::Disabled;
    });
    let expected = [
        r#"{"op":"Replace","path":"active","value":"False"}"#,
        r#"{"op":"Replace","path":"displayName","value":"Adele Vance-Young"}"#,
        r#"{"op":"Replace","path":"emails[type eq \"work\"].value","value":"adele.young@contoso.com"}"#,
        r#"{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+49 30 5550123"}"#,
        &format!(r#"{{"op":"Add","path":"{DEPARTMENT}","value":"Payroll"}}"#),
    ];
    assert_eq!(sent, operations(&expected.join(",")));
}

#[test]
fn the_flagged_dialect_folds_plain_attributes_into_one_pathless_operation() {
    let sent = patch_of(Dialect::AadOptScim062020, |person| {
        person.display_name = "Adele Vance-Young".into();
        person.surname = Some("Vance-Young".into());
        person.mail = Some("adele.young@contoso.com".into());
        person.mobile = Some("+49 30 5550123".into());
        person.department = Some("Payroll".into());
    });
    let expected = [
        r#"{"op":"replace","path":"emails[type eq \"work\"].value","value":"adele.young@contoso.com"}"#,
        r#"{"op":"add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+49 30 5550123"}"#,
        &format!(
            concat!(
                r#"{{"op":"replace","value":{{"displayName":"Adele Vance-Young","name.familyName":"Vance-Young","#,
                r#""name.formatted":"Adele Vance-Young","{}":"Payroll"}}}}"#
            ),
            DEPARTMENT
        ),
    ];
    assert_eq!(sent, operations(&expected.join(",")));
}

#[test]
fn disabling_is_worded_as_the_compatibility_table_has_it() {
    let disabled = |dialect| patch_of(dialect, |person| person.account = Account::SoftDeleted);
    let default = r#"{"op":"Replace","path":"active","value":"False"}"#;
    assert_eq!(disabled(Dialect::Default), operations(default));
    let flagged = r#"{"op":"replace","path":"active","value":false}"#;
    assert_eq!(disabled(Dialect::AadOptScim062020), operations(flagged));
}

#[test]
fn a_rename_that_only_changes_case_is_sent() {
    let sent =
        patch_of(Dialect::Default, |person| person.user_principal_name = "Adele.Vance@contoso.com".into());
    assert_eq!(sent, operations(r#"{"op":"Replace","path":"userName","value":"Adele.Vance@contoso.com"}"#));
}

#[test]
fn an_attribute_that_lost_its_value_is_not_sent() {
    let changes =
        Mapping::Default.differences(&Person { employee_id: None, ..adele() }, &adele_in_the_target());
    assert_eq!(changes, []);
}

#[test]
fn a_manager_is_a_bare_string_unless_asked_otherwise() {
    let base = wording(Dialect::Default, Mapping::Default);
    let path = format!("{ENTERPRISE}:manager");
    for (shape, value) in [
        (ManagerShape::String, r#""usr_2""#),
        (ManagerShape::Object, r#"{"value":"usr_2"}"#),
        (ManagerShape::Array, r#"[{"$ref":null,"value":"usr_2"}]"#),
    ] {
        let request = Wording { manager_shape: shape, ..base }.set_manager("usr_1", "usr_2", false);
        let expected = operations(&format!(r#"{{"op":"Add","path":"{path}","value":{value}}}"#));
        assert_eq!(body(Some(request)), expected);
    }
    let flagged = wording(Dialect::AadOptScim062020, Mapping::Default).set_manager("usr_1", "usr_2", true);
    let expected = operations(&format!(r#"{{"op":"replace","path":"{path}","value":"usr_2"}}"#));
    assert_eq!(body(Some(flagged)), expected);
}

#[test]
fn a_removed_manager_is_not_sent_unless_asked_for() {
    let base = wording(Dialect::Default, Mapping::Default);
    assert_eq!(base.remove_manager("usr_1"), None);
    let path = format!("{ENTERPRISE}:manager");
    for (removal, expected) in [
        (ManagerRemoval::EmptyString, format!(r#"{{"op":"Replace","path":"{path}","value":""}}"#)),
        (
            ManagerRemoval::EmptyObject,
            format!(r#"{{"op":"Replace","path":"{path}","value":{{"value":""}}}}"#),
        ),
        (ManagerRemoval::Remove, format!(r#"{{"op":"Remove","path":"{path}"}}"#)),
    ] {
        let request = Wording { manager_removal: removal, ..base }.remove_manager("usr_1");
        assert_eq!(body(request), operations(&expected));
    }
}

#[test]
fn a_group_is_created_without_members_and_with_the_schema_nobody_knows() {
    let object_id = crate::ObjectId(Uuid::nil());
    let group = Group { object_id, display_name: "Payroll Berlin".into(), members: [object_id].into() };
    let expected = concat!(
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","#,
        r#""http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"#,
        r#""externalId":"00000000-0000-0000-0000-000000000000","displayName":"Payroll Berlin","#,
        r#""meta":{"resourceType":"Group"}}"#,
    );
    assert_eq!(body(Some(create_group(&group))), expected);
}

#[test]
fn members_join_in_one_operation_and_leave_as_the_dialect_has_it() {
    let (joining, leaving) = (["a".to_owned()], ["b".to_owned(), "c".to_owned()]);
    let default = wording(Dialect::Default, Mapping::Default).change_members("grp_1", &joining, &leaving);
    assert_eq!(default.target, "/Groups/grp_1");
    let expected = concat!(
        r#"{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"}]},"#,
        r#"{"op":"Remove","path":"members","value":[{"$ref":null,"value":"b"},{"$ref":null,"value":"c"}]}"#,
    );
    assert_eq!(body(Some(default)), operations(expected));
    let flagged =
        wording(Dialect::AadOptScim062020, Mapping::Default).change_members("grp_1", &joining, &leaving);
    let expected = concat!(
        r#"{"op":"add","path":"members","value":[{"$ref":null,"value":"a"}]},"#,
        r#"{"op":"remove","path":"members[value eq \"b\"]"},"#,
        r#"{"op":"remove","path":"members[value eq \"c\"]"}"#,
    );
    assert_eq!(body(Some(flagged)), operations(expected));
}

#[test]
fn a_group_is_renamed_as_the_dialect_has_it() {
    let default = wording(Dialect::Default, Mapping::Default).rename_group("grp_1", "Payroll DE");
    let expected = r#"{"op":"Replace","path":"displayName","value":"Payroll DE"}"#;
    assert_eq!(body(Some(default)), operations(expected));
    let flagged = wording(Dialect::AadOptScim062020, Mapping::Default).rename_group("grp_1", "Payroll DE");
    assert_eq!(body(Some(flagged)), operations(r#"{"op":"replace","value":{"displayName":"Payroll DE"}}"#));
}

#[test]
fn queries_are_spelt_as_observed() {
    let nobody = Uuid::parse_str("f3a1c1de-3c07-4a52-9a20-0d7b5c2a9d10").unwrap();
    for (request, expected) in [
        (probe_users(nobody), "/Users?filter=userName+eq+%22f3a1c1de-3c07-4a52-9a20-0d7b5c2a9d10%22"),
        (
            match_user(Purpose::Match, "o'brien@contoso.com"),
            "/Users?filter=userName+eq+%22o%27brien%40contoso.com%22",
        ),
        (
            match_group("Payroll Berlin"),
            "/Groups?excludedAttributes=members&filter=displayName+eq+%22Payroll+Berlin%22",
        ),
        (read_user(Purpose::Read, "usr_1"), "/Users/usr_1"),
        (read_group("grp_1"), "/Groups/grp_1?excludedAttributes=members"),
    ] {
        assert_eq!((request.method, request.target.as_str(), request.body), (Method::Get, expected, None));
    }
}
