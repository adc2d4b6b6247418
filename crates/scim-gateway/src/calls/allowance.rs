//! How much is told of calls that somebody makes without end.
//!
//! The directory writes a line for a read that says whom it was about, and for each call that is refused. Entra calls some
//! 25 times a second, and is told of in full. Whoever calls more often than that shall not fill logs.

use std::num::NonZeroU32;

use service_runtime::{
    clock::Clock,
    rate::{Allowance, Buckets},
};
use typed_ids::CompanyId;

use crate::pace::COMPANIES_MOST;

/// Reads that went well and say whom they were about.
const READS: Allowance = Allowance::per_second(FIFTY, THOUSAND);
/// Calls that had no right to be made: by a credential that has ended, or beyond what a company may call. Who makes them
/// shall not cost us more than that.
const UNENTITLED: Allowance = Allowance::per_second(ONE, HUNDRED);

const ONE: NonZeroU32 = NonZeroU32::MIN;
const FIFTY: NonZeroU32 = NonZeroU32::new(50).unwrap();
const HUNDRED: NonZeroU32 = NonZeroU32::new(100).unwrap();
const THOUSAND: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

/// What each company may still have told.
pub(super) struct Allowances {
    pub(super) reads: Buckets<CompanyId>,
    pub(super) unentitled: Buckets<CompanyId>,
}

impl Allowances {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            reads: Buckets::new(READS, COMPANIES_MOST, clock),
            unentitled: Buckets::new(UNENTITLED, COMPANIES_MOST, clock),
        }
    }

    /// Lets go of companies that have rested.
    pub(super) fn forget_the_rested(&self) {
        self.reads.forget_the_full();
        self.unentitled.forget_the_full();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn taken(bucket: &Buckets<CompanyId>, company: CompanyId, times: usize) -> usize {
        (0..times).filter(|_| bucket.take(&company).is_ok()).count()
    }

    #[test]
    fn a_thousand_reads_at_once_are_told_of_in_full() {
        let (allowances, company) = (Allowances::new(&Clock::manual(1_000)), CompanyId::mint());
        assert_eq!(taken(&allowances.reads, company, 5_000), 1_000);
        assert_eq!(taken(&allowances.reads, CompanyId::mint(), 1), 1, "another company has its own");
    }

    #[test]
    fn of_a_flood_so_many_a_second_are_told_of() {
        let clock = Clock::manual(1_000);
        let (allowances, company) = (Allowances::new(&clock), CompanyId::mint());
        for (bucket, a_second, at_once) in [(&allowances.reads, 50, 1_000), (&allowances.unentitled, 1, 100)]
        {
            assert_eq!(taken(bucket, company, 10_000), at_once);
            clock.advance(Duration::from_secs(1));
            assert_eq!(taken(bucket, company, 10_000), a_second);
        }
    }

    #[test]
    fn companies_that_have_rested_are_forgotten() {
        let clock = Clock::manual(1_000);
        let allowances = Allowances::new(&clock);
        for _ in 0..100 {
            taken(&allowances.reads, CompanyId::mint(), 1);
        }
        clock.advance(Duration::from_secs(1));
        allowances.forget_the_rested();
        assert!(allowances.reads.is_empty());
    }
}
