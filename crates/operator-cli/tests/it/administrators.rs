//! Who may sign in to a company's console.

use bus_contract::{
    Message as _, Timestamp,
    audit::actor::Kind,
    console::{
        Administrator, ChangeRole, Failure, InviteAdministrator, Invited, Reply, Role, administrator::State,
        failure::Reason, reply::Result as Answer,
    },
    subject::{CHANGE_ROLE, INVITE_ADMINISTRATOR, REMOVE_ADMINISTRATOR},
};
use serde_json::Value;

use crate::harness::{operator, server, service, stderr, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const ANNA: &str = "01890a5d-ac96-774b-bcce-b302099a8059";

fn anna(role: Role) -> Administrator {
    Administrator {
        administrator_id: ANNA.into(),
        company_id: COMPANY.into(),
        email: "anna@contoso.example".into(),
        role: role.into(),
        state: State::Invited.into(),
        created_at: Some(Timestamp::default()),
        ..Administrator::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_s_link_is_printed_and_the_console_hears_who_asked() {
    let server = server();
    service(&server, INVITE_ADMINISTRATOR, |asked| {
        let ask = InviteAdministrator::decode(asked).unwrap();
        assert_eq!(ask.actor.clone().unwrap().kind(), Kind::Operator);
        assert_eq!(
            (ask.email.as_str(), ask.role(), ask.language.as_str()),
            ("anna@contoso.example", Role::Auditor, "fr")
        );
        let invited = Invited {
            administrator: Some(anna(ask.role())),
            link: "https://live.example/invitation/x".into(),
            expires_at: Some(Timestamp { seconds: 604_800, nanos: 0 }),
            mailed: true,
        };
        Reply { result: Some(Answer::Invited(invited)) }
    })
    .await;
    let arguments = [
        "administrator",
        "invite",
        "--company",
        COMPANY,
        "--email",
        "anna@contoso.example",
        "--role",
        "auditor",
        "--language",
        "fr",
    ];
    let shown = stdout(&operator(&server.url(), &arguments));
    assert!(shown.contains("https://live.example/invitation/x") && shown.contains("1970-01-08"), "{shown}");
    let json = stdout(&operator(&server.url(), &[&["--json"], arguments.as_slice()].concat()));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["link"], "https://live.example/invitation/x");
    assert_eq!(
        (&json["role"], &json["state"], &json["mailed"]),
        (&"auditor".into(), &"invited".into(), &true.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_changed_and_refusals_are_told() {
    let server = server();
    service(&server, CHANGE_ROLE, |asked| {
        let ask = ChangeRole::decode(asked).unwrap();
        assert_eq!(ask.administrator_id, ANNA);
        Reply { result: Some(Answer::Administrator(anna(ask.role()))) }
    })
    .await;
    service(&server, REMOVE_ADMINISTRATOR, |_| Reply {
        result: Some(Answer::Failure(Failure {
            reason: Reason::Invalid.into(),
            detail: "the last one".into(),
        })),
    })
    .await;
    let who = ["--company", COMPANY, "--administrator", ANNA];
    let change = [&["administrator", "change-role"], who.as_slice(), &["--role", "auditor"]].concat();
    assert!(stdout(&operator(&server.url(), &change)).contains("auditor"));
    let remove = operator(&server.url(), &[&["administrator", "remove"], who.as_slice()].concat());
    assert_eq!(remove.status.code(), Some(1));
    assert!(stderr(&remove).contains("the last one"));
}
