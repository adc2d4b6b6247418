//! Running migrations beside the traffic, and knowing whether they ran.

use std::sync::Arc;

use diesel::{
    QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::Bool,
};
use pg_pool::{
    Pool, Session,
    migrate::{NotReady, ready, run},
};

use crate::harness::{LATER, MIGRATIONS, empty, eventually, migrated, pool};

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

async fn is_true(pool: &Pool, condition: &'static str) -> bool {
    let asked = pool.run("test", move |connection| {
        sql_query(format!("SELECT {condition} AS yes")).get_result::<Answer>(connection)
    });
    asked.await.unwrap().yes
}

async fn execute(pool: &Pool, script: &'static str) {
    pool.run("test", move |connection| connection.batch_execute(script)).await.unwrap();
}

#[tokio::test]
async fn migrations_run_once_and_then_nothing_is_pending() {
    let settings = empty();
    let pool = pool(&settings);
    let before = ready(&pool, &Arc::new(MIGRATIONS)).await;
    let Err(NotReady::Pending(names)) = before else { panic!("{before:?}") };
    assert_eq!(names, ["2026-01-01-000001_create_notes"]);
    assert_eq!(run(&settings, MIGRATIONS).await.unwrap().len(), 1);
    assert!(run(&settings, MIGRATIONS).await.unwrap().is_empty());
    ready(&pool, &Arc::new(MIGRATIONS)).await.unwrap();
    pool.run("test", |connection| sql_query("SELECT * FROM notes").execute(connection)).await.unwrap();
}

#[tokio::test]
async fn an_older_schema_is_named_and_a_newer_one_is_no_matter() {
    let settings = migrated().await;
    let pool = pool(&settings);
    let older = ready(&pool, &Arc::new(LATER)).await.unwrap_err().to_string();
    assert_eq!(
        older,
        "migrations that are not applied yet: 2 (2026-01-02-000001_rank_notes, 2026-01-02-000002_index_notes); \
         run this program's command migrate"
    );
    run(&settings, LATER).await.unwrap();
    ready(&pool, &Arc::new(LATER)).await.unwrap();
    ready(&pool, &Arc::new(MIGRATIONS)).await.unwrap();
}

#[tokio::test]
async fn two_processes_that_migrate_at_once_take_turns() {
    let settings = empty();
    let (one, other) = tokio::join!(run(&settings, MIGRATIONS), run(&settings, MIGRATIONS));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 1);
    // The one that waits for its turn is not what an index that is built concurrently waits for.
    let (one, other) = tokio::join!(run(&settings, LATER), run(&settings, LATER));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 2);
}

#[tokio::test]
async fn a_migration_that_waits_for_a_lock_lets_the_traffic_pass() {
    let settings = migrated().await;
    let pool = pool(&settings);
    // A report, say, that reads the table all the while.
    let reader = Session::connect(&settings, "reader").await.unwrap();
    reader.run("test", |connection| connection.batch_execute("BEGIN; SELECT * FROM notes")).await.unwrap();
    let migrating = tokio::spawn({
        let settings = settings.clone();
        async move { run(&settings, LATER).await }
    });
    let waits = "EXISTS (SELECT FROM pg_locks WHERE relation = 'notes'::regclass AND NOT granted)";
    eventually("the migration waits for the table", async || is_true(&pool, waits).await.then_some(())).await;

    // Behind a migration that waited as long as it takes, this would wait until its own limit and fail.
    execute(&pool, "SELECT * FROM notes").await;
    assert!(!migrating.is_finished());

    reader.run("test", |connection| connection.batch_execute("COMMIT")).await.unwrap();
    assert_eq!(migrating.await.unwrap().unwrap().len(), 2);
}

#[tokio::test]
async fn an_index_whose_building_was_interrupted_is_built_anew() {
    let settings = migrated().await;
    let pool = pool(&settings);
    // What is left when `create index concurrently` fails half-way.
    execute(
        &pool,
        "ALTER TABLE notes ADD COLUMN rank integer;
         CREATE INDEX notes_rank_idx ON notes (rank);
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_rank_idx'::regclass;
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20260102000001')",
    )
    .await;
    assert_eq!(run(&settings, LATER).await.unwrap(), ["20260102000002"]);
    let valid = "(SELECT indisvalid FROM pg_index WHERE indexrelid = 'notes_rank_idx'::regclass)";
    assert!(is_true(&pool, valid).await);
}
