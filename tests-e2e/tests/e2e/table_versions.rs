//! Between two versions code meets tables that are newer than it knows, and must not meet older ones.

use std::{fs, path::Path};

use local_stack::{
    Stack,
    topology::{DATABASE, SERVICES},
};
use tests_e2e::{Load, World, actors::scim::user, eventually, eventually::when, fault::all_ready, observe};
use tokio::task::block_in_place;

const DIRECTORY: &str = "directory-service";

/// Runs a script as the owner of a schema, as `migrate` does.
fn as_owner(stack: &Stack, owner: &str, schema: &str, script: &str) {
    let script = format!("SET ROLE {owner}; SET search_path = {schema}; BEGIN; {script}; COMMIT;");
    block_in_place(|| stack.postgres().sql(DATABASE, &script)).unwrap();
}

/// Owner, schema, and a table that the service writes all the time.
const TABLES: [(&str, &str, &str); 5] = [
    ("directory_owner", "directory", "users"),
    ("directory_owner", "directory", "groups"),
    ("directory_owner", "directory", "provisioning_log"),
    ("token_owner", "tokens", "tokens"),
    ("console_owner", "console", "sessions"),
];

#[tokio::test(flavor = "multi_thread")]
async fn this_version_works_on_the_tables_of_the_next_before_and_after_it_is_restarted() {
    let world = World::to_disturb().await;
    let load = Load::start(&world.neighbour()).await;
    load.succeeds(30).await;
    // What a migration of the next version may do while this one serves.
    for (owner, schema, table) in TABLES {
        let expanded = format!(
            "ALTER TABLE {table} ADD COLUMN of_the_next text, ADD COLUMN rank_of_the_next bigint NOT NULL DEFAULT 0;
             CREATE INDEX {table}_of_the_next ON {table} (of_the_next);
             CREATE TABLE next_to_{table} (id bigint PRIMARY KEY);
             INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959') ON CONFLICT DO NOTHING"
        );
        as_owner(world.stack(), owner, schema, &expanded);
    }
    load.succeeds(30).await;
    assert_eq!(load.failed(), 0, "while the tables changed");
    let ledger = load.stop().await;
    ledger.verify().await;
    for service in SERVICES {
        block_in_place(|| world.stack().restart(service.name)).unwrap();
    }

    // A company, its token, its administrator's session, and its people.
    let company = block_in_place(|| world.stack().new_company_with_administrator("On newer tables")).unwrap();
    let scim = world.scim.with_token(&company.scim_token);
    let anna = scim.create_user("anna@newer.example").await;
    let group = scim.create_group_of("Newer", &[tests_e2e::actors::scim::id(&anna)]).await;
    assert_eq!(scim.members(&tests_e2e::actors::scim::id(&group)).await.len(), 1);

    for (owner, schema, table) in TABLES {
        let contracted = format!(
            "ALTER TABLE {table} DROP COLUMN of_the_next, DROP COLUMN rank_of_the_next;
             DROP TABLE next_to_{table};
             DELETE FROM __diesel_schema_migrations WHERE version = '99991231235959'"
        );
        as_owner(world.stack(), owner, schema, &contracted);
    }
}

/// A service's newest migration: its name, its version and how it is undone.
fn newest(service: &str) -> (String, String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(service).join("migrations");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let newest = folders.filter(|path| path.is_dir()).max().unwrap();
    let name = newest.file_name().unwrap().to_str().unwrap().to_owned();
    let version: String = name.chars().take_while(|c| *c != '_').filter(char::is_ascii_digit).collect();
    (name, version, fs::read_to_string(newest.join("down.sql")).unwrap())
}

/// Starts a service before its newest migration has been run, and waits until it says so.
async fn start_before_its_tables(stack: &Stack, service: &str) {
    let roles = SERVICES.iter().find(|known| known.name == service).and_then(|known| known.roles).unwrap();
    let schema = roles.owner.trim_end_matches("_owner");
    let (name, version, down) = newest(service);
    block_in_place(|| stack.stop_service(service)).unwrap();
    let undone = format!("{down}; DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
    as_owner(stack, roles.owner, schema, &undone);
    block_in_place(|| stack.restart_unready(service)).unwrap();
    let expected =
        format!("migrations that are not applied yet: 1 ({name}); run this program's command migrate");
    let readiness = async || observe::second_listener(stack, service, "/readyz").await;
    eventually("it says what is missing", readiness, |answer| {
        when(answer.as_ref().is_some_and(|(status, text)| *status == 503 && text.contains(&expected)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_comes_before_its_tables_leaves_requests_to_be_applied_after_them() {
    let world = World::to_disturb().await;
    let stack = world.stack();
    start_before_its_tables(stack, DIRECTORY).await;
    // Accepted by the gateway, applied by nobody.
    world.scim.post("/Users", &user("early@tables.example")).await.expect_error(503);
    assert_eq!(observe::metric(stack, DIRECTORY, "timeclock_directory_partitions_held").await, Some(0.0));

    block_in_place(|| stack.migrate(DIRECTORY)).unwrap();
    all_ready(stack).await;
    let found = async || world.scim.find("userName eq \"early@tables.example\"").await.len();
    eventually("the request is applied", found, |found| when(*found == 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_comes_before_its_tables_works_by_itself_once_they_are_there() {
    let world = World::to_disturb().await;
    start_before_its_tables(world.stack(), "admin-console").await;
    block_in_place(|| world.stack().migrate("admin-console")).unwrap();
    all_ready(world.stack()).await;
    block_in_place(|| world.stack().new_company_with_administrator("After the tables")).unwrap();
}
