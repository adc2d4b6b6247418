//! How many reads of a company are told of in full.
//!
//! The directory writes a line for a read that says whom it was about. Entra reads some 25 times a second at most, and is
//! told of in full; a client that reads without end is counted and fills nobody's log.

use std::{collections::HashMap, time::Duration};

use typed_ids::CompanyId;

/// Time that each read uses up: 50 of them a second may go on for ever.
const EACH: Duration = Duration::from_millis(20);
/// Time that may be used up ahead: 1,000 reads at once.
const AHEAD: Duration = Duration::from_secs(20);
/// How often companies are forgotten whose allowance is whole again.
const SWEEP: Duration = Duration::from_secs(1);

/// The allowances of those companies that have used some of it.
#[derive(Default)]
pub(super) struct Reads {
    /// Until when each has used up its time.
    used: HashMap<CompanyId, Duration>,
    swept_at: Duration,
}

impl Reads {
    /// Whether a read of this company at `now` is within its allowance.
    pub(super) fn take(&mut self, company: CompanyId, now: Duration) -> bool {
        if now >= self.swept_at + SWEEP {
            self.used.retain(|_, used| *used > now);
            self.swept_at = now;
        }
        let used = self.used.entry(company).or_default();
        let then = now.max(*used) + EACH;
        let is_within = then <= now + AHEAD;
        if is_within {
            *used = then;
        }
        is_within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn taken(reads: &mut Reads, company: CompanyId, now: Duration, times: usize) -> usize {
        (0..times).filter(|_| reads.take(company, now)).count()
    }

    #[test]
    fn a_thousand_reads_at_once_are_told_of_in_full() {
        let (mut reads, company) = (Reads::default(), CompanyId::mint());
        assert_eq!(taken(&mut reads, company, NOW, 5_000), 1_000);
        assert_eq!(taken(&mut reads, CompanyId::mint(), NOW, 1), 1, "another company has its own");
    }

    #[test]
    fn fifty_reads_a_second_are_told_of_for_ever() {
        let (mut reads, company) = (Reads::default(), CompanyId::mint());
        let told: usize =
            (0..600).map(|second| taken(&mut reads, company, NOW + Duration::from_secs(second), 50)).sum();
        assert_eq!(told, 600 * 50);
    }

    #[test]
    fn of_a_flood_fifty_a_second_are_told_of() {
        let (mut reads, company) = (Reads::default(), CompanyId::mint());
        taken(&mut reads, company, NOW, 10_000);
        assert_eq!(taken(&mut reads, company, NOW + Duration::from_secs(1), 10_000), 50);
        assert_eq!(taken(&mut reads, company, NOW + Duration::from_secs(60), 10_000), 1_000, "it has rested");
    }

    #[test]
    fn companies_that_have_rested_are_forgotten() {
        let mut reads = Reads::default();
        for _ in 0..100 {
            reads.take(CompanyId::mint(), NOW);
        }
        reads.take(CompanyId::mint(), NOW + SWEEP);
        assert_eq!(reads.used.len(), 1);
    }
}
