//! How the process is put together.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, http::header};
use bus_jetstream::{Bus, metrics::Answers};
use chrono::{DateTime, Utc};
use pg_pool::Pool;
use saml_protocol::{ServiceProvider, SigningKey};
use service_runtime::{
    Process,
    clock::Clock,
    http::{Listener, Requests, Serving, TrustedProxies},
};

use crate::{
    access,
    company::Companies,
    http,
    live::Live,
    mail::Mailer,
    metrics::{self, Metrics},
    notices, operators,
    password::Passwords,
    session::{From, Limits},
    settings::{MigrateSettings, Settings},
    single_sign_on::{self, metadata::Fetcher},
    store::MIGRATIONS,
};

/// How long HTTP requests in flight may take at the end.
const HTTP_DRAIN: Duration = Duration::from_secs(5);

/// What every part works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) console_url: String,
    pub(crate) scim_url: String,
    pub(crate) limits: Limits,
    proxies: TrustedProxies,
    /// `None` where no mail is sent.
    pub(crate) mailer: Option<Mailer>,
    pub(crate) passwords: Passwords,
    pub(crate) companies: Companies,
    pub(crate) live: Live,
    /// Who we are to companies' identity providers.
    pub(crate) service_provider: Arc<ServiceProvider>,
    pub(crate) metadata: Fetcher,
    pub(crate) requests: Requests,
    pub(crate) metrics: Metrics,
}

impl App {
    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(self.clock.now())
    }

    /// Where a request came from; empty when that is not known.
    pub(crate) fn address_of(&self, request: &HttpRequest) -> String {
        self.proxies.client_of(request).map(|address| address.to_string()).unwrap_or_default()
    }

    /// Where somebody signs in from.
    pub(crate) fn from(&self, request: &HttpRequest) -> From {
        let browser = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        From { address: self.address_of(request), browser: browser.unwrap_or_default().to_owned() }
    }

    /// What proves us to companies' identity providers, where this installation has it.
    pub(crate) fn signing_key(&self) -> Option<&SigningKey> {
        self.service_provider.signing.as_ref()
    }

    /// Whether browsers reach us over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.console_url.starts_with("https://")
    }
}

/// Starts everything and returns; dependencies may come later.
///
/// # Errors
/// When the listener cannot be bound or the NATS url is malformed.
pub async fn start(settings: Settings, process: Process) -> anyhow::Result<()> {
    let listener = Listener::bind(&process, "console", settings.http)?.secured_by(settings.tls)?;
    let bus = Bus::connect_measured(&settings.nats, bus_jetstream::Metrics::register(&process.metrics, &[])?)
        .await?;
    bus.flush_at_the_end(&process.tasks);
    let pool = Pool::connect(&settings.postgres, &process.metrics)?;
    let metrics = Metrics::register(&process.metrics)?;
    if let Some(key) = &settings.signing_key {
        metrics::tell_certificate(&process.metrics, key.certificate())?;
    }
    let live = Live::new(metrics.open_streams.clone(), process.tasks.stopping());
    let hearing = (live.clone(), bus.clone());
    process.tasks.spawn("live", |stop| hearing.0.run(hearing.1, stop));
    let app = App {
        service_provider: Arc::new(service_provider(&settings.console_url, settings.signing_key)),
        metadata: Fetcher::new(settings.allows_private_metadata, metrics.provider_fetches.clone()),
        live,
        companies: Companies::new(bus.clone(), process.clock.clone()),
        mailer: settings.mail.map(|mail| Mailer::new(&mail, metrics.mails.clone())).transpose()?,
        passwords: Passwords::start(metrics.password_hashes.clone())?,
        bus,
        pool,
        clock: process.clock.clone(),
        console_url: settings.console_url,
        scim_url: settings.scim_url,
        limits: settings.limits,
        proxies: settings.proxies,
        requests: Requests::register(&process.metrics, http::labels())?,
        metrics,
    };
    register_checks(&process, &app);
    app.pool.watch_size(&process.tasks);
    let (working, answers) = (app.clone(), Answers::register(&process.metrics)?);
    pg_pool::migrate::when_ready(&process, app.pool.clone(), MIGRATIONS, move |process| async move {
        if let Some(mailer) = working.mailer.clone() {
            let (app, interval) = (working.clone(), settings.notices_interval);
            process.tasks.spawn_supporting("notices", move |stop| notices::run(app, mailer, interval, stop));
        }
        let (following, watching) = (working.clone(), working.clone());
        process.tasks.spawn("access", |stop| access::follow::run(following, stop));
        process.tasks.spawn_supporting("access backlog", |stop| access::follow::watch(watching, stop));
        let app = working.clone();
        process.tasks.spawn_supporting("upkeep", move |stop| single_sign_on::upkeep::run(app, stop));
        operators::serve(working, &answers, &process.tasks).await
    });
    let serving = Serving { workers: 2, drain: HTTP_DRAIN };
    process.tasks.spawn("http listener", |stop| listener.serve(serving, stop, http::routes(app)));
    Ok(())
}

/// The three addresses that a company's administrator enters at its identity provider.
fn service_provider(console_url: &str, signing: Option<SigningKey>) -> ServiceProvider {
    ServiceProvider {
        entity_id: format!("{console_url}/saml/metadata"),
        assertion_consumer_url: format!("{console_url}/saml/login_check"),
        single_logout_url: format!("{console_url}/saml/logout"),
        signing,
    }
}

fn register_checks(process: &Process, app: &App) {
    let bus = app.bus.clone();
    process.health.register("nats", move || {
        let bus = bus.clone();
        async move { bus.ping().await.map_err(|error| error.to_string()) }
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
