//! How the process is put together.

use std::time::Duration;

use bus_jetstream::{Bus, metrics::Answers};
use chrono::{DateTime, SubsecRound as _, Utc};
use pg_pool::Pool;
use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Requests, Serving, TrustedProxies},
};

use crate::{
    answer,
    authority::Authority,
    http,
    metrics::Metrics,
    oauth::Limits,
    publish::Publisher,
    refused_calls::RefusedCalls,
    seal::SealingKeys,
    settings::{MigrateSettings, Settings},
    signing_keys,
    store::MIGRATIONS,
    upkeep,
};

/// How long HTTP requests in flight may take at the end.
const HTTP_DRAIN: Duration = Duration::from_secs(5);

/// What every part works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) pool: Pool,
    pub(crate) publisher: Publisher,
    pub(crate) sealing_keys: SealingKeys,
    pub(crate) issuer: String,
    pub(crate) public_url: String,
    pub(crate) authority: Authority,
    pub(crate) limits: Limits,
    pub(crate) refused_calls: RefusedCalls,
    pub(crate) proxies: TrustedProxies,
    pub(crate) clock: Clock,
    pub(crate) requests: Requests,
    pub(crate) metrics: Metrics,
}

impl App {
    /// The time in whole seconds, as tokens tell it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(self.clock.now()).trunc_subsecs(0)
    }

    /// Where clients get access tokens.
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}{}", self.public_url, http::TOKEN_PATH)
    }
}

/// Starts everything and returns; dependencies may come later.
///
/// # Errors
/// When the listener cannot be bound or the NATS url is malformed.
pub async fn start(settings: Settings, process: Process) -> anyhow::Result<()> {
    let listener = Listener::bind(&process, "tokens", settings.http)?.secured_by(settings.tls)?;
    let bus = Bus::connect_measured(&settings.nats, bus_jetstream::Metrics::register(&process.metrics, &[])?)
        .await?;
    let bus = bus.with_replicas(settings.replicas);
    bus.flush_at_the_end(&process.tasks);
    let pool = Pool::connect(&settings.postgres, &process.metrics)?;
    let metrics = Metrics::register(&process.metrics)?;
    let (publisher, publishing) = Publisher::new();
    let (refused_calls, reporting) = RefusedCalls::new(&process.clock);
    let told = bus.clone();
    process.tasks.spawn_supporting("refused calls", |stop| reporting.run(told, stop));
    let app = App {
        bus,
        pool,
        publisher,
        sealing_keys: settings.sealing_keys,
        issuer: settings.issuer,
        public_url: settings.public_url,
        authority: Authority::new(settings.authority, process.clock.clone(), metrics.clone()),
        limits: Limits::new(&process.clock),
        refused_calls,
        proxies: settings.proxies,
        clock: process.clock.clone(),
        requests: Requests::register(&process.metrics, http::LABELS)?,
        metrics,
    };
    register_checks(&process, &app);
    let (working, answers) = (app.clone(), Answers::register(&process.metrics)?);
    pg_pool::migrate::when_ready(&process, app.pool.clone(), MIGRATIONS, move |process| async move {
        let (publisher, upkeep) = (working.clone(), working.clone());
        process.tasks.spawn_supporting("publisher", |stop| publishing.run(publisher, stop));
        process.tasks.spawn_supporting("upkeep", |stop| upkeep::run(upkeep, stop));
        answer::serve(working, &answers, &process.tasks).await
    });
    app.pool.watch_size(&process.tasks);
    let serving = Serving { workers: 1, drain: HTTP_DRAIN };
    process.tasks.spawn("http listener", |stop| listener.serve(serving, stop, http::routes(app)));
    Ok(())
}

fn register_checks(process: &Process, app: &App) {
    let bus = app.bus.clone();
    process.health.register("nats", move || {
        let bus = bus.clone();
        async move { bus.ping().await.map_err(|error| error.to_string()) }
    });
    let app = app.clone();
    process.health.register("signing_key", move || {
        let app = app.clone();
        async move { signing_keys::can_sign(&app).await.map_err(|error| error.to_string()) }
    });
}

/// Runs forward migrations.
///
/// # Errors
/// When Postgres is away or a migration fails.
pub async fn migrate(settings: MigrateSettings) -> anyhow::Result<()> {
    let applied = pg_pool::migrate::run(&settings.postgres, MIGRATIONS).await?;
    tracing::info!(?applied, "migrated");
    Ok(())
}
