//! What waits, how long it took, and of which companies an instance tells.

use bus_contract::{
    directory::call::Answer, partition::Partition, provisioning::patch_operation::Op, subject::Verb,
};
use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use serde_json::json;
use typed_ids::CompanyId;

use crate::{
    console::{Console, call},
    harness::{Directory, World, create, eventually, patch, url},
};

/// The value of a sample, named with its labels; `None` when there is none.
async fn sample(directory: &Directory, name: &str) -> Option<f64> {
    let metrics = directory.metrics().await;
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn counts(directory: &Directory, names: [&str; 3]) -> [Option<f64>; 3] {
    let mut counts = [None; 3];
    for (count, name) in counts.iter_mut().zip(names) {
        *count = sample(directory, name).await;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_changes_facts_and_the_end_of_access_took_is_told() {
    const TIMED: [&str; 3] = [
        "timeclock_directory_request_age_seconds_count",
        "timeclock_directory_access_removal_seconds_count",
        "timeclock_directory_fact_delay_seconds_count",
    ];
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "h@contoso.com"})).await;
    let off = patch(&hired.user_id, &[(Op::Replace, "active", json!(false))]);
    caller.ask(Verb::Deactivate, off).await;
    caller.patch(&hired.user_id, &[(Op::Replace, "title", json!("Clerk"))]).await;
    caller.delete(&hired.user_id).await;
    // A user who is not there loses no access.
    caller.delete(&hired.user_id).await;
    eventually("every fact is timed", async || {
        counts(&directory, TIMED).await == [Some(5.0), Some(2.0), Some(4.0)]
    })
    .await;
    let sum = sample(&directory, "timeclock_directory_request_age_seconds_sum").await.unwrap();
    assert!(sum > 0.0 && sum < 3_600.0, "{sum}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_told_though_nothing_moves() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    caller.hire(json!({"userName": "first@contoso.com"})).await;
    let pending = format!(
        "timeclock_directory_pending_requests{{partition=\"{}\"}}",
        Partition::of(caller.company).number()
    );
    eventually("nothing waits", async || sample(&directory, &pending).await == Some(0.0)).await;

    let mut owner = PgConnection::establish(&url(&world.database, "directory_owner")).unwrap();
    owner.batch_execute("begin; lock table users in access exclusive mode").unwrap();
    for number in 0..3 {
        let attributes = json!({"userName": format!("{number}@contoso.com")});
        caller.send(Verb::Create, create(&attributes)).await;
    }
    eventually("three wait", async || sample(&directory, &pending).await == Some(3.0)).await;
    owner.batch_execute("rollback").unwrap();
    eventually("nothing waits any more", async || sample(&directory, &pending).await == Some(0.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_is_told_whoever_owns_its_partitions() {
    let world = World::new();
    let directory = world.directory().await;
    let rows = "timeclock_directory_outbox_rows";
    let age = "timeclock_directory_outbox_age_seconds";
    // Who takes over a partition looks whether something was left to be announced.
    let held = "timeclock_directory_partitions_held";
    eventually("all are held", async || sample(&directory, held).await == Some(16.0)).await;
    eventually("it is empty", async || {
        (sample(&directory, rows).await, sample(&directory, age).await) == (Some(0.0), Some(0.0))
    })
    .await;
    // Nobody wakes the partition's owner, so it stays.
    world
        .sql("insert into outbox (partition, facts, committed_at) values (3, '', now() - interval '1 hour')");
    eventually("a row of an hour ago is told", async || {
        sample(&directory, rows).await == Some(1.0)
            && sample(&directory, age).await.is_some_and(|age| (3_600.0..7_200.0).contains(&age))
    })
    .await;
}

/// Companies that an instance tells of, `other` among them.
async fn companies_of(directory: &Directory) -> Vec<String> {
    let metrics = directory.metrics().await;
    let calls = "timeclock_directory_company_calls_total{company=\"";
    let mut companies: Vec<String> = metrics
        .lines()
        .filter_map(|line| Some(line.strip_prefix(calls)?.split('"').next()?.to_owned()))
        .collect();
    companies.dedup();
    companies
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_beyond_the_setting_are_counted_together_by_one_instance() {
    let world = World::new();
    let settings = [("TIMECLOCK_COMPANY_SERIES", "2")];
    let instances = [world.directory_with(&settings).await, world.directory_with(&settings).await];
    let console = Console::new(&world).await;
    let companies: Vec<_> = (0..3).map(|_| CompanyId::mint()).collect();
    for company in &companies {
        world.sql(&format!("insert into companies values ('{company}', 'A company', now())"));
        let calls = vec![call("create", Answer::Created, 201), call("create", Answer::Failed, 503)];
        console.report(*company, calls).await;
        eventually("they are counted", async || console.counted(*company).await == 2).await;
    }
    let told = async || {
        let [first, second] = [companies_of(&instances[0]).await, companies_of(&instances[1]).await];
        assert!(first.is_empty() || second.is_empty(), "told twice: {first:?} {second:?}");
        let reader = if first.is_empty() { 1 } else { 0 };
        (reader, [first, second].concat())
    };
    let mut expected = vec![companies[0].to_string(), companies[1].to_string(), "other".to_owned()];
    expected.sort();
    eventually("two have a place", async || told().await.1 == expected).await;
    let (reader, _) = told().await;
    for sample_of_others in [
        r#"timeclock_directory_company_calls_total{company="other",result="failed"}"#,
        r#"timeclock_directory_company_changes_total{change="created",company="other"}"#,
    ] {
        assert_eq!(sample(&instances[reader], sample_of_others).await, Some(1.0), "{sample_of_others}");
    }

    world.sql(&format!(
        "update connections set last_call_at = now() - interval '121 minutes' where company_id = '{}'",
        companies[2]
    ));
    // Who loses the lock tells no more, and whoever has it begins with those who called last.
    world.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and application_name like '%calls'",
    );
    let healths = "timeclock_directory_company_health{company=\"";
    eventually("one instance tells how two companies are", async || {
        let mut tellers = Vec::new();
        for instance in &instances {
            let metrics = instance.metrics().await;
            tellers.push(metrics.lines().filter(|line| line.starts_with(healths)).count());
        }
        tellers.sort_unstable();
        tellers == [0, 2]
    })
    .await;
    let mut silent = Vec::new();
    for instance in &instances {
        silent.extend(sample(instance, "timeclock_directory_companies_silent").await);
    }
    assert_eq!(silent, [1.0], "one instance tells that one company is silent");
}
