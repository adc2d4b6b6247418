//! A server, a connection to it, and streams that belong to one test.

use std::{future::Future, time::Duration};

use backing_servers::nats::{Options, Server};
use bus_contract::stream::{Bucket, Retention, Stream};
use bus_jetstream::{Bus, Settings};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) async fn connect(url: &str) -> Bus {
    let bus = Bus::connect(&settings(url)).await.unwrap();
    eventually("connected", || async { bus.is_connected().then_some(()) }).await;
    bus
}

pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        url: url.to_owned(),
        user: "test".into(),
        password: "secret".into(),
        connection_name: "it".into(),
    }
}

/// A client past our own door, to look at the server and to disturb it.
pub(crate) async fn raw(url: &str) -> async_nats::jetstream::Context {
    #[expect(clippy::disallowed_methods, reason = "what this crate does is observed from outside it")]
    let client = async_nats::connect(url).await.unwrap();
    async_nats::jetstream::new(client)
}

/// The same for the shared server.
pub(crate) async fn raw_shared() -> async_nats::jetstream::Context {
    raw(&Server::shared().unwrap().url()).await
}

/// The server that tests share which disturb nobody.
pub(crate) async fn shared() -> Bus {
    connect(&Server::shared().unwrap().url()).await
}

/// A server of one test's own, which it may stop and wipe.
pub(crate) struct Own {
    pub(crate) server: Server,
    directory: TempDir,
}

impl Own {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server =
            Server::start(Options { directory: Some(directory.path().to_owned()), ..Options::default() })
                .unwrap();
        Self { server, directory }
    }

    /// Kills the server and takes its disk away.
    pub(crate) fn lose_everything(&self) {
        self.server.kill_9().unwrap();
        let store = self.directory.path().join("streams");
        assert!(store.is_dir(), "the server keeps its streams elsewhere");
        std::fs::remove_dir_all(store).unwrap();
    }
}

/// A work queue of `<name>.>`.
pub(crate) fn work_queue(name: &str) -> Stream {
    Stream { retention: Retention::WorkQueue, ..stream(name) }
}

/// A stream of `<name>.>`.
pub(crate) fn stream(name: &str) -> Stream {
    let name: &'static str = name.to_owned().leak();
    Stream {
        name,
        description: "a test's",
        subject: format!("{name}.>").leak(),
        retention: Retention::MaxAge(Duration::from_secs(3600)),
        max_bytes: 16 << 20,
        max_message_bytes: 1 << 20,
        duplicate_window: Duration::from_secs(60),
    }
}

pub(crate) fn bucket(name: &str) -> Bucket {
    Bucket { name: name.to_owned().leak(), description: "a test's", max_bytes: 1 << 20 }
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
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Fails a test that would otherwise hang.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_elapsed| panic!("never happened: {what}"))
}
