//! How the directory is put together.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context as _;
use bus_contract::{
    stream,
    subject::{
        BROWSE_GROUPS, BROWSE_USERS, CREATE_COMPANY, DECIDE_BRAKE, DECLARE_SCHEMA, DIRECTORY_QUEUE,
        GET_ACTIVITY, LIST_BRAKES, LIST_COMPANIES, LIST_COMPANY_EVENTS, LIST_CYCLES, LIST_HEALTH, LIST_LOG,
        LIST_MEMBERS, LIST_REMOVALS, LIST_SCHEMAS, LOOK_UP_GROUP, LOOK_UP_USER, REMOVE_SCHEMA, SEARCH_GROUPS,
        SEARCH_USERS, SET_BRAKE_RULE,
    },
};
use bus_jetstream::{Bus, metrics::Answers};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use pg_pool::Pool;
use service_runtime::{Process, Service, tasks::Tasks};

use crate::{
    activity,
    answer::{self, MAX_SEARCHES},
    audit, brake, browse, company, extension, log,
    metrics::Metrics,
    ownership, partition, question,
    settings::Settings,
    store, waiting,
};

/// The directory's tables.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Questions about companies that are answered at once.
const COMPANIES_AT_ONCE: usize = 2;
/// Questions of one kind that people ask with a page and that are answered at once; changes compete with them.
const PAGES_AT_ONCE: usize = 2;

/// The process, described.
#[must_use]
pub fn service() -> Service {
    Service::new(
        "directory-service",
        "Applies provisioning requests to Postgres, answers questions about users, announces facts",
        SocketAddr::from((Ipv4Addr::LOCALHOST, 9083)),
    )
    .serve(Settings::read, serve)
    .command(
        "migrate",
        "Brings the tables up to date, as the role that owns them, and ends",
        |reader| pg_pool::Settings::read(reader, "directory-service migrate"),
        |settings| async move {
            let applied = pg_pool::migrate::run(&settings, MIGRATIONS)
                .await
                .context("migrate the directory's tables")?;
            tracing::info!(applied = applied.len(), "the directory's tables are current");
            Ok(())
        },
    )
    .command(
        "begin-history",
        "Has every follower of the facts take a snapshot, after a restore or a change by hand, and ends",
        |reader| pg_pool::Settings::read(reader, "directory-service begin-history"),
        begin_history,
    )
}

/// Begins a new history by hand: after the database came back from a backup, or after somebody changed its rows.
async fn begin_history(settings: pg_pool::Settings) -> anyhow::Result<()> {
    let session =
        pg_pool::Session::connect(&settings, "begin-history").await.context("connect to Postgres")?;
    let begin = |conn: &mut diesel::PgConnection| store::history::begin(conn, None);
    let history = session.run("history.begin", begin).await.context("begin a new history")?;
    tracing::info!(%history, "a new history begins: followers of the facts will take a snapshot");
    Ok(())
}

async fn serve(settings: Settings, process: Process) -> anyhow::Result<()> {
    let told = bus_jetstream::Metrics::register(&process.metrics, &[&stream::DIRECTORY])?;
    let bus = Bus::connect_measured(&settings.bus, told).await.context("connect to NATS")?;
    let bus = bus.with_replicas(settings.replicas);
    bus.flush_at_the_end(&process.tasks);
    let pool = Pool::connect(&settings.postgres, &process.metrics).context("make the Postgres pool")?;
    let metrics = Arc::new(Metrics::register(&process.metrics)?);

    let nats = bus.clone();
    process.health.register("nats", move || {
        let bus = nats.clone();
        async move {
            // The last stream to be made sure of: without it a request would be accepted by nobody.
            match bus.find_stream(&stream::PROVISIONING).await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("the stream PROVISIONING does not exist yet".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
    });

    let context = partition::Context {
        bus: bus.clone(),
        pool: pool.clone(),
        metrics: Arc::clone(&metrics),
        streams: Arc::default(),
        brake: settings.brake,
    };
    pool.watch_size(&process.tasks);
    let answers = Answers::register(&process.metrics)?;
    pg_pool::migrate::when_ready(&process, pool.clone(), MIGRATIONS, move |process| async move {
        let (told, reader, postgres) = (context.clone(), context.clone(), settings.postgres.clone());
        process.tasks.spawn_supporting("outbox", |stop| waiting::facts(told, stop));
        process.tasks.spawn("calls", |stop| activity::reader::run(reader, postgres, settings.activity, stop));
        process.tasks.spawn("partitions", |stop| ownership::run(context, settings.postgres, stop));
        answer_questions(&process.tasks, bus, pool, metrics, &answers).await
    });
    Ok(())
}

/// Starts a task for each kind of question; returns once questions arrive.
async fn answer_questions(
    tasks: &Tasks,
    bus: Bus,
    pool: Pool,
    metrics: Arc<Metrics>,
    answers: &Answers,
) -> anyhow::Result<()> {
    let (questions, kind) = (bus.serve(LOOK_UP_USER, DIRECTORY_QUEUE).await?, answers.of(LOOK_UP_USER));
    tasks.spawn("look-ups", |stop| {
        answer::look_ups(questions, bus.clone(), pool.clone(), metrics, kind, stop)
    });
    macro_rules! serve {
        ($name:literal, $subject:ident, $at_once:expr, |$pool:ident, $payload:ident, $within:ident| $answer:expr) => {{
            let (questions, kind) = (bus.serve($subject, DIRECTORY_QUEUE).await?, answers.of($subject));
            let (bus, $pool) = (bus.clone(), $pool.clone());
            tasks.spawn($name, move |stop| {
                answer::each(questions, bus, kind, $at_once, stop, move |$payload, $within| {
                    let $pool = $pool.clone();
                    async move { $answer.await }
                })
            });
        }};
        ($name:literal, $subject:ident, $at_once:expr, $answer:path) => {
            serve!($name, $subject, $at_once, |pool, payload, _within| $answer(&pool, &payload));
        };
    }
    serve!("searches of users", SEARCH_USERS, MAX_SEARCHES, |pool, payload, within| {
        question::search_users(&pool, &payload, within)
    });
    serve!("look-ups of groups", LOOK_UP_GROUP, MAX_SEARCHES, question::look_up_group);
    serve!("searches of groups", SEARCH_GROUPS, MAX_SEARCHES, |pool, payload, within| {
        question::search_groups(&pool, &payload, within)
    });
    serve!("lists of members", LIST_MEMBERS, MAX_SEARCHES, question::list_members);
    serve!("browsing of users", BROWSE_USERS, PAGES_AT_ONCE, browse::users);
    serve!("browsing of groups", BROWSE_GROUPS, PAGES_AT_ONCE, browse::groups);
    serve!("pages of the log", LIST_LOG, PAGES_AT_ONCE, log::list);
    serve!("activity", GET_ACTIVITY, PAGES_AT_ONCE, activity::answer::get);
    serve!("lists of cycles", LIST_CYCLES, PAGES_AT_ONCE, activity::answer::list_cycles);
    serve!("lists of health", LIST_HEALTH, PAGES_AT_ONCE, activity::answer::list_health);
    serve!("lists of events", LIST_COMPANY_EVENTS, COMPANIES_AT_ONCE, audit::list);
    serve!("lists of schemas", LIST_SCHEMAS, COMPANIES_AT_ONCE, extension::list);
    serve!("company creation", CREATE_COMPANY, COMPANIES_AT_ONCE, company::create);
    serve!("company list", LIST_COMPANIES, COMPANIES_AT_ONCE, company::list);
    serve!("lists of mass removals", LIST_BRAKES, PAGES_AT_ONCE, brake::answer::list);
    serve!("lists of removals", LIST_REMOVALS, PAGES_AT_ONCE, brake::answer::list_removals);
    serve!("decisions", DECIDE_BRAKE, COMPANIES_AT_ONCE, brake::answer::decide);
    serve!("rules of mass removals", SET_BRAKE_RULE, COMPANIES_AT_ONCE, brake::answer::set_rule);
    macro_rules! serve_and_publish {
        ($name:literal, $subject:ident, $answer:path) => {
            let (questions, kind) = (bus.serve($subject, DIRECTORY_QUEUE).await?, answers.of($subject));
            let (bus, pool) = (bus.clone(), pool.clone());
            tasks.spawn($name, move |stop| {
                answer::each(
                    questions,
                    bus.clone(),
                    kind,
                    COMPANIES_AT_ONCE,
                    stop,
                    move |payload, _within| {
                        let (bus, pool) = (bus.clone(), pool.clone());
                        async move { $answer(&bus, &pool, &payload).await }
                    },
                )
            });
        };
    }
    serve_and_publish!("declarations of schemas", DECLARE_SCHEMA, extension::declare);
    serve_and_publish!("removals of schemas", REMOVE_SCHEMA, extension::remove);
    let published = bus.clone();
    tasks.spawn("published schemas", move |stop| extension::keep_published(published, pool, stop));
    bus.is_heard().await;
    Ok(())
}
