//! Postgres comes and goes.

use diesel::{RunQueryDsl as _, sql_query};
use pg_pool::Error;

use crate::harness::{eventually, own_server, pool, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_unavailable_and_a_restarted_one_is_used_again() {
    let server = own_server();
    let pool = pool(&settings(&server.superuser_url("postgres")));
    eventually("connected", || async { pool.ping().await.ok() }).await;
    server.kill_9().unwrap();
    let mut refused = 0;
    while refused < 6 {
        // A backend may outlive its killed postmaster by a moment, and answer.
        if let Err(error) = pool.run("test", |connection| sql_query("SELECT 1").execute(connection)).await {
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            refused += 1;
        }
    }
    server.restart().unwrap();
    eventually("connected again", || async { pool.ping().await.ok() }).await;
    // Every broken connection is gone: none comes back out of the pool.
    for _ in 0..20 {
        pool.run("test", |connection| sql_query("SELECT 1").execute(connection)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_during_a_transaction_is_unavailable() {
    let server = own_server();
    let pool = pool(&settings(&server.superuser_url("postgres")));
    eventually("connected", || async { pool.ping().await.ok() }).await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let begun = std::sync::Mutex::new(Some(begun));
    let working = pool.transaction("test", move |connection| {
        sql_query("SELECT 1").execute(connection)?;
        begun.lock().unwrap().take().unwrap().send(()).unwrap();
        sql_query("SELECT pg_sleep(60)").execute(connection)
    });
    let killing = async {
        has_begun.await.unwrap();
        server.kill_9().unwrap();
    };
    let (result, ()) = tokio::join!(working, killing);
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_no_reason_not_to_start() {
    let port = backing_servers::port::free().unwrap();
    let pool = pool(&settings(&format!("postgres://nobody:nothing@127.0.0.1:{port}/none")));
    let error = pool.ping().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}
