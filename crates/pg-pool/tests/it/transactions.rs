//! All or nothing, again when others were in the way, and a bounded number of connections.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
use pg_pool::{Error, Pool, transaction::ATTEMPTS};
use prometheus::Registry;

use crate::harness::{migrated, notes};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn count(pool: &Pool) -> i64 {
    pool.run("count", |connection| sql_query("SELECT count(*) FROM notes").get_result::<Count>(connection))
        .await
        .unwrap()
        .count
}

#[tokio::test]
async fn a_failed_transaction_leaves_nothing_behind() {
    let pool = notes().await;
    let failed = pool
        .transaction("test", |connection| {
            sql_query("INSERT INTO notes VALUES (1, 'a')").execute(connection)?;
            sql_query("INSERT INTO notes VALUES (1, 'b')").execute(connection)
        })
        .await;
    assert!(matches!(failed, Err(Error::Unique { .. })), "{failed:?}");
    assert_eq!(count(&pool).await, 0);
    pool.transaction("test", |connection| sql_query("INSERT INTO notes VALUES (1, 'a')").execute(connection))
        .await
        .unwrap();
    assert_eq!(count(&pool).await, 1);
}

#[tokio::test]
async fn a_deadlock_is_resolved_by_running_again() {
    let settings = migrated().await;
    let registry = Registry::new();
    let pool = Pool::connect(&settings, &registry).unwrap();
    pool.run("test", |connection| {
        sql_query("INSERT INTO notes VALUES (1, 'a'), (2, 'b')").execute(connection)
    })
    .await
    .unwrap();
    let both_hold_one = Arc::new(Barrier::new(2));
    let crossing = |first: i64, second: i64| {
        let (barrier, attempts) = (Arc::clone(&both_hold_one), AtomicUsize::new(0));
        pool.transaction("crossing", move |connection| {
            let lock = |connection: &mut diesel::PgConnection, id: i64| {
                sql_query(format!("SELECT FROM notes WHERE id = {id} FOR UPDATE")).execute(connection)
            };
            lock(connection, first)?;
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                barrier.wait();
            }
            lock(connection, second)
        })
    };
    let (one, other) = tokio::join!(crossing(1, 2), crossing(2, 1));
    one.unwrap();
    other.unwrap();
    let metrics = service_runtime::metrics::text(&registry).unwrap();
    let retries = metrics
        .lines()
        .find_map(|line| line.strip_prefix("timeclock_postgres_retries_total{name=\"crossing\"} "));
    // The server may choose both as victims.
    assert!(retries.unwrap().parse::<u32>().unwrap() >= 1, "{metrics}");
}

#[tokio::test]
async fn contention_without_end_becomes_the_caller_s() {
    let pool = notes().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let failed = pool
        .transaction("test", move |connection| {
            counted.fetch_add(1, Ordering::Relaxed);
            sql_query("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END $$")
                .execute(connection)
        })
        .await;
    assert!(matches!(failed, Err(Error::Contended(_))), "{failed:?}");
    assert_eq!(runs.load(Ordering::Relaxed), usize::try_from(ATTEMPTS).unwrap());
}

#[tokio::test]
async fn no_more_work_runs_at_once_than_there_are_connections() {
    let pool = notes().await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let work = (0..40).map(|_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        pool.run("test", move |connection| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let done = sql_query("SELECT pg_sleep(0.01)").execute(connection);
            now.fetch_sub(1, Ordering::SeqCst);
            done
        })
    });
    for done in futures_util::future::join_all(work).await {
        done.unwrap();
    }
    let most = most.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most} at once");
}
