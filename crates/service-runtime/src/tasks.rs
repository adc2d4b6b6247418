//! The tasks that live as long as the process: named, tracked, stopped in order, never lost silently.
//!
//! There are two kinds. Tasks that *accept work* (listeners, consumers) are asked to stop first and finish what is in
//! flight. *Supporting* tasks (connections, watchers, relays of answers) are needed for that, and are asked to stop only
//! when the first kind has ended.

use std::{any::Any, collections::BTreeMap, fmt, future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Why a task brings the service down.
#[derive(Debug)]
pub struct TaskFailure {
    /// The task's name.
    pub task: &'static str,
    /// What happened to it.
    pub cause: Cause,
}

/// What happened to a task.
#[derive(Debug)]
pub enum Cause {
    /// It returned an error.
    Failed(anyhow::Error),
    /// It panicked with this message.
    Panicked(String),
    /// It returned before it was asked to stop.
    EndedEarly,
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Failed(error) => write!(f, "task {} failed: {error:#}", self.task),
            Cause::Panicked(message) => write!(f, "task {} panicked: {message}", self.task),
            Cause::EndedEarly => write!(f, "task {} ended before it was asked to", self.task),
        }
    }
}

/// Starts tasks. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    accepting: Group,
    supporting: Group,
    failures: mpsc::UnboundedSender<TaskFailure>,
    /// Taken out by whoever supervises.
    failed: tokio::sync::Mutex<mpsc::UnboundedReceiver<TaskFailure>>,
}

impl Default for Inner {
    fn default() -> Self {
        let (failures, failed) = mpsc::unbounded_channel();
        Self {
            accepting: Group::default(),
            supporting: Group::default(),
            failures,
            failed: tokio::sync::Mutex::new(failed),
        }
    }
}

#[derive(Debug, Default)]
struct Group {
    stop: CancellationToken,
    tracker: TaskTracker,
    /// How many tasks of each name run.
    running: Arc<std::sync::Mutex<BTreeMap<&'static str, usize>>>,
}

impl Tasks {
    /// Starts a task that accepts work. It gets the token that asks it to stop, and must then finish what is in flight
    /// and return.
    pub fn spawn<F, Fut>(&self, name: &'static str, task: F)
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let inner = &self.0;
        inner.accepting.spawn(name, task(inner.accepting.stop.clone()), inner.failures.clone());
    }

    /// Starts a task that others need to finish their work. Its token is cancelled when all of those have ended.
    pub fn spawn_supporting<F, Fut>(&self, name: &'static str, task: F)
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let inner = &self.0;
        inner.supporting.spawn(name, task(inner.supporting.stop.clone()), inner.failures.clone());
    }

    /// Cancelled when the process has been asked to stop.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.0.accepting.stop.clone()
    }

    /// The next task that failed, panicked, or ended without having been asked to.
    pub async fn failure(&self) -> TaskFailure {
        match self.0.failed.lock().await.recv().await {
            Some(failure) => failure,
            // The sender lives as long as `self`.
            None => std::future::pending().await,
        }
    }

    /// Stops the tasks that accept work, waits for them, then the supporting ones. Cancel-safe: dropping it leaves the
    /// tasks running and [`Tasks::running`] tells which.
    pub async fn stop(&self) {
        for group in [&self.0.accepting, &self.0.supporting] {
            group.stop.cancel();
            group.tracker.close();
            group.tracker.wait().await;
        }
    }

    /// Names of the tasks that have not ended.
    #[must_use]
    pub fn running(&self) -> Vec<&'static str> {
        [&self.0.accepting, &self.0.supporting].into_iter().flat_map(Group::names).collect()
    }
}

impl Group {
    fn spawn<Fut>(&self, name: &'static str, task: Fut, failures: mpsc::UnboundedSender<TaskFailure>)
    where
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = self.stop.clone();
        let entry = Entry::new(name, Arc::clone(&self.running));
        let supervised = async move {
            let cause = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) if stop.is_cancelled() => None,
                Ok(Ok(())) => Some(Cause::EndedEarly),
                Ok(Err(error)) => Some(Cause::Failed(error)),
                Err(panic) => Some(Cause::Panicked(message_of(&*panic))),
            };
            if let Some(cause) = cause {
                // Nobody listens only when the process is past caring.
                failures.send(TaskFailure { task: name, cause }).ok();
            }
            drop(entry);
        };
        self.tracker.spawn(supervised);
    }

    fn names(&self) -> Vec<&'static str> {
        self.running.lock().map(|running| running.keys().copied().collect()).unwrap_or_default()
    }
}

/// Counts a task while it exists, however it ends.
struct Entry {
    name: &'static str,
    running: Arc<std::sync::Mutex<BTreeMap<&'static str, usize>>>,
}

impl Entry {
    fn new(name: &'static str, running: Arc<std::sync::Mutex<BTreeMap<&'static str, usize>>>) -> Self {
        if let Ok(mut running) = running.lock() {
            *running.entry(name).or_default() += 1;
        }
        Self { name, running }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Ok(mut running) = self.running.lock()
            && let Some(count) = running.get_mut(self.name)
        {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
