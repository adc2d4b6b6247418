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
    run::{Ended, Ending, supervise},
    tasks::Cause,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

const LONG: Duration = Duration::from_secs(60);
const AT_ONCE: Ending = Ending { drain_delay: Duration::ZERO, deadline: LONG };

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

    let ended = supervise(&process, ready("SIGTERM"), AT_ONCE).await;

    assert!(matches!(ended, Ended::Stopped), "{ended:?}");
    assert_eq!(journal.lines(), ["not ready", "accepting stops", "in flight done", "connection closes"]);
}

#[tokio::test]
async fn a_connection_that_is_merely_kept_alive_holds_nothing_up() {
    let process = Process::new(Clock::system());
    let listener = Listener::bind(&process, "observe", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let mut client = TcpStream::connect(listener.address()).await.unwrap();
    let routes = observe(&process);
    let serving = Serving { workers: 1, drain: 2 * LONG };
    process.tasks.spawn("listener", |stop| listener.serve(serving, stop, routes));
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);

    let ended = supervise(&process, ready("SIGTERM"), AT_ONCE).await;

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

    let ended = supervise(&process, ready("SIGTERM"), AT_ONCE).await;

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

    let ended = supervise(&process, pending(), AT_ONCE).await;

    let Ended::Failed(failure) = ended else { panic!("{ended:?}") };
    assert_eq!(failure.to_string(), "task relay failed: the disk is full");
    assert!(stopping.is_cancelled());
}

#[tokio::test]
async fn a_panic_in_a_task_stops_the_process_and_is_named() {
    let process = Process::new(Clock::system());
    process.tasks.spawn_supporting("watcher", |_stop| async { panic!("no such key") });

    let ended = supervise(&process, pending(), AT_ONCE).await;

    let Ended::Failed(failure) = ended else { panic!("{ended:?}") };
    assert_eq!(failure.task, "watcher");
    assert!(matches!(&failure.cause, Cause::Panicked(message) if message == "no such key"), "{failure}");
}

#[tokio::test]
async fn a_task_that_just_ends_stops_the_process_too() {
    let process = Process::new(Clock::system());
    process.tasks.spawn("loop", |_stop| ready(Ok(())));

    let ended = supervise(&process, pending(), AT_ONCE).await;

    assert!(matches!(ended, Ended::Failed(failure) if matches!(failure.cause, Cause::EndedEarly)));
}

/// The head of the answer to `GET path`, and whether the connection may be used again.
async fn ask(client: &mut TcpStream, path: &str) -> String {
    client.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).to_ascii_lowercase()
}

#[tokio::test]
async fn a_process_says_not_ready_first_and_goes_on_answering_until_others_have_heard_it() {
    let process = Process::new(Clock::system());
    process.health.started();
    let listener = Listener::bind(&process, "observe", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.address();
    let routes = observe(&process);
    process.tasks.spawn("listener", |stop| listener.serve(Serving { workers: 1, drain: LONG }, stop, routes));
    let (enough, ended_by) = oneshot::channel::<()>();
    process.tasks.spawn("breaks", |_stop| async move {
        ended_by.await.unwrap();
        anyhow::bail!("the delay need not be waited for")
    });
    let mut client = TcpStream::connect(address).await.unwrap();
    let before = ask(&mut client, "/readyz").await;
    assert!(before.starts_with("http/1.1 200") && !before.contains("connection: close"), "{before}");

    let (signal, signalled) = oneshot::channel();
    let supervised = process.clone();
    let forever = Ending { drain_delay: 60 * LONG, deadline: LONG };
    let ended = tokio::spawn(async move {
        let signal = async {
            signalled.await.unwrap();
            "SIGTERM"
        };
        supervise(&supervised, signal, forever).await
    });
    signal.send(()).unwrap();
    while process.health.readiness().await.ready {
        tokio::task::yield_now().await;
    }

    let on_the_old_one = ask(&mut client, "/healthz").await;
    assert!(on_the_old_one.starts_with("http/1.1 200"), "{on_the_old_one}");
    assert!(on_the_old_one.contains("connection: close"), "{on_the_old_one}");
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "the connection ends");
    let mut another = TcpStream::connect(address).await.unwrap();
    let on_a_new_one = ask(&mut another, "/readyz").await;
    assert!(on_a_new_one.starts_with("http/1.1 503"), "{on_a_new_one}");
    assert!(on_a_new_one.contains("connection: close"), "{on_a_new_one}");
    assert!(!process.tasks.stopping().is_cancelled(), "nothing has been stopped so far");

    enough.send(()).unwrap();
    assert!(matches!(ended.await.unwrap(), Ended::Failed(_)));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_delay_before_the_stop_is_not_taken_from_the_deadline() {
    let process = Process::new(Clock::system());
    process.tasks.spawn("slow", |stop| async move {
        stop.cancelled().await;
        tokio::time::sleep(LONG / 2).await;
        Ok(())
    });

    let began = tokio::time::Instant::now();
    let ended = supervise(&process, ready("SIGTERM"), Ending { drain_delay: LONG, deadline: LONG }).await;

    assert!(matches!(ended, Ended::Stopped), "{ended:?}");
    // The clock of the paused runtime: it moves by what is waited for.
    assert!(began.elapsed() >= LONG + LONG / 2);
}
