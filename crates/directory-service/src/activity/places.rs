//! Which companies have series of their own: those called most recently, at most so many.
//!
//! A company keeps its place for three cycles after its last call, even when others wait: were it taken at once, a
//! thousand companies that take turns would make a thousand times the series, and the one that has fallen silent, which
//! an alert is about, would lose its own first. Calls of companies without a place are counted together.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use typed_ids::CompanyId;

use super::{count::Tally, metrics::CompanyMetrics};
use crate::health::SILENT_AFTER;

/// The label of all companies without a place.
const OTHER: &str = "other";
/// How long a place is kept after the last call.
const KEPT_FOR: TimeDelta = SILENT_AFTER;

/// The places, and the series of those who have one.
pub(super) struct Places<'m> {
    most: usize,
    metrics: &'m CompanyMetrics,
    /// When each was last called for.
    taken: Mutex<HashMap<CompanyId, DateTime<Utc>>>,
}

/// What is known of a company, whoever counted its calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) company: CompanyId,
    pub(super) last_call_at: Option<DateTime<Utc>>,
    /// The place of its health among [`super::answer::STATES`].
    pub(super) health: i64,
}

impl<'m> Places<'m> {
    pub(super) fn new(most: usize, metrics: &'m CompanyMetrics) -> Self {
        Self { most, metrics, taken: Mutex::default() }
    }

    /// Counts what came of calls.
    pub(super) fn count(&self, company: CompanyId, tally: &Tally, now: DateTime<Utc>) {
        let mut taken = self.lock();
        let has_place = self.take(&mut taken, company, tally.at, now);
        drop(taken);
        let company = company.to_string();
        let label = if has_place { company.as_str() } else { OTHER };
        let add = |counters: &prometheus::IntCounterVec, word, count: i64| {
            counters.with_label_values(&[label, word]).inc_by(u64::try_from(count).unwrap_or(0));
        };
        let results = tally.results();
        for (word, count) in results {
            add(&self.metrics.calls, word, count);
        }
        for (word, count) in tally.changes() {
            add(&self.metrics.changes, word, count);
        }
        if let Some(at) = tally.let_in_at.filter(|_at| has_place) {
            // A report may come after a later one.
            let last = self.metrics.last_call.with_label_values(&[label]);
            last.set(last.get().max(at.timestamp()));
        }
    }

    /// Tells how everybody stands who has a place, or gets one.
    pub(super) fn tell(&self, mut standings: Vec<Standing>, now: DateTime<Utc>) {
        // The first come, first served.
        standings.sort_unstable_by_key(|standing| std::cmp::Reverse(standing.last_call_at));
        let mut taken = self.lock();
        // Whoever called before one that found no place finds none either, and to look for one is not free.
        let mut none_left = false;
        for Standing { company, last_call_at, health } in standings {
            if none_left && !taken.contains_key(&company) {
                continue;
            }
            let at = last_call_at.unwrap_or(DateTime::UNIX_EPOCH);
            let has_a_place = self.take(&mut taken, company, at, now);
            none_left |= !has_a_place;
            if has_a_place {
                let label = company.to_string();
                self.metrics.health.with_label_values(&[&label]).set(health);
                if let Some(at) = last_call_at {
                    let last = self.metrics.last_call.with_label_values(&[&label]);
                    last.set(last.get().max(at.timestamp()));
                }
            }
        }
    }

    /// Whether the company has a place now.
    fn take(
        &self,
        taken: &mut HashMap<CompanyId, DateTime<Utc>>,
        company: CompanyId,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> bool {
        let is_full = taken.len() >= self.most;
        match taken.entry(company) {
            Entry::Occupied(mut place) => {
                let last = place.get_mut();
                *last = (*last).max(at);
                return true;
            }
            Entry::Vacant(place) if !is_full => {
                place.insert(at);
            }
            Entry::Vacant(_) => {
                let stalest = taken.iter().min_by_key(|(_, last)| **last);
                let Some((stalest, last)) = stalest.map(|(stalest, last)| (*stalest, *last)) else {
                    return false;
                };
                if at <= last || now - last <= KEPT_FOR {
                    return false;
                }
                taken.remove(&stalest);
                self.forget(stalest);
                taken.insert(company, at);
            }
        }
        let company = company.to_string();
        let nothing = Tally::default();
        for (word, _) in nothing.results() {
            self.metrics.calls.with_label_values(&[company.as_str(), word]);
        }
        for (word, _) in nothing.changes() {
            self.metrics.changes.with_label_values(&[company.as_str(), word]);
        }
        true
    }

    /// Of what was never told nothing is there to be removed.
    fn forget(&self, company: CompanyId) {
        let company = company.to_string();
        let nothing = Tally::default();
        for (word, _) in nothing.results() {
            self.metrics.calls.remove_label_values(&[company.as_str(), word]).ok();
        }
        for (word, _) in nothing.changes() {
            self.metrics.changes.remove_label_values(&[company.as_str(), word]).ok();
        }
        self.metrics.last_call.remove_label_values(&[&company]).ok();
        self.metrics.health.remove_label_values(&[&company]).ok();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CompanyId, DateTime<Utc>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;
    use service_runtime::metrics::text;

    use super::*;
    use crate::activity::{count::Counts, metrics::CallMetrics};

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    fn one_created(minutes: i64) -> Tally {
        let counts = Counts { calls: 2, created: 1, failed: 1, ..Counts::default() };
        Tally { counts, at: at(minutes), let_in_at: Some(at(minutes)) }
    }

    fn told(registry: &Registry, company: &str) -> usize {
        let label = format!("company=\"{company}\"");
        text(registry).unwrap().lines().filter(|line| line.contains(&label)).count()
    }

    #[test]
    fn whoever_has_no_place_is_counted_with_the_others() {
        let registry = Registry::new();
        let metrics = CallMetrics::register(&registry).unwrap();
        let places = Places::new(2, &metrics.of_companies);
        let companies: Vec<_> = (0..50).map(|_| CompanyId::mint()).collect();
        for company in &companies {
            places.count(*company, &one_created(0), at(0));
        }
        let shown = companies.iter().filter(|company| told(&registry, &company.to_string()) > 0);
        assert_eq!(shown.count(), 2);
        let calls = |result| metrics.of_companies.calls.with_label_values(&[OTHER, result]).get();
        assert_eq!((calls("ok"), calls("refused"), calls("failed")), (48, 0, 48));
        assert_eq!(metrics.of_companies.changes.with_label_values(&[OTHER, "created"]).get(), 48);
        assert!(!text(&registry).unwrap().contains("health{company=\"other\"}"));
    }

    #[test]
    fn a_place_is_kept_for_three_cycles_and_then_given_to_who_calls() {
        let registry = Registry::new();
        let metrics = CallMetrics::register(&registry).unwrap();
        let places = Places::new(1, &metrics.of_companies);
        let (first, second) = (CompanyId::mint(), CompanyId::mint());
        places.count(first, &one_created(0), at(0));
        places.count(second, &one_created(119), at(119));
        let shown = |company: CompanyId| told(&registry, &company.to_string());
        assert!(shown(first) > 0 && shown(second) == 0);
        places.count(second, &one_created(121), at(121));
        assert!(shown(first) == 0 && shown(second) > 0);
    }

    #[test]
    fn a_new_reader_begins_with_those_who_called_last() {
        let registry = Registry::new();
        let metrics = CallMetrics::register(&registry).unwrap();
        let places = Places::new(2, &metrics.of_companies);
        let standings: Vec<_> = (0..5)
            .map(|minutes| Standing {
                company: CompanyId::mint(),
                last_call_at: Some(at(minutes)),
                health: minutes,
            })
            .collect();
        places.tell(standings.clone(), at(10));
        let shown = standings.iter().map(|standing| told(&registry, &standing.company.to_string()) > 0);
        assert_eq!(shown.collect::<Vec<_>>(), [false, false, false, true, true]);
        let last = standings[4].company.to_string();
        assert_eq!(metrics.of_companies.health.with_label_values(&[&last]).get(), 4);
        assert_eq!(metrics.of_companies.last_call.with_label_values(&[&last]).get(), at(4).timestamp());
        metrics.leave();
        assert_eq!(told(&registry, &last), 0);
    }

    #[test]
    fn without_places_nobody_is_told_apart() {
        let registry = Registry::new();
        let metrics = CallMetrics::register(&registry).unwrap();
        let places = Places::new(0, &metrics.of_companies);
        let company = CompanyId::mint();
        places.count(company, &one_created(0), at(0));
        assert_eq!(told(&registry, &company.to_string()), 0);
        assert!(told(&registry, OTHER) > 0);
    }
}
