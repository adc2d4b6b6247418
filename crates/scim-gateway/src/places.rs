//! How many requests may be in flight: in all, and of one company, so that none keeps the others out.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use typed_ids::CompanyId;

/// One company may have this part of all places: a quarter.
const SHARES: usize = 4;

/// The places, and who has taken how many.
pub(crate) struct Places {
    limit: usize,
    taken: AtomicUsize,
    companies: Mutex<HashMap<CompanyId, usize>>,
}

/// One request's part of its company's share, from its head to its answer.
pub(crate) struct Share<'a>(&'a Places, CompanyId);

/// One request's place among all, from the end of its body to its answer: nobody keeps one while a body trickles in.
pub(crate) struct Place<'a>(&'a Places);

impl Places {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, taken: AtomicUsize::new(0), companies: Mutex::default() }
    }

    /// A part of the company's share, unless it is used up.
    pub(crate) fn share(&self, company: CompanyId) -> Option<Share<'_>> {
        let mut companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = companies.entry(company).or_default();
        if *taken >= (self.limit / SHARES).max(1) {
            return None;
        }
        *taken += 1;
        Some(Share(self, company))
    }

    /// A place, unless all are taken.
    pub(crate) fn take(&self) -> Option<Place<'_>> {
        let place = Place(self);
        (self.taken.fetch_add(1, Ordering::Relaxed) < self.limit).then_some(place)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut companies = self.0.companies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut taken) = companies.entry(self.1) {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
