//! Whatever is sent, the answer is SCIM JSON with the right status: Entra takes anything else for a broken server.

use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::raw::{self, RawAnswer},
};

struct Caller {
    address: String,
    token: String,
    _world: World,
}

impl Caller {
    async fn new() -> Self {
        let world = World::shared();
        let url = world.stack().endpoints().scim_url;
        let address = url.trim_start_matches("http://").trim_end_matches("/scim").to_owned();
        Self { address, token: world.company.scim_token.clone(), _world: world }
    }

    async fn send(&self, method: &str, target: &str, body: &[u8]) -> RawAnswer {
        self.send_as(Some(&self.token), method, target, body).await
    }

    async fn send_as(&self, token: Option<&str>, method: &str, target: &str, body: &[u8]) -> RawAnswer {
        let label: &[_] = if body.is_empty() { &[] } else { &[("Content-Type", "application/scim+json")] };
        raw::exchange(&self.address, &raw::request(method, target, token, label, body)).await
    }

    async fn user(&self, name: &str) -> String {
        let body = json!({ "userName": name }).to_string();
        let answer = self.send("POST", "/scim/Users", body.as_bytes()).await;
        answer.json()["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }
}

#[track_caller]
fn assert_error(answer: &RawAnswer, status: u16, about: &str) {
    assert_eq!(answer.status, status, "{about}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{about}: {answer:?}");
    let body = answer.json();
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
        "{about}: {answer:?}"
    );
    assert_eq!(body["status"], status.to_string(), "{about}: {answer:?}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{about}: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_are_404() {
    let caller = Caller::new().await;
    for target in [
        "/",
        "/index.html",
        "/scim",
        "/scim/v3/Users",
        "/scim/Robots",
        "/scim/Users/1/2",
        "/scim/Users/%00",
        "/scim/Users/%ff",
        "/scim/Users/..%2f..%2fetc%2fpasswd",
        "/scim/Users/019a0000-0000-7000-8000-000000000000",
        "/scim/Users/usr_01J8ZC4T2M",
    ] {
        for method in ["GET", "DELETE"] {
            assert_error(&caller.send(method, target, b"").await, 404, target);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_methods_are_405_and_say_which_are_right() {
    let caller = Caller::new().await;
    for (method, target) in [
        ("PUT", "/scim/Users"),
        ("DELETE", "/scim/Users"),
        ("PATCH", "/scim/Users"),
        ("POST", "/scim/Users/019a0000-0000-7000-8000-000000000000"),
        ("POST", "/scim/Schemas"),
        ("DELETE", "/scim/ServiceProviderConfig"),
        ("BREW", "/scim/Users"),
    ] {
        let answer = caller.send(method, target, b"").await;
        assert_error(&answer, 405, target);
        assert!(answer.header("allow").is_some_and(|allow| allow.contains("GET")), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_scim_are_400() {
    let caller = Caller::new().await;
    let user = format!("/scim/Users/{}", caller.user("victim").await);
    let deep = format!("{{\"userName\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies: [&[u8]; 10] = [
        b"{",
        b"[]",
        b"null",
        b"\"x\"",
        b"<user/>",
        b"{\"userName\":",
        b"{\"userName\":\"\xff\xfe\"}",
        b"\xef\xbb\xbf\xff",
        b"{\"userName\":\"a\\u0000b\",\"Operations\":[{\"op\":\"add\",\"path\":\"title\",\"value\":\"a\\u0000b\"}]}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let about = String::from_utf8_lossy(body.get(..40).unwrap_or(body)).into_owned();
        for (method, target) in [("POST", "/scim/Users"), ("PUT", &user), ("PATCH", &user)] {
            assert_error(&caller.send(method, target, body).await, 400, &about);
        }
    }
    assert_eq!(caller.send("GET", &user, b"").await.json()["userName"], "victim");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_413() {
    let caller = Caller::new().await;
    let user = format!("/scim/Users/{}", caller.user("victim").await);
    let body = json!({ "userName": "large", "title": "x".repeat(600_000) }).to_string();
    for (method, target) in [("POST", "/scim/Users"), ("PUT", &user), ("PATCH", &user)] {
        assert_error(&caller.send(method, target, body.as_bytes()).await, 413, method);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_a_token_of_ours_are_401_and_told_how() {
    let caller = Caller::new().await;
    let (head, signature) = caller.token.rsplit_once('.').expect("a JWT");
    let flipped: String = signature.chars().rev().collect();
    let tokens = [
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        format!("{head}."),
        format!("{head}.{flipped}"),
        format!("{}x", caller.token),
        caller.token.get(..caller.token.len() / 2).unwrap_or_default().to_owned(),
        caller.token.to_lowercase(),
        "x".repeat(5_000),
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).unwrap_or_default()),
    ];
    for (method, target) in [("GET", "/scim/Users"), ("POST", "/scim/Users"), ("GET", "/scim/Schemas")] {
        for token in tokens.iter().map(|token| Some(token.as_str())).chain([None]) {
            let answer = caller.send_as(token, method, target, b"").await;
            let about = format!("{method} {target} with {token:?}");
            assert_error(&answer, 401, &about);
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer realm=\"scim\""), "{about}: {answer:?}");
        }
    }
    for header in ["Basic dXNlcjpwYXNz", "Bearer", "", "bearer"] {
        let request = raw::request("GET", "/scim/Users", None, &[("Authorization", header)], b"");
        assert_error(&raw::exchange(&caller.address, &request).await, 401, header);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_a_body() {
    let caller = Caller::new().await;
    let user = format!("/scim/Users/{}", caller.user("anna").await);
    for target in
        ["/scim/Users", &user, "/scim/Schemas", "/scim/ServiceProviderConfig", "/scim/Users/1", "/nowhere"]
    {
        let (get, head) = (caller.send("GET", target, b"").await, caller.send("HEAD", target, b"").await);
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{target}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{target}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_gets_an_answer_too() {
    let caller = Caller::new().await;
    for bytes in [
        &b"NONSENSE\r\n\r\n"[..],
        b"GET /scim/Users HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET /scim/Us\xffers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let answer = raw::exchange(&caller.address, bytes).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_filter_however_odd_is_answered_by_everybody_or_by_an_internal_error() {
    let caller = Caller::new().await;
    caller.user("anna").await;
    let nested = format!("{}userName pr{}", "(".repeat(3_000), ")".repeat(3_000));
    let long = format!("userName eq \"{}\"", "x".repeat(20_000));
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName matches \"x\"",
        "(",
        "a[",
        "%",
        "\"",
        "userName eq \"",
        &nested,
    ] {
        let encoded: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = caller.send("GET", &format!("/scim/Users?filter={encoded}"), b"").await;
        assert_error(&answer, 400, filter);
        assert_eq!(answer.json()["scimType"], "invalidFilter", "{filter}: {answer:?}");
    }
    let answer = caller.send("GET", &format!("/scim/Users?filter={}", long.replace(' ', "+")), b"").await;
    assert!([400, 414].contains(&answer.status), "{answer:?}");
    assert_ne!(answer.json(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_request_with_too_many_operations_or_bytes_is_413_and_names_the_limit() {
    let caller = Caller::new().await;
    let bulk = |operations: Vec<Value>| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        json!({ "schemas": schemas, "Operations": operations }).to_string()
    };
    let many = bulk(vec![json!({ "method": "DELETE", "path": "/Users/nobody" }); 1_001]);
    let large = json!({ "userName": "u", "title": "t".repeat(60_000) });
    let large = bulk(vec![json!({ "method": "POST", "path": "/Users", "bulkId": "u", "data": large }); 20]);
    for (body, limit) in [(many, "1000"), (large, "1048576")] {
        let answer = caller.send("POST", "/scim/Bulk", body.as_bytes()).await;
        assert_error(&answer, 413, limit);
        assert!(answer.json()["detail"].as_str().unwrap().replace(',', "").contains(limit), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_too_long_is_400() {
    let caller = Caller::new().await;
    let target = format!("/scim/Users?filter=userName+eq+%22{}%22", "a".repeat(4_096));
    let answer = caller.send("GET", &target, b"").await;
    assert_error(&answer, 400, "a long filter");
    assert_eq!(answer.json()["scimType"], "invalidFilter", "{answer:?}");
}
