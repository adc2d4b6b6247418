//! A connection whose locks live as long as it.

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::Bool};
use pg_pool::{Error, Session};

use crate::harness::{empty, eventually, own_server, settings};

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

async fn try_lock(session: &Session) -> Result<bool, Error> {
    let query = "SELECT pg_try_advisory_lock(42) AS locked";
    session
        .run("lock", move |connection| sql_query(query).get_result::<Locked>(connection))
        .await
        .map(|row| row.locked)
}

#[tokio::test]
async fn a_lock_ends_with_its_session() {
    let settings = empty();
    let first = Session::connect(&settings, "first").await.unwrap();
    let second = Session::connect(&settings, "second").await.unwrap();
    assert!(try_lock(&first).await.unwrap());
    assert!(!try_lock(&second).await.unwrap());
    first.ping().await.unwrap();
    drop(first);
    eventually("the lock free", || async { try_lock(&second).await.unwrap().then_some(()) }).await;
}

#[tokio::test]
async fn a_wrong_statement_does_not_lose_the_session() {
    let session = Session::connect(&empty(), "test").await.unwrap();
    let error = session.run("test", |connection| sql_query("SELEC").execute(connection)).await.unwrap_err();
    assert!(matches!(error, Error::Bug(_)), "{error:?}");
    assert!(!session.is_lost());
    assert!(try_lock(&session).await.unwrap());
}

#[tokio::test]
async fn a_killed_server_loses_the_session_for_ever() {
    let server = own_server();
    let settings = settings(&server.superuser_url("postgres"));
    let session = Session::connect(&settings, "test").await.unwrap();
    assert!(try_lock(&session).await.unwrap());
    server.kill_9().unwrap();
    assert!(matches!(session.ping().await, Err(Error::Unavailable(_))));
    assert!(session.is_lost());
    server.restart().unwrap();
    assert!(matches!(session.ping().await, Err(Error::Unavailable(_))), "a lost session came back");
    let next = Session::connect(&settings, "test").await.unwrap();
    assert!(try_lock(&next).await.unwrap());
}

#[tokio::test]
async fn a_session_ended_by_an_administrator_is_lost() {
    let settings = empty();
    let (victim, administrator) = (
        Session::connect(&settings, "victim").await.unwrap(),
        Session::connect(&settings, "administrator").await.unwrap(),
    );
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'it victim' AND datname = current_database()";
    administrator.run("end", move |connection| sql_query(end).execute(connection)).await.unwrap();
    let error = eventually("the loss noticed", || async { victim.ping().await.err() }).await;
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(victim.is_lost());
}
