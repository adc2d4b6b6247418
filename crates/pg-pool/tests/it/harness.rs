//! Databases with one table, and pools on them.

use std::{future::Future, time::Duration};

use backing_servers::postgres::{Options, Server};
use pg_pool::{
    Pool, Settings,
    migrate::{EmbeddedMigrations, embed_migrations},
};
use prometheus::Registry;

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("tests/it/migrations");
/// Two more: a column, and an index that is built beside the traffic.
pub(crate) const LATER: EmbeddedMigrations = embed_migrations!("tests/it/later");

pub(crate) fn settings(url: &str) -> Settings {
    Settings { url: url.to_owned().into(), pool_size: 4, application_name: "it".into() }
}

/// An empty database on the shared server.
pub(crate) fn empty() -> Settings {
    let server = Server::shared().unwrap();
    settings(&server.database_from_template("pg_pool_empty", |_url| Ok(())).unwrap().url)
}

/// A database with the table `notes`.
pub(crate) async fn migrated() -> Settings {
    let settings = empty();
    pg_pool::migrate::run(&settings, MIGRATIONS).await.unwrap();
    settings
}

pub(crate) fn pool(settings: &Settings) -> Pool {
    Pool::connect(settings, &Registry::new()).unwrap()
}

pub(crate) async fn notes() -> Pool {
    pool(&migrated().await)
}

/// A server of one test's own, which it may kill.
pub(crate) fn own_server() -> Server {
    Server::start(Options { fast: true, ..Options::default() }).unwrap()
}

/// Polls until there is something, or fails with what was waited for.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut observe: impl FnMut() -> F,
) -> T {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        if let Some(seen) = observe().await {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
