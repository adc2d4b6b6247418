//! What is asked, and how the answer is shown.

use std::process::Stdio;

use bus_contract::{
    Message as _, Timestamp,
    directory::{
        self, Company, CreateCompany, CreateCompanyReply, DeclareSchema, DeclareSchemaReply,
        ListCompaniesReply, ListSchemasReply, reply::Result as DirectoryAnswer,
    },
    subject::{
        CREATE_COMPANY, DECLARE_SCHEMA, ISSUE_TOKEN, LIST_COMPANIES, LIST_SCHEMAS, LIST_TOKENS, ROTATE_TOKEN,
    },
    token::{
        self, IssueToken, RotateToken, SecretToken, Token, TokenList, reply::Result as TokenAnswer,
        token::State,
    },
};
use serde_json::{Value, json};

use crate::harness::{command, operator, server, service, stderr, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn company(name: String) -> Company {
    Company { company_id: COMPANY.into(), name, created_at: "2026-01-01T00:00:00Z".into() }
}

fn answered(result: DirectoryAnswer) -> directory::Reply {
    directory::Reply { result: Some(result) }
}

fn a_token(state: State) -> Token {
    Token {
        token_id: "t-1".into(),
        company_id: COMPANY.into(),
        description: "Entra".into(),
        issued_at: Some(Timestamp { seconds: 0, nanos: 0 }),
        expires_at: Some(Timestamp { seconds: 86_400, nanos: 0 }),
        ends_at: None,
        state: state.into(),
        created_by: String::new(),
        hint: String::new(),
        key_id: "k1".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_created_by_its_name() {
    let server = server();
    service(&server, CREATE_COMPANY, |question| {
        let question = CreateCompany::decode(question).unwrap();
        assert_eq!(question.company_id, "");
        let company = Some(company(question.name));
        answered(DirectoryAnswer::CreateCompany(CreateCompanyReply { company, created: true }))
    })
    .await;
    let output = operator(&server.url(), &["company", "create", "--name", "Contoso", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let expected =
        json!({"id": COMPANY, "name": "Contoso", "created_at": "2026-01-01T00:00:00Z", "created": true});
    assert_eq!(printed, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_are_listed_as_a_table_or_as_json() {
    let server = server();
    service(&server, LIST_COMPANIES, |_question| {
        let companies = vec![company("Contoso".into()), company("Fabrikam".into())];
        answered(DirectoryAnswer::ListCompanies(ListCompaniesReply {
            companies,
            ..ListCompaniesReply::default()
        }))
    })
    .await;
    let table = stdout(&operator(&server.url(), &["company", "list"]));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].contains("NAME") && lines[2].contains("Fabrikam"), "{table}");
    let printed: Value =
        serde_json::from_str(&stdout(&operator(&server.url(), &["--json", "company", "list"]))).unwrap();
    assert_eq!(printed[1]["name"], "Fabrikam");
    assert!(printed[1].get("created").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_token_is_shown_with_its_secret() {
    let server = server();
    service(&server, ISSUE_TOKEN, |question| {
        let question = IssueToken::decode(question).unwrap();
        assert_eq!((question.company_id.as_str(), question.lifetime_seconds), (COMPANY, Some(90 * 86_400)));
        let secret = SecretToken { token: Some(a_token(State::Active)), secret: "tc365_x".into() };
        token::Reply { result: Some(TokenAnswer::SecretToken(secret)) }
    })
    .await;
    let arguments = ["token", "issue", "--company", COMPANY, "--lifetime", "90d"];
    let printed = stdout(&operator(&server.url(), &arguments));
    assert!(printed.lines().any(|line| line == "tc365_x"), "{printed}");
    let printed = stdout(&operator(&server.url(), &[&arguments[..], &["--json"]].concat()));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let expected = json!({
        "id": "t-1", "company_id": COMPANY, "description": "Entra", "token": "tc365_x",
        "issued_at": "1970-01-01T00:00:00Z", "expires_at": "1970-01-02T00:00:00Z", "state": "active", "signing_key": "k1"
    });
    assert_eq!(printed, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tokens_holds_no_secret() {
    let server = server();
    service(&server, LIST_TOKENS, |_question| {
        let ending =
            Token { ends_at: Some(Timestamp { seconds: 3_600, nanos: 0 }), ..a_token(State::Retiring) };
        token::Reply { result: Some(TokenAnswer::TokenList(TokenList { tokens: vec![ending] })) }
    })
    .await;
    let printed = stdout(&operator(&server.url(), &["token", "list", "--company", COMPANY, "--json"]));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed[0]["state"], "retiring");
    assert_eq!(printed[0]["ends_at"], "1970-01-01T01:00:00Z");
    assert!(printed[0].get("token").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_of_nothing_is_asked_for_as_such() {
    let server = server();
    service(&server, ROTATE_TOKEN, |question| {
        let question = RotateToken::decode(question).unwrap();
        assert_eq!((question.overlap_seconds, question.lifetime_seconds), (Some(0), None));
        let secret = SecretToken { token: Some(a_token(State::Active)), secret: "tc365_x".into() };
        token::Reply { result: Some(TokenAnswer::SecretToken(secret)) }
    })
    .await;
    let output = operator(&server.url(), &["token", "rotate", "--company", COMPANY, "--overlap", "0s"]);
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_went_away_is_no_failure_and_a_full_disk_is_one() {
    let server = server();
    service(&server, LIST_COMPANIES, |_question| {
        let companies = vec![company("Contoso".into())];
        answered(DirectoryAnswer::ListCompanies(ListCompaniesReply {
            companies,
            ..ListCompaniesReply::default()
        }))
    })
    .await;
    let list_into = |stdout: Stdio| {
        command(&["company", "list"])
            .env("TIMECLOCK_NATS_URL", server.url())
            .env("TIMECLOCK_NATS_PASSWORD", "secret")
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap()
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = list_into(writer.into());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{output:?}");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = list_into(full.into());
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(stderr(&output).contains("could not be written"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_declared_from_a_file_and_listed_with_its_attributes() {
    const DOCUMENT: &str =
        r#"{"id":"urn:contoso:2.0:User","name":"Contoso","attributes":[{"name":"badge"}]}"#;
    let server = server();
    service(&server, DECLARE_SCHEMA, |question| {
        let question = DeclareSchema::decode(question).unwrap();
        assert_eq!((question.company_id.as_str(), question.document_json.as_str()), (COMPANY, DOCUMENT));
        let urn = "urn:contoso:2.0:User".to_owned();
        answered(DirectoryAnswer::DeclareSchema(DeclareSchemaReply { urn, created: true }))
    })
    .await;
    service(&server, LIST_SCHEMAS, |_question| {
        let document_json = vec![DOCUMENT.to_owned()];
        answered(DirectoryAnswer::ListSchemas(ListSchemasReply { document_json }))
    })
    .await;
    let file = std::env::temp_dir().join(format!("schema-{}.json", std::process::id()));
    std::fs::write(&file, DOCUMENT).unwrap();

    let declared = operator(
        &server.url(),
        &["schema", "declare", "--company", COMPANY, "--file", file.to_str().unwrap()],
    );
    std::fs::remove_file(&file).unwrap();
    assert!(declared.status.success(), "{declared:?}");
    assert!(stdout(&declared).ends_with("\ndeclared\n"), "{declared:?}");
    let listed = stdout(&operator(&server.url(), &["schema", "list", "--company", COMPANY]));
    assert!(listed.contains("urn:contoso:2.0:User") && listed.contains("badge"), "{listed}");
    let nowhere = operator(&server.url(), &["schema", "declare", "--company", COMPANY, "--file", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("/nowhere cannot be read"), "{nowhere:?}");
}
