//! One trace from a caller's request to the row and the fact, as a collector receives it.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use entra_emulator::{Action, Tenant};
use reqwest::Method;
use serde_json::json;
use tests_e2e::{
    World,
    actors::{
        collector::{Collector, Span},
        scim,
        visitor::Visitor,
    },
    eventually,
    observe::{self, documented},
};

/// A trace that nobody else has, and the header of a caller in it.
struct Caller {
    trace: String,
    traceparent: String,
}

const CALLERS_SPAN: &str = "b7ad6b7169203331";

impl Caller {
    fn new(flags: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let trace = format!("{:016x}{:016x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { traceparent: format!("00-{trace}-{CALLERS_SPAN}-{flags}"), trace }
    }

    async fn get(&self, world: &World, path: &str) {
        let request = world.scim.request(Method::GET, path).header("traceparent", &self.traceparent);
        scim::Answer::of(request).await.expect(200);
    }
}

/// The spans of a trace once these are among them.
async fn spans_of(trace: &str, expected: &[&str]) -> Vec<Span> {
    let observe = async || Collector::shared().trace(trace);
    let complete = |spans: &Vec<Span>| {
        let has = |name: &&str| spans.iter().any(|span| span.name == **name);
        expected.iter().all(has).then(|| spans.clone())
    };
    eventually(&format!("{expected:?} in trace {trace}"), observe, complete).await.0
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
    assert!(found.next().is_none(), "more than one {name} in {spans:#?}");
    span
}

/// The trace of the request that the gateway calls so.
async fn trace_of_request(id: &str) -> String {
    let observe = async || Collector::shared().spans();
    let found = |spans: &Vec<Span>| {
        let of_request = |span: &&Span| span.kind == "SERVER" && span.attribute("request.id") == id;
        spans.iter().find(of_request).map(|span| span.trace_id.clone())
    };
    eventually(&format!("the trace of request {id}"), observe, found).await.0
}

/// The batch that a span is linked to, with its own spans.
async fn batch_of(span: &Span, statement: &str) -> (Span, Vec<Span>) {
    let (trace, id) = span.links.first().unwrap_or_else(|| panic!("no link in {span:#?}"));
    let spans = spans_of(trace, &[statement]).await;
    let is_whole = |spans: &Vec<Span>| spans.iter().find(|span| span.id == *id).cloned();
    let observe = async || Collector::shared().trace(trace);
    let (batch, _) = eventually("the batch's span", observe, is_whole).await;
    assert_eq!(batch.parent, "", "a batch is nobody's part");
    (batch, spans)
}

/// The batch of look-ups that answered a request.
async fn look_up_for(server: &Span) -> Span {
    let observe = async || Collector::shared().spans();
    let linked = |spans: &Vec<Span>| {
        let is_it = |span: &&Span| span.name == "look up a batch of users" && span.is_linked_to(server);
        spans.iter().find(is_it).cloned()
    };
    eventually("the batch that answered", observe, linked).await.0
}

/// What one change must look like, from the request to the fact.
async fn assert_tree_of_change(trace: &str, server: &str, operation: &str, fact: &str) {
    let [send, wait, apply] = ["send", "wait", "apply"].map(|what| format!("{what} {operation}"));
    let fact = format!("send {fact}");
    let spans = spans_of(trace, &[server, &send, &wait, &apply, &fact]).await;
    let [server, send, wait, apply, fact] =
        [server, &send, &wait, &apply, &fact].map(|name| named(&spans, name));
    assert_eq!((server.service.as_str(), server.kind.as_str()), ("scim-gateway", "SERVER"));
    assert_eq!((send.service.as_str(), send.kind.as_str()), ("scim-gateway", "PRODUCER"));
    for span in [wait, apply] {
        assert_eq!((span.service.as_str(), span.kind.as_str()), ("directory-service", "CONSUMER"));
        assert!(span.is_child_of(send), "{span:#?}");
    }
    assert_eq!((fact.service.as_str(), fact.kind.as_str()), ("directory-service", "PRODUCER"));
    assert!(send.is_child_of(server) && fact.is_child_of(apply), "{spans:#?}");
    assert!(wait.time.1 <= apply.time.0, "the wait is over before it is applied: {spans:#?}");
    // What the console makes of the fact comes when it comes.
    let spans: Vec<_> = spans.iter().filter(|span| span.service != "admin-console").collect();
    assert_eq!(spans.len(), 5, "{spans:#?}");
    assert!(spans.iter().all(|span| !span.failed), "{spans:#?}");
    assert_eq!(apply.attribute("outcome"), "changed");
    assert_eq!(send.attribute("messaging.message.id"), server.attribute("request.id"));

    let (batch, of_batch) = batch_of(apply, "users.apply").await;
    assert_eq!(batch.name, "apply a batch");
    assert!(batch.is_linked_to(send), "{batch:#?}");
    let sql = named(&of_batch, "users.apply");
    assert!(sql.is_child_of(&batch) && sql.attribute("db.system.name") == "postgresql", "{sql:#?}");
    for part in ["users.apply.read", "users.apply.write"] {
        assert!(named(&of_batch, part).is_child_of(sql), "{of_batch:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_is_one_trace_from_the_request_to_the_fact() {
    let world = World::shared();
    let created = world.scim.post("/Users", &scim::user("traced@create.example")).await;
    created.expect(201);
    let trace = trace_of_request(created.header("x-request-id").unwrap()).await;
    assert_tree_of_change(&trace, "POST /Users", "user.create", "user.created").await;
    let spans = Collector::shared().trace(&trace);
    let server = named(&spans, "POST /Users");
    assert_eq!(server.parent, "", "without a caller's trace one begins here");
    assert_eq!(server.attribute("http.request.method"), "POST");
    assert_eq!(server.attribute("http.route"), "/Users");
    assert_eq!(server.attribute("http.response.status_code"), "201");
    assert_eq!(server.attribute("url.scheme"), "http");
    assert_eq!(server.attribute("company.id"), world.company.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_is_one_trace_of_the_caller_and_in_the_log() {
    let world = World::shared();
    let user = scim::id(&world.scim.create_user("traced@deactivation.example").await);
    let caller = Caller::new("01");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "Replace", "path": "active", "value": "False" }],
    });
    let request = world.scim.request(Method::PATCH, &format!("/Users/{user}"));
    let request =
        request.header("traceparent", &caller.traceparent).header("content-type", "application/scim+json");
    scim::Answer::of(request.body(body.to_string())).await.expect(200);
    let (route, operation) = ("PATCH /Users/{id}", "user.deactivate");
    assert_tree_of_change(&caller.trace, route, operation, "user.deactivated").await;
    assert_eq!(named(&Collector::shared().trace(&caller.trace), route).parent, CALLERS_SPAN);
    // Down to the end of the person's sessions in the console.
    let spans = spans_of(&caller.trace, &["end access"]).await;
    assert!(named(&spans, "end access").is_child_of(named(&spans, "send user.deactivated")), "{spans:#?}");

    let answered = |line: &&str| line.contains("\"answered\"") && line.contains(&caller.trace);
    let logs = observe::logs(world.stack());
    let (_, log) = logs.iter().find(|(name, _)| name == "scim-gateway.log").unwrap();
    let line: serde_json::Value = serde_json::from_str(log.lines().find(answered).unwrap()).unwrap();
    assert_eq!(line["trace_id"], caller.trace);
    assert_eq!(line["http.route"], "/Users/{id}");
    assert_eq!(line["http.response.status_code"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_one_trace_to_the_batch_of_look_ups() {
    let world = World::shared();
    let caller = Caller::new("01");
    caller.get(&world, "/Users?filter=userName+eq+%22nobody@search.example%22").await;
    let spans = spans_of(&caller.trace, &["GET /Users"]).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    let batch = look_up_for(named(&spans, "GET /Users")).await;
    assert_eq!((batch.service.as_str(), batch.parent.as_str()), ("directory-service", ""));
    let of_batch = spans_of(&batch.trace_id, &["users.look_up"]).await;
    assert!(named(&of_batch, "users.look_up").is_child_of(&batch), "{of_batch:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_caller_does_not_want_recorded_is_not_exported() {
    let world = World::shared();
    let (unwanted, wanted) = (Caller::new("00"), Caller::new("01"));
    let filter = "/Users?filter=userName+eq+%22nobody@unsampled.example%22";
    unwanted.get(&world, filter).await;
    wanted.get(&world, filter).await;
    // Spans of one process arrive in their order, so those of the first would be here.
    look_up_for(named(&spans_of(&wanted.trace, &["GET /Users"]).await, "GET /Users")).await;
    let spans = Collector::shared().spans();
    let of_unwanted = |span: &&Span| {
        span.trace_id == unwanted.trace || span.links.iter().any(|(trace, _)| *trace == unwanted.trace)
    };
    assert_eq!(spans.iter().filter(of_unwanted).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_console_is_one_trace_through_the_services_that_it_asks() {
    let world = World::with_administrator("Traced");
    let visitor = Visitor::signed_in(&world.console_url(), &world.company).await;
    let caller = Caller::new("01");
    assert_eq!(visitor.get_in_trace("/", &caller.traceparent).await.status, 200);
    let spans = spans_of(&caller.trace, &["GET /", "answer activity.get", "answer list"]).await;
    let server = named(&spans, "GET /");
    assert_eq!((server.service.as_str(), server.parent.as_str()), ("admin-console", CALLERS_SPAN));
    for (service, operation) in [("directory-service", "activity.get"), ("token-service", "list")] {
        let answer = named(&spans, &format!("answer {operation}"));
        assert_eq!(answer.service, service);
        assert!(answer.is_child_of(server), "{spans:#?}");
        let is_sql = |span: &&Span| span.is_child_of(answer) && !span.attribute("db.system.name").is_empty();
        assert!(spans.iter().any(|span| is_sql(&span)), "no SQL of {service} in {spans:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gets_a_token_is_one_trace() {
    let world = World::shared();
    let caller = Caller::new("01");
    let token_url = format!("{}/oauth2/token", world.stack().endpoints().token_url);
    let request = reqwest::Client::new().post(token_url).header("traceparent", &caller.traceparent);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let form =
        "grant_type=client_credentials&client_id=00000000-0000-4000-8000-000000000000&client_secret=no";
    assert_eq!(request.body(form).send().await.unwrap().status(), 401);
    let spans = spans_of(&caller.trace, &["POST /oauth2/token"]).await;
    let server = named(&spans, "POST /oauth2/token");
    assert_eq!((server.service.as_str(), server.parent.as_str()), ("token-service", CALLERS_SPAN));
    assert!(!server.failed, "a refusal is no failure of ours: {server:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_those_of_the_page_and_hold_nothing_personal() {
    const SURNAME: &str = "Brzęczyszczykiewicz";
    let world = World::shared();
    let mut entra = world.entra(Tenant::empty("unspannable.example", 5), |_defaults| ());
    let somebody = entra.tenant.hire_named("Grzegorz", SURNAME, "grzegorz.brzeczyszczykiewicz");
    entra.cycle().await;
    entra.tenant.disable(somebody);
    assert_eq!(entra.cycle().await.succeeded_users(Action::Disable), 1);
    let taken = scim::user("grzegorz.brzeczyszczykiewicz@unspannable.example");
    let refused = world.scim.post("/Users", &taken).await;
    refused.expect_error(409);
    // A path that nothing is at, a query and a bad token.
    let stranger = world.scim.with_token("not.a.token-of-unspannable.example");
    assert_eq!(stranger.get("/Users?filter=grzegorz.brzeczyszczykiewicz").await.status, 401);
    assert_eq!(stranger.get("/grzegorz.brzeczyszczykiewicz").await.status, 404);
    let last = Caller::new("01");
    last.get(&world, "/Users?count=0").await;
    spans_of(&last.trace, &["GET /Users"]).await;
    trace_of_request(refused.header("x-request-id").unwrap()).await;

    let page = observe::page("traces.md");
    let (names, attributes) = (documented(&page, "## Spans"), documented(&page, "## Attributes"));
    let secrets = ["brzeczyszczykiewicz", "brzęczyszczykiewicz", "unspannable", "scim_token", "bearer"];
    let token = world.company.scim_token.rsplit('.').next().unwrap().to_lowercase();
    let mut unknown = BTreeSet::new();
    for span in Collector::shared().spans() {
        for text in span.texts() {
            let text = text.to_lowercase();
            assert!(
                !secrets.iter().any(|secret| text.contains(secret)) && !text.contains(&token),
                "{span:#?}"
            );
        }
        assert_eq!(span.events, [], "{span:#?}");
        let is_known = if span.attributes.contains_key("db.system.name") {
            span.kind == "CLIENT"
        } else if let Some(route) = span.attributes.get("http.route") {
            span.name == format!("{} {route}", span.attribute("http.request.method"))
        } else {
            names.iter().any(|template| fits(template, &span.name))
        };
        if !is_known {
            unknown.insert(span.name.clone());
        }
        unknown.extend(span.attributes.into_keys().filter(|key| !attributes.contains(key)));
    }
    assert_eq!(unknown, BTreeSet::new(), "not in docs/reference/traces.md");
}

/// Whether a name is made by a template, whose words with braces stand for one word each.
fn fits(template: &str, name: &str) -> bool {
    if template.starts_with('{') {
        return false;
    }
    let (template, name): (Vec<_>, Vec<_>) = (template.split(' ').collect(), name.split(' ').collect());
    let same = |(template, word): (&&str, &&str)| template.contains('{') || template == word;
    template.len() == name.len() && template.iter().zip(&name).all(same)
}
