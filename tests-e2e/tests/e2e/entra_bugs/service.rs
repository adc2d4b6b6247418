//! Bugs about HTTP and about what is answered.

use std::net::IpAddr;

use reqwest::Method;
use serde_json::{Map, Value, json};
use tests_e2e::{
    Answer, Scim, World,
    actors::{
        raw,
        scim::{ENTERPRISE, group, id, user},
    },
};

const SCIM_JSON: &str = "application/scim+json";

#[tokio::test(flavor = "multi_thread")]
async fn bug_14_no_header_but_the_token_is_needed_and_every_label_of_json_is_read() {
    let world = World::shared();
    let url = world.stack().endpoints().scim_url;
    let address = url.trim_start_matches("http://").trim_end_matches("/scim");
    let send = async |method: &str, target: &str, headers: &[(&str, &str)], body: String| {
        let token = Some(world.company.scim_token.as_str());
        raw::exchange(address, &raw::request(method, target, token, headers, body.as_bytes())).await
    };
    let accepted: [&[(&str, &str)]; 6] = [
        &[],
        &[("Accept", "text/html")],
        &[("Accept", "application/xml;q=0.9")],
        &[("User-Agent", "")],
        &[("Content-Type", "text/plain")],
        &[("ADSCIMVersion", "5.0"), ("Accept", "nonsense")],
    ];
    for headers in accepted {
        let answer = send("GET", "/scim/Users", headers, String::new()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(SCIM_JSON)), "{headers:?}");
    }
    for (number, label) in [
        "application/scim+json; charset=utf-8",
        "application/scim+json;charset=UTF-8",
        "application/scim+json",
        "application/json; charset=utf-8",
        "application/json",
        "APPLICATION/JSON",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "userName": format!("person-{number}@headers.example") }).to_string();
        let answer = send("POST", "/scim/Users", &[("Content-Type", label)], body).await;
        assert_eq!((answer.status, answer.header("content-type")), (201, Some(SCIM_JSON)), "{label}");
        let path = format!("/scim/Users/{}", id(&answer.json()));
        let body = json!({ "Operations": [{ "op": "Add", "path": "title", "value": label }] }).to_string();
        let answer = send("PATCH", &path, &[("Content-Type", label)], body).await;
        assert_eq!((answer.status, &answer.json()["title"]), (200, &json!(label)), "{label}");
    }
    let unlabelled = json!({ "userName": "unlabelled@headers.example" }).to_string();
    assert_eq!(send("POST", "/scim/Users", &[], unlabelled).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_15_every_method_arrives_and_every_answer_is_scim_json() {
    let World { scim, .. } = &World::shared();
    let nobody = "/Users/01a216aa-0000-7000-8000-000000000000";
    for (method, path, status) in [
        (Method::GET, nobody, 404),
        (Method::PATCH, nobody, 404),
        (Method::PUT, nobody, 404),
        (Method::DELETE, nobody, 404),
        (Method::GET, "/Groups/nobody", 404),
        (Method::PATCH, "/Groups/nobody", 404),
        (Method::DELETE, "/Groups/nobody", 404),
        (Method::GET, "/NoSuchThings", 404),
        (Method::DELETE, "/NoSuchThings/x/y", 404),
        (Method::PATCH, "/Users", 405),
        (Method::DELETE, "/Groups", 405),
        (Method::POST, nobody, 405),
        (Method::PUT, "/Schemas", 405),
        (Method::POST, "/ServiceProviderConfig", 405),
    ] {
        let body = json!({ "userName": "x@methods.example", "displayName": "x", "Operations": [] });
        let answer = scim.send(method.clone(), path, &body).await;
        answer.expect_error(status);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}: {answer:?}");
    }
    for body in ["", "{", "<html></html>", "[]", "\"text\"", "null"] {
        for (method, path) in [(Method::POST, "/Users"), (Method::POST, "/Groups"), (Method::PATCH, nobody)] {
            let request = scim.request(method, path).header("content-type", SCIM_JSON).body(body);
            let answer = Answer::of(request).await;
            assert!([400, 404].contains(&answer.status), "{path} {body:?}: {answer:?}");
            answer.expect_error(answer.status);
        }
    }
    scim.with_token("rubbish").get("/Users").await.expect_error(401);
    let anna = id(&scim.create_user("anna@methods.example").await);
    let gone = scim.delete(&format!("/Users/{anna}")).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    scim.get(&format!("/Users/{anna}")).await.expect_error(404);
}

/// What `/Schemas` says of a resource type: its attributes, and those of its extensions under their URN.
async fn declared(scim: &Scim, schemas: &[&str]) -> Vec<Value> {
    let mut attributes = vec![json!({ "name": "schemas", "type": "string", "multiValued": true })];
    let meta = ["resourceType", "created", "lastModified", "location", "version"];
    let meta: Vec<_> =
        meta.iter().map(|name| json!({ "name": name, "type": "text", "multiValued": false })).collect();
    attributes
        .push(json!({ "name": "meta", "type": "complex", "multiValued": false, "subAttributes": meta }));
    attributes.push(json!({ "name": "id", "type": "string", "multiValued": false }));
    attributes.push(json!({ "name": "externalId", "type": "string", "multiValued": false }));
    for (number, urn) in schemas.iter().enumerate() {
        let schema = scim.get(&format!("/Schemas/{urn}")).await.expect(200);
        let own = schema["attributes"].as_array().unwrap();
        if number == 0 {
            attributes.extend(own.iter().cloned());
        } else {
            attributes
                .push(json!({ "name": urn, "type": "complex", "multiValued": false, "subAttributes": own }));
        }
    }
    attributes
}

/// Demands that everything in the object is declared, and of the type that is declared.
fn assert_declared(shown: &Map<String, Value>, attributes: &[Value], at: &str) {
    for (key, value) in shown {
        let attribute = attributes.iter().find(|attribute| attribute["name"] == key.as_str());
        let attribute = attribute.unwrap_or_else(|| panic!("{at}{key} is not declared"));
        assert_eq!(value.is_array(), attribute["multiValued"] == true, "{at}{key}: {value}");
        for value in value.as_array().map_or_else(|| vec![value], |values| values.iter().collect()) {
            match attribute["type"].as_str().unwrap() {
                "complex" => {
                    let inner = attribute["subAttributes"].as_array().unwrap();
                    let value = value.as_object().unwrap_or_else(|| panic!("{at}{key} is {value}"));
                    assert_declared(value, inner, &format!("{at}{key}/"));
                }
                "boolean" => assert!(value.is_boolean(), "{at}{key} is {value}"),
                _ => assert!(value.is_string(), "{at}{key} is {value}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_22_nothing_is_answered_that_the_schemas_do_not_declare_so() {
    let World { scim, .. } = &World::shared();
    let boss = id(&scim.create_user("boss@declared.example").await);
    let mut full = user("anna@declared.example");
    full["favouriteColour"] = json!("green");
    full["emails"] = json!([{ "type": "work", "value": "a@b.example", "primary": "True", "verified": true }]);
    full["addresses"] = json!([{ "type": "work", "locality": "Berlin", "planet": "Earth", "primary": true }]);
    full["roles"] = json!([{ "value": "Clerk", "type": "x", "display": "Clerk", "primary": "False" }]);
    full["name"] = json!({ "givenName": "Anna", "familyName": "Berg", "petName": "A" });
    full[ENTERPRISE] = json!({ "department": "Sales", "manager": boss, "shoeSize": "38" });
    let anna = scim.post("/Users", &full).await.expect(201);
    let mut payroll = group("Payroll");
    payroll["members"] = json!([{ "value": id(&anna), "colour": "green" }]);
    payroll["colour"] = json!("green");
    let payroll = scim.post("/Groups", &payroll).await.expect(201);

    let users = declared(scim, &["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]).await;
    let groups = declared(scim, &["urn:ietf:params:scim:schemas:core:2.0:Group"]).await;
    let now = scim.get(&format!("/Users/{}", id(&anna))).await.expect(200);
    assert_eq!(now["groups"][0]["value"], id(&payroll), "{now}");
    for shown in [&anna, &now] {
        assert_declared(shown.as_object().unwrap(), &users, "user/");
    }
    let read = scim.get(&format!("/Groups/{}", id(&payroll))).await.expect(200);
    for shown in [&payroll, &read] {
        assert_declared(shown.as_object().unwrap(), &groups, "group/");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_23_a_conflict_is_about_uniqueness_and_nothing_else() {
    let World { scim, .. } = &World::shared();
    let anna = id(&scim.create_user("anna@conflict.example").await);
    let bert = id(&scim.create_user("bert@conflict.example").await);
    let payroll = id(&scim.create_group("Payroll").await);
    let other = id(&scim.create_group("Other").await);
    scim.delete(&format!("/Users/{bert}")).await.expect(204);
    let title = json!([{ "op": "Replace", "path": "title", "value": "Lead" }]);
    let member = json!([{ "op": "Add", "path": "members", "value": [{ "value": bert }] }]);
    let own_name = json!([{ "op": "Replace", "path": "userName", "value": "ANNA@conflict.example" }]);
    let disable = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    for (answer, status) in [
        (scim.patch_user(&bert, title.clone()).await, 404),
        (scim.put(&format!("/Users/{bert}"), &user("bert@conflict.example")).await, 404),
        (scim.delete(&format!("/Users/{bert}")).await, 404),
        (scim.post("/Users", &json!({ "displayName": "No name" })).await, 400),
        (scim.patch_user(&anna, json!([{ "op": "Remove", "path": "userName" }])).await, 400),
        (scim.patch_user(&anna, json!([{ "op": "Replace", "path": "id", "value": "x" }])).await, 400),
        (scim.patch_group(&payroll, member).await, 400),
        (scim.patch_user(&anna, disable.clone()).await, 200),
        (scim.patch_user(&anna, disable).await, 200),
        (scim.patch_user(&anna, title).await, 200),
        (scim.patch_user(&anna, own_name).await, 200),
        (
            scim.patch_group(
                &payroll,
                json!([{ "op": "Replace", "path": "displayName", "value": "PAYROLL" }]),
            )
            .await,
            204,
        ),
        (scim.post("/Users", &user("bert@conflict.example")).await, 201),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let taken = json!([{ "op": "Replace", "path": "displayName", "value": "payroll" }]);
    for conflict in [
        scim.post("/Users", &user("anna@CONFLICT.example")).await,
        scim.post("/Groups", &group("Payroll")).await,
        scim.patch_group(&other, taken).await,
        scim.put(&format!("/Groups/{other}"), &group("payroll")).await,
    ] {
        conflict.expect_error(409);
        assert_eq!(conflict.json()["scimType"], "uniqueness", "{conflict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_28_a_call_is_answered_wherever_it_comes_from() {
    let world = World::shared();
    let url = format!("{}/Users", world.stack().endpoints().scim_url);
    for (source, forwarded) in
        [("127.0.0.1", "40.126.9.1"), ("127.0.0.99", "20.190.160.7, 10.0.0.1"), ("127.7.7.7", "2603:1006::1")]
    {
        let source: IpAddr = source.parse().unwrap();
        let caller = reqwest::Client::builder().local_address(source).build().unwrap();
        let request = caller.get(&url).bearer_auth(&world.company.scim_token);
        let answer = Answer::of(request.header("X-Forwarded-For", forwarded)).await;
        assert_eq!(answer.status, 200, "{source}: {answer:#?}");
    }
}
