//! What somebody else wrote between a batch's reading and its writing.

use bus_contract::{partition::Partition, provisioning::refused::Reason, subject::Verb};
use serde_json::json;
use typed_ids::UserId;

use crate::harness::{World, create, eventually, postgres, refusal};

/// Stands for a write of the same owner whose connection broke and that takes effect late: it moves the partition on and
/// takes a name, and is committed when the batch that read before waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_overtaken_is_decided_anew() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    caller.hire(json!({"userName": "before@contoso.com"})).await;

    let script = format!(
        "begin;
         update partitions set revision = revision + 1 where partition = {};
         insert into users (company_id, user_id, user_name_key, many_work_emails, active, version, created_at, \
           last_modified_at, attributes)
           values ('{}', '{}', 'late@contoso.com', false, true, 1, now(), now(), '{{\"userName\":\"late@contoso.com\"}}');
         do $$ begin
           loop exit when exists (select from pg_locks where not granted); perform pg_sleep(0.01); end loop;
         end $$;
         commit;",
        Partition::of(caller.company).number(),
        caller.company,
        UserId::mint(),
    );
    let database = world.database.clone();
    let late = std::thread::spawn(move || postgres().sql(&database, &script));
    eventually("the late write holds the partition", async || {
        world
            .sql("select count(*) from pg_stat_activity where state = 'active' and query like 'do $$%'")
            .trim()
            == "1"
    })
    .await;

    let request = caller.send(Verb::Create, create(&json!({"userName": "Late@contoso.com"}))).await;
    let outcome = caller.outcome().await;

    late.join().unwrap().unwrap();
    assert_eq!(outcome.request_id, request.to_string());
    assert_eq!(refusal(outcome), (Reason::Conflict, "uniqueness".to_owned()));
    assert_eq!(world.sql("select count(*) from users").trim(), "2");
    assert_eq!(world.sql("select count(*) from provisioning_log where outcome = 'refused'").trim(), "1");
    assert_eq!(world.sql("select count(*) from dead_letters").trim(), "0");
}
