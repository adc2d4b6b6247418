//! Whatever is sent, the answer is SCIM JSON with the right status.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::OnceLock,
};

use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::{Answer, World};

#[tokio::test]
async fn unknown_paths_are_404_also_without_a_token() {
    let world = World::start().await;
    for path in [
        "/",
        "/scim",
        "/scim/",
        "/scim/v2",
        "/Users",
        "/scim/Robots",
        "/scim/Users/1/2",
        "/index.html",
        "/scim/v2/Users/%00/x",
    ] {
        world.get(path).await.is_error(404);
        Answer::of(world.anonymous(Method::POST, path)).await.is_error(404);
    }
    for id in
        ["1", "%00", "%ff", "%", "019a0000-0000-7000-8000-000000000000", "%F0%9F%92%A9", "..%2f..%2fetc"]
    {
        world.get(&format!("/scim/Users/{id}")).await.is_error(404);
    }
}

#[tokio::test]
async fn bodies_that_are_no_scim_are_refused_with_their_reason() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let nul = json!({ "userName": "a\u{0}b" }).to_string();
    for body in ["", "{", "[]", "null", "\"x\"", "<user/>", "{\"userName\":", nul.as_str()] {
        world.send(Method::POST, "/scim/Users", body).await.is_error(400);
        world.send(Method::PUT, &path, body).await.is_error(400);
        world.send(Method::PATCH, &path, body).await.is_error(400);
    }
    let bad_utf8 = world.request(Method::POST, "/scim/Users").body(b"{\"userName\":\"\xff\xfe\"}".to_vec());
    Answer::of(bad_utf8).await.is_error(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_413_whether_or_not_it_is_announced() {
    let world = World::start().await;
    let large = json!({ "userName": "a", "title": "x".repeat(600_000) }).to_string();
    world.send(Method::POST, "/scim/Users", &large).await.is_error(413);

    let head = format!(
        "POST /scim/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        world.token
    );
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
    // One chunk beyond the limit, and no end: the answer does not wait for it.
    let (status, body) = send_raw(&world, [head, chunk.repeat(9)].concat().as_bytes());
    assert_eq!((status, body.contains("\"413\"")), (413, true), "{body}");
}

#[tokio::test]
async fn content_types_are_taken_leniently() {
    let world = World::start().await;
    let body = |name: &str| json!({ "userName": name }).to_string();
    for (index, content_type) in
        ["application/json", "application/scim+json", "APPLICATION/SCIM+JSON;charset=UTF-8", "text/json", ""]
            .iter()
            .enumerate()
    {
        let request = world.request(Method::POST, "/scim/Users").header("content-type", *content_type);
        let answer = Answer::of(request.body(body(&format!("user-{index}")))).await;
        assert_eq!(answer.status, 201, "{content_type}: {answer:?}");
    }
    let without = Answer::of(world.request(Method::POST, "/scim/Users").body(body("without"))).await;
    assert_eq!(without.status, 201, "{without:?}");
    for content_type in [
        "text/html",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let request = world.request(Method::POST, "/scim/Users").header("content-type", content_type);
        Answer::of(request.body(body("refused"))).await.is_error(415);
    }
    let zipped =
        world.request(Method::POST, "/scim/Users").header("content-encoding", "gzip").body(body("refused"));
    Answer::of(zipped).await.is_error(415);
}

#[tokio::test]
async fn any_accept_header_and_none_get_json() {
    let world = World::start().await;
    for accept in ["text/html", "*/*", "application/xml", "nonsense"] {
        let answer = Answer::of(world.request(Method::GET, "/scim/Users").header("accept", accept)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/scim+json")),
            "{accept}"
        );
    }
}

/// Sends bytes as they are, and reads one answer.
fn send_raw(world: &World, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(world.address).unwrap();
    stream.write_all(bytes).unwrap();
    read_raw(&mut stream)
}

/// Reads one answer: status and body.
fn read_raw(stream: &mut TcpStream) -> (u16, String) {
    let mut answer = BufReader::new(stream);
    let (mut status, mut length) = (0, 0);
    for line in answer.by_ref().lines().map(Result::unwrap) {
        if status == 0 {
            status = line.split(' ').nth(1).unwrap().parse().unwrap();
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_entra_leaves_unescaped_in_a_query_is_understood() {
    let world = World::start().await;
    world.user("m\u{fc}ller@contoso.com").await;
    for query in [
        "filter=userName+eq+%22m\u{fc}ller@contoso.com%22".as_bytes(),
        "filter=userName+eq+\"M\u{dc}LLER@contoso.com\"".as_bytes(),
        b"filter=userName+eq+%22m%c3%bcller@contoso.com%22&x=100%",
    ] {
        let mut request = b"GET /scim/Users?".to_vec();
        request.extend_from_slice(query);
        let head = format!(
            " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            world.token
        );
        request.extend_from_slice(head.as_bytes());
        let (status, body) = send_raw(&world, &request);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (status, &body["totalResults"]),
            (200, &json!(1)),
            "{} {body}",
            String::from_utf8_lossy(query)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_400_with_a_scim_body() {
    let world = World::start().await;
    for bytes in [
        "GARBAGE\r\n\r\n",
        "GET /scim/Users\u{1} HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ] {
        let (status, body) = send_raw(&world, bytes.as_bytes());
        let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{bytes:?}: {body:?}"));
        assert_eq!((status, &body["status"]), (400, &json!("400")), "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_headers_are_431_with_a_scim_body() {
    let world = World::start().await;
    let headers = (0..200).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    let (status, body) = send_raw(&world, format!("GET /scim/Users HTTP/1.1\r\n{headers}\r\n").as_bytes());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["status"]), (431, &json!("431")), "{body}");
}

/// One world for all cases of the properties: they change nothing that another case could see.
fn shared() -> &'static (Runtime, World) {
    static SHARED: OnceLock<(Runtime, World)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let world = runtime.block_on(World::start());
        (runtime, world)
    })
}

fn is_scim(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500 || matches!(answer.status, 501 | 503), "{answer:?}");
    if answer.status != 204 {
        prop_assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{:?}", answer);
        prop_assert!(answer.body.is_object(), "{:?}", answer);
    }
    Ok(())
}

fn path() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("scim"),
        Just("v2"),
        Just("Users"),
        Just("Groups"),
        Just("Schemas"),
        Just("Bulk"),
        Just("Me"),
        Just(".search"),
        Just("%00"),
        Just("%"),
        Just("a")
    ];
    let query = prop_oneof![
        Just(String::new()),
        "[?](filter|startIndex|count|attributes|sortBy|cursor)=[!-~&&[^#\"<>]]{0,40}"
    ];
    (prop::collection::vec(word, 0..5), query)
        .prop_map(|(words, query)| format!("/{}{query}", words.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_path_and_query_get_a_scim_answer(path in path(), method in 0..5_usize) {
        let (runtime, world) = shared();
        let method = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE][method].clone();
        is_scim(&runtime.block_on(Answer::of(world.request(method, &path))))?;
    }

    #[test]
    fn any_bytes_as_a_body_get_a_scim_answer(body in prop::collection::vec(any::<u8>(), 0..400), method in 0..8_usize) {
        let (runtime, world) = shared();
        let (method, path) = [
            (Method::POST, "/scim/Users"),
            (Method::PUT, "/scim/Users/019a0000-0000-7000-8000-000000000000"),
            (Method::PATCH, "/scim/Users/019a0000-0000-7000-8000-000000000000"),
            (Method::POST, "/scim/Groups"),
            (Method::PATCH, "/scim/Groups/019a0000-0000-7000-8000-000000000000"),
            (Method::POST, "/scim/Groups/.search"),
            (Method::POST, "/scim/.search"),
            (Method::POST, "/scim/Bulk"),
        ][method].clone();
        is_scim(&runtime.block_on(Answer::of(world.request(method, path).body(body))))?;
    }

    #[test]
    fn any_json_as_a_body_gets_a_scim_answer(body in json_document(), method in 0..6_usize) {
        let (runtime, world) = shared();
        let (method, path) = [
            (Method::POST, "/scim/Users"),
            (Method::PATCH, "/scim/Users/019a0000-0000-7000-8000-000000000000"),
            (Method::POST, "/scim/Groups"),
            (Method::PATCH, "/scim/Groups/019a0000-0000-7000-8000-000000000000"),
            (Method::POST, "/scim/.search"),
            (Method::POST, "/scim/Bulk"),
        ][method].clone();
        is_scim(&runtime.block_on(world.send(method, path, body)))?;
    }
}

/// Objects whose names are often ones that mean something.
fn json_document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("add"),
            Just("Replace"),
            Just("emails[type eq \"work\"].value"),
            Just("active"),
            Just("False"),
            Just("members"),
            Just("POST"),
            Just("/Users"),
            Just("bulkId:x")
        ]
        .prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("userName"),
        Just("emails"),
        Just("value"),
        Just("Operations"),
        Just("op"),
        Just("path"),
        Just("active"),
        Just("name.givenName"),
        Just("displayName"),
        Just("members"),
        Just("filter"),
        Just("method"),
        Just("bulkId"),
        Just("data"),
        Just("x"),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..4).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}
