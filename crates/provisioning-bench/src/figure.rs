//! One figure: several short runs of one thing, their median, and what they cost each process.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::{
    load::Outcome,
    processes::{CpuTimes, Processes},
};

/// How long and how often everything is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Runs of each thing; the median counts.
    pub runs: usize,
    /// Length of a run.
    pub seconds: f64,
    /// Length of the run before them that does not count.
    pub warm_up_seconds: f64,
}

/// What was measured of one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was done.
    pub what: String,
    /// How many were under way at any time.
    pub in_flight: usize,
    /// Operations per second, the median of the runs.
    pub per_second: f64,
    /// Operations per second, run by run.
    pub runs: Vec<f64>,
    /// Half of all operations took at most this long, in milliseconds.
    pub p50_ms: f64,
    /// And 19 of 20.
    pub p95_ms: f64,
    /// And 99 of 100.
    #[serde(default)]
    pub p99_ms: f64,
    /// CPU time per operation by process, in microseconds.
    pub cpu_us: BTreeMap<String, f64>,
    /// Requests that were not answered as they must be.
    pub failures: Vec<String>,
}

impl Figure {
    /// CPU time per operation of all processes together, in microseconds.
    #[must_use]
    pub fn cpu_us_total(&self) -> f64 {
        self.cpu_us.values().sum()
    }
}

/// Measures one thing: `run` does it for as long as it is told.
///
/// # Errors
/// What `run` reports.
pub(crate) fn measure(
    effort: Effort,
    processes: &Processes,
    (what, in_flight): (String, usize),
    mut run: impl FnMut(Duration) -> Result<Outcome>,
) -> Result<Figure> {
    let mut failures = run(Duration::from_secs_f64(effort.warm_up_seconds))?.failures;
    let (mut runs, mut latencies, mut spent) = (vec![], vec![], CpuTimes::new());
    for _ in 0..effort.runs {
        let before = processes.cpu_times();
        let mut outcome = run(Duration::from_secs_f64(effort.seconds))?;
        for (name, after) in processes.cpu_times() {
            let used = after.saturating_sub(before.get(&name).copied().unwrap_or(after));
            *spent.entry(name).or_default() += used;
        }
        runs.push(outcome.rate());
        latencies.append(&mut outcome.latencies);
        failures.append(&mut outcome.failures);
    }
    latencies.sort_unstable();
    let operations = latencies.len().max(1) as f64;
    let per_operation = |(name, time): (String, Duration)| (name, time.as_secs_f64() * 1e6 / operations);
    Ok(Figure {
        what,
        in_flight,
        per_second: median(&runs),
        runs,
        p50_ms: percentile_ms(&latencies, 50),
        p95_ms: percentile_ms(&latencies, 95),
        p99_ms: percentile_ms(&latencies, 99),
        cpu_us: spent.into_iter().map(per_operation).filter(|(_, time)| *time > 0.0).collect(),
        failures,
    })
}

impl Figure {
    /// One figure of several that were taken of the same thing, each in one run.
    pub(crate) fn of_runs(taken: Vec<Self>) -> Option<Self> {
        let rates: Vec<_> = taken.iter().map(|one| one.per_second).collect();
        let middle = |of: fn(&Self) -> f64| median(&taken.iter().map(of).collect::<Vec<_>>());
        let (p50_ms, p95_ms) = (middle(|one| one.p50_ms), middle(|one| one.p95_ms));
        let p99_ms = middle(|one| one.p99_ms);
        let mut cpu_us = BTreeMap::new();
        for (name, time) in taken.iter().flat_map(|one| &one.cpu_us) {
            *cpu_us.entry(name.clone()).or_default() += time / taken.len() as f64;
        }
        let failures = taken.iter().flat_map(|one| one.failures.clone()).collect();
        let first = taken.into_iter().next()?;
        Some(Self {
            per_second: median(&rates),
            runs: rates,
            p50_ms,
            p95_ms,
            p99_ms,
            cpu_us,
            failures,
            ..first
        })
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_of_its_runs_and_the_warm_up_does_not_count() {
        let effort = Effort { runs: 3, seconds: 1.0, warm_up_seconds: 0.5 };
        let mut counts = [1_000, 10, 30, 20].into_iter();
        let figure = measure(effort, &Processes::new(BTreeMap::new()), ("it".to_owned(), 4), |_| {
            let latencies = vec![Duration::from_millis(2); counts.next().unwrap()];
            Ok(Outcome { elapsed: Duration::from_secs(1), latencies, failures: vec![] })
        })
        .unwrap();
        assert_eq!((figure.per_second, figure.p50_ms), (20.0, 2.0));
        assert_eq!(figure.runs, [10.0, 30.0, 20.0]);
    }

    #[test]
    fn percentiles_are_of_what_was_seen() {
        let latencies: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile_ms(&latencies, 50), 50.0);
        assert_eq!(percentile_ms(&latencies, 95), 95.0);
        assert_eq!(percentile_ms(&[], 95), 0.0);
    }
}
