//! What the gateway is made of, and how it starts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bus_jetstream::Bus;
use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Serving},
};

use crate::{Settings, auth::Auth, http, keyring::Keyring, metrics::Metrics, outcomes::Outcomes};

/// What answering a request needs. One per process, shared by all workers.
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) auth: Auth,
    pub(crate) outcomes: Outcomes,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) scim_base_url: Option<String>,
    pub(crate) outcome_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) body_limit: usize,
    max_in_flight: usize,
    in_flight: AtomicUsize,
}

/// Starts the gateway: binds its listener, begins to connect, and returns. Whether it can do its work is a question for
/// `/readyz`.
///
/// # Errors
///
/// When the address cannot be bound or the bus is configured impossibly.
pub async fn start(settings: Settings, process: Process) -> anyhow::Result<()> {
    let listener = Listener::bind("scim", settings.http_addr)?;
    start_on(listener, settings, process).await
}

/// [`start`] on a listener that is bound already.
///
/// # Errors
///
/// When the bus is configured impossibly.
pub async fn start_on(listener: Listener, settings: Settings, process: Process) -> anyhow::Result<()> {
    let metrics = Metrics::register(&process.metrics)?;
    let bus = Bus::connect(&settings.nats).await?;
    let keyring = Keyring::new(&metrics);
    let outcomes = Outcomes::new(&process.id, &metrics);

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
    process.tasks.spawn_supporting("token keys", |stop| keyring.clone().follow(bus.clone(), stop));
    process.tasks.spawn_supporting("outcomes", |stop| outcomes.clone().receive(bus.clone(), stop));

    // Whatever is in flight ends by then, for one reason or another.
    let drain = settings.outcome_timeout.max(settings.query_timeout) + Duration::from_secs(1);
    let serving = Serving { workers: settings.http_workers, drain };
    let app = Arc::new(App {
        bus,
        auth: Auth::new(keyring, process.clock.clone(), &metrics),
        outcomes,
        clock: process.clock.clone(),
        metrics,
        scim_base_url: settings.scim_base_url,
        outcome_timeout: settings.outcome_timeout,
        query_timeout: settings.query_timeout,
        body_limit: settings.body_limit,
        max_in_flight: settings.max_in_flight,
        in_flight: AtomicUsize::new(0),
    });
    process.tasks.spawn("scim listener", |stop| {
        listener.serve_through(http::forgiving, serving, stop, http::routes(app))
    });
    Ok(())
}

/// One request's share of the in-flight limit.
pub(crate) struct Place<'a>(&'a App);

impl App {
    /// A place among the requests in flight, unless all are taken.
    pub(crate) fn enter(&self) -> Option<Place<'_>> {
        let place = Place(self);
        self.metrics.in_flight.inc();
        (self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max_in_flight).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.in_flight.dec();
    }
}
