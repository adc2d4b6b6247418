//! Running migrations, and knowing whether they ran.

use diesel::{RunQueryDsl as _, sql_query};
use pg_pool::migrate::{NotReady, ready, run};

use crate::harness::{MIGRATIONS, empty, pool};

#[tokio::test]
async fn migrations_run_once_and_then_nothing_is_pending() {
    let settings = empty();
    let pool = pool(&settings);
    let before = ready(&pool, MIGRATIONS).await;
    let Err(NotReady::Pending(names)) = before else { panic!("{before:?}") };
    assert_eq!(names, ["2026-01-01-000001_create_notes"]);
    assert_eq!(run(&settings, MIGRATIONS).await.unwrap().len(), 1);
    assert!(run(&settings, MIGRATIONS).await.unwrap().is_empty());
    ready(&pool, MIGRATIONS).await.unwrap();
    pool.run("test", |connection| sql_query("SELECT * FROM notes").execute(connection)).await.unwrap();
}

#[tokio::test]
async fn two_processes_that_migrate_at_once_take_turns() {
    let settings = empty();
    let (one, other) = tokio::join!(run(&settings, MIGRATIONS), run(&settings, MIGRATIONS));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 1);
}
