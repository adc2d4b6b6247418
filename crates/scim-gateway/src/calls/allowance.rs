//! How much is told of calls that somebody makes without end.
//!
//! The directory writes a line for a read that says whom it was about, and for each call that is refused. Entra calls some
//! 25 times a second, and is told of in full. Whoever calls more often than that shall not fill logs.

use std::{collections::HashMap, time::Duration};

use typed_ids::CompanyId;

/// How often companies are forgotten whose allowance is whole again.
const SWEEP: Duration = Duration::from_secs(1);

/// So many calls of each company for ever, and more of them at once.
pub(super) struct Allowance {
    /// Time that each call uses up.
    each: Duration,
    /// Time that may be used up ahead.
    ahead: Duration,
    /// Until when each company has used up its time; of the others nothing need be known.
    used: HashMap<CompanyId, Duration>,
    swept_at: Duration,
}

impl Allowance {
    /// Of reads that went well, those that say whom they were about: 50 a second, 1,000 at once.
    pub(super) fn of_reads() -> Self {
        Self::new(Duration::from_millis(20), 1_000)
    }

    /// Of calls with a credential that has ended, those that are told at all: one a second, 100 at once. Who makes them
    /// has no right any more to cost us anything.
    pub(super) fn of_ended() -> Self {
        Self::new(Duration::from_secs(1), 100)
    }

    fn new(each: Duration, at_once: u32) -> Self {
        Self { each, ahead: each * at_once, used: HashMap::new(), swept_at: Duration::ZERO }
    }

    /// Whether a call of this company at `now` is within its allowance.
    pub(super) fn take(&mut self, company: CompanyId, now: Duration) -> bool {
        if now >= self.swept_at + SWEEP {
            self.used.retain(|_, used| *used > now);
            self.swept_at = now;
        }
        let used = self.used.entry(company).or_default();
        let then = now.max(*used) + self.each;
        let is_within = then <= now + self.ahead;
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

    fn taken(allowance: &mut Allowance, company: CompanyId, now: Duration, times: usize) -> usize {
        (0..times).filter(|_| allowance.take(company, now)).count()
    }

    #[test]
    fn a_thousand_reads_at_once_are_told_of_in_full() {
        let (mut reads, company) = (Allowance::of_reads(), CompanyId::mint());
        assert_eq!(taken(&mut reads, company, NOW, 5_000), 1_000);
        assert_eq!(taken(&mut reads, CompanyId::mint(), NOW, 1), 1, "another company has its own");
    }

    #[test]
    fn fifty_reads_a_second_are_told_of_for_ever() {
        let (mut reads, company) = (Allowance::of_reads(), CompanyId::mint());
        let second = |second| NOW + Duration::from_secs(second);
        let told: usize = (0..600).map(|at| taken(&mut reads, company, second(at), 50)).sum();
        assert_eq!(told, 600 * 50);
    }

    #[test]
    fn of_a_flood_so_many_a_second_are_told_of() {
        for (mut allowance, a_second, at_once) in
            [(Allowance::of_reads(), 50, 1_000), (Allowance::of_ended(), 1, 100)]
        {
            let company = CompanyId::mint();
            taken(&mut allowance, company, NOW, 10_000);
            let next = NOW + Duration::from_secs(1);
            assert_eq!(taken(&mut allowance, company, next, 10_000), a_second);
            let rested = NOW + Duration::from_secs(600);
            assert_eq!(taken(&mut allowance, company, rested, 10_000), at_once);
        }
    }

    #[test]
    fn companies_that_have_rested_are_forgotten() {
        let mut reads = Allowance::of_reads();
        for _ in 0..100 {
            reads.take(CompanyId::mint(), NOW);
        }
        reads.take(CompanyId::mint(), NOW + SWEEP);
        assert_eq!(reads.used.len(), 1);
    }
}
