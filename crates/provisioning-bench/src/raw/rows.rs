//! Postgres by itself: single rows of about 1 KB, each in a transaction of its own, by `pgbench`.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use backing_servers::postgres::Server;

use crate::{load::Outcome, people::sample_attributes};

/// How many times as long a second try takes.
const LONGER: f64 = 5.0;
const DATABASE: &str = "bench_raw";

/// A users table as one would first write it: JSONB and the indexes that Entra's questions need.
const TABLE: &str = "create table users (
    company_id    uuid not null,
    user_id       uuid not null,
    user_name_key text not null,
    external_id   text,
    created_at    timestamptz not null default now(),
    attributes    jsonb not null,
    primary key (company_id, user_id),
    unique (company_id, user_name_key)
);
create index on users (company_id, external_id);";

const INSERT: &str = r"\set number random(1, 1000000000000)
insert into users (company_id, user_id, user_name_key, external_id, attributes)
values ('01890000-0000-7000-8000-000000000000', gen_random_uuid(), 'adele.vance.' || :number || '@contoso.com',
        'entra-' || :number, :attributes)
on conflict (company_id, user_name_key) do nothing;
";

/// A table of its own in the Postgres that the services use; dropped with its database.
#[derive(Debug)]
pub(crate) struct RawRows<'a> {
    server: &'a Server,
    directory: &'a Path,
}

impl<'a> RawRows<'a> {
    /// Creates the table. pgbench's script and logs go to `directory`.
    ///
    /// # Errors
    /// What Postgres reports.
    pub(crate) fn create(server: &'a Server, directory: &'a Path) -> Result<Self> {
        server.sql("postgres", &format!("create database {DATABASE}"))?;
        server.sql(DATABASE, TABLE)?;
        fs::write(directory.join("insert.sql"), INSERT).context("cannot write pgbench's script")?;
        Ok(Self { server, directory })
    }

    /// Inserts rows with so many writers for this long, rounded up to whole seconds; for longer where the writers take all
    /// of that to connect.
    ///
    /// # Errors
    /// When pgbench is missing or fails.
    pub(crate) fn insert(&self, writers: usize, duration: Duration) -> Result<Outcome> {
        let seconds = duration.as_secs_f64().ceil();
        for seconds in [seconds, seconds * LONGER] {
            if let Some(outcome) = self.insert_for(writers, seconds)? {
                return Ok(outcome);
            }
        }
        bail!("pgbench's {writers} clients did nothing but connect")
    }

    /// `None` when the clients took the whole time to connect.
    fn insert_for(&self, writers: usize, seconds: f64) -> Result<Option<Outcome>> {
        let mut command = self.server.superuser_client("pgbench", DATABASE);
        command.current_dir(self.directory).env("PGOPTIONS", "-c jit=off");
        command.args([
            "--no-vacuum",
            "--protocol=prepared",
            "--file=insert.sql",
            "--log",
            "--log-prefix=rows",
        ]);
        command.arg(format!("--define=attributes={}", sample_attributes()));
        command.arg(format!("--client={writers}"));
        command.arg(format!("--time={seconds}"));
        let output = command.output().context("cannot start pgbench, which comes with Postgres")?;
        if !output.status.success() {
            bail!("pgbench failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        let latencies = self.collect_log()?;
        let rate = transactions_per_second(&String::from_utf8_lossy(&output.stdout));
        Ok(rate.map(|rate| {
            let elapsed = Duration::from_secs_f64(latencies.len() as f64 / rate);
            Outcome { elapsed, latencies, failures: vec![] }
        }))
    }

    /// Reads and removes pgbench's log; each line is "client number microseconds …".
    fn collect_log(&self) -> Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        for entry in fs::read_dir(self.directory).context("pgbench's directory is gone")? {
            let file = entry.context("cannot list pgbench's directory")?.path();
            if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rows.")) {
                let text = fs::read_to_string(&file).context("cannot read pgbench's log")?;
                let microseconds = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
                latencies.extend(microseconds.map(Duration::from_micros));
                fs::remove_file(&file).context("cannot remove pgbench's log")?;
            }
        }
        Ok(latencies)
    }
}

impl Drop for RawRows<'_> {
    fn drop(&mut self) {
        // The server ends soon, and its data with it.
        drop(self.server.sql("postgres", &format!("drop database {DATABASE} with (force)")));
    }
}

/// pgbench leaves the rate out when its clients took the whole time to connect.
fn transactions_per_second(report: &str) -> Option<f64> {
    report.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pgbenchs_own_rate_is_taken_which_leaves_out_connecting() {
        let report = "number of clients: 64\ntps = 8123.456 (without initial connection time)\n";
        assert_eq!(transactions_per_second(report), Some(8123.456));
        assert_eq!(transactions_per_second("number of clients: 64\n"), None);
    }
}
