//! What becomes of a request, one at a time and many at once.

use bus_contract::{
    directory::look_up_user::Key,
    provisioning::{
        DeleteUser, VersionCondition, outcome, patch_operation::Op, refused::Reason, request::Change,
    },
    subject::Verb,
};
use serde_json::{Value, json};

use crate::harness::{World, applied, attributes, create, eventually, patch, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_created_user_can_be_read_when_the_outcome_arrives() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;

    let hired = caller.hire(json!({"userName": "Anna@contoso.com", "externalId": "anna"})).await;

    assert_eq!(hired.version, 1);
    assert_eq!(
        attributes(&hired),
        json!({"userName": "Anna@contoso.com", "externalId": "anna", "active": true})
    );
    assert_eq!(caller.look_up(Key::UserId(hired.user_id.clone())).await, std::slice::from_ref(&hired));
    assert_eq!(
        caller.look_up(Key::UserName("ANNA@CONTOSO.COM".to_owned())).await,
        std::slice::from_ref(&hired)
    );
    assert_eq!(caller.look_up(Key::ExternalId("anna".to_owned())).await, [hired]);
    assert_eq!(caller.look_up(Key::ExternalId("ANNA".to_owned())).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_one_user_whatever_its_case() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    caller.hire(json!({"userName": "ΟΔΥΣΣΕΥΣ@contoso.com"})).await;
    let other = caller.hire(json!({"userName": "other@contoso.com"})).await;

    let taken = || (Reason::Conflict, "uniqueness".to_owned());
    assert_eq!(refusal(caller.create(json!({"userName": "οδυσσευς@Contoso.com"})).await), taken());
    let rename = [(Op::Replace, "userName", json!("Οδυσσευσ@contoso.com"))];
    assert_eq!(refusal(caller.patch(&other.user_id, &rename).await), taken());
    // A change of case alone is a rename of one's own.
    let own = [(Op::Replace, "userName", json!("Other@Contoso.com"))];
    assert_eq!(
        attributes(&applied(caller.patch(&other.user_id, &own).await))["userName"],
        "Other@Contoso.com"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_creates_of_one_name_one_succeeds() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    for _ in 0..24 {
        caller.send(Verb::Create, create(&json!({"userName": "one@contoso.com"}))).await;
    }
    let mut created = 0;
    for _ in 0..24 {
        match caller.outcome().await.result.unwrap() {
            outcome::Result::Applied(_) => created += 1,
            outcome::Result::Refused(refused) => assert_eq!(refused.reason(), Reason::Conflict),
        }
    }
    assert_eq!(created, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_the_version_and_no_change_does_not() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "b@contoso.com", "title": "Clerk"})).await;

    let promote = [(Op::Replace, "title", json!("Lead"))];
    let promoted = applied(caller.patch(&hired.user_id, &promote).await);
    assert_eq!((promoted.version, attributes(&promoted)["title"].clone()), (2, json!("Lead")));
    let again = applied(caller.patch(&hired.user_id, &promote).await);
    assert_eq!((again.version, again.last_modified_at), (2, promoted.last_modified_at));
    assert_eq!(applied(caller.patch(&hired.user_id, &[]).await).version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_patch_changes_nothing() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "c@contoso.com"})).await;
    let operations = [(Op::Replace, "title", json!("Lead")), (Op::Remove, "userName", Value::Null)];

    assert_eq!(refusal(caller.patch(&hired.user_id, &operations).await).0, Reason::Invalid);
    assert_eq!(caller.look_up(Key::UserId(hired.user_id.clone())).await, [hired]);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_not_given_back_by_leaving_active_out() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "d@contoso.com"})).await;
    let off = [(Op::Replace, "active", json!(false))];
    applied(caller.patch(&hired.user_id, &off).await);

    let replaced =
        applied(caller.replace(&hired.user_id, &json!({"userName": "d@contoso.com", "title": "x"})).await);
    assert_eq!(attributes(&replaced)["active"], json!(false));
    let on =
        applied(caller.replace(&hired.user_id, &json!({"userName": "d@contoso.com", "active": true})).await);
    assert_eq!(attributes(&on)["active"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_gone_and_the_name_is_free() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "e@contoso.com"})).await;

    caller.delete(&hired.user_id).await;
    assert_eq!(caller.look_up(Key::UserId(hired.user_id.clone())).await, []);
    assert_eq!(refusal(caller.delete(&hired.user_id).await).0, Reason::NotFound);
    let rehired = caller.hire(json!({"userName": "E@contoso.com"})).await;
    assert_ne!(rehired.user_id, hired.user_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_the_version_is_kept() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "f@contoso.com"})).await;
    let conditional = |versions: Vec<i64>| {
        let condition = Some(VersionCondition { versions });
        Change::DeleteUser(DeleteUser { user_id: hired.user_id.clone(), condition })
    };
    assert_eq!(
        refusal(caller.ask(Verb::Delete, conditional(vec![2, 3])).await).0,
        Reason::PreconditionFailed
    );
    assert!(matches!(
        caller.ask(Verb::Delete, conditional(vec![2, 1])).await.result,
        Some(outcome::Result::Applied(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_one_batch_see_each_other_in_order() {
    let world = World::new();
    let mut caller = world.caller().await;
    // Nobody applies yet, so that all of these are one batch.
    let directory = world.directory().await;
    let first = caller.hire(json!({"userName": "first@contoso.com"})).await;
    let second = caller.hire(json!({"userName": "second@contoso.com"})).await;
    directory.kill_9();
    // The two swap names over a third, and the freed third is hired again.
    let rename = |user: &str, name: &str| patch(user, &[(Op::Replace, "userName", json!(name))]);
    caller.send(Verb::Update, rename(&first.user_id, "third@contoso.com")).await;
    caller.send(Verb::Update, rename(&second.user_id, "first@contoso.com")).await;
    caller.send(Verb::Update, rename(&first.user_id, "second@contoso.com")).await;
    caller.send(Verb::Create, create(&json!({"userName": "third@contoso.com"}))).await;
    caller.send(Verb::Create, create(&json!({"userName": "Third@contoso.com"}))).await;

    let _directory = world.directory().await;
    for expected in ["third@contoso.com", "first@contoso.com", "second@contoso.com", "third@contoso.com"] {
        assert_eq!(attributes(&applied(caller.outcome().await))["userName"], expected);
    }
    assert_eq!(refusal(caller.outcome().await).0, Reason::Conflict);
    let holder = caller.look_up(Key::UserName("first@contoso.com".to_owned())).await;
    assert_eq!(holder.first().map(|user| user.user_id.as_str()), Some(second.user_id.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_is_shown_by_name_and_an_unknown_one_is_kept() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let boss = caller.hire(json!({"userName": "boss@contoso.com", "displayName": "Miriam Graham"})).await;
    let report = caller.hire(json!({"userName": "g@contoso.com"})).await;
    let path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let manage = |id: &str| [(Op::Add, path, json!({"value": id}))];

    let managed = applied(caller.patch(&report.user_id, &manage(&boss.user_id)).await);
    assert_eq!(managed.manager.as_ref().map(|manager| manager.display_name.as_str()), Some("Miriam Graham"));
    assert_eq!(caller.look_up(Key::UserId(report.user_id.clone())).await, [managed]);
    let unknown = applied(caller.patch(&report.user_id, &manage("RANDOM-TEXT")).await);
    assert_eq!(unknown.manager, None);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(attributes(&unknown)[enterprise]["manager"]["value"], "RANDOM-TEXT");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_logged_and_announced_once() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "h@contoso.com"})).await;
    caller.patch(&hired.user_id, &[(Op::Replace, "active", json!(false))]).await;
    caller.patch(&hired.user_id, &[(Op::Replace, "active", json!(false))]).await;
    caller.patch(&hired.user_id, &[(Op::Replace, "active", json!(true))]).await;
    caller.patch(&hired.user_id, &[(Op::Replace, "title", json!("Clerk"))]).await;
    caller.delete(&hired.user_id).await;

    let log =
        world.sql("select outcome, changes::json -> 0 ->> 'p' from provisioning_log order by request_id");
    let expected =
        ["created|", "updated|active", "unchanged|", "updated|active", "updated|title", "deleted|"];
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
    eventually("the outbox is announced", async || world.sql("select count(*) from outbox").trim() == "0")
        .await;
    // Counted when the stream DIRECTORY has acknowledged them.
    assert!(directory.metrics().await.contains("timeclock_directory_facts_total 5\n"));
}
