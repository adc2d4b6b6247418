//! What the gateway is made of, and how it starts.

use std::{sync::Arc, time::Duration};

use bus_contract::stream;
use bus_jetstream::Bus;
use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Requests, Serving, TrustedProxies},
};

use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    auth::Auth,
    calls::Calls,
    cursor_key::CursorKey,
    http,
    keyring::Keyring,
    metrics::Metrics,
    outcomes::Outcomes,
    pace::{Pace, Turns},
    places::Places,
    schemas::Schemas,
};

/// How often companies are forgotten that do not call.
const UPKEEP: Duration = Duration::from_secs(60);

/// What answering a request needs. One per process, shared by all workers.
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) auth: Auth,
    pub(crate) schemas: Schemas,
    pub(crate) outcomes: Outcomes,
    pub(crate) calls: Calls,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) clock: Clock,
    pub(crate) cursor_key: CursorKey,
    pub(crate) requests: Requests,
    pub(crate) metrics: Metrics,
    pub(crate) scim_base_url: Option<String>,
    pub(crate) outcome_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) body_limit: usize,
    pub(crate) places: Places,
    pub(crate) pace: Pace,
    pub(crate) turns: Turns,
}

/// Starts the gateway: binds its listener, begins to connect, and returns. Whether it can do its work is a question for
/// `/readyz`.
///
/// # Errors
///
/// When the address cannot be bound or the bus is configured impossibly.
pub async fn start(settings: Settings, process: Process) -> anyhow::Result<()> {
    let listener = Listener::bind(&process, "scim", settings.http_addr)?;
    start_on(listener, settings, process).await
}

/// Lets go of what is known about companies that do not call.
async fn upkeep(app: Arc<App>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(UPKEEP);
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        app.pace.forget_the_rested();
        app.turns.forget_the_idle();
    }
    Ok(())
}

/// [`start`] on a listener that is bound already.
///
/// # Errors
///
/// When the bus is configured impossibly.
pub async fn start_on(listener: Listener, settings: Settings, process: Process) -> anyhow::Result<()> {
    let listener = listener.secured_by(settings.tls)?;
    let metrics = Metrics::register(&process.metrics)?;
    let told = bus_jetstream::Metrics::register(&process.metrics, &[&stream::PROVISIONING, &stream::CALLS])?;
    let bus = Bus::connect_measured(&settings.nats, told).await?;
    bus.flush_at_the_end(&process.tasks);
    let keyring = Keyring::new(&metrics);
    let outcomes = Outcomes::new(&process.id, bus.clone(), &metrics);

    // The directory is not among them: without it stored changes are still accepted, and a SCIM 503 from here is worth
    // more to a caller than a load balancer's.
    let asked = bus.clone();
    process.health.register("nats", move || {
        let asked = asked.clone();
        async move { asked.ping().await.map_err(|error| error.to_string()) }
    });
    let known = keyring.clone();
    process.health.register("token keys", move || {
        let ready = known.is_ready();
        async move { ready.then_some(()).ok_or_else(|| "no keys have arrived yet".to_owned()) }
    });
    let schemas = Schemas::new(&metrics);
    let known = schemas.clone();
    process.health.register("schemas", move || {
        let ready = known.is_ready();
        async move {
            ready.then_some(()).ok_or_else(|| "what companies have declared is not known yet".to_owned())
        }
    });
    process.tasks.spawn_supporting("schemas", |stop| schemas.clone().follow(bus.clone(), stop));
    process.tasks.spawn_supporting("token keys", |stop| keyring.clone().follow(bus.clone(), stop));
    process.tasks.spawn_supporting("outcomes", |stop| outcomes.clone().receive(stop));
    let (calls, sending) = Calls::new(&process.clock, &metrics);
    // Supporting, so that the last answers are reported too.
    process.tasks.spawn_supporting("calls", |stop| sending.run(bus.clone(), stop));

    // Whatever is in flight ends by then, for one reason or another.
    let drain = http::longest(settings.outcome_timeout, settings.query_timeout) + Duration::from_secs(1);
    let serving = Serving { workers: settings.http_workers, drain };
    let app = Arc::new(App {
        bus,
        auth: Auth::new(keyring, process.clock.clone(), &metrics),
        schemas,
        outcomes,
        calls,
        trusted_proxies: settings.trusted_proxies,
        clock: process.clock.clone(),
        cursor_key: settings.cursor_key.unwrap_or_else(|| {
            tracing::info!(
                "TIMECLOCK_CURSOR_KEY is not set: the cursors of this process end with it, and no other process reads them"
            );
            CursorKey::random()
        }),
        pace: Pace::new(settings.company_rate, &process.clock),
        turns: Turns::new(&metrics),
        places: Places::new(settings.max_in_flight),
        requests: Requests::register(&process.metrics, http::labels())?,
        metrics,
        scim_base_url: settings.scim_base_url,
        outcome_timeout: settings.outcome_timeout,
        query_timeout: settings.query_timeout,
        body_limit: settings.body_limit,
    });
    let paced = Arc::clone(&app);
    process.tasks.spawn_supporting("pace upkeep", |stop| upkeep(paced, stop));
    process.tasks.spawn("scim listener", |stop| {
        listener.serve_through(http::forgiving, serving, stop, http::routes(app))
    });
    Ok(())
}
