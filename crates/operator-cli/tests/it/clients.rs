//! OAuth clients, the audit log, and who is said to have asked.

use bus_contract::{
    Message as _, Timestamp,
    audit::{Actor, Event, ListEvents, ListEventsReply, actor::Kind},
    directory,
    subject::{
        ADD_CLIENT_SECRET, CREATE_CLIENT, LIST_COMPANY_EVENTS, LIST_TOKEN_EVENTS, REVOKE_CLIENT,
        REVOKE_CLIENT_SECRET, REVOKE_TOKEN,
    },
    token::{
        self, AddClientSecret, Client, ClientSecret, CreateClient, Federation, RevokeClient,
        RevokeClientSecret, RevokeToken, SecretClient, create_client::Authentication, failure::Reason,
        reply::Result as Answer,
    },
};
use serde_json::Value;

use crate::harness::{command, operator, server, service, stderr, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const CLIENT: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

fn client(federation: Option<Federation>) -> Client {
    Client {
        client_id: CLIENT.into(),
        company_id: COMPANY.into(),
        description: "Entra".into(),
        created_at: Some(Timestamp::default()),
        secrets: Vec::from_iter(federation.is_none().then(|| ClientSecret {
            secret_id: "s-1".into(),
            created_at: Some(Timestamp::default()),
            expires_at: Some(Timestamp { seconds: 86_400, nanos: 0 }),
            revoked_at: None,
            hint: "wxyz".into(),
        })),
        federation,
        created_by: "paul".into(),
        token_endpoint: "https://tokens.example.com/oauth2/token".into(),
        ..Client::default()
    }
}

fn answered(result: Answer) -> token::Reply {
    token::Reply { result: Some(result) }
}

fn told(secret: &str) -> token::Reply {
    let made =
        SecretClient { client: Some(client(None)), secret_id: "s-1".into(), secret: secret.to_owned() };
    answered(Answer::SecretClient(made))
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_s_secret_is_told_with_all_that_entra_asks_for() {
    let server = server();
    service(&server, CREATE_CLIENT, |question| {
        let question = CreateClient::decode(question).unwrap();
        let Some(Authentication::Secret(secret)) = question.authentication else { panic!("no secret") };
        assert_eq!((question.description.as_str(), secret.lifetime_seconds), ("Entra", Some(730 * 86_400)));
        told("tc365_cs_x")
    })
    .await;
    let arguments =
        ["client", "create", "--company", COMPANY, "--description", "Entra", "--lifetime", "730d"];
    let printed = stdout(&operator(&server.url(), &arguments));
    for needed in ["tc365_cs_x", CLIENT, "https://tokens.example.com/oauth2/token"] {
        assert!(printed.contains(needed), "{printed}");
    }
    let printed = json(&operator(&server.url(), &[&arguments[..], &["--json"]].concat()));
    assert_eq!((&printed["id"], &printed["secret"]), (&CLIENT.into(), &"tc365_cs_x".into()));
    assert_eq!(printed["secrets"][0]["hint"], "wxyz");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federated_client_is_asked_for_whole_or_not_at_all() {
    let server = server();
    service(&server, CREATE_CLIENT, |question| {
        let Some(Authentication::Federation(asked)) = CreateClient::decode(question).unwrap().authentication
        else {
            panic!("no federation")
        };
        let made = SecretClient { client: Some(client(Some(asked))), ..SecretClient::default() };
        answered(Answer::SecretClient(made))
    })
    .await;
    let whole = [
        "client",
        "create",
        "--company",
        COMPANY,
        "--federation-tenant",
        "t",
        "--federation-subject",
        "s",
        "--federation-audience",
        "a",
        "--federation-audience",
        "b",
        "--json",
    ];
    let printed = json(&operator(&server.url(), &whole));
    assert_eq!(printed["federation"]["audiences"], serde_json::json!(["a", "b"]));
    assert!(printed.get("secret").is_none());
    for part in [
        &["--federation-tenant", "t"][..],
        &["--federation-subject", "s"],
        &["--federation-tenant", "t", "--federation-subject", "s"],
        &[
            "--federation-tenant",
            "t",
            "--federation-subject",
            "s",
            "--federation-audience",
            "a",
            "--lifetime",
            "730d",
        ],
    ] {
        let output =
            operator(&server.url(), &[&["client", "create", "--company", COMPANY][..], part].concat());
        assert_eq!(output.status.code(), Some(2), "{part:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_added_and_ended_and_a_client_is_ended() {
    let server = server();
    service(&server, ADD_CLIENT_SECRET, |question| {
        let question = AddClientSecret::decode(question).unwrap();
        assert_eq!((question.client_id.as_str(), question.lifetime_seconds), (CLIENT, None));
        told("tc365_cs_y")
    })
    .await;
    service(&server, REVOKE_CLIENT_SECRET, |question| {
        assert_eq!(RevokeClientSecret::decode(question).unwrap().secret_id, "s-1");
        answered(Answer::Client(client(None)))
    })
    .await;
    service(&server, REVOKE_CLIENT, |question| {
        assert_eq!(RevokeClient::decode(question).unwrap().client_id, CLIENT);
        let revoked_at = Some(Timestamp { seconds: 60, nanos: 0 });
        answered(Answer::Client(Client { revoked_at, ..client(None) }))
    })
    .await;
    let of_client = ["--company", COMPANY, "--client", CLIENT];
    let run = |command: &str, more: &[&str]| {
        let output = operator(&server.url(), &[&["client", command][..], &of_client, more].concat());
        assert!(output.status.success(), "{output:?}");
        stdout(&output)
    };
    assert!(run("add-secret", &[]).contains("tc365_cs_y"));
    assert!(run("revoke-secret", &["--secret", "s-1"]).contains("active"));
    assert!(run("revoke", &[]).contains("revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_says_who_asks_by_name_or_by_account() {
    let server = server();
    let account =
        String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let account = account.trim().to_owned();
    service(&server, REVOKE_TOKEN, move |question| {
        let actor = RevokeToken::decode(question).unwrap().actor.unwrap();
        assert_eq!((actor.kind(), actor.address.as_str()), (Kind::Operator, ""));
        let detail = format!("asked by {}", actor.name);
        let failure = token::Failure { reason: Reason::Invalid.into(), detail };
        answered(Answer::Failure(failure))
    })
    .await;
    let arguments = ["token", "revoke", "--company", COMPANY, "--token", "t-1"];
    let refused = operator(&server.url(), &arguments);
    assert_eq!(stderr(&refused), format!("timeclock-operator: asked by {account}\n"));
    let refused = operator(&server.url(), &[&["--as", "paul"], &arguments[..]].concat());
    assert_eq!(stderr(&refused), "timeclock-operator: asked by paul\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_are_listed_by_both_services_page_by_page() {
    let server = server();
    let events = |question| {
        let question = ListEvents::decode(question).unwrap();
        assert_eq!((question.before_event_id.as_str(), question.limit), ("e-9", 7));
        let actor = Actor {
            kind: Kind::Administrator.into(),
            name: "anna@contoso.com".into(),
            address: "192.0.2.7".into(),
        };
        let event = Event {
            event_id: "e-8".into(),
            company_id: question.company_id,
            occurred_at: Some(Timestamp::default()),
            actor: Some(actor),
            act: "token.revoked".into(),
            target: "t-1".into(),
            note: String::new(),
        };
        let before = Event { event_id: "e-7".into(), actor: None, ..event.clone() };
        ListEventsReply { events: vec![event, before] }
    };
    service(&server, LIST_TOKEN_EVENTS, move |question| answered(Answer::Events(events(question)))).await;
    service(&server, LIST_COMPANY_EVENTS, move |question| directory::Reply {
        result: Some(directory::reply::Result::ListEvents(events(question))),
    })
    .await;
    for subject in ["token", "company"] {
        let arguments = [subject, "events", "--company", COMPANY, "--limit", "7", "--before", "e-9"];
        let table = stdout(&operator(&server.url(), &arguments));
        for needed in ["anna@contoso.com", "192.0.2.7", "token.revoked", "(not recorded)"] {
            assert!(table.contains(needed), "{table}");
        }
        let printed = json(&operator(&server.url(), &[&["--json"], &arguments[..]].concat()));
        assert_eq!((&printed[0]["id"], &printed[0]["actor_kind"]), (&"e-8".into(), &"administrator".into()));
    }
    let output = command(&["token", "events", "--company", COMPANY, "--limit", "201"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
