//! A company with a life: what the directory and the token service say of it in the tests of pages.

use bus_contract::{
    Timestamp,
    audit::{Actor, Event, ListEvents, ListEventsReply, actor},
    directory::{
        self, AttributeChange, Brake, BrakeRule, BrowseGroups, BrowseGroupsReply, BrowseUsers,
        BrowseUsersReply, Concern, CredentialUse, Cycle, DecideBrake, DecideBrakeReply, DirectGroup,
        FailureCause, GetActivity, GetActivityReply, GroupRecord, Health, ListBrakes, ListBrakesReply,
        ListCycles, ListCyclesReply, ListLog, ListLogReply, ListMembers, ListMembersReply, ListRemovals,
        ListRemovalsReply, LogEntry, LookUpGroup, LookUpGroupReply, LookUpUser, LookUpUserReply, Manager,
        Member, Removal, SetBrakeRule, SetBrakeRuleReply, Size, Slot, UserRecord, brake, concern, health,
        look_up_group, look_up_user, reply::Result as Told,
    },
    provisioning::{Refused, refused},
    subject,
    token::{
        self, Client, ClientList, ClientSecret, CreateClient, IssueToken, ListClients, ListTokens,
        RevealToken, RevokeToken, RotateToken, SecretClient, SecretToken, Token, TokenList,
        reply::Result as TokenTold, token::State,
    },
};

use crate::harness::{NOW, World};

pub(crate) const PERSON: &str = "019b0000-0000-7000-8000-000000000001";
pub(crate) const GROUP: &str = "019b0000-0000-7000-8000-000000000002";
pub(crate) const REQUEST: &str = "019b0000-0000-7000-8000-000000000010";
pub(crate) const TOKEN: &str = "019b0000-0000-7000-8000-000000000020";
pub(crate) const OLD_TOKEN: &str = "019b0000-0000-7000-8000-000000000021";
pub(crate) const BRAKE: &str = "019b0000-0000-7000-8000-000000000040";
pub(crate) const CLIENT: &str = "019b0000-0000-7000-8000-000000000030";
pub(crate) const SECRET: &str = "tc365_a-secret-that-nobody-asked-for.DfGa";
pub(crate) const CLIENT_SECRET: &str = "a-client-secret-that-is-told-once";
/// What a hostile tenant calls its people and groups.
pub(crate) const HOSTILE: &str = r#"<script>alert("x")</script>'&=cmd"#;

pub(crate) fn before(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::try_from(NOW - seconds).unwrap(), nanos: 0 })
}

pub(crate) fn after(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::try_from(NOW + seconds).unwrap(), nanos: 0 })
}

const DAY: u64 = 24 * 3600;

pub(crate) fn told(result: Told) -> directory::Reply {
    directory::Reply { result: Some(result) }
}

pub(crate) fn tokens_told(result: TokenTold) -> token::Reply {
    token::Reply { result: Some(result) }
}

pub(crate) fn token() -> Token {
    Token {
        token_id: TOKEN.into(),
        issued_at: before(195 * DAY),
        expires_at: after(170 * DAY),
        state: State::Active.into(),
        created_by: "megan.bowen@contoso.com".into(),
        hint: "DfGa".into(),
        ..Token::default()
    }
}

fn cycle() -> Cycle {
    Cycle {
        cycle_id: "019b0000-0000-7000-8000-000000000040".into(),
        started_at: before(130),
        last_call_at: before(5),
        is_running: true,
        is_initial: false,
        calls: 2_250,
        checked: 1_028,
        created: 25,
        updated: 57,
        unchanged: 938,
        deactivated: 5,
        refused: 3,
        causes: vec![
            FailureCause { cause: "409 uniqueness".into(), count: 2, is_reference: false },
            FailureCause { cause: "400 invalidValue".into(), count: 1, is_reference: true },
        ],
        ..Cycle::default()
    }
}

fn earlier_cycle() -> Cycle {
    Cycle {
        cycle_id: "019b0000-0000-7000-8000-000000000041".into(),
        started_at: before(2_700),
        last_call_at: before(2_500),
        is_running: false,
        checked: 1_284,
        updated: 12,
        unchanged: 1_272,
        calls: 2_600,
        ..cycle()
    }
}

pub(crate) fn activity() -> GetActivityReply {
    let slots = (0..48_u64).map(|slot| Slot {
        begins_at: before((48 - slot) * 1_800),
        calls: 40
            + (slot * 37) % 61
            + if slot % 17 == 11 { 300 } else { 0 }
            + if slot == 47 { 420 } else { 0 },
        failures: if slot % 17 == 11 { 6 } else { 0 },
    });
    GetActivityReply {
        health: Some(Health {
            state: health::State::Healthy.into(),
            last_call_at: before(5),
            next_cycle_at: after(2_100),
            concerns: Vec::new(),
        }),
        latest: Some(cycle()),
        previous: Some(earlier_cycle()),
        slots: slots.collect(),
        uses: vec![CredentialUse {
            credential_id: TOKEN.into(),
            first_used_at: before(190 * DAY),
            last_used_at: before(5),
            last_worked_at: before(5),
            last_address: "20.190.128.7".into(),
            calls: 412_345,
            refused_calls: 0,
        }],
        size: Some(Size { users: 1_284, active_users: 1_251, groups: 12, counted_at: before(600) }),
        first_test_at: before(195 * DAY),
        first_user_at: before(195 * DAY),
        first_group_at: None,
    }
}

/// Entra has never called.
pub(crate) fn nothing_yet() -> GetActivityReply {
    GetActivityReply {
        health: Some(Health { state: health::State::NeverConnected.into(), ..Health::default() }),
        ..GetActivityReply::default()
    }
}

/// Entra calls with a token that has ended.
pub(crate) fn in_danger() -> GetActivityReply {
    let concern = |kind: concern::Kind, is_critical, count, limit| Concern {
        kind: kind.into(),
        is_critical,
        count,
        limit,
        since: before(7_200),
        ..Concern::default()
    };
    GetActivityReply {
        health: Some(Health {
            state: health::State::Critical.into(),
            last_call_at: before(9_000),
            next_cycle_at: after(600),
            concerns: vec![
                concern(concern::Kind::FailureRatio, false, 31, 40),
                concern(concern::Kind::Unauthenticated, true, 38, 0),
            ],
        }),
        ..activity()
    }
}

pub(crate) fn person(name: &str) -> UserRecord {
    let attributes = serde_json::json!({
        "userName": format!("{}@contoso.com", name.to_lowercase().replace(' ', ".")),
        "displayName": name,
        "name": {"givenName": name, "familyName": "Siciliani"},
        "active": name != "Henrietta Mueller",
        "externalId": "diego.siciliani",
        "emails": [{"type": "work", "value": "diego.siciliani@contoso.com", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "77120", "department": "Sales"},
    });
    UserRecord {
        user_id: PERSON.into(),
        version: 3,
        created_at: before(90 * DAY),
        last_modified_at: before(3 * 3_600),
        attributes_json: attributes.to_string(),
        manager: Some(Manager { user_id: OLD_TOKEN.into(), display_name: "Nestor Wilke".into() }),
        groups: vec![DirectGroup { group_id: GROUP.into(), display_name: "Paris – Warehouse".into() }],
    }
}

pub(crate) fn group(name: &str) -> GroupRecord {
    GroupRecord {
        group_id: GROUP.into(),
        version: 2,
        created_at: before(90 * DAY),
        last_modified_at: before(DAY),
        attributes_json: serde_json::json!({"displayName": name, "externalId": "g-1"}).to_string(),
    }
}

fn line(number: u64, name: &str, verb: &str, outcome: &str) -> LogEntry {
    LogEntry {
        request_id: format!("019b0000-0000-7000-8000-0000000000{:02}", 10 + number),
        accepted_at: before(5 + number * 47),
        applied_at: before(5 + number * 47),
        verb: verb.into(),
        outcome: outcome.into(),
        user_id: PERSON.into(),
        target_name: name.into(),
        credential_id: TOKEN.into(),
        address: "20.190.128.7".into(),
        status: 200,
        ..LogEntry::default()
    }
}

pub(crate) fn refused(name: &str) -> LogEntry {
    LogEntry {
        status: 409,
        refusal: Some(Refused {
            reason: refused::Reason::Conflict.into(),
            scim_type: "uniqueness".into(),
            detail: format!("Another user of this company already has the userName {name}."),
        }),
        ..line(0, name, "create", "refused")
    }
}

pub(crate) fn log(name: &str) -> Vec<LogEntry> {
    let change = |path: &str, before: Option<&str>, after: Option<&str>, is_redacted| AttributeChange {
        path: path.into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        is_redacted,
    };
    vec![
        refused(name),
        line(1, "Megan Bowen", "update", "unchanged"),
        LogEntry {
            changes: vec![change("active", Some("true"), Some("false"), false)],
            ..line(2, "Henrietta Mueller", "deactivate", "updated")
        },
        LogEntry {
            changes: vec![
                change("title", None, Some("\"Clerk\""), false),
                change("emails[type eq \"work\"].value", None, None, true),
                change(
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                    Some("\"Sales\""),
                    Some("\"Retail\""),
                    false,
                ),
            ],
            ..line(3, "Patti Fernandez", "update", "updated")
        },
        line(4, "Joni Sherman", "create", "created"),
        LogEntry {
            user_id: String::new(),
            group_id: GROUP.into(),
            members_added: 3,
            display_name: "Lyon – Warehouse".into(),
            ..line(5, "Paris – Warehouse", "update", "updated")
        },
        line(6, "Alex Wilber", "search", "nothing_found"),
        LogEntry { status: 503, ..line(7, "Lynne Robbins", "update", "failed") },
        LogEntry { user_id: String::new(), status: 401, ..line(8, "", "test", "unauthenticated") },
        LogEntry {
            user_id: String::new(),
            group_id: GROUP.into(),
            display_name: "Paris – Office".into(),
            ..line(9, "", "read", "found")
        },
    ]
}

/// Microsoft Entra has removed 132 of 300 people within 40 minutes, and 25 who had no access any more.
pub(crate) fn brake(state: brake::State) -> Brake {
    let is_open = matches!(state, brake::State::On | brake::State::Undoing);
    Brake {
        brake_id: BRAKE.into(),
        state: state.into(),
        began_at: before(4_000),
        last_at: before(1_600),
        removed: 157,
        had_access: 132,
        people: 300,
        waiting: if is_open { 148 } else { 0 },
        waiting_deleted: if is_open { 40 } else { 0 },
        superseded: 2,
        not_held: 7,
        decided_at: if state == brake::State::On { None } else { before(1_000) },
        decided_by: if state == brake::State::On { String::new() } else { "olga".into() },
        decided_by_kind: actor::Kind::Operator.into(),
        ends_at: after(30 * DAY),
        ..Brake::default()
    }
}

/// What health says of it.
pub(crate) fn removals() -> Concern {
    Concern {
        kind: concern::Kind::Removals.into(),
        is_critical: true,
        count: 157,
        limit: 300,
        had_access: 132,
        since: before(4_000),
        until: before(1_600),
    }
}

/// A company of which so many people were removed, in this state; whoever decides is obeyed.
pub(crate) fn says_brake(world: &World, name: &'static str, state: brake::State) {
    let services = &world.services;
    services.answer(subject::LIST_BRAKES, move |_: ListBrakes| {
        let rule = Some(BrakeRule { more_than: 10, percent: 25 });
        told(Told::ListBrakes(ListBrakesReply { brakes: vec![brake(state)], rule }))
    });
    services.answer(subject::LIST_REMOVALS, move |asked: ListRemovals| {
        if asked.brake_id != BRAKE {
            return told(Told::ListRemovals(ListRemovalsReply::default()));
        }
        let removal = |is_deleted: bool, name: &str| Removal {
            user_id: PERSON.into(),
            user_name: "diego.siciliani@contoso.com".into(),
            display_name: name.into(),
            removed_at: before(3_000),
            is_deleted,
            was_active: true,
            groups: u32::from(is_deleted) * 3,
        };
        let is_open = matches!(state, brake::State::On | brake::State::Undoing);
        let removals = vec![removal(true, name), removal(false, "Henrietta Mueller")];
        let removals = if is_open { removals } else { Vec::new() };
        let (brake, has_more) = (Some(brake(state)), is_open);
        told(Told::ListRemovals(ListRemovalsReply { brake, removals, has_more }))
    });
    services.answer(subject::DECIDE_BRAKE, move |_: DecideBrake| {
        told(Told::DecideBrake(DecideBrakeReply { brake: Some(brake(state)) }))
    });
    services.answer(subject::SET_BRAKE_RULE, |asked: SetBrakeRule| {
        told(Told::SetBrakeRule(SetBrakeRuleReply { rule: asked.rule }))
    });
}

pub(crate) fn client() -> Client {
    Client {
        client_id: CLIENT.into(),
        description: "Gallery app".into(),
        created_at: before(20 * DAY),
        secrets: vec![ClientSecret {
            secret_id: "019b0000-0000-7000-8000-000000000031".into(),
            created_at: before(20 * DAY),
            expires_at: after(345 * DAY),
            revoked_at: None,
            hint: "9xYz".into(),
        }],
        created_by: "megan.bowen@contoso.com".into(),
        token_endpoint: "https://live.timeclock365.com/oauth2/token".into(),
        ..Client::default()
    }
}

pub(crate) fn event(number: u32, act: &str, target: &str) -> Event {
    Event {
        event_id: format!("019b0000-0000-7000-8000-0000000001{number:02}"),
        occurred_at: before(u64::from(100 - number) * 60),
        actor: Some(Actor {
            kind: actor::Kind::Administrator.into(),
            name: "megan.bowen@contoso.com".into(),
            address: "198.51.100.7".into(),
        }),
        act: act.into(),
        target: target.into(),
        note: String::new(),
        ..Event::default()
    }
}

/// A company that is connected and well, in which everybody is called `name`.
pub(crate) fn lives(world: &World, name: &'static str) {
    says_activity(world, activity());
    says_tokens(world, vec![token()]);
    directory_says(world, name);
    let services = &world.services;
    services.answer(subject::LIST_CLIENTS, |_: ListClients| {
        tokens_told(TokenTold::ClientList(ClientList { clients: vec![client()] }))
    });
    services.answer(subject::LIST_TOKEN_EVENTS, move |asked: ListEvents| {
        let events = [event(30, "token.revealed", TOKEN), event(10, "token.issued", TOKEN)];
        let events = if asked.before_event_id.is_empty() { events.to_vec() } else { Vec::new() };
        tokens_told(TokenTold::Events(ListEventsReply { events }))
    });
    let secret_token = || SecretToken { token: Some(token()), secret: SECRET.into() };
    services.answer(subject::REVEAL_TOKEN, move |_: RevealToken| {
        tokens_told(TokenTold::SecretToken(secret_token()))
    });
    services.answer(subject::ISSUE_TOKEN, move |_: IssueToken| {
        tokens_told(TokenTold::SecretToken(secret_token()))
    });
    services.answer(subject::ROTATE_TOKEN, move |_: RotateToken| {
        tokens_told(TokenTold::SecretToken(secret_token()))
    });
    services.answer(subject::REVOKE_TOKEN, |_: RevokeToken| tokens_told(TokenTold::Revoked(token())));
    services.answer(subject::CREATE_CLIENT, |_: CreateClient| {
        tokens_told(TokenTold::SecretClient(SecretClient {
            client: Some(client()),
            secret_id: String::new(),
            secret: CLIENT_SECRET.into(),
        }))
    });
}

pub(crate) fn says_activity(world: &World, reply: GetActivityReply) {
    world
        .services
        .answer(subject::GET_ACTIVITY, move |_: GetActivity| told(Told::GetActivity(reply.clone())));
}

pub(crate) fn says_tokens(world: &World, tokens: Vec<Token>) {
    world.services.answer(subject::LIST_TOKENS, move |_: ListTokens| {
        tokens_told(TokenTold::TokenList(TokenList { tokens: tokens.clone() }))
    });
}

/// No OAuth client.
pub(crate) fn says_no_client(world: &World) {
    world.services.answer(subject::LIST_CLIENTS, |_: ListClients| {
        tokens_told(TokenTold::ClientList(ClientList::default()))
    });
}

pub(crate) fn says_log(world: &World, entries: Vec<LogEntry>, has_more: bool) {
    world.services.answer(subject::LIST_LOG, move |_: ListLog| {
        told(Told::ListLog(ListLogReply { entries: entries.clone(), has_more }))
    });
}

fn directory_says(world: &World, name: &'static str) {
    let services = &world.services;
    services.answer(subject::LIST_LOG, move |asked: ListLog| {
        let mut entries = log(name);
        if !asked.request_id.is_empty() {
            entries.retain(|entry| entry.request_id == asked.request_id);
        }
        if !asked.user_id.is_empty() {
            entries.retain(|entry| entry.user_id == asked.user_id);
        }
        if !asked.group_id.is_empty() {
            entries.retain(|entry| entry.group_id == asked.group_id);
        }
        told(Told::ListLog(ListLogReply {
            entries,
            has_more: asked.before_request_id.is_empty() && asked.limit == 50,
        }))
    });
    services.answer(subject::LIST_CYCLES, |_: ListCycles| {
        told(Told::ListCycles(ListCyclesReply { cycles: vec![cycle(), earlier_cycle()], has_more: false }))
    });
    services.answer(subject::BROWSE_USERS, move |_: BrowseUsers| {
        let users = vec![person(name), person("Henrietta Mueller"), person("Adele Vance")];
        told(Told::BrowseUsers(BrowseUsersReply { users, has_more: true }))
    });
    services.answer(subject::BROWSE_GROUPS, move |_: BrowseGroups| {
        told(Told::BrowseGroups(BrowseGroupsReply { groups: vec![group(name)], has_more: false }))
    });
    services.answer(subject::LOOK_UP_USER, move |asked: LookUpUser| {
        let is_known = asked.key == Some(look_up_user::Key::UserId(PERSON.into()));
        let users = if is_known { vec![person(name)] } else { Vec::new() };
        told(Told::LookUpUser(LookUpUserReply { users }))
    });
    services.answer(subject::LOOK_UP_GROUP, move |asked: LookUpGroup| {
        let is_known = asked.key == Some(look_up_group::Key::GroupId(GROUP.into()));
        let groups = if is_known { vec![group(name)] } else { Vec::new() };
        told(Told::LookUpGroup(LookUpGroupReply { groups }))
    });
    services.answer(subject::LIST_MEMBERS, move |_: ListMembers| {
        let member = Member { member_id: PERSON.into(), is_group: false, display_name: name.into() };
        told(Told::ListMembers(ListMembersReply { version: 1, members: vec![member], has_more: true }))
    });
    says_brake(world, name, brake::State::Undone);
    services.answer(subject::LIST_COMPANY_EVENTS, |asked: ListEvents| {
        let events = vec![event(20, "schema.declared", "urn:contoso:badge")];
        let events = if asked.before_event_id.is_empty() { events } else { Vec::new() };
        told(Told::ListEvents(ListEventsReply { events }))
    });
}
