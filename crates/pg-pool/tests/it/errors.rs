//! Each failure is told apart by the real server's own words.

use diesel::{RunQueryDsl as _, sql_query};
use pg_pool::{Error, Pool};

use crate::harness::notes;

async fn run(pool: &Pool, sql: &'static str) -> Result<usize, Error> {
    pool.run("test", move |connection| sql_query(sql).execute(connection)).await
}

#[tokio::test]
async fn a_unique_violation_names_its_constraint() {
    let pool = notes().await;
    run(&pool, "INSERT INTO notes VALUES (1, 'a')").await.unwrap();
    let error = run(&pool, "INSERT INTO notes VALUES (2, 'a')").await.unwrap_err();
    assert!(matches!(&error, Error::Unique { constraint } if constraint == "notes_text_key"), "{error:?}");
}

#[tokio::test]
async fn data_that_can_never_be_stored_is_rejected_without_being_quoted() {
    let pool = notes().await;
    run(&pool, "CREATE TABLE documents (body json, big text)").await.unwrap();
    run(&pool, "CREATE INDEX ON documents (big)").await.unwrap();
    run(&pool, "CREATE TYPE colour AS ENUM ('red')").await.unwrap();
    for sql in [
        "INSERT INTO notes VALUES (1, 'bad')",
        "INSERT INTO notes VALUES (1, NULL)",
        "INSERT INTO notes VALUES (1, 'secret secret secret')",
        "INSERT INTO notes VALUES (99999999999999999999, 'a')",
        "INSERT INTO documents (body) SELECT x::json FROM (VALUES ('{secret')) v (x)",
        "INSERT INTO documents (body) SELECT x::jsonb::json FROM (VALUES ('\"secret \\u0000\"')) v (x)",
        "INSERT INTO documents (big) SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i",
        "SELECT x::uuid FROM (VALUES ('secret')) v (x)",
        "SELECT x::timestamptz FROM (VALUES ('secret')) v (x)",
        "SELECT x::colour FROM (VALUES ('secret')) v (x)",
        "SELECT convert_from('\\xff', 'UTF8')",
        "SELECT 1 / x FROM (VALUES (0)) v (x)",
    ] {
        let error = run(&pool, sql).await.unwrap_err();
        assert!(matches!(error, Error::Rejected { .. }), "{sql}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_null_character_in_text_is_rejected() {
    let pool = notes().await;
    let error = pool
        .run("test", |connection| {
            sql_query("INSERT INTO notes VALUES (1, $1)")
                .bind::<diesel::sql_types::Text, _>("a\0b")
                .execute(connection)
        })
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_statement_is_our_bug() {
    let pool = notes().await;
    for sql in ["SELEC 1", "SELECT * FROM nowhere", "SELECT nothing FROM notes", "SELECT no_function()"] {
        let error = run(&pool, sql).await.unwrap_err();
        assert!(matches!(error, Error::Bug(_)), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn a_closure_that_panics_is_our_bug_and_breaks_nothing_else() {
    let pool = notes().await;
    let error = pool.run::<(), _>("test", |_connection| panic!("on purpose")).await.unwrap_err();
    assert!(matches!(error, Error::Panicked), "{error:?}");
    run(&pool, "SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled() {
    let pool = notes().await;
    let error = pool
        .transaction("test", |connection| {
            sql_query("SET LOCAL statement_timeout = '20ms'").execute(connection)?;
            sql_query("SELECT pg_sleep(60)").execute(connection)
        })
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut { limit: "statement_timeout" }), "{error:?}");
}

#[tokio::test]
async fn a_lock_that_takes_too_long_is_given_up() {
    let pool = notes().await;
    let (locked, release) = (tokio::sync::oneshot::channel(), std::sync::mpsc::channel::<()>());
    let (tell, release_rx) = (std::sync::Mutex::new(Some(locked.0)), std::sync::Mutex::new(release.1));
    let holding = pool.transaction("holder", move |connection| {
        sql_query("LOCK TABLE notes").execute(connection)?;
        tell.lock().unwrap().take().unwrap().send(()).unwrap();
        // Held until the test has seen the other one fail.
        release_rx.lock().unwrap().recv().ok();
        Ok(())
    });
    let waiting = async {
        locked.1.await.unwrap();
        let error = pool
            .transaction("waiter", |connection| {
                sql_query("SET LOCAL lock_timeout = '20ms'").execute(connection)?;
                sql_query("SELECT * FROM notes").execute(connection)
            })
            .await
            .unwrap_err();
        release.0.send(()).unwrap();
        error
    };
    let (held, error) = tokio::join!(holding, waiting);
    held.unwrap();
    assert!(matches!(error, Error::TimedOut { limit: "lock_timeout" }), "{error:?}");
}
