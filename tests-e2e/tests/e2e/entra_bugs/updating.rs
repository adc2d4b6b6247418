//! Bugs about what a request says of a user.

use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{
    Scim, World,
    actors::scim::{ENTERPRISE, id, user, version},
};

/// What becomes of a user by one operation, as the answer and a later GET show it.
async fn after(scim: &Scim, user: &str, operation: &Value) -> Value {
    let patched = scim.patch_user(user, json!([operation])).await;
    assert_eq!(patched.status, 200, "{operation}: {patched:?}");
    assert_eq!(scim.get(&format!("/Users/{user}")).await.expect(200), patched.json(), "{operation}");
    patched.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_02_booleans_as_text_are_booleans_wherever_they_stand() {
    let World { scim, .. } = &World::shared();
    let mut people = Vec::new();
    for (number, (text, means)) in
        [("True", true), ("False", false), ("true", true), ("false", false)].into_iter().enumerate()
    {
        let mut body = user(&format!("person-{number}@booleans.example"));
        body["active"] = json!(text);
        body["emails"] = json!([{ "type": "work", "value": "x@booleans.example", "primary": text }]);
        let created = scim.post("/Users", &body).await.expect(201);
        let path = format!("/Users/{}", id(&created));
        let replaced = scim.put(&path, &body).await.expect(200);
        let read = scim.get(&path).await.expect(200);
        for shown in [&created, &replaced, &read] {
            assert_eq!(
                (&shown["active"], &shown["emails"][0]["primary"]),
                (&json!(means), &json!(means)),
                "{text}"
            );
        }
        people.push(id(&created));
    }
    for (text, means) in [("False", false), ("True", true), ("false", false), ("true", true)] {
        for operation in [
            json!({ "op": "Replace", "path": "active", "value": text }),
            json!({ "op": "Add", "path": "active", "value": text }),
            json!({ "op": "replace", "value": { "active": text } }),
        ] {
            let opposite = json!({ "op": "replace", "path": "active", "value": !means });
            after(scim, &people[0], &opposite).await;
            assert_eq!(after(scim, &people[0], &operation).await["active"], means, "{operation}");
        }
        let primary = json!({ "op": "Replace", "path": "emails[type eq \"work\"].primary", "value": text });
        assert_eq!(after(scim, &people[0], &primary).await["emails"][0]["primary"], means, "{text}");
    }
    // After all this the first is active again, as the third is.
    for filter in [
        "active eq \"True\"",
        "active eq \"true\"",
        "active eq true",
        "active eq True",
        "active ne \"False\"",
    ] {
        assert_eq!(scim.find(filter).await.len(), 2, "{filter}");
    }
    let role = json!({ "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Clerk" });
    assert_eq!(after(scim, &people[1], &role).await["roles"], json!([{ "primary": true, "value": "Clerk" }]));
    let role = json!({ "op": "Replace", "path": "roles[primary eq true].value", "value": "Lead" });
    assert_eq!(after(scim, &people[1], &role).await["roles"], json!([{ "primary": true, "value": "Lead" }]));
    assert_eq!(scim.find("roles[primary eq \"True\"].value eq \"Lead\"").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_03_a_value_path_without_an_element_creates_it() {
    let World { scim, .. } = &World::shared();
    for (number, op) in ["Add", "Replace", "add", "replace"].into_iter().enumerate() {
        let anna = id(&scim.create_user(&format!("anna-{number}@elements.example")).await);
        for (path, value, attribute, elements) in [
            (
                "emails[type eq \"work\"].value",
                "a@b.example",
                "emails",
                json!([{ "type": "work", "value": "a@b.example" }]),
            ),
            (
                "phoneNumbers[type eq \"mobile\"].value",
                "1",
                "phoneNumbers",
                json!([{ "type": "mobile", "value": "1" }]),
            ),
            (
                "phoneNumbers[type eq \"fax\"].value",
                "2",
                "phoneNumbers",
                json!([{ "type": "mobile", "value": "1" }, { "type": "fax", "value": "2" }]),
            ),
            (
                "addresses[type eq \"work\"].locality",
                "Berlin",
                "addresses",
                json!([{ "type": "work", "locality": "Berlin" }]),
            ),
            (
                "addresses[type eq \"work\"].country",
                "DE",
                "addresses",
                json!([{ "type": "work", "locality": "Berlin", "country": "DE" }]),
            ),
            (
                "roles[primary eq \"True\"].value",
                "Clerk",
                "roles",
                json!([{ "primary": true, "value": "Clerk" }]),
            ),
        ] {
            let shown = after(scim, &anna, &json!({ "op": op, "path": path, "value": value })).await;
            assert_eq!(shown[attribute], elements, "{op} {path}");
            assert_eq!(shown.get(path), None, "{op} {path} is a name");
        }
        // Both conditions are what the new element is; a filter that describes none is refused.
        let path = "emails[type eq \"home\" and primary eq true].value";
        let shown = after(scim, &anna, &json!({ "op": op, "path": path, "value": "h@b.example" })).await;
        assert_eq!(
            shown["emails"][1],
            json!({ "type": "home", "primary": true, "value": "h@b.example" }),
            "{op}"
        );
        let vague = json!([{ "op": op, "path": "ims[type ne \"x\"].value", "value": "y" }]);
        let refusal = scim.patch_user(&anna, vague).await;
        refusal.expect_error(400);
        assert_eq!(refusal.json()["scimType"], "noTarget", "{op}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_04_a_manager_comes_in_any_shape_and_is_shown_as_an_object() {
    let World { scim, .. } = &World::shared();
    let miriam = id(&scim.create_user("miriam@managers.example").await);
    let anna = id(&scim.create_user("anna@managers.example").await);
    let path = &format!("{ENTERPRISE}:manager");
    let object = json!({ "value": miriam });
    for set in [
        json!({ "op": "Add", "path": path, "value": miriam }),
        json!({ "op": "replace", "path": path, "value": object }),
        json!({ "op": "Replace", "path": "manager", "value": [{ "$ref": "http://elsewhere", "value": miriam }] }),
        json!({ "op": "add", "path": format!("{path}.value"), "value": miriam }),
        json!({ "op": "replace", "value": { path: miriam } }),
        json!({ "op": "replace", "value": { ENTERPRISE: { "manager": object } } }),
        json!({ "op": "add", "value": { ENTERPRISE: { "manager": miriam } } }),
    ] {
        let manager = &after(scim, &anna, &set).await[ENTERPRISE]["manager"];
        assert_eq!(
            (&manager["value"], &manager["displayName"]),
            (&json!(miriam), &json!("Display miriam@managers.example")),
            "{set}"
        );
        assert!(manager["$ref"].as_str().unwrap().ends_with(&format!("/Users/{miriam}")), "{set}: {manager}");
        let gone = after(scim, &anna, &json!({ "op": "Remove", "path": path })).await;
        assert_eq!(gone[ENTERPRISE].get("manager"), None, "{set}");
    }
    for (number, shape) in [json!(miriam), object.clone()].iter().enumerate() {
        let mut body = user(&format!("new-{number}@managers.example"));
        body[ENTERPRISE] = json!({ "manager": shape });
        assert_eq!(scim.post("/Users", &body).await.expect(201)[ENTERPRISE]["manager"]["value"], miriam);
    }
    // Somebody who is not here yet, or never will be, is kept as sent.
    let unresolved = after(scim, &anna, &json!({ "op": "Add", "path": path, "value": "MRXQKZ" })).await;
    assert_eq!(unresolved[ENTERPRISE]["manager"]["value"], "MRXQKZ");
    for clear in [json!(""), json!({ "value": "" }), json!({ "value": null }), json!(null), json!({})] {
        after(scim, &anna, &json!({ "op": "Add", "path": path, "value": miriam })).await;
        let gone = after(scim, &anna, &json!({ "op": "Replace", "path": path, "value": clear })).await;
        assert_eq!(
            gone.pointer("/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager"),
            None,
            "{clear}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_05_the_keys_of_a_value_without_a_path_are_paths() {
    let World { scim, .. } = &World::shared();
    for (number, op) in ["replace", "Replace", "add", "Add"].into_iter().enumerate() {
        let anna = id(&scim.create_user(&format!("anna-{number}@flat.example")).await);
        let renamed = format!("ANNA-{number}-renamed@flat.example");
        let value = json!({
            "userName": renamed,
            "displayName": "Anna Berg",
            "name.givenName": "Anna",
            "name.familyName": "Berg",
            "emails[type eq \"work\"].value": "anna@flat.example",
            format!("{ENTERPRISE}:department"): "Sales",
            format!("{ENTERPRISE}:employeeNumber"): "7",
            ENTERPRISE: { "division": "North" },
        });
        let shown = after(scim, &anna, &json!({ "op": op, "value": value })).await;
        assert_eq!(shown["name"], json!({ "givenName": "Anna", "familyName": "Berg" }), "{op}");
        assert_eq!(shown["emails"], json!([{ "type": "work", "value": "anna@flat.example" }]), "{op}");
        assert_eq!(
            shown[ENTERPRISE],
            json!({ "department": "Sales", "employeeNumber": "7", "division": "North" }),
            "{op}"
        );
        let literal: Vec<_> = shown
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| key.contains(['.', '[']) && *key != ENTERPRISE)
            .collect();
        assert!(literal.is_empty(), "{op}: {literal:?}");
        // What the user is found by has followed.
        assert_eq!(scim.find(&format!("userName eq \"{renamed}\"")).await, [shown], "{op}");
        assert_eq!(
            scim.find(&format!("userName eq \"anna-{number}@flat.example\"")).await,
            [] as [Value; 0],
            "{op}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_06_the_dot_in_the_urn_of_an_extension_splits_nothing() {
    let World { scim, .. } = &World::shared();
    let anna = id(&scim.create_user("anna@urns.example").await);
    let lower = ENTERPRISE.to_lowercase();
    for (number, path) in [
        format!("{ENTERPRISE}:department"),
        format!("{ENTERPRISE}.department"),
        format!("{lower}:Department"),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        for op in ["Add", "Replace"] {
            let value = format!("{op} {number}");
            let shown = after(scim, &anna, &json!({ "op": op, "path": path, "value": value })).await;
            assert_eq!(shown[ENTERPRISE], json!({ "department": value }), "{op} {path}");
            let urns: Vec<_> = shown.as_object().unwrap().keys().filter(|key| key.contains("urn:")).collect();
            assert_eq!(urns, [ENTERPRISE], "{op} {path}");
        }
        let filter = format!("{path} eq \"replace {number}\"");
        assert_eq!(scim.find(&filter).await.len(), 1, "{filter}");
    }
    let projected = scim.get(&format!("/Users/{anna}?attributes={ENTERPRISE}:department")).await.expect(200);
    assert_eq!(projected[ENTERPRISE]["department"], "Replace 3");
    let core = json!({ "op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:title", "value": "Lead" });
    assert_eq!(after(scim, &anna, &core).await["title"], "Lead");
    let gone =
        after(scim, &anna, &json!({ "op": "Remove", "path": format!("{ENTERPRISE}:department") })).await;
    assert_eq!(gone.get(ENTERPRISE), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_12_every_attribute_can_be_added_replaced_and_removed_whatever_the_case_of_op() {
    let World { scim, .. } = &World::shared();
    let anna = id(&scim.create_user("anna@attributes.example").await);
    let mut tried = 0;
    for urn in ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE] {
        let schema = scim.get(&format!("/Schemas/{urn}")).await.expect(200);
        for attribute in schema["attributes"].as_array().unwrap() {
            let name = attribute["name"].as_str().unwrap();
            let plain = attribute["type"] == "string" && attribute["multiValued"] == false;
            if !plain || attribute["mutability"] != "readWrite" || name == "userName" {
                continue;
            }
            let path = if urn == ENTERPRISE { format!("{urn}:{name}") } else { name.to_owned() };
            for (op, value) in [("Add", "a"), ("replace", "b"), ("REPLACE", "c"), ("add", "d")] {
                let shown = after(scim, &anna, &json!({ "op": op, "path": path, "value": value })).await;
                let holder = if urn == ENTERPRISE { &shown[ENTERPRISE] } else { &shown };
                assert_eq!(holder[name], value, "{op} {path}");
            }
            let shown = after(scim, &anna, &json!({ "op": "ReMoVe", "path": path })).await;
            let holder = if urn == ENTERPRISE { &shown[ENTERPRISE] } else { &shown };
            assert_eq!(holder[name], Value::Null, "{path}");
            tried += 1;
        }
    }
    assert!(tried >= 13, "only {tried} attributes");
    let rename = json!([{ "op": "Add", "path": "userName", "value": "new@attributes.example" }]);
    assert_eq!(scim.patch_user(&anna, rename).await.expect(200)["userName"], "new@attributes.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_13_a_patch_that_changes_nothing_is_a_success_and_no_new_version() {
    let World { scim, .. } = &World::shared();
    let mut body = user("anna@idle.example");
    body["emails"] = json!([{ "type": "work", "value": "anna@idle.example" }]);
    let anna = scim.post("/Users", &body).await.expect(201);
    let path = format!("/Users/{}", id(&anna));
    let group = id(&scim.create_group("Idle").await);
    let before = scim.get(&format!("/Groups/{group}")).await.expect(200);
    let envelope = |operations: Value| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    for operations in [
        json!([]),
        json!([{ "op": "Add", "path": "userName", "value": "anna@idle.example" }]),
        json!([{ "op": "Replace", "path": "active", "value": "True" }]),
        json!([{ "op": "replace", "value": { "displayName": "Display anna@idle.example" } }]),
        json!([{ "op": "replace", "value": {} }]),
        json!([{ "op": "Add", "path": "emails", "value": [{ "type": "work", "value": "anna@idle.example" }] }]),
        json!([{ "op": "Remove", "path": "title" }]),
        json!([{ "op": "Remove", "path": "phoneNumbers[type eq \"fax\"]" }]),
        json!([{ "op": "Replace", "path": "nickName", "value": "" }]),
        json!([{ "op": "Add", "path": "noSuchAttribute", "value": "x" }]),
    ] {
        let answer = scim.send(Method::PATCH, &path, &envelope(operations.clone())).await;
        assert_eq!(answer.expect(200), anna, "{operations}");
    }
    assert_eq!(version(&anna), 1);
    for operations in [
        json!([]),
        json!([{ "op": "Replace", "path": "displayName", "value": "Idle" }]),
        json!([{ "op": "Add", "path": "members", "value": [] }]),
        json!([{ "op": "Remove", "path": "members" }]),
    ] {
        scim.patch_group(&group, operations).await.expect(204);
        assert_eq!(scim.get(&format!("/Groups/{group}")).await.expect(200), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_19_a_role_that_is_an_object_as_text_is_unpacked() {
    let World { scim, .. } = &World::shared();
    let packed = json!({ "id": "6f0c", "value": "Supervisor", "displayName": "The supervisor" }).to_string();
    let role = json!([{ "value": "Supervisor", "display": "The supervisor" }]);
    for (number, operation) in [
        json!({ "op": "Add", "path": "roles", "value": [{ "value": packed }] }),
        json!({ "op": "Add", "path": "roles", "value": [packed] }),
        json!({ "op": "replace", "path": "roles", "value": [{ "value": packed }] }),
        json!({ "op": "add", "value": { "roles": [{ "value": packed }] } }),
    ]
    .iter()
    .enumerate()
    {
        let anna = id(&scim.create_user(&format!("anna-{number}@roles.example")).await);
        let shown = after(scim, &anna, operation).await;
        assert_eq!(shown["roles"][0]["value"], role[0]["value"], "{operation}: {shown}");
        // Sent again it is the same role, not another one.
        assert_eq!(after(scim, &anna, operation).await["roles"], shown["roles"], "{operation}");
    }
    let mut body = user("created@roles.example");
    body["roles"] = json!([{ "value": packed }]);
    assert_eq!(scim.post("/Users", &body).await.expect(201)["roles"][0]["value"], "Supervisor");
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_25_a_value_may_be_plain_an_object_or_a_list_of_one() {
    let World { scim, .. } = &World::shared();
    let anna = id(&scim.create_user("anna@shapes.example").await);
    let shapes =
        |value: &str| [json!(value), json!([value]), json!({ "value": value }), json!([{ "value": value }])];
    for (number, shape) in ["title", "Title", "TITLE", "title"].into_iter().zip(shapes("Lead")).enumerate() {
        let (name, value) = shape;
        let shown = after(scim, &anna, &json!({ "op": "Replace", "path": name, "value": value })).await;
        assert_eq!(shown["title"], "Lead", "{number}: {value}");
        let pathless = after(scim, &anna, &json!({ "op": "Replace", "value": { "NICKNAME": value } })).await;
        assert_eq!(pathless["nickName"], "Lead", "{number}: {value}");
        let clear = json!({ "op": "Replace", "value": { "title": null, "nickName": "" } });
        after(scim, &anna, &clear).await;
    }
    let address = json!([{ "type": "work", "value": "a@shapes.example" }]);
    for value in [address.clone(), address[0].clone()] {
        let shown = after(scim, &anna, &json!({ "op": "Replace", "path": "emails", "value": value })).await;
        assert_eq!(shown["emails"], address, "{value}");
    }
    for active in [
        json!(false),
        json!("False"),
        json!(["False"]),
        json!([{ "value": "False" }]),
        json!({ "value": false }),
    ] {
        after(scim, &anna, &json!({ "op": "Replace", "path": "active", "value": true })).await;
        let shown = after(scim, &anna, &json!({ "op": "Replace", "path": "active", "value": active })).await;
        assert_eq!(shown["active"], false, "{active}");
    }
}
