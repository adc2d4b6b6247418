//! What the program says, and with which exit status, when it cannot do what it was asked.

use bus_contract::{
    directory::{self, Failure, ListCompaniesReply, failure::Reason, reply::Result as Answer},
    subject::{CREATE_COMPANY, LIST_COMPANIES},
};

use crate::harness::{command, operator, server, service, stderr, stdout};

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
    let output = operator(&server.url(), &["token", "list", "--company", "x"]);
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
        &["token", "issue", "--company", "x", "--lifetime", "soon"],
        &["nonsense"],
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
