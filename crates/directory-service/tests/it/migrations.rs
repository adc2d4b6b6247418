//! Every migration can be undone and done again, and a serving directory insists on all of them.

use diesel::{Connection as _, PgConnection};
use diesel_migrations::MigrationHarness as _;

use crate::harness::{World, eventually, migrate, url};

#[test]
fn every_migration_runs_down_and_up_again() {
    let world = World::new();
    let mut owner = PgConnection::establish(&url(&world.database, "directory_owner")).unwrap();
    let tables = "select table_name, column_name, data_type from information_schema.columns \
                  where table_schema = 'directory' order by 1, 2";
    let before = world.sql(tables);

    let undone = owner.revert_all_migrations(directory_service::MIGRATIONS).unwrap();
    assert!(!undone.is_empty());
    assert!(!world.sql(tables).contains("users"));
    migrate(&world.database);
    assert_eq!(world.sql(tables), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_not_ready_while_a_migration_is_pending() {
    let world = World::new();
    world.sql("delete from __diesel_schema_migrations where version = (select max(version) from __diesel_schema_migrations)");
    let directory = world.start_directory();
    eventually("the directory says what to run", async || {
        let Ok(answer) = reqwest::get(format!("http://{}/readyz", directory.observe)).await else {
            return false;
        };
        answer.status() == 503 && answer.text().await.unwrap().contains("directory-service migrate")
    })
    .await;
}
