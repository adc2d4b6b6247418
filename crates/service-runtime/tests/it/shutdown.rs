//! How a process ends: in order, within its deadline, and naming whoever broke it.

use std::{
    future::{pending, ready},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Serving, observe},
    run::{Ended, supervise},
    tasks::Cause,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<&'static str>>>);

impl Journal {
    fn note(&self, line: &'static str) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn work_in_flight_ends_before_what_it_needs() {
    let process = Process::new(Clock::system());
    process.health.started();
    let journal = Journal::default();
    let (answer, needed) = oneshot::channel();
    let (asked, question) = oneshot::channel();

    let (notes, health) = (journal.clone(), process.health.clone());
    process.tasks.spawn("listener", |stop| async move {
        stop.cancelled().await;
        notes.note(if health.readiness().await.ready { "still ready" } else { "not ready" });
        notes.note("accepting stops");
        asked.send(()).unwrap();
        needed.await.unwrap();
        notes.note("in flight done");
        Ok(())
    });
    let notes = journal.clone();
    process.tasks.spawn_supporting("connection", |stop| async move {
        question.await.unwrap();
        assert!(!stop.is_cancelled());
        answer.send(()).unwrap();
        stop.cancelled().await;
        notes.note("connection closes");
        Ok(())
    });

    let ended = supervise(&process, ready("SIGTERM"), LONG).await;

    assert!(matches!(ended, Ended::Stopped), "{ended:?}");
    assert_eq!(journal.lines(), ["not ready", "accepting stops", "in flight done", "connection closes"]);
}

#[tokio::test]
async fn a_connection_that_is_merely_kept_alive_holds_nothing_up() {
    let process = Process::new(Clock::system());
    let listener = Listener::bind("observe", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let mut client = TcpStream::connect(listener.address()).await.unwrap();
    let routes = observe(&process);
    let serving = Serving { workers: 1, drain: 2 * LONG };
    process.tasks.spawn("listener", |stop| listener.serve(serving, stop, routes));
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);

    let ended = supervise(&process, ready("SIGTERM"), LONG).await;

    assert!(matches!(ended, Ended::Stopped), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn work_that_never_ends_is_named_and_abandoned_at_the_deadline() {
    let process = Process::new(Clock::system());
    process.tasks.spawn("stuck consumer", |_stop| pending());
    process.tasks.spawn("good consumer", |stop| async move {
        stop.cancelled().await;
        Ok(())
    });

    let ended = supervise(&process, ready("SIGTERM"), LONG).await;

    assert!(matches!(&ended, Ended::DeadlineMissed(names) if names == &["stuck consumer"]), "{ended:?}");
}

#[tokio::test]
async fn a_failed_task_stops_the_process_and_is_named() {
    let process = Process::new(Clock::system());
    let stopping = process.tasks.stopping();
    process.tasks.spawn("other", |stop| async move {
        stop.cancelled().await;
        Ok(())
    });
    process.tasks.spawn("relay", |_stop| ready(Err(anyhow::anyhow!("the disk is full"))));

    let ended = supervise(&process, pending(), LONG).await;

    let Ended::Failed(failure) = ended else { panic!("{ended:?}") };
    assert_eq!(failure.to_string(), "task relay failed: the disk is full");
    assert!(stopping.is_cancelled());
}

#[tokio::test]
async fn a_panic_in_a_task_stops_the_process_and_is_named() {
    let process = Process::new(Clock::system());
    process.tasks.spawn_supporting("watcher", |_stop| async { panic!("no such key") });

    let ended = supervise(&process, pending(), LONG).await;

    let Ended::Failed(failure) = ended else { panic!("{ended:?}") };
    assert_eq!(failure.task, "watcher");
    assert!(matches!(&failure.cause, Cause::Panicked(message) if message == "no such key"), "{failure}");
}

#[tokio::test]
async fn a_task_that_just_ends_stops_the_process_too() {
    let process = Process::new(Clock::system());
    process.tasks.spawn("loop", |_stop| ready(Ok(())));

    let ended = supervise(&process, pending(), LONG).await;

    assert!(matches!(ended, Ended::Failed(failure) if matches!(failure.cause, Cause::EndedEarly)));
}
