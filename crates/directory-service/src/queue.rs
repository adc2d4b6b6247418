//! In which order questions of one kind are answered: as they came, but nobody's many before another's one.
//!
//! Questions are taken from the bus as they arrive, so that each one's age is known here, by one clock. One whose asker
//! has given up is dropped unanswered: answering it would only delay whoever still waits.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use bus_contract::{Message, directory::Asked};

/// Questions of one kind and company that wait at most. Whoever asks more hears at once that it is too much.
pub(crate) const MAX_WAITING_PER_COMPANY: usize = 64;
/// Questions of one kind that wait at most.
pub(crate) const MAX_WAITING: usize = 1_024;
/// How long an asker waits that does not say so.
const PATIENCE: Duration = Duration::from_secs(10);

/// A question that waits.
struct Waiting<T> {
    question: T,
    company: String,
    arrived: Instant,
    patience: Duration,
}

/// A question to be answered now.
pub(crate) struct Turn<T> {
    pub(crate) question: T,
    /// Whose it is; to be given back by [`Queue::end`].
    pub(crate) company: String,
    /// How long the asker still waits.
    pub(crate) within: Duration,
}

/// What becomes of a question next.
pub(crate) enum Next<T> {
    /// It is its turn.
    Answer(Turn<T>),
    /// Nobody waits for its answer any more.
    GivenUp(T),
}

/// The questions of one kind.
pub(crate) struct Queue<T> {
    waiting: VecDeque<Waiting<T>>,
    /// How many of each company wait, and how many are under way.
    shares: HashMap<String, Share>,
    under_way: usize,
    at_once: usize,
}

#[derive(Default)]
struct Share {
    waiting: usize,
    under_way: usize,
}

impl<T> Queue<T> {
    /// Lets so many be under way at once, and half of them, rounded up, of one company.
    pub(crate) fn new(at_once: usize) -> Self {
        Self { waiting: VecDeque::new(), shares: HashMap::new(), under_way: 0, at_once }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// Takes a question in; gives it back when too many wait.
    pub(crate) fn push(&mut self, question: T, payload: &[u8], now: Instant) -> Result<(), T> {
        // What cannot be read is refused by whoever answers it.
        let Asked { company_id, patience_ms } = Asked::decode(payload).unwrap_or_default();
        let share = self.shares.get(&company_id).map_or(0, |share| share.waiting);
        // Questions about no company are operators' and services'.
        let is_too_much = !company_id.is_empty() && share >= MAX_WAITING_PER_COMPANY;
        if is_too_much || self.waiting.len() >= MAX_WAITING {
            return Err(question);
        }
        let patience = if patience_ms == 0 { PATIENCE } else { Duration::from_millis(patience_ms.into()) };
        self.shares.entry(company_id.clone()).or_default().waiting += 1;
        self.waiting.push_back(Waiting { question, company: company_id, arrived: now, patience });
        Ok(())
    }

    /// The first question whose company may have one more under way.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Next<T>> {
        let at = (self.under_way < self.at_once)
            .then(|| self.waiting.iter().position(|waiting| self.may_begin(&waiting.company)))??;
        let Waiting { question, company, arrived, patience } = self.waiting.remove(at)?;
        let within = patience.saturating_sub(now.saturating_duration_since(arrived));
        let share = self.shares.entry(company.clone()).or_default();
        share.waiting = share.waiting.saturating_sub(1);
        if within.is_zero() {
            self.forget(&company);
            return Some(Next::GivenUp(question));
        }
        share.under_way += 1;
        self.under_way += 1;
        Some(Next::Answer(Turn { question, company, within }))
    }

    /// A question of this company is answered.
    pub(crate) fn end(&mut self, company: &str) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(share) = self.shares.get_mut(company) {
            share.under_way = share.under_way.saturating_sub(1);
        }
        self.forget(company);
    }

    fn may_begin(&self, company: &str) -> bool {
        let under_way = self.shares.get(company).map_or(0, |share| share.under_way);
        company.is_empty() || under_way < self.at_once.div_ceil(2)
    }

    fn forget(&mut self, company: &str) {
        if self.shares.get(company).is_some_and(|share| share.waiting == 0 && share.under_way == 0) {
            self.shares.remove(company);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(company: &str, patience_ms: u32) -> Vec<u8> {
        Asked { company_id: company.to_owned(), patience_ms }.encode_to_vec()
    }

    fn begun(queue: &mut Queue<u32>, now: Instant) -> Vec<u32> {
        std::iter::from_fn(|| match queue.next(now)? {
            Next::Answer(turn) => Some(turn.question),
            Next::GivenUp(question) => panic!("{question} was given up"),
        })
        .collect()
    }

    #[test]
    fn nobody_s_many_come_before_another_s_one() {
        let (mut queue, now) = (Queue::new(4), Instant::now());
        for question in 0..10 {
            queue.push(question, &asked("contoso", 0), now).unwrap();
        }
        queue.push(10, &asked("fabrikam", 0), now).unwrap();
        assert_eq!(begun(&mut queue, now), [0, 1, 10], "half of the places at most");
        queue.end("contoso");
        assert_eq!(begun(&mut queue, now), [2], "in the order in which they came");
    }

    #[test]
    fn a_question_whose_asker_has_given_up_takes_no_turn() {
        let (mut queue, now) = (Queue::new(1), Instant::now());
        queue.push(1, &asked("contoso", 5_000), now).unwrap();
        queue.push(2, &asked("contoso", 60_000), now).unwrap();
        let later = now + Duration::from_secs(5);
        assert!(matches!(queue.next(later), Some(Next::GivenUp(1))));
        let Some(Next::Answer(turn)) = queue.next(later) else { panic!("no turn") };
        assert_eq!((turn.question, turn.within), (2, Duration::from_secs(55)));
    }

    #[test]
    fn a_company_that_asks_too_much_is_told_and_the_others_are_not() {
        let (mut queue, now) = (Queue::new(1), Instant::now());
        for _ in 0..MAX_WAITING_PER_COMPANY {
            queue.push(0, &asked("contoso", 0), now).unwrap();
        }
        assert_eq!(queue.push(7, &asked("contoso", 0), now), Err(7));
        assert_eq!(queue.push(8, &asked("fabrikam", 0), now), Ok(()));
        for _ in 0..MAX_WAITING {
            queue.push(0, &asked("", 0), now).ok();
        }
        assert_eq!(queue.push(9, &asked("", 0), now), Err(9), "all together have a limit too");
    }

    #[test]
    fn nothing_is_kept_of_whom_nobody_asks_about() {
        let (mut queue, now) = (Queue::new(2), Instant::now());
        queue.push(1, &asked("contoso", 0), now).unwrap();
        queue.push(2, &asked("fabrikam", 1), now).unwrap();
        let later = now + Duration::from_secs(1);
        assert!(matches!(queue.next(later), Some(Next::Answer(_))));
        assert!(matches!(queue.next(later), Some(Next::GivenUp(2))));
        queue.end("contoso");
        assert!(queue.shares.is_empty() && queue.is_idle());
    }
}
