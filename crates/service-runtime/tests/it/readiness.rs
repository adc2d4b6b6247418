//! `/healthz`, `/readyz` and `/metrics`, over a real listener.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use service_runtime::{
    Process,
    clock::Clock,
    health,
    http::{Listener, Serving, observe},
    metrics,
};

struct Observed {
    process: Process,
    url: String,
}

impl Observed {
    fn start() -> Self {
        let process = Process::new(Clock::system());
        let listener = Listener::bind(&process, "observe", SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}", listener.address());
        let routes = observe(&process);
        let serving = Serving { workers: 1, drain: Duration::from_secs(1) };
        process.tasks.spawn_supporting("observe listener", |stop| listener.serve(serving, stop, routes));
        Self { process, url }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn readyz(&self) -> (u16, Value) {
        let (status, body) = self.get("/readyz").await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

#[tokio::test]
async fn a_process_is_ready_only_between_start_and_stop() {
    let observed = Observed::start();
    assert_eq!(
        observed.readyz().await,
        (503, json!({ "ready": false, "phase": "starting", "dependencies": {} }))
    );
    assert_eq!(observed.get("/healthz").await.0, 200);

    observed.process.health.started();
    assert_eq!(
        observed.readyz().await,
        (200, json!({ "ready": true, "phase": "serving", "dependencies": {} }))
    );

    observed.process.health.stopping();
    assert_eq!(
        observed.readyz().await,
        (503, json!({ "ready": false, "phase": "stopping", "dependencies": {} }))
    );
    assert_eq!(observed.get("/healthz").await.0, 200);
    observed.process.tasks.stop().await;
}

#[tokio::test]
async fn one_dependency_that_is_away_makes_readyz_503_and_is_named() {
    let observed = Observed::start();
    observed.process.health.register("postgres", || async { Ok(()) });
    observed.process.health.register("nats", || async { Err("no connection".to_owned()) });
    observed.process.health.started();

    let (status, body) = observed.readyz().await;

    assert_eq!(status, 503);
    assert_eq!(body["dependencies"], json!({ "nats": "no connection", "postgres": "ok" }));
    observed.process.tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_that_never_answers_counts_as_away() {
    let process = Process::new(Clock::system());
    process.health.register("postgres", std::future::pending::<Result<(), String>>);
    process.health.started();

    let readiness = process.health.readiness().await;

    assert!(!readiness.ready);
    assert_eq!(readiness.dependencies["postgres"], "no answer within 2 s");
}

#[tokio::test]
async fn metrics_say_which_build_runs() {
    let observed = Observed::start();
    metrics::register_process(&observed.process.metrics, "test-service").unwrap();

    let (status, body) = observed.get("/metrics").await;

    assert_eq!(status, 200);
    assert!(body.contains("timeclock_build_info{"), "{body}");
    assert!(body.contains("service=\"test-service\""), "{body}");
    observed.process.tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn metrics_follow_readiness_though_nobody_asks() {
    let process = Process::new(Clock::system());
    process.health.tell(&process.metrics).unwrap();
    let away = Arc::new(AtomicBool::new(false));
    let nats = Arc::clone(&away);
    process.health.register("nats", move || {
        let is_away = nats.load(Ordering::Relaxed);
        async move { if is_away { Err("no connection".to_owned()) } else { Ok(()) } }
    });
    process.health.started();
    process.tasks.spawn_supporting("readiness", |stop| process.health.clone().watch(stop));
    let told = async |ready: i64, up: i64| {
        // Virtual time: it passes as soon as everybody waits.
        tokio::time::sleep(2 * health::LOOK_EVERY).await;
        let text = metrics::text(&process.metrics).unwrap();
        assert!(text.contains(&format!("timeclock_ready {ready}\n")), "{text}");
        assert!(text.contains(&format!("timeclock_dependency_up{{dependency=\"nats\"}} {up}\n")), "{text}");
    };
    told(1, 1).await;
    away.store(true, Ordering::Relaxed);
    told(0, 0).await;
    away.store(false, Ordering::Relaxed);
    told(1, 1).await;
    process.health.stopping();
    assert!(metrics::text(&process.metrics).unwrap().contains("timeclock_ready 0\n"));
    told(0, 1).await;
    process.tasks.stop().await;
}
