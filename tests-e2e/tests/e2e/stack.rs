//! The stack that tools outside the project hold on to.

use serde_json::Value;
use tests_e2e::{World, fault::SERVICES};

fn endpoints(world: &World) -> Value {
    let file = std::fs::read(world.stack().workdir().join("endpoints.json")).unwrap();
    serde_json::from_slice(&file).unwrap()
}

/// What the console answers to a company's administrator.
async fn sign_in(console: &str, company: &Value) -> u16 {
    let [email, password] = ["admin_email", "admin_password"].map(|key| company[key].as_str().unwrap());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.post(format!("{console}/sign-in")).header("origin", console);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer =
        request.body(format!("email={}&password={password}", email.replace('@', "%40"))).send().await;
    answer.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_json_says_where_everything_is() {
    let world = World::shared();
    let endpoints = endpoints(&world);
    let keys: Vec<_> = endpoints.as_object().unwrap().keys().map(String::as_str).collect();
    let promised = [
        "scim_url",
        "console_url",
        "token_url",
        "companies",
        "metrics",
        "postgres_url",
        "nats_url",
        "processes",
    ];
    assert!(promised.iter().all(|key| keys.contains(key)), "{keys:?}");

    let companies = endpoints["companies"].as_array().unwrap();
    let names: Vec<_> = companies.iter().map(|company| company["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Contoso", "Fabrikam"]);
    for company in companies {
        for key in ["id", "name", "scim_token", "admin_email", "admin_password"] {
            assert!(company.get(key).is_some(), "{key}");
        }
        let scim = world.scim.with_token(company["scim_token"].as_str().unwrap());
        assert_eq!(scim.get("/Users").await.status, 200);
        assert_eq!(sign_in(endpoints["console_url"].as_str().unwrap(), company).await, 303);
    }
    for service in SERVICES {
        assert!(endpoints["metrics"][service].as_str().unwrap().ends_with("/metrics"), "{service}");
        let pid = endpoints["processes"][service].as_u64().unwrap();
        assert!(std::path::Path::new(&format!("/proc/{pid}")).exists() || cfg!(not(target_os = "linux")));
    }
    for backing in ["postgres", "nats-server"] {
        assert!(endpoints["processes"][backing].is_u64(), "{backing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stack_works_beside_the_first_and_neither_knows_the_others_tokens() {
    let second = World::to_disturb().await;
    let first = World::shared();
    for key in ["scim_url", "token_url", "postgres_url", "nats_url"] {
        assert_ne!(endpoints(&first)[key], endpoints(&second)[key], "{key}");
    }
    first.scim.create_user("anna@beside.example").await;
    second.scim.create_user("anna@beside.example").await;
    first.scim.with_token(&second.company.scim_token).get("/Users").await.expect_error(401);
    second.scim.with_token(&first.company.scim_token).get("/Users").await.expect_error(401);
}
