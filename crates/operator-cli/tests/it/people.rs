//! What operators see of a company's people and groups, and how they sign somebody out.

use bus_contract::{
    Message as _, Timestamp, audit,
    console::{self, SignOutPerson, SignedOutPerson},
    directory::{
        self, BrowseGroups, BrowseGroupsReply, BrowseUsers, BrowseUsersReply, DirectGroup, GroupRecord,
        ListMembers, ListMembersReply, LookUpGroup, LookUpGroupReply, LookUpUser, LookUpUserReply, Manager,
        Member, UserRecord, browse_users::State, look_up_group, look_up_user::Key, reply::Result as Answer,
    },
    subject::{BROWSE_GROUPS, BROWSE_USERS, LIST_MEMBERS, LOOK_UP_GROUP, LOOK_UP_USER, SIGN_OUT_PERSON},
};
use serde_json::Value;

use crate::harness::{operator, server, service, stderr, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const ANNA: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
const PAYROLL: &str = "01890a5d-ac96-774b-bcce-b302099a8059";

fn told(result: Answer) -> directory::Reply {
    directory::Reply { result: Some(result) }
}

fn anna() -> UserRecord {
    let at = Some(Timestamp { seconds: 0, nanos: 0 });
    let attributes = r#"{"userName":"x7431@northwind.com","displayName":"Anna Berg","active":false,
        "externalId":"e-1","phoneNumbers":[{"value":"+49 30 5550100"}]}"#;
    UserRecord {
        user_id: ANNA.into(),
        version: 1,
        created_at: at,
        last_modified_at: at,
        attributes_json: attributes.into(),
        ..UserRecord::default()
    }
}

fn payroll() -> GroupRecord {
    let at = Some(Timestamp { seconds: 0, nanos: 0 });
    GroupRecord {
        group_id: PAYROLL.into(),
        version: 1,
        created_at: at,
        last_modified_at: at,
        attributes_json: r#"{"displayName":"Payroll"}"#.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_by_what_is_looked_for_and_page_by_page() {
    let server = server();
    service(&server, BROWSE_USERS, |question| {
        let question = BrowseUsers::decode(question).unwrap();
        assert_eq!((question.company_id.as_str(), question.search.as_str()), (COMPANY, "berg"));
        assert_eq!((question.state(), question.limit), (State::Inactive, 1));
        assert_eq!(question.after_user_id, "before");
        told(Answer::BrowseUsers(BrowseUsersReply { users: vec![anna()], has_more: true }))
    })
    .await;
    let arguments =
        "person list --search berg --state inactive --limit 1 --after before --company".split(' ');
    let arguments: Vec<_> = arguments.chain([COMPANY]).collect();
    let seen = operator(&server.url(), &arguments);
    assert!(seen.status.success(), "{}", stderr(&seen));
    for text in [ANNA, "x7431@northwind.com", "Anna Berg", "inactive", &format!("--after {ANNA}")] {
        assert!(stdout(&seen).contains(text), "{text}: {}", stdout(&seen));
    }
    let seen = operator(&server.url(), &[&["--json"], arguments.as_slice()].concat());
    let rows: Value = serde_json::from_str(&stdout(&seen)).unwrap();
    assert_eq!((&rows[0]["display_name"], &rows[0]["active"]), (&"Anna Berg".into(), &false.into()));
    assert!(!stdout(&seen).contains("5550100"), "{}", stdout(&seen));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_shown_with_their_manager_and_groups() {
    let server = server();
    service(&server, LOOK_UP_USER, |question| {
        let users = match LookUpUser::decode(question).unwrap().key.unwrap() {
            Key::UserName(name) if name == "x7431@northwind.com" => vec![UserRecord {
                manager: Some(Manager { user_id: "m".into(), display_name: "Olga Chief".into() }),
                groups: vec![DirectGroup { group_id: PAYROLL.into(), display_name: "Payroll".into() }],
                ..anna()
            }],
            _ => vec![],
        };
        told(Answer::LookUpUser(LookUpUserReply { users }))
    })
    .await;
    let show =
        |key, value| operator(&server.url(), &["--json", "person", "show", "--company", COMPANY, key, value]);
    let seen = show("--user-name", "x7431@northwind.com");
    let row: Value = serde_json::from_str(&stdout(&seen)).unwrap();
    assert_eq!((&row["id"], &row["manager"]["display_name"]), (&ANNA.into(), &"Olga Chief".into()));
    assert_eq!(row["groups"][0]["display_name"], "Payroll");
    assert!(!stdout(&seen).contains("5550100"), "{}", stdout(&seen));
    let nobody = show("--person", PAYROLL);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).contains("person list"), "{}", stderr(&nobody));
    let whom = operator(&server.url(), &["person", "show", "--company", COMPANY]);
    assert_eq!(whom.status.code(), Some(2), "somebody has to be named");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_somebody_out_names_its_operator() {
    let server = server();
    service(&server, SIGN_OUT_PERSON, |question| {
        let question = SignOutPerson::decode(question).unwrap();
        let actor = question.actor.unwrap();
        assert_eq!((actor.name.as_str(), actor.kind()), ("olga", audit::actor::Kind::Operator));
        assert_eq!(question.company_id, COMPANY);
        let sessions = if question.user_id == ANNA { 2 } else { 0 };
        let result = SignedOutPerson { user_id: question.user_id, sessions };
        console::Reply { result: Some(console::reply::Result::SignedOutPerson(result)) }
    })
    .await;
    let sign_out = |person| {
        let arguments = ["--as", "olga", "person", "sign-out", "--company", COMPANY, "--person", person];
        stdout(&operator(&server.url(), &arguments))
    };
    let ended = sign_out(ANNA);
    assert!(ended.contains(" 2") && !ended.contains("Nobody"), "{ended}");
    assert!(sign_out(PAYROLL).contains("Nobody with this id is signed in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_and_shown_with_their_members() {
    let server = server();
    service(&server, BROWSE_GROUPS, |question| {
        assert_eq!(BrowseGroups::decode(question).unwrap().search, "pay");
        told(Answer::BrowseGroups(BrowseGroupsReply { groups: vec![payroll()], has_more: false }))
    })
    .await;
    service(&server, LOOK_UP_GROUP, |question| {
        let is_payroll =
            LookUpGroup::decode(question).unwrap().key == Some(look_up_group::Key::GroupId(PAYROLL.into()));
        let groups = if is_payroll { vec![payroll()] } else { vec![] };
        told(Answer::LookUpGroup(LookUpGroupReply { groups }))
    })
    .await;
    service(&server, LIST_MEMBERS, |question| {
        assert_eq!(ListMembers::decode(question).unwrap().limit, 1);
        let member = Member { member_id: ANNA.into(), is_group: false, display_name: "Anna Berg".into() };
        told(Answer::ListMembers(ListMembersReply { version: 1, members: vec![member], has_more: true }))
    })
    .await;
    let group = |arguments: &[&str]| {
        operator(&server.url(), &[&["group"], arguments, &["--company", COMPANY]].concat())
    };
    let list = stdout(&group(&["list", "--search", "pay"]));
    assert!(list.contains("Payroll") && !list.contains("--after"), "{list}");
    let shown = stdout(&group(&["show", "--group", PAYROLL, "--limit", "1"]));
    for text in ["Payroll", "Anna Berg", &format!("--after {ANNA}")] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let nothing = group(&["show", "--group", ANNA, "--limit", "1"]);
    assert!(stderr(&nothing).contains("group list"), "{}", stderr(&nothing));
}
