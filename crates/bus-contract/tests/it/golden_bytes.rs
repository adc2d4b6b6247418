//! Bytes that were sent once are read for ever: each file in `proto/golden` is a message as it was first encoded.
//!
//! A difference means that the code is wrong, not the file. A file is never changed; a new message gets a new one, which
//! this test writes when it is missing.

use std::{fmt, fs, path::Path};

use bus_contract::{
    Message, Timestamp, audit, console,
    directory::{self, UserRecord, fact, look_up_user},
    provisioning::{self, patch_operation::Op, refused::Reason, request::Change},
    token,
};

const REQUEST: &str = "019aaf10-0000-7000-8000-000000000001";
const COMPANY: &str = "019aaf10-0000-7000-8000-000000000002";
const USER: &str = "019aaf10-0000-7000-8000-000000000003";
const TOKEN: &str = "019aaf10-0000-7000-8000-000000000004";
const GROUP: &str = "019aaf10-0000-7000-8000-000000000005";
const BRAKE: &str = "019aaf10-0000-7000-8000-000000000006";

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 123_000_000 })
}

fn request(change: Change) -> provisioning::Request {
    provisioning::Request {
        request_id: REQUEST.to_owned(),
        company_id: COMPANY.to_owned(),
        accepted_at: at(1_795_000_000),
        token_id: TOKEN.to_owned(),
        change: Some(change),
    }
}

fn record() -> UserRecord {
    UserRecord {
        user_id: USER.to_owned(),
        version: 2,
        created_at: at(1_795_000_000),
        last_modified_at: at(1_795_000_060),
        attributes_json: r#"{"userName":"zoë@example.com","active":true}"#.to_owned(),
        manager: Some(directory::Manager {
            user_id: TOKEN.to_owned(), display_name: "Ångström".to_owned()
        }),
        groups: vec![],
    }
}

#[test]
fn requests() {
    let condition = Some(provisioning::VersionCondition { versions: vec![1, 2] });
    golden(
        "request.create_user",
        &request(Change::CreateUser(provisioning::CreateUser {
            user_id: USER.to_owned(),
            attributes_json: record().attributes_json,
        })),
    );
    golden(
        "request.replace_user",
        &request(Change::ReplaceUser(provisioning::ReplaceUser {
            user_id: USER.to_owned(),
            attributes_json: record().attributes_json,
            condition: condition.clone(),
        })),
    );
    let operation = |op: Op, path: &str, value: Option<&str>| provisioning::PatchOperation {
        op: op.into(),
        path: path.to_owned(),
        value_json: value.map(str::to_owned),
    };
    golden(
        "request.patch_user",
        &request(Change::PatchUser(provisioning::PatchUser {
            user_id: USER.to_owned(),
            operations: vec![
                operation(Op::Add, r#"emails[type eq "work"].value"#, Some(r#""a@example.com""#)),
                operation(Op::Replace, "active", Some("false")),
                operation(Op::Remove, "title", None),
            ],
            condition: None,
        })),
    );
    golden(
        "request.delete_user",
        &request(Change::DeleteUser(provisioning::DeleteUser { user_id: USER.to_owned(), condition })),
    );
    golden(
        "request.restore_user",
        &request(Change::RestoreUser(provisioning::RestoreUser {
            user_id: USER.to_owned(),
            brake_id: BRAKE.to_owned(),
        })),
    );
}

#[test]
fn brakes() {
    let company_id = COMPANY.to_owned();
    let brake = directory::Brake {
        brake_id: BRAKE.to_owned(),
        state: directory::brake::State::Undoing.into(),
        began_at: at(1_795_000_000),
        last_at: at(1_795_002_400),
        removed: 132,
        people: 300,
        waiting: 100,
        waiting_deleted: 40,
        restored: 30,
        superseded: 1,
        returned: 1,
        ends_at: None,
        decided_at: at(1_795_003_000),
        decided_by: "anna@example.com".to_owned(),
        had_access: 120,
        decided_by_kind: audit::actor::Kind::Administrator.into(),
        not_held: 2,
    };
    let rule = Some(directory::BrakeRule { more_than: 10, percent: 25 });
    golden("list_brakes_reply", &directory::ListBrakesReply { brakes: vec![brake], rule });
    golden(
        "decide_brake",
        &directory::DecideBrake {
            company_id: company_id.clone(),
            brake_id: BRAKE.to_owned(),
            decision: directory::decide_brake::Decision::Release.into(),
            actor: None,
            removed: 132,
        },
    );
    golden("set_brake_rule", &directory::SetBrakeRule { company_id, rule, actor: None });
}

#[test]
fn outcomes() {
    let outcome = |result| provisioning::Outcome {
        request_id: REQUEST.to_owned(),
        repeated: true,
        result: Some(result),
    };
    golden(
        "outcome.applied",
        &outcome(provisioning::outcome::Result::Applied(provisioning::Applied {
            user: Some(record()),
            changed: true,
            group: None,
        })),
    );
    golden(
        "outcome.refused",
        &outcome(provisioning::outcome::Result::Refused(provisioning::Refused {
            reason: Reason::Conflict.into(),
            scim_type: "uniqueness".to_owned(),
            detail: "taken".to_owned(),
        })),
    );
}

#[test]
fn facts() {
    let fact = |event| directory::Fact {
        fact_id: format!("{REQUEST}.0"),
        request_id: REQUEST.to_owned(),
        company_id: COMPANY.to_owned(),
        occurred_at: at(1_795_000_060),
        history_id: String::new(),
        requested_at: None,
        event: Some(event),
    };
    let (user, changed_attributes) = (Some(record()), vec!["active".to_owned()]);
    golden(
        "fact.user_created",
        &fact(fact::Event::UserCreated(directory::UserCreated { user: user.clone() })),
    );
    golden(
        "fact.user_updated",
        &fact(fact::Event::UserUpdated(directory::UserUpdated {
            user: user.clone(),
            changed_attributes: vec!["name.familyName".to_owned()],
        })),
    );
    golden(
        "fact.user_deactivated",
        &fact(fact::Event::UserDeactivated(directory::UserDeactivated {
            user: user.clone(),
            changed_attributes: changed_attributes.clone(),
        })),
    );
    golden(
        "fact.user_reactivated",
        &fact(fact::Event::UserReactivated(directory::UserReactivated { user, changed_attributes })),
    );
    golden(
        "fact.user_deleted",
        &fact(fact::Event::UserDeleted(directory::UserDeleted { user_id: USER.to_owned(), version: 7 })),
    );
    golden(
        "fact.in_history",
        &directory::Fact {
            history_id: TOKEN.to_owned(),
            ..fact(fact::Event::UserDeleted(directory::UserDeleted { user_id: USER.to_owned(), version: 7 }))
        },
    );
    golden(
        "fact.requested",
        &directory::Fact {
            history_id: TOKEN.to_owned(),
            requested_at: at(1_795_000_059),
            ..fact(fact::Event::UserDeleted(directory::UserDeleted { user_id: USER.to_owned(), version: 7 }))
        },
    );
}

#[test]
fn questions() {
    let look_up = |key| directory::LookUpUser { company_id: COMPANY.to_owned(), key: Some(key) };
    golden("look_up_user.by_id", &look_up(look_up_user::Key::UserId(USER.to_owned())));
    golden("look_up_user.by_user_name", &look_up(look_up_user::Key::UserName("zoë@example.com".to_owned())));
    golden("look_up_user.by_external_id", &look_up(look_up_user::Key::ExternalId("zoe".to_owned())));
    golden(
        "search_users",
        &directory::SearchUsers {
            company_id: COMPANY.to_owned(),
            filter: "title pr".to_owned(),
            offset: 100,
            limit: 50,
            ..directory::SearchUsers::default()
        },
    );
}

#[test]
fn tokens() {
    golden(
        "issue_token",
        &token::IssueToken {
            company_id: COMPANY.to_owned(),
            description: "Entra".to_owned(),
            lifetime_seconds: Some(31_536_000),
            actor: None,
        },
    );
    golden(
        "rotate_token",
        &token::RotateToken {
            company_id: COMPANY.to_owned(),
            overlap_seconds: Some(0),
            lifetime_seconds: None,
            actor: None,
        },
    );
}

fn actor() -> Option<audit::Actor> {
    Some(audit::Actor {
        kind: audit::actor::Kind::Administrator.into(),
        name: "megan@example.com".to_owned(),
        address: "192.0.2.7".to_owned(),
    })
}

#[test]
fn acts() {
    let event = audit::Event {
        event_id: REQUEST.to_owned(),
        company_id: COMPANY.to_owned(),
        occurred_at: at(1_795_000_000),
        actor: actor(),
        act: "token.revoked".to_owned(),
        target: TOKEN.to_owned(),
        note: "It had not been used for 90 days.".to_owned(),
    };
    golden("list_events_reply", &audit::ListEventsReply { events: vec![event] });
    golden(
        "invite_administrator",
        &console::InviteAdministrator {
            company_id: COMPANY.to_owned(),
            email: "megan@example.com".to_owned(),
            role: console::Role::Auditor.into(),
            actor: actor(),
            language: "fr".to_owned(),
        },
    );
    let federation = token::Federation {
        tenant_id: REQUEST.to_owned(),
        subject: USER.to_owned(),
        audiences: vec!["api://timeclock".to_owned()],
    };
    golden(
        "create_client",
        &token::CreateClient {
            company_id: COMPANY.to_owned(),
            description: "Entra".to_owned(),
            actor: actor(),
            authentication: Some(token::create_client::Authentication::Federation(federation)),
        },
    );
}

#[test]
fn calls_and_the_log() {
    let call = directory::Call {
        request_id: REQUEST.to_owned(),
        answered_at: at(1_795_000_000),
        duration_us: 1_500,
        credential_id: TOKEN.to_owned(),
        address: "192.0.2.7".to_owned(),
        verb: "create".to_owned(),
        answer: directory::call::Answer::Refused.into(),
        status: 400,
        scim_type: "invalidValue".to_owned(),
        detail: "A user needs a userName.".to_owned(),
        user_id: USER.to_owned(),
        group_id: String::new(),
        target_name: "zoë@example.com".to_owned(),
        is_decided: false,
    };
    golden(
        "call_batch",
        &directory::CallBatch {
            batch_id: GROUP.to_owned(),
            company_id: COMPANY.to_owned(),
            calls: vec![call],
        },
    );
    golden(
        "list_log",
        &directory::ListLog {
            company_id: COMPANY.to_owned(),
            verbs: vec!["create".to_owned()],
            outcomes: vec!["refused".to_owned()],
            name_prefix: "zoë".to_owned(),
            from: at(1_795_000_000),
            limit: 50,
            ..directory::ListLog::default()
        },
    );
}

#[test]
fn questions_about_groups() {
    let company_id = COMPANY.to_owned();
    golden(
        "look_up_group.by_display_name",
        &directory::LookUpGroup {
            company_id: company_id.clone(),
            key: Some(directory::look_up_group::Key::DisplayName("Payroll".to_owned())),
        },
    );
    golden(
        "search_groups",
        &directory::SearchGroups {
            company_id: company_id.clone(),
            filter: "displayName pr".to_owned(),
            offset: 0,
            limit: 50,
            order: Some(directory::Order { path: "displayName".to_owned(), descending: true }),
            after: Some(directory::Position { id: GROUP.to_owned(), key: Some("payroll".to_owned()) }),
            patience_ms: 0,
        },
    );
    golden(
        "list_members",
        &directory::ListMembers {
            company_id,
            group_id: GROUP.to_owned(),
            after_member_id: USER.to_owned(),
            limit: 5_000,
        },
    );
}

#[test]
fn the_end_of_access() {
    golden(
        "sign_access_end",
        &token::SignAccessEnd {
            company_id: COMPANY.to_owned(),
            user_id: USER.to_owned(),
            request_id: REQUEST.to_owned(),
            cause: token::sign_access_end::Cause::Deactivated.into(),
            requested_at: at(1_795_000_059),
            enforced_at: at(1_795_000_060),
            sessions_ended: 2,
        },
    );
    golden("sessions_ended", &console::SessionsEnded { session_ids: vec![TOKEN.to_owned()] });
}

#[test]
fn questions_about_schemas() {
    let company_id = COMPANY.to_owned();
    let document_json = r#"{"id":"urn:contoso:2.0:User","attributes":[{"name":"badge"}]}"#.to_owned();
    golden(
        "declare_schema",
        &directory::DeclareSchema { company_id: company_id.clone(), document_json, actor: None },
    );
    golden("list_schemas", &directory::ListSchemas { company_id: company_id.clone() });
    golden(
        "remove_schema",
        &directory::RemoveSchema { company_id, urn: "urn:contoso:2.0:User".to_owned(), actor: None },
    );
}

#[test]
fn requests_about_groups() {
    let attributes_json = r#"{"displayName":"Payroll Zürich","externalId":"payroll"}"#.to_owned();
    let condition = Some(provisioning::VersionCondition { versions: vec![4] });
    let group_id = GROUP.to_owned();
    golden(
        "request.create_group",
        &request(Change::CreateGroup(provisioning::CreateGroup {
            group_id: group_id.clone(),
            attributes_json: attributes_json.clone(),
            member_ids: vec![USER.to_owned()],
        })),
    );
    golden(
        "request.replace_group",
        &request(Change::ReplaceGroup(provisioning::ReplaceGroup {
            group_id: group_id.clone(),
            attributes_json,
            member_ids: vec![USER.to_owned()],
            condition: condition.clone(),
        })),
    );
    golden(
        "request.patch_group",
        &request(Change::PatchGroup(provisioning::PatchGroup {
            group_id: group_id.clone(),
            operations: vec![provisioning::PatchOperation {
                op: Op::Replace.into(),
                path: "displayName".to_owned(),
                value_json: Some(r#""Payroll""#.to_owned()),
            }],
            members: Some(provisioning::MembersChange {
                clear: true,
                added: vec![USER.to_owned()],
                removed: vec![GROUP.to_owned()],
            }),
            condition: condition.clone(),
        })),
    );
    golden(
        "request.delete_group",
        &request(Change::DeleteGroup(provisioning::DeleteGroup { group_id, condition })),
    );
}

#[test]
fn facts_about_groups() {
    let fact = |event| directory::Fact {
        fact_id: format!("{REQUEST}.1"),
        request_id: REQUEST.to_owned(),
        company_id: COMPANY.to_owned(),
        occurred_at: at(1_795_000_060),
        history_id: String::new(),
        requested_at: None,
        event: Some(event),
    };
    let group = Some(directory::GroupRecord {
        group_id: GROUP.to_owned(),
        version: 3,
        created_at: at(1_795_000_000),
        last_modified_at: at(1_795_000_050),
        attributes_json: r#"{"displayName":"Payroll"}"#.to_owned(),
    });
    let group_id = GROUP.to_owned();
    let members = vec![directory::MemberReference { member_id: USER.to_owned(), is_group: false }];
    golden(
        "fact.group_created",
        &fact(fact::Event::GroupCreated(directory::GroupCreated { group: group.clone() })),
    );
    golden(
        "fact.group_updated",
        &fact(fact::Event::GroupUpdated(directory::GroupUpdated {
            group,
            changed_attributes: vec!["displayName".to_owned()],
        })),
    );
    golden(
        "fact.group_deleted",
        &fact(fact::Event::GroupDeleted(directory::GroupDeleted { group_id: group_id.clone(), version: 3 })),
    );
    let added = directory::MembersAdded { group_id: group_id.clone(), version: 4, members: members.clone() };
    golden("fact.members_added", &fact(fact::Event::MembersAdded(added)));
    let removed = directory::MembersRemoved { group_id, version: 5, members };
    golden("fact.members_removed", &fact(fact::Event::MembersRemoved(removed)));
}

/// Both directions: today's code writes these bytes, and reads them.
fn golden<M: Message + Default + PartialEq + fmt::Debug>(name: &str, message: &M) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/golden").join(format!("{name}.v1.hex"));
    let written = hex(&message.encode_to_vec());
    if !path.exists() {
        fs::write(&path, &written).unwrap();
        panic!("{name} was missing and is now frozen: look at it, commit it, run again");
    }
    let frozen = fs::read_to_string(&path).unwrap();
    assert_eq!(written, frozen, "{name} is no longer encoded as it was");
    assert_eq!(&M::decode(unhex(&frozen).as_slice()).unwrap(), message, "{name} is no longer read as it was");
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .chunks(32)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}
