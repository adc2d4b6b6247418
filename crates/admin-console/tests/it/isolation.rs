//! The database's own rules: rows of one company, and acts that stay.

use crate::harness::{World, database, migrate, url};

const TABLES: [&str; 15] = [
    "administrators",
    "credentials",
    "sessions",
    "invitations",
    "notices",
    "audit_events",
    "single_sign_on",
    "sign_in_domains",
    "sign_in_requests",
    "accepted_assertions",
    "sign_in_tests",
    "person_sessions",
    "session_floors",
    "access_ends",
    "vouched_domains",
];

/// Runs SQL as a role of the deployment.
fn sql_as(world_url: &str, script: &str) -> Result<(), String> {
    use diesel::{Connection as _, connection::SimpleConnection as _};
    let mut connection = diesel::PgConnection::establish(world_url).unwrap();
    connection.batch_execute(script).map_err(|error| error.to_string())
}

fn count(table: &str, expected: &str) -> String {
    format!("ASSERT (SELECT count(*) FROM {table}) {expected}, '{table}';")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_forgets_its_company_finds_nothing_even_for_the_owner() {
    let (world, _) = World::start_signed_in().await;
    world.administrator(&world.fabrikam.clone()).await;
    let nothing: String = TABLES.map(|table| count(table, "= 0")).concat();
    let own: String = ["administrators", "credentials", "sessions"].map(|table| count(table, "= 1")).concat();
    for role in ["owner", "service"] {
        let url = url(&world.database, role);
        assert_eq!(sql_as(&url, &format!("DO $$ BEGIN {nothing} END $$")), Ok(()), "{role}");
        let set = format!("SET timeclock.company_id = '{}';", world.contoso.id);
        assert_eq!(sql_as(&url, &format!("{set} DO $$ BEGIN {own} END $$")), Ok(()), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_shows_its_own_row_and_changes_nothing() {
    let (world, _) = World::start_signed_in().await;
    world.administrator(&world.fabrikam.clone()).await;
    let url = url(&world.database, "service");
    let seen = format!(
        "SET timeclock.key = '{}'; DO $$ BEGIN {} {} END $$",
        world.contoso.email,
        count("credentials", "= 1"),
        count("administrators", "= 0")
    );
    assert_eq!(sql_as(&url, &seen), Ok(()));
    let changed = format!(
        "SET timeclock.key = '{}'; UPDATE credentials SET password_hash = 'x'; SET timeclock.company_id = '{}';
         DO $$ BEGIN ASSERT (SELECT password_hash FROM credentials) <> 'x'; END $$",
        world.contoso.email, world.contoso.id
    );
    assert_eq!(sql_as(&url, &changed), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_stay_as_they_were_written() {
    let (world, _) = World::start_signed_in().await;
    let url = url(&world.database, "service");
    for statement in
        ["UPDATE audit_events SET note = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"]
    {
        let script = format!("SET timeclock.company_id = '{}'; {statement}", world.contoso.id);
        let error = sql_as(&url, &script).unwrap_err();
        assert!(error.contains("permission denied"), "{statement}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_password_nor_cookie_nor_link_is_in_the_database() {
    let (world, browser) = World::start_signed_in().await;
    let invited =
        world.invite(world.contoso.id, "new@contoso.example", bus_contract::console::Role::Auditor).await;
    let dump: String = TABLES
        .map(|table| {
            let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM console.{table} t");
            backing_servers::postgres::Server::shared().unwrap().sql(&world.database.name, &sql).unwrap()
        })
        .concat();
    assert!(dump.contains(world.contoso.email), "the superuser sees rows");
    for secret in [
        crate::harness::PASSWORD,
        &browser.session().unwrap(),
        &browser.csrf_token().unwrap(),
        invited.link.rsplit('/').next().unwrap(),
    ] {
        assert!(!dump.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_can_be_undone_and_done_again() {
    let database = database();
    migrate(&database).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut migrations: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|migration| migration.unwrap().path()).collect();
    migrations.sort();
    let undo = |migration: &std::path::PathBuf| std::fs::read_to_string(migration.join("down.sql")).unwrap();
    let down = migrations.iter().rev().map(undo).collect::<Vec<_>>().join(";");
    sql_as(&url(&database, "owner"), &format!("{down}; DELETE FROM __diesel_schema_migrations")).unwrap();
    migrate(&database).await;
    assert_eq!(sql_as(&url(&database, "service"), "SELECT FROM sessions"), Ok(()));
}
