//! The binary: exit status, JSON, and where the token may come from.

use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

use crate::target::{Reply, TOKEN, Target};

async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_entra-emulator"))
        .args(arguments)
        .env_remove("ENTRA_TENANT_URL")
        .env_remove("ENTRA_SECRET_TOKEN")
        .env_remove("ENTRA_SECRET_TOKEN_FILE")
        .env_remove("ENTRA_CLIENT_ID")
        .env_remove("ENTRA_TOKEN_ENDPOINT")
        .env_remove("ENTRA_CLIENT_SECRET")
        .env_remove("ENTRA_CLIENT_SECRET_FILE")
        .envs(environment.iter().copied())
        .output()
        .await
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_run_that_provisions_everybody_exits_0_and_says_so_in_json() {
    let target = Target::start().await;
    let arguments = ["run", "--users", "12", "--groups", "2", "--incremental", "2", "--json", "--seed", "4"];
    let output = run(&arguments, &[("ENTRA_TENANT_URL", &target.url), ("ENTRA_SECRET_TOKEN", TOKEN)]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = json(&output);
    assert_eq!(report["result"], "succeeded");
    assert_eq!(report["dialect"], "default");
    assert_eq!(report["cycles"].as_array().unwrap().len(), 3);
    let create = &report["cycles"][0]["counts"][0];
    assert_eq!(
        (&create["kind"], &create["action"], &create["success"]),
        (&"user".into(), &"create".into(), &12.into())
    );
    assert!(report["requests"]["create"]["p95_ms"].as_f64().unwrap() > 0.0);
    assert!(report["cycles"][0]["users_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(report["failures"], Value::Array(vec![]));
    assert!(output.stderr.is_empty(), "no progress bar where there is no terminal");
}

#[tokio::test]
async fn failures_exit_1_with_the_offending_exchange() {
    let target = Target::start().await;
    target.intercept(|received| (received.method() == "POST").then(|| Reply::error(500, "broken")));
    let environment = [("ENTRA_TENANT_URL", target.url.as_str()), ("ENTRA_SECRET_TOKEN", TOKEN)];
    let output = run(&["run", "--users", "3", "--json"], &environment).await;
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!((&report["result"], &report["failures_total"]), (&"failed".into(), &3.into()));
    assert_eq!(report["failures"][0]["exchange"]["status"], 500);
    let output = run(&["run", "--users", "3"], &environment).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("and 2 more: InternalServerError"), "{text}");
    assert!(text.contains("POST /scim/Users -> 500") && text.contains("broken"), "{text}");
}

#[tokio::test]
async fn a_refused_token_exits_3() {
    let target = Target::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "another token\n").unwrap();
    let file = file.to_str().unwrap();
    for command in ["run", "test-connection"] {
        let output = run(&[command, "--tenant-url", &target.url, "--secret-token-file", file], &[]).await;
        assert_eq!(output.status.code(), Some(3));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("the credentials appear to be invalid"), "{text}");
    }
}

#[tokio::test]
async fn test_connection_reads_the_token_from_a_file_and_exits_0() {
    let target = Target::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let environment =
        [("ENTRA_TENANT_URL", target.url.as_str()), ("ENTRA_SECRET_TOKEN_FILE", file.to_str().unwrap())];
    let output = run(&["test-connection"], &environment).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test]
async fn a_missing_token_is_a_usage_error() {
    let output = run(&["run", "--tenant-url", "http://127.0.0.1:1/scim"], &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.contains("--secret-token") && says.contains("--client-id"), "{says}");
}

#[tokio::test]
async fn half_a_credential_or_two_of_them_is_a_usage_error_that_names_the_option() {
    let client = ["--client-id", "c", "--token-endpoint", "http://127.0.0.1:1/t"];
    for (arguments, named) in [
        (&["--client-id", "c"][..], "--token-endpoint"),
        (&client, "--client-secret"),
        (&["--client-secret", "s"], "--client-id"),
        (&[&client[..], &["--client-secret", "s", "--secret-token", "t"]].concat(), "--secret-token"),
        (
            &[&client[..], &["--federation-tenant", "11111111-2222-4333-8444-555555555555"]].concat(),
            "--federation-subject",
        ),
        (&[&client[..], &["--federation-tenant", "contoso"]].concat(), "--federation-tenant"),
        (&[&client[..], &["--client-secret", "s", "--client-auth", "cookie"]].concat(), "--client-auth"),
    ] {
        let all = [&["run", "--tenant-url", "http://127.0.0.1:1/scim"], arguments].concat();
        let output = run(&all, &[]).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let says = String::from_utf8(output.stderr).unwrap();
        assert!(says.contains(named), "{arguments:?}: {says}");
    }
}

#[tokio::test]
async fn a_client_provisions_by_its_secret_from_a_file() {
    let target = Target::start().await;
    let granted = format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
    target.intercept(move |received| {
        (received.target() == "/oauth2/token").then(|| Reply::text(200, "application/json", granted.clone()))
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    std::fs::write(&file, "the-client-secret\n").unwrap();
    let endpoint = target.url.replace("/scim", "/oauth2/token");
    let environment = [
        ("ENTRA_TENANT_URL", target.url.as_str()),
        ("ENTRA_CLIENT_ID", "c"),
        ("ENTRA_TOKEN_ENDPOINT", &endpoint),
        ("ENTRA_CLIENT_SECRET_FILE", file.to_str().unwrap()),
    ];
    let output = run(&["run", "--users", "3", "--client-auth", "basic", "--json"], &environment).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let received = target.take_received();
    assert_eq!(received.iter().filter(|received| received.target() == "/oauth2/token").count(), 1);
    // base64 of c:the-client-secret
    assert!(received[0].headers.contains(&"Authorization: Basic Yzp0aGUtY2xpZW50LXNlY3JldA==".to_owned()));
}

#[tokio::test]
async fn help_teaches_by_example_and_never_shows_the_token() {
    let output = run(&["run", "--help"], &[("ENTRA_SECRET_TOKEN", TOKEN)]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Examples:") && text.contains("Exit status:"), "{text}");
    assert!(!text.contains(TOKEN));
}
