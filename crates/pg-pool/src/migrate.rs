//! Embedded migrations: running them, and making sure that none is missing.

use std::collections::BTreeSet;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl as _, sql_types::Text};
use diesel_migrations::MigrationHarness as _;

pub use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::{
    connection,
    error::Error,
    pool::{Pool, blocking},
    settings::Settings,
};

/// Two processes that migrate the same database take turns by this advisory lock.
const LOCK: i64 = 0x7469_6d65_636c_6f63;

/// Why the migrations did not run through.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres is away, or refused us.
    #[error("could not migrate: no connection to the database")]
    Connect(#[source] Error),
    /// A migration failed; it was rolled back, and those before it remain.
    #[error("a migration failed")]
    Failed(#[source] crate::error::Source),
}

/// Runs the migrations that the database lacks, each in its own transaction; returns their names.
///
/// # Errors
/// See [`MigrateError`].
pub async fn run(settings: &Settings, migrations: EmbeddedMigrations) -> Result<Vec<String>, MigrateError> {
    let url = settings.migration_url();
    let done = blocking(move || {
        let mut connection = connection::open(&url).map_err(MigrateError::Connect)?;
        diesel::sql_query(format!("SELECT pg_advisory_lock({LOCK})"))
            .execute(&mut connection)
            .map_err(|error| MigrateError::Connect(error.into()))?;
        let versions = connection.run_pending_migrations(migrations).map_err(MigrateError::Failed)?;
        Ok(versions.iter().map(ToString::to_string).collect())
    });
    done.await.map_err(MigrateError::Connect)?
}

/// Why a service must not work on this database yet.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database could not be asked.
    #[error("the database does not answer")]
    Unknown(#[source] Error),
    /// Migrations have not been run.
    #[error("migrations are pending: {}; run the command migrate", .0.join(", "))]
    Pending(Vec<String>),
}

/// Makes sure that the database lacks none of the migrations. Reads only, so the service's own role suffices.
///
/// # Errors
/// See [`NotReady`].
pub async fn ready(pool: &Pool, migrations: EmbeddedMigrations) -> Result<(), NotReady> {
    let pending = pool.run("migrations.pending", move |connection| pending(connection, &migrations)).await;
    match pending.map_err(NotReady::Unknown)? {
        names if names.is_empty() => Ok(()),
        names => Err(NotReady::Pending(names)),
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
        #[diesel(sql_type = diesel::sql_types::Bool)]
        exists: bool,
    }
    // diesel's own check would create the table, which a service's role must not.
    let table: Exists =
        diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists")
            .get_result(connection)?;
    let applied: BTreeSet<String> = if table.exists {
        let rows: Vec<Applied> =
            diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
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
