//! What Postgres is asked, how long it takes, and whether there are connections enough.

use crate::{
    Dashboard,
    dashboard::{Choice, Row},
    expression::{mean, quantile, rate, share},
    panel::{
        Judgement::{Bad, Doubtful},
        Panel, Unit,
    },
    visual::Visual,
};

const CHOSEN: &str = r#"job=~"$job",instance=~"$instance""#;
const OPERATIONS: &str = "timeclock_postgres_seconds";

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "postgres",
        title: "Postgres and pools",
        description: "Postgres as the services see it: the pools of connections, the operations by name, the size of the database.",
        choices: vec![
            Choice { name: "job", label: "Service", series: "timeclock_postgres_pool_connections" },
            Choice {
                name: "instance",
                label: "Instance",
                series: r#"timeclock_postgres_pool_connections{job=~"$job"}"#,
            },
        ],
        rows: vec![pools(), operations(), size()],
    }
}

fn pools() -> Row {
    let gauge = |name: &str| format!("timeclock_postgres_pool_{name}{{{CHOSEN}}}");
    let (instances, wait) = ("{{job}} {{instance}}", "timeclock_postgres_pool_wait_seconds");
    let panels = vec![
        Panel::new(Visual::Lines, "Connections at work", Unit::Share, "Of those that the pool may use.")
            .ask(instances, format!("{} / {}", gauge("in_use"), gauge("connections")))
            .from(0.9, Doubtful)
            .runbook("PoolSaturated"),
        Panel::new(
            Visual::Lines,
            "Operations that wait for a connection",
            Unit::Count,
            "Now and then some do. All the time means that the pool is too small, or Postgres too slow.",
        )
        .ask(instances, gauge("waiting"))
        .runbook("PoolSaturated"),
        Panel::new(
            Visual::Lines,
            "Wait for a connection",
            Unit::Seconds,
            "On average, and for one in a hundred.",
        )
        .ask("{{job}} mean", mean(wait, CHOSEN, "job"))
        .ask("{{job}} p99", quantile(0.99, wait, CHOSEN, "job"))
        .from(0.1, Bad)
        .runbook("PoolSaturated"),
    ];
    Row { title: "Pools: utilisation and saturation", panels }
}

fn operations() -> Row {
    let (count, failed) =
        (format!("{OPERATIONS}_count"), format!(r#"{CHOSEN},result=~"unavailable|timed_out|panicked|bug""#));
    let panels = vec![
        Panel::new(Visual::Stack, "Operations", Unit::PerSecond, "By their name in the code.")
            .ask("{{job}} {{name}}", rate(&count, CHOSEN, "job, name")),
        Panel::new(
            Visual::Lines,
            "Time of an operation, p99",
            Unit::Seconds,
            "At work on a connection, the wait for one not included.",
        )
        .ask("{{job}} {{name}}", quantile(0.99, OPERATIONS, CHOSEN, "job, name")),
        Panel::new(
            Visual::Stack,
            "Where the time goes",
            Unit::Count,
            "Connections that each kind of operation keeps at work, on average.",
        )
        .ask("{{job}} {{name}}", rate(&format!("{OPERATIONS}_sum"), CHOSEN, "job, name")),
        Panel::new(Visual::Lines, "Operations that fail", Unit::Share, "Of all of the service.")
            .ask("{{job}}", share(&count, &failed, CHOSEN, "job"))
            .from(0.01, Bad)
            .runbook("PostgresFails"),
        Panel::new(Visual::Lines, "Results", Unit::PerSecond, "Of operations, by what came of them.")
            .ask("{{job}} {{result}}", rate(&count, CHOSEN, "job, result"))
            .runbook("PostgresFails"),
        Panel::new(
            Visual::Lines,
            "Transactions run again",
            Unit::PerSecond,
            "Because others were in the way.",
        )
        .ask("{{job}} {{name}}", rate("timeclock_postgres_retries_total", CHOSEN, "job, name")),
    ];
    Row { title: "Operations", panels }
}

fn size() -> Row {
    let panels = vec![
        Panel::new(Visual::Lines, "Size of the database", Unit::Bytes, "Of all schemas together.")
            .ask("bytes", "max(timeclock_postgres_database_bytes)")
            .runbook("DatabaseGrowsFast"),
        Panel::new(Visual::Lines, "Growth within an hour", Unit::Bytes, "Of the same.")
            .ask("bytes", "max(delta(timeclock_postgres_database_bytes[1h]))")
            .runbook("DatabaseGrowsFast"),
        Panel::new(
            Visual::Bars,
            "Free space of disks",
            Unit::Share,
            "Of the machines where node_exporter runs (job `node`). Empty without it.",
        )
        .ask(
            "{{instance}} {{mountpoint}}",
            r#"node_filesystem_avail_bytes{job="node",fstype!~"tmpfs|overlay|squashfs|ramfs"} / node_filesystem_size_bytes{job="node",fstype!~"tmpfs|overlay|squashfs|ramfs"}"#,
        )
        .below(Bad)
        .from(0.05, Doubtful)
        .from(0.4, crate::panel::Judgement::Good)
        .runbook("DiskFillsUp"),
    ];
    Row { title: "Size", panels }
}
