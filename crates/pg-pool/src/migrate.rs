//! Embedded migrations: running them, and making sure that none is missing.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Bool, Text},
};
use diesel_migrations::MigrationHarness as _;

pub use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use service_runtime::Process;

use crate::{
    connection,
    error::{Error, Source, is_about_locks},
    pool::{Pool, blocking},
    settings::{MIGRATION_LOCK_TIMEOUT, Settings},
};

/// Two processes that migrate the same database take turns by this advisory lock.
const LOCK: i64 = 0x7469_6d65_636c_6f63;
/// How often it is tried to get the turn.
const TURN_EVERY: Duration = Duration::from_millis(500);
/// How often a migration is begun that does not get its locks.
pub const LOCK_ATTEMPTS: u32 = 60;
/// The pause before it is begun again, in which those who waited behind it get on.
pub const LOCK_PAUSE: Duration = Duration::from_secs(2);
/// How often a service looks whether its tables have come.
const READY_EVERY: Duration = Duration::from_millis(500);

/// Why the migrations did not run through.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres is away, or refused us.
    #[error("could not migrate: no connection to the database")]
    Connect(#[source] Error),
    /// The embedded or the recorded migrations cannot be read.
    #[error("could not find out which migrations are to be run")]
    Unreadable(#[source] Source),
    /// A migration failed; it was rolled back, and those before it remain.
    #[error("migration {name} failed")]
    Failed {
        /// Which.
        name: String,
        /// What Postgres says.
        #[source]
        source: Source,
    },
    /// Somebody holds a lock for minutes.
    #[error(
        "migration {name} was begun {LOCK_ATTEMPTS} times and did not get its locks within {} ms; \
         end the transaction that holds them (see pg_stat_activity) and migrate again",
        MIGRATION_LOCK_TIMEOUT.as_millis()
    )]
    Locked {
        /// Which.
        name: String,
        /// What Postgres says.
        #[source]
        source: Source,
    },
}

/// Runs the migrations that the database lacks, each in its own transaction unless its `metadata.toml` says otherwise;
/// returns their versions.
///
/// None waits long for a lock, because whoever comes after it waits behind it; it is rolled back and begun again.
///
/// # Errors
/// See [`MigrateError`].
pub async fn run(settings: &Settings, migrations: EmbeddedMigrations) -> Result<Vec<String>, MigrateError> {
    let url = settings.migration_url();
    let done = blocking(move || {
        let mut connection = connection::open(&url).map_err(MigrateError::Connect)?;
        take_turn(&mut connection).map_err(|error| MigrateError::Connect(error.into()))?;
        let pending = connection.pending_migrations(migrations).map_err(MigrateError::Unreadable)?;
        pending.iter().map(|migration| apply(&mut connection, migration.as_ref())).collect()
    });
    done.await.map_err(MigrateError::Connect)?
}

/// Asks again and again rather than waits: `create index concurrently` of the process that has the turn waits for every
/// statement that began before it, and a statement that waits for the turn would be one.
fn take_turn(connection: &mut PgConnection) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Turn {
        #[diesel(sql_type = Bool)]
        ours: bool,
    }
    let mut said = false;
    loop {
        let turn: Turn =
            sql_query(format!("SELECT pg_try_advisory_lock({LOCK}) AS ours")).get_result(connection)?;
        if turn.ours {
            return Ok(());
        }
        if !said {
            tracing::info!("another process migrates this database; waiting for its end");
            said = true;
        }
        thread::sleep(TURN_EVERY);
    }
}

fn apply(connection: &mut PgConnection, migration: &dyn Migration<Pg>) -> Result<String, MigrateError> {
    let name = migration.name().to_string();
    let failed = |source: Source| MigrateError::Failed { name: name.clone(), source };
    let mut attempt = 1;
    loop {
        prepare(connection, migration).map_err(|error| failed(error.into()))?;
        match connection.run_migration(migration) {
            Ok(version) => return Ok(version.to_string()),
            Err(error) if !is_about_locks(&error.to_string()) => return Err(failed(error)),
            Err(error) if attempt == LOCK_ATTEMPTS => {
                return Err(MigrateError::Locked { name, source: error });
            }
            Err(_) => {
                tracing::info!(migration = %name, attempt, "a migration did not get its locks in time; trying again");
                attempt += 1;
                thread::sleep(LOCK_PAUSE);
            }
        }
    }
}

/// What is different for a migration outside of a transaction, such as `create index concurrently`: it waits for others
/// without anybody waiting behind it, and one that was interrupted left an index that is of no use and in its way.
fn prepare(connection: &mut PgConnection, migration: &dyn Migration<Pg>) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Unfinished {
        #[diesel(sql_type = Text)]
        index: String,
    }
    let in_transaction = migration.metadata().run_in_transaction();
    let lock_timeout = if in_transaction { MIGRATION_LOCK_TIMEOUT.as_millis() } else { 0 };
    sql_query(format!("SET lock_timeout = {lock_timeout}")).execute(connection)?;
    if in_transaction {
        return Ok(());
    }
    let unfinished: Vec<Unfinished> = sql_query(
        "SELECT format('%I.%I', n.nspname, c.relname) AS index
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT i.indisvalid AND n.nspname = current_schema()",
    )
    .load(connection)?;
    for Unfinished { index } in unfinished {
        sql_query(format!("DROP INDEX CONCURRENTLY {index}")).execute(connection)?;
    }
    Ok(())
}

/// Why a service must not work on this database yet.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database could not be asked.
    #[error("the database does not answer")]
    Unknown(#[source] Error),
    /// Migrations have not been run.
    #[error("migrations that are not applied yet: {} ({}); run `{program} migrate`", .names.len(), .names.join(", "))]
    Pending {
        /// Whose migrations they are.
        program: Arc<str>,
        /// Which.
        names: Vec<String>,
    },
}

/// Makes sure that the database lacks none of the migrations; that it has more is no matter. Reads only, so the
/// service's own role suffices.
///
/// # Errors
/// See [`NotReady`].
pub async fn ready(pool: &Pool, migrations: &Arc<EmbeddedMigrations>) -> Result<(), NotReady> {
    let migrations = Arc::clone(migrations);
    let pending = pool.run("migrations.pending", move |connection| pending(connection, &migrations)).await;
    match pending.map_err(NotReady::Unknown)? {
        names if names.is_empty() => Ok(()),
        names => Err(NotReady::Pending { program: Arc::clone(&pool.program), names }),
    }
}

/// Begins `work` once the database lacks none of the migrations; `work` returns once it takes requests.
///
/// So a process that came before its tables fails nobody's request: it takes none. The readiness check `postgres`
/// says whether all that has happened and the tables still suffice.
pub fn when_ready<Fut>(
    process: &Process,
    pool: Pool,
    migrations: EmbeddedMigrations,
    work: impl FnOnce(Process) -> Fut + Send + 'static,
) where
    Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let migrations = Arc::new(migrations);
    let begun = Arc::new(AtomicBool::new(false));
    let check = (pool.clone(), Arc::clone(&migrations), Arc::clone(&begun));
    process.health.register("postgres", move || {
        let (pool, migrations, begun) = check.clone();
        async move {
            ready(&pool, &migrations).await.map_err(|error| error.to_string())?;
            if begun.load(Ordering::Acquire) { Ok(()) } else { Err("work is about to begin".to_owned()) }
        }
    });
    let own = process.clone();
    process.tasks.spawn("waiting for tables", |stop| async move {
        if stop.run_until_cancelled(until_ready(&pool, &migrations)).await.is_some() {
            work(own).await?;
            begun.store(true, Ordering::Release);
        }
        // A task that ends is a failure of the process.
        stop.cancelled().await;
        Ok(())
    });
}

async fn until_ready(pool: &Pool, migrations: &Arc<EmbeddedMigrations>) {
    let mut said = false;
    while let Err(error) = ready(pool, migrations).await {
        if !said && matches!(error, NotReady::Pending { .. }) {
            tracing::warn!("not working yet: {error}");
            said = true;
        }
        tokio::time::sleep(READY_EVERY).await;
    }
}

fn pending(connection: &mut PgConnection, migrations: &EmbeddedMigrations) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    #[derive(QueryableByName)]
    struct Exists {
        #[diesel(sql_type = Bool)]
        exists: bool,
    }
    // diesel's own check would create the table, which a service's role must not.
    let table: Exists = sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists")
        .get_result(connection)?;
    let applied: BTreeSet<String> = if table.exists {
        let rows: Vec<Applied> =
            sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
        rows.into_iter().map(|row| row.version).collect()
    } else {
        BTreeSet::new()
    };
    let known: Vec<Box<dyn Migration<Pg>>> =
        migrations.migrations().map_err(diesel::result::Error::QueryBuilderError)?;
    Ok(known
        .iter()
        .filter(|migration| !applied.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect())
}
