//! Several requests in one, and what they may refer to.

use crate::generate::any_json;
use proptest::prelude::*;
use scim_protocol::bulk::{
    self, BULK_REQUEST_URN, BulkOperation, BulkRequest, Endpoint, Limits, MAX_BULK_ID_BYTES, MAX_OPERATIONS,
    MAX_PAYLOAD_BYTES, Step, Unresolved, bulk_response, resolve,
};
use scim_protocol::error::{ScimError, ScimType};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

const BASE: &str = "https://live.timeclock365.com/scim";

fn read(body: &Value) -> Result<BulkRequest, ScimError> {
    bulk::parse(body.to_string().as_bytes(), Limits::default())
}

fn operations(sent: &Value) -> BulkRequest {
    read(&json!({ "Operations": sent })).unwrap()
}

fn only(sent: &Value) -> BulkOperation {
    operations(&json!([sent])).operations.remove(0)
}

fn known(ids: &[(&str, &str)]) -> HashMap<String, String> {
    ids.iter().map(|(bulk_id, id)| ((*bulk_id).to_owned(), (*id).to_owned())).collect()
}

/// A POST of a group under this `bulkId`, with members that are references to others.
fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|member| json!({"value": format!("bulkId:{member}")})).collect();
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": {"members": members}})
}

/// The positions in the order in which they are carried out, and those that are refused.
fn order(request: &BulkRequest) -> (Vec<usize>, Vec<(usize, u16)>) {
    let (mut carried_out, mut refused) = (Vec::new(), Vec::new());
    for step in request.order() {
        match step {
            Step::CarryOut(position) => carried_out.push(position),
            Step::Refuse(position, error) => refused.push((position, error.status)),
        }
    }
    (carried_out, refused)
}

#[test]
fn every_method_is_read() {
    // The shapes of RFC 7644 §3.7.3.
    let request = read(&json!({
        "schemas": [BULK_REQUEST_URN],
        "failOnErrors": 1,
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "qwerty", "version": 7, "data": {"userName": "Alice"}},
            {"method": "put", "path": "/Users/b7c1", "version": "W/\"4\"", "data": {"userName": "Bob"}},
            {"Method": "PATCH", "Path": "Groups/5d8d", "Version": "", "Data": {"Operations": []}},
            {"method": "DELETE", "path": "/Users/e9025315", "version": "W/\"0\"", "data": {"x": 1}, "other": 2},
        ],
    }));
    let request = request.unwrap();
    assert_eq!((request.stops_after(0), request.stops_after(1), request.stops_after(2)), (false, true, true));
    let actions: Vec<_> =
        request.operations.iter().map(|operation| operation.action.clone().unwrap()).collect();
    let told: Vec<_> = actions.iter().map(|action| format!("{action:?}")).collect();
    assert_eq!(told, ["POST /Users", "PUT /Users/b7c1", "PATCH /Groups/5d8d", "DELETE /Users/e9025315"]);
    let versions: Vec<_> = actions.iter().map(|action| action.version.as_deref()).collect();
    assert_eq!(versions, [None, Some("W/\"4\""), None, Some("W/\"0\"")]);
    assert_eq!(actions[0].data, json!({"userName": "Alice"}));
    assert_eq!(actions[3].data, Value::Null);
    assert_eq!(actions[2].target.endpoint, Endpoint::Groups);
    assert_eq!(request.operations[0].bulk_id.as_deref(), Some("qwerty"));
    assert_eq!(request.operations[1].bulk_id, None);
}

#[test]
fn without_a_limit_of_errors_everything_is_tried() {
    let request = operations(&json!([]));
    assert!(!request.stops_after(1_000));
    assert_eq!(request.order(), []);
    for limit in [json!(0), json!(-1), json!(1.5), json!("many"), json!(true)] {
        let error = read(&json!({"failOnErrors": limit, "Operations": []})).unwrap_err();
        assert_eq!(error.detail, "'failOnErrors' is a whole number from 1");
    }
    assert!(read(&json!({"FailOnErrors": "2", "operations": []})).unwrap().stops_after(2));
}

#[test]
fn a_bulk_request_beyond_its_limits_is_refused_with_the_limit() {
    let delete = json!({"method": "DELETE", "path": "/Users/a"});
    let body = |count| json!({"Operations": vec![delete.clone(); count]});
    assert_eq!(read(&body(MAX_OPERATIONS)).unwrap().operations.len(), MAX_OPERATIONS);
    let error = read(&body(MAX_OPERATIONS + 1)).unwrap_err();
    assert_eq!((error.status, error.detail.as_str()), (413, "a bulk request has at most 1000 operations"));

    let filler = |length| json!({"Operations": [], "filler": "x".repeat(length)});
    let overhead = filler(0).to_string().len();
    assert!(read(&filler(MAX_PAYLOAD_BYTES - overhead)).is_ok());
    let error = read(&filler(MAX_PAYLOAD_BYTES - overhead + 1)).unwrap_err();
    assert_eq!((error.status, error.detail.as_str()), (413, "a bulk request has at most 1048576 bytes"));

    let limits = Limits { max_operations: 1, ..Limits::default() };
    let error = bulk::parse(body(2).to_string().as_bytes(), limits).unwrap_err();
    assert_eq!(error.detail, "a bulk request has at most 1 operations");
}

#[test]
fn what_is_no_bulk_request_is_refused_as_a_whole() {
    for body in [
        json!({}),
        json!([]),
        json!({"Operations": {}}),
        json!({"Operations": [], "operations": []}),
        json!({"Operations": [], "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}),
    ] {
        assert_eq!(read(&body).unwrap_err().scim_type, Some(ScimType::InvalidSyntax), "{body}");
    }
}

#[test]
fn what_is_wrong_with_one_operation_is_its_own_error() {
    let user = json!({"userName": "a"});
    for (sent, status, detail) in [
        (json!("POST"), 400, "it is a string, not an object"),
        (json!({"path": "/Users"}), 400, "'method' is one of POST"),
        (json!({"method": "GET", "path": "/Users/a"}), 400, "'method' is one of POST"),
        (json!({"method": "POST", "path": "/Users", "data": user}), 400, "a POST needs a 'bulkId'"),
        (
            json!({"method": "POST", "path": "/Users", "data": user, "bulkId": ""}),
            400,
            "a POST needs a 'bulkId'",
        ),
        (json!({"method": "POST", "path": "/Users", "bulkId": 7, "data": user}), 400, "'bulkId' is a number"),
        (
            json!({"method": "DELETE", "path": "/Users/a", "bulkId": "x".repeat(MAX_BULK_ID_BYTES + 1)}),
            400,
            "a 'bulkId' has at most 256 bytes",
        ),
        (json!({"method": "POST", "bulkId": "a", "data": user}), 400, "an operation needs a 'path'"),
        (json!({"method": "POST", "bulkId": "a", "path": "/Users"}), 400, "a POST needs 'data'"),
        (json!({"method": "PATCH", "path": "/Users/a", "data": []}), 400, "'data' is a list, not an object"),
        (
            json!({"method": "PUT", "path": "/Users/a", "data": user, "version": 1}),
            400,
            "'version' is a number",
        ),
        (json!({"method": "POST", "bulkId": "a", "path": "/Users/a", "data": user}), 405, "a POST creates"),
        (json!({"method": "DELETE", "path": "/Users"}), 405, "a DELETE is about one resource"),
        (
            json!({"method": "DELETE", "path": "/Devices/a"}),
            404,
            "a bulk operation's path is /Users or /Groups",
        ),
        (json!({"method": "DELETE", "path": "/Users/"}), 404, "a bulk operation's path"),
        (json!({"method": "DELETE", "path": "/Users/a/b"}), 404, "a bulk operation's path"),
        (json!({"method": "DELETE", "path": "/Users/a?x=1"}), 404, "a bulk operation's path"),
        (json!({"method": "DELETE", "path": "/Users/a%2Fb"}), 404, "a bulk operation's path"),
        (json!({"method": "PATCH", "path": "/Users/.search", "data": {}}), 404, "a bulk operation's path"),
        (json!({"method": "DELETE", "path": "/Users/a", "Path": "/Users/b"}), 400, "'path' is sent twice"),
    ] {
        let error = only(&sent).action.unwrap_err();
        assert_eq!(error.status, status, "{sent}: {error}");
        assert!(error.detail.starts_with(detail), "{sent}: {error}");
    }
    // The others go on.
    let request = operations(&json!([{"method": "GET"}, {"method": "DELETE", "path": "/Users/a"}]));
    assert_eq!(order(&request), (vec![1], vec![(0, 400)]));
}

#[test]
fn of_two_operations_with_one_bulk_id_the_first_keeps_it() {
    let request = operations(&json!([group("a", &[]), group("b", &[]), group("a", &[]), group("a", &[])]));
    let error = request.operations[2].action.clone().unwrap_err();
    assert_eq!(error.detail, "operation 1 has the same 'bulkId'; it is unique within a request");
    assert_eq!(order(&request), (vec![0, 1], vec![(2, 400), (3, 400)]));
    // To name what creates nothing is the client's affair.
    let delete = json!({"method": "DELETE", "path": "/Users/a", "bulkId": "a"});
    assert_eq!(order(&operations(&json!([delete, delete, group("a", &[])]))), (vec![0, 1, 2], vec![]));
}

#[test]
fn references_are_resolved_wherever_they_stand_or_not_at_all() {
    let ids = known(&[("qwerty", "usr_A"), ("ytrewq", "grp_1")]);
    let before = json!({
        "displayName": "bulkId is a word",
        "externalId": "bulkId:",
        "members": [{"value": "bulkId:qwerty"}, "bulkId:ytrewq", {"value": "usr_C", "$ref": null}],
        "urn:x": {"manager": {"value": "bulkId:qwerty"}},
    });
    let mut data = before.clone();
    resolve(&mut data, &ids).unwrap();
    let after = json!({
        "displayName": "bulkId is a word",
        "externalId": "bulkId:",
        "members": [{"value": "usr_A"}, "grp_1", {"value": "usr_C", "$ref": null}],
        "urn:x": {"manager": {"value": "usr_A"}},
    });
    assert_eq!(data, after);
    let mut data = before.clone();
    let error = resolve(&mut data, &known(&[("qwerty", "usr_A")])).unwrap_err();
    assert_eq!(error, Unresolved { bulk_id: "ytrewq".to_owned() });
    assert_eq!(data, before);
    assert_eq!(ScimError::from(error).scim_type, Some(ScimType::InvalidValue));
}

#[test]
fn a_path_is_compared_without_regard_to_case_as_that_of_a_request_is() {
    let action = only(&json!({"method": "delete", "path": "/users/a"})).action.unwrap();
    assert_eq!(action.target.location(BASE).unwrap(), format!("{BASE}/Users/a"));
}

#[test]
fn a_path_may_refer_to_what_is_created_as_well() {
    let sent = json!({
        "method": "PATCH", "path": "/Groups/bulkId:ytrewq",
        "data": {"Operations": [{"op": "add", "path": "members", "value": "bulkId:qwerty"}]},
    });
    let mut action = only(&sent).action.unwrap();
    let before = action.clone();
    assert_eq!(action.target.location(BASE), None);
    assert!(action.resolve(&known(&[("ytrewq", "grp_1")])).is_err());
    assert!(action.resolve(&known(&[("qwerty", "usr_A")])).is_err());
    assert_eq!(action, before);
    action.resolve(&known(&[("ytrewq", "grp_1"), ("qwerty", "usr_A")])).unwrap();
    assert_eq!(action.target.location(BASE).unwrap(), format!("{BASE}/Groups/grp_1"));
    assert_eq!(action.data["Operations"][0]["value"], "usr_A");
}

#[test]
fn an_operation_waits_for_what_it_refers_to_and_for_nothing_else() {
    let user = |bulk_id: &str| json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {}});
    let delete = json!({"method": "DELETE", "path": "/Users/bulkId:u"});
    for (sent, expected) in [
        (json!([user("u"), group("g", &["u"]), delete]), vec![0, 1, 2]),
        (json!([group("g", &["u"]), user("u"), user("v")]), vec![1, 0, 2]),
        (json!([delete, group("g", &["u", "v", "u"]), user("u"), user("v")]), vec![2, 0, 3, 1]),
        (json!([group("a", &["b"]), group("b", &["c"]), group("c", &[]), user("u")]), vec![2, 1, 0, 3]),
        (json!([group("a", &["c"]), user("u"), group("b", &["c"]), group("c", &["u"])]), vec![1, 3, 0, 2]),
        // What nobody creates is waited for in vain, so it is not waited for.
        (json!([group("a", &["nobody"]), user("u")]), vec![0, 1]),
    ] {
        assert_eq!(order(&operations(&sent)), (expected, vec![]), "{sent}");
    }
}

#[test]
fn operations_that_refer_to_each_other_in_a_circle_are_refused_with_409() {
    let sent = json!([
        group("a", &["b"]),
        group("b", &["a"]),
        group("c", &["a"]),
        group("self", &["self"]),
        group("d", &[]),
    ]);
    let request = operations(&sent);
    assert_eq!(order(&request), (vec![4], vec![(0, 409), (1, 409), (2, 409), (3, 409)]));
    // The creator is refused for another reason: nothing to wait for.
    let sent =
        json!([group("a", &["b"]), {"method": "POST", "path": "/Groups/x", "bulkId": "b", "data": {}}]);
    assert_eq!(order(&operations(&sent)), (vec![0], vec![(1, 405)]));
}

#[test]
fn a_bulk_response_says_what_became_of_each_operation() {
    let request = operations(&json!([
        {"method": "POST", "path": "/Users", "bulkId": "qwerty", "data": {}},
        {"method": "POST", "path": "/Users", "bulkId": "ytrewq", "data": {}},
        {"method": "PUT", "path": "/Users/b7c1", "data": {}},
        {"method": "move"},
    ]));
    let [created, taken, stale, malformed] = request.operations.as_slice() else { panic!("four operations") };
    let conflict = ScimError::new(409, Some(ScimType::Uniqueness), "userName is taken");
    let precondition = ScimError::precondition_failed("another version");
    let answer = bulk_response(vec![
        created.succeeded(201, format!("{BASE}/Users/usr_A"), Some("W/\"1\"".to_owned())),
        taken.failed(BASE, &conflict),
        stale.failed(BASE, &precondition),
        malformed.failed(BASE, malformed.action.as_ref().unwrap_err()),
    ]);
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
        "Operations": [
            {"location": format!("{BASE}/Users/usr_A"), "method": "POST", "bulkId": "qwerty", "version": "W/\"1\"", "status": "201"},
            {"method": "POST", "bulkId": "ytrewq", "status": "409", "response": conflict.to_json()},
            {"location": format!("{BASE}/Users/b7c1"), "method": "PUT", "status": "412", "response": precondition.to_json()},
            {"status": "400", "response": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "scimType": "invalidSyntax",
                "detail": "'method' is one of POST, PUT, PATCH and DELETE",
            }},
        ],
    });
    assert_eq!(serde_json::to_value(answer).unwrap(), expected);
}

#[test]
fn a_debug_print_of_an_operation_shows_no_data() {
    let sent = json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "adele"}});
    assert!(!format!("{:?}", operations(&json!([sent]))).contains("adele"));
}

proptest! {
    #[test]
    fn every_operation_has_one_step_behind_what_it_refers_to(
        references in prop::collection::vec(prop::collection::vec(0..8_usize, 0..3), 0..8),
    ) {
        let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
        let sent: Vec<Value> = references
            .iter()
            .enumerate()
            .map(|(at, members)| {
                group(&names[at], &members.iter().map(|member| names[*member].as_str()).collect::<Vec<_>>())
            })
            .collect();
        let (carried_out, refused) = order(&operations(&json!(sent)));
        let steps: HashSet<usize> =
            carried_out.iter().copied().chain(refused.iter().map(|(position, _)| *position)).collect();
        prop_assert_eq!(steps.len(), sent.len());
        prop_assert_eq!(carried_out.len() + refused.len(), sent.len());
        let mut done = HashSet::new();
        for position in carried_out {
            let awaited = references[position].iter().filter(|member| **member < sent.len());
            prop_assert!(awaited.into_iter().all(|member| done.contains(member)));
            done.insert(position);
        }
        for (position, status) in refused {
            prop_assert_eq!(status, 409);
            prop_assert!(references[position].iter().any(|member| *member < sent.len() && !done.contains(member)));
        }
    }

    #[test]
    fn no_bulk_request_panics(body in any_json(), path in "/?(Users|Groups)?/?\\PC{0,6}") {
        let operation = json!({"method": "PATCH", "path": path, "data": body.clone()});
        for body in [json!({"Operations": [operation, body.clone()]}), body] {
            if let Ok(request) = read(&body) {
                prop_assert_eq!(request.order().len(), request.operations.len());
            }
        }
    }
}
