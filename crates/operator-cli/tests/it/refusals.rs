//! What the program says, and with which exit status, when it cannot do what it was asked.

use bus_contract::{
    Message as _,
    audit::ListEventsReply,
    console::{self, AdministratorList},
    directory::{
        self, Company, Failure, GetActivityReply, ListBrakesReply, ListCompaniesReply, ListCyclesReply,
        ListLogReply, ListSchemasReply, failure::Reason, reply::Result as Answer,
    },
    subject::{
        CREATE_COMPANY, GET_ACTIVITY, LIST_ADMINISTRATORS, LIST_BRAKES, LIST_CLIENTS, LIST_COMPANIES,
        LIST_COMPANY_EVENTS, LIST_CONSOLE_EVENTS, LIST_CYCLES, LIST_LOG, LIST_SCHEMAS, LIST_TOKEN_EVENTS,
        LIST_TOKENS,
    },
    token::{self, ClientList, TokenList},
};

use crate::harness::{command, operator, server, service, stderr, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

fn failed(reason: Reason, detail: &str) -> directory::Reply {
    let failure = Failure { reason: reason.into(), scim_type: String::new(), detail: detail.to_owned() };
    directory::Reply { result: Some(Answer::Failure(failure)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_exit_status_1_with_the_service_s_reason() {
    let server = server();
    service(&server, CREATE_COMPANY, |_| failed(Reason::Invalid, "the name is empty")).await;
    let output = operator(&server.url(), &["company", "create", "--name", ""]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "timeclock-operator: the name is empty\n");
    assert_eq!(stdout(&output), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_company_is_exit_status_1() {
    let server = server();
    service(&server, LIST_COMPANIES, |_| directory::Reply {
        result: Some(Answer::ListCompanies(ListCompaniesReply::default())),
    })
    .await;
    let output = operator(&server.url(), &["company", "show", "--id", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no such company"), "{output:?}");
}

/// Services for which nothing is known of any company, as they are of one that does not exist.
async fn services_that_know_nothing(server: &backing_servers::nats::Server) {
    let directory = [
        (GET_ACTIVITY, Answer::GetActivity(GetActivityReply::default())),
        (LIST_LOG, Answer::ListLog(ListLogReply::default())),
        (LIST_CYCLES, Answer::ListCycles(ListCyclesReply::default())),
        (LIST_BRAKES, Answer::ListBrakes(ListBrakesReply::default())),
        (LIST_SCHEMAS, Answer::ListSchemas(ListSchemasReply::default())),
        (LIST_COMPANY_EVENTS, Answer::ListEvents(ListEventsReply::default())),
    ];
    for (subject, result) in directory {
        service(server, subject, move |_| directory::Reply { result: Some(result.clone()) }).await;
    }
    let tokens = [
        (LIST_TOKENS, token::reply::Result::TokenList(TokenList::default())),
        (LIST_CLIENTS, token::reply::Result::ClientList(ClientList::default())),
        (LIST_TOKEN_EVENTS, token::reply::Result::Events(ListEventsReply::default())),
    ];
    for (subject, result) in tokens {
        service(server, subject, move |_| token::Reply { result: Some(result.clone()) }).await;
    }
    let console = [
        (LIST_ADMINISTRATORS, console::reply::Result::AdministratorList(AdministratorList::default())),
        (LIST_CONSOLE_EVENTS, console::reply::Result::Events(ListEventsReply::default())),
    ];
    for (subject, result) in console {
        service(server, subject, move |_| console::Reply { result: Some(result.clone()) }).await;
    }
    service(server, LIST_COMPANIES, |question| {
        let wanted = directory::ListCompanies::decode(question).unwrap().company_id;
        let known = Company { company_id: COMPANY.into(), ..Company::default() };
        let companies = Vec::from_iter((wanted == COMPANY).then_some(known));
        let list = ListCompaniesReply { companies, ..ListCompaniesReply::default() };
        directory::Reply { result: Some(Answer::ListCompanies(list)) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_company_is_told_apart_from_no_such_company() {
    let server = server();
    services_that_know_nothing(&server).await;
    for command in [
        ["activity", "show"],
        ["activity", "log"],
        ["activity", "cycles"],
        ["brake", "list"],
        ["schema", "list"],
        ["company", "events"],
        ["token", "list"],
        ["token", "events"],
        ["client", "list"],
        ["administrator", "list"],
        ["administrator", "events"],
    ] {
        let ask = |company| operator(&server.url(), &[command.as_slice(), &["--company", company]].concat());
        let unknown = ask(NOBODY);
        assert_eq!(unknown.status.code(), Some(1), "{command:?}: {unknown:?}");
        assert_eq!(stderr(&unknown), "timeclock-operator: there is no such company\n", "{command:?}");
        let known = ask(COMPANY);
        assert!(known.status.success() && !stdout(&known).is_empty(), "{command:?}: {known:?}");
        let mistyped = ask("nope");
        assert_eq!(mistyped.status.code(), Some(2), "{command:?}: {mistyped:?}");
        assert!(stderr(&mistyped).contains("must be a UUID"), "{command:?}: {mistyped:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_right_now_is_exit_status_69() {
    let server = server();
    service(&server, LIST_COMPANIES, |_| failed(Reason::Unavailable, "the database does not answer")).await;
    let output = operator(&server.url(), &["company", "list"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(stderr(&output).contains("the database does not answer"), "{output:?}");
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let server = server();
    let output = operator(&server.url(), &["token", "list", "--company", COMPANY]);
    assert_eq!(output.status.code(), Some(69));
    assert!(stderr(&output).contains("no token-service is running"), "{output:?}");
}

#[test]
fn a_nats_that_is_not_there_or_does_not_let_us_in_is_exit_status_69_and_says_what_to_check() {
    let port = backing_servers::port::free().unwrap();
    let nobody = operator(&format!("nats://127.0.0.1:{port}"), &["company", "list"]);
    let config = "authorization { user: operator, password: another }".to_owned();
    let options = backing_servers::nats::Options { config: Some(config), ..Default::default() };
    let closed = backing_servers::nats::Server::start(options).unwrap();
    let refused = operator(&closed.url(), &["company", "list"]);
    for output in [nobody, refused] {
        assert_eq!(output.status.code(), Some(69), "{output:?}");
        assert!(stderr(&output).contains("Check TIMECLOCK_NATS_URL"), "{output:?}");
        assert!(!stderr(&output).contains("secret"), "{output:?}");
    }
}

#[test]
fn a_wrong_command_line_or_environment_is_exit_status_2() {
    for arguments in [
        &["company"][..],
        &["token", "issue"],
        &["token", "issue", "--company", COMPANY, "--lifetime", "soon"],
        &["nonsense"],
        &["activity", "log", "--company", COMPANY, "--outcome", "bogus"],
        &["activity", "log", "--company", COMPANY, "--verb", "create,bogus"],
        &["administrator", "invite", "--company", COMPANY, "--email", "a@b.example", "--language", "de"],
    ] {
        assert_eq!(command(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
    let output = command(&["company", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("TIMECLOCK_NATS_PASSWORD is required"), "{output:?}");
    let output = command(&["company", "list"])
        .env("TIMECLOCK_NATS_PASSWORD", "secret")
        .env("TIMECLOCK_NATS_URL", "not a url")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn help_teaches() {
    let output = command(&["--help"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = stdout(&output);
    for word in ["TIMECLOCK_NATS_PASSWORD_FILE", "Exit status:", "69", "Examples:", "token rotate --company"]
    {
        assert!(help.contains(word), "{word} is not in:\n{help}");
    }
}
