//! What an instance has read and has not finished with: in which order it is worked on, and what comes again.

use std::collections::BTreeMap;

use bus_jetstream::pull::Delivery;
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{End, Reading};

/// What is not acknowledged in time comes again, so everything is kept by its place in the stream: the later delivery takes the
/// place of the earlier one. The server bounds it by sending no more while so much is unacknowledged.
#[derive(Default)]
pub(super) struct InHand {
    companies: BTreeMap<CompanyId, Ends>,
    /// Of histories that the directory has to be asked about.
    unplaced: BTreeMap<u64, (Delivery, Reading)>,
}

/// What waits of one company.
#[derive(Default)]
struct Ends {
    by_sequence: BTreeMap<u64, (Delivery, End)>,
    has_failed: bool,
}

impl InHand {
    pub(super) fn hold(&mut self, delivery: Delivery, end: End) {
        let of_company = self.companies.entry(end.company).or_default();
        of_company.by_sequence.insert(delivery.stream_sequence, (delivery, end));
    }

    pub(super) fn hold_unplaced(&mut self, delivery: Delivery, reading: Reading) {
        self.unplaced.insert(delivery.stream_sequence, (delivery, reading));
    }

    /// The history of the first one whose history is not known.
    pub(super) fn unplaced_history(&self) -> Option<Uuid> {
        self.unplaced.values().find_map(|(_, reading)| reading.history)
    }

    pub(super) fn take_unplaced(&mut self) -> Vec<(Delivery, Reading)> {
        std::mem::take(&mut self.unplaced).into_values().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.companies.is_empty() && self.unplaced.is_empty()
    }

    /// Companies to work on, those that have failed behind all others, and only when they are `due`.
    pub(super) fn companies(&self, due: bool) -> Vec<CompanyId> {
        let which = |has_failed| {
            let companies = self.companies.iter().filter(move |(_, ends)| ends.has_failed == has_failed);
            companies.map(|(company, _)| *company)
        };
        which(false).chain(which(true).filter(|_| due)).collect()
    }

    /// What waits of this company, in the stream's order.
    pub(super) fn of(&self, company: CompanyId) -> Vec<(Delivery, End)> {
        self.companies
            .get(&company)
            .map(|ends| ends.by_sequence.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Nothing of this company waits any more.
    pub(super) fn done(&mut self, company: CompanyId) {
        self.companies.remove(&company);
    }

    /// Whether it is the first failure of what waits.
    pub(super) fn failed(&mut self, company: CompanyId) -> bool {
        self.companies.get_mut(&company).is_some_and(|ends| !std::mem::replace(&mut ends.has_failed, true))
    }

    /// Companies of which something waits.
    pub(super) fn count_companies(&self) -> usize {
        self.companies.len()
    }
}
