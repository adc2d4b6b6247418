//! What the directory reads of a table to answer a question, as Postgres counts it.

use crate::harness::{World, eventually, postgres};

/// Rows by every index together, blocks of the table and of its indexes (an index may be searched through without a row to
/// show for it), and scans of the whole table.
#[derive(Debug)]
pub(crate) struct Reads {
    pub(crate) rows: u64,
    pub(crate) blocks: u64,
    pub(crate) scans: u64,
}

/// A world in which the directory's role is set up as in production: a clone does not inherit that.
pub(crate) fn world_of_indexes() -> World {
    let world = World::new();
    for setting in ["plan_cache_mode = force_generic_plan", "enable_seqscan = off"] {
        let database = &world.database;
        let setting = format!(r#"alter role directory_service in database "{database}" set {setting}"#);
        postgres().sql("postgres", &setting).unwrap();
    }
    world
}

/// What a directory of its own reads while `ask` asks it.
pub(crate) async fn reads(world: &World, table: &str, ask: impl AsyncFnOnce()) -> Reads {
    let directory = world.directory().await;
    world.sql("select pg_stat_reset()");
    ask().await;
    directory.kill_9();
    // A backend tells what it read when it ends at the latest.
    let backends = "select count(*) from pg_stat_activity \
                    where datname = current_database() and usename = 'directory_service'";
    eventually("the backends are gone", async || world.sql(backends).trim() == "0").await;
    let stats = world.sql(&format!(
        "select (select sum(idx_tup_read) from pg_stat_user_indexes where relname = '{table}'), \
           heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit, seq_scan \
         from pg_statio_user_tables join pg_stat_user_tables using (relid) \
         where pg_stat_user_tables.relname = '{table}'"
    ));
    let mut numbers = stats.trim().split('|').map(|number| number.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    Reads { rows: next(), blocks: next(), scans: next() }
}
