//! What the pool tells besides what it counts along.

use pg_pool::Pool;
use prometheus::Registry;
use service_runtime::{metrics::text, tasks::Tasks};

use crate::harness::{empty, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_the_database_is_told() {
    let registry = Registry::new();
    let pool = Pool::connect(&empty(), &registry).unwrap();
    let tasks = Tasks::default();
    pool.watch_size(&tasks);
    let size = eventually("the size is told", || async {
        let text = text(&registry).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("timeclock_postgres_database_bytes "))?;
        line.parse::<u64>().ok()
    });
    assert!(size.await > 1 << 20, "an empty database has some MiB of catalogues");
    tasks.stop().await;
}
