//! How long did the answers take? Durations by purpose, and their percentiles.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::wire::Purpose;

/// Durations of all requests, by what they were for.
#[derive(Debug, Default, Clone)]
pub struct Latencies(BTreeMap<Purpose, Vec<u32>>);

/// The distribution of one purpose's durations, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Distribution {
    pub count: usize,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub max_ms: f64,
}

impl Latencies {
    pub(crate) fn add(&mut self, purpose: Purpose, duration: Duration) {
        // 32 bits of microseconds last 71 minutes; a request does not.
        self.0.entry(purpose).or_default().push(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (purpose, durations) in &other.0 {
            self.0.entry(*purpose).or_default().extend_from_slice(durations);
        }
    }

    /// The distributions, in the order in which Entra's phases come.
    #[must_use]
    pub fn distributions(&self) -> BTreeMap<Purpose, Distribution> {
        self.0.iter().filter_map(|(purpose, all)| Some((*purpose, distribution(all)?))).collect()
    }
}

fn distribution(microseconds: &[u32]) -> Option<Distribution> {
    let mut sorted = microseconds.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    // The nearest rank: the smallest value that at least this share of all does not exceed.
    let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let ms = |value: u32| f64::from(value) / 1e3;
    Some(Distribution {
        count: sorted.len(),
        p50_ms: ms(at(50)?),
        p95_ms: ms(at(95)?),
        max_ms: ms(*sorted.get(last)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut latencies = Latencies::default();
        for ms in (1..=100).rev() {
            latencies.add(Purpose::Read, Duration::from_millis(ms));
        }
        let expected = Distribution { count: 100, p50_ms: 50.0, p95_ms: 95.0, max_ms: 100.0 };
        assert_eq!(latencies.distributions()[&Purpose::Read], expected);
        latencies.add(Purpose::Match, Duration::from_millis(7));
        let expected = Distribution { count: 1, p50_ms: 7.0, p95_ms: 7.0, max_ms: 7.0 };
        assert_eq!(latencies.distributions()[&Purpose::Match], expected);
    }
}
