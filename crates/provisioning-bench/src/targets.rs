//! What the figures ought to be: ratios inside one run, because machines and hours differ and ratios hardly do.

use serde::{Deserialize, Serialize};

use crate::{
    groups::SIZES,
    operation::Operation,
    report::{Figure, Stage, short},
};

/// In flight when the system is busy.
pub(crate) const BUSY: usize = 64;
/// In flight when Entra provisions a company or two.
pub(crate) const USUAL: usize = 16;
/// Names of the raw figures that others are compared with.
pub(crate) const RAW_ROWS: &str = "Postgres: commit of one row";
pub(crate) const RAW_ROUND_TRIP: &str = "NATS: request and reply";
pub(crate) const RAW_PUBLISH: &str = "JetStream: publish and ack";
/// The processes whose memory is limited.
const SERVICES: [&str; 3] = ["scim-gateway", "directory-service", "token-service"];

/// One figure against its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The figure.
    pub what: String,
    /// Users that were there.
    pub users: u64,
    /// What was reached.
    pub value: f64,
    /// What must be reached.
    pub target: f64,
    /// What would be good.
    pub stretch: f64,
    /// Whether less is better.
    pub at_most: bool,
}

impl Verdict {
    /// Whether a limit is kept.
    fn keeps(&self, limit: f64) -> bool {
        if self.at_most { self.value <= limit } else { self.value >= limit }
    }

    /// In one word: "stretch", "met" or "missed".
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (self.keeps(self.stretch), self.keeps(self.target)) {
            (true, _) => "stretch",
            (false, true) => "met",
            (false, false) => "missed",
        }
    }
}

/// Compares everything that can be compared.
pub(crate) fn judge(stages: &[Stage]) -> Vec<Verdict> {
    let mut verdicts: Vec<_> = stages.iter().flat_map(of_stage).collect();
    if let [first, .., last] = stages {
        let ratios = last.figures.iter().filter_map(|figure| growth(first, last, figure));
        verdicts.extend(ratios.min_by(f64::total_cmp).map(|value| Verdict {
            what: "the figure that suffers most from size ÷ itself at the smallest".to_owned(),
            users: last.users,
            value,
            target: 0.77,
            stretch: 0.9,
            at_most: false,
        }));
    }
    verdicts
}

/// Compares each page of the console with itself where there is hardly anything to show.
pub(crate) fn judge_pages(stages: &[Stage]) -> Vec<Verdict> {
    let [few, .., many] = stages else { return vec![] };
    let ratio = |page: &Figure| Some(page.p50_ms / few.figure(&page.what, page.in_flight)?.p50_ms);
    let verdict = |page: &Figure| {
        Some(Verdict {
            what: format!("{} ÷ itself with {} log lines, p50", page.what, short(few.log_lines)),
            users: many.users,
            value: ratio(page)?,
            target: 1.5,
            stretch: 1.2,
            at_most: true,
        })
    };
    many.figures.iter().filter_map(verdict).collect()
}

/// Compares each figure with itself where no trace is recorded.
pub(crate) fn judge_tracing(stages: &[Stage]) -> Vec<Verdict> {
    let [without, with] = stages else { return vec![] };
    let verdict = |figure: &Figure| {
        Some(Verdict {
            what: format!("{} at {}: with every trace ÷ without", figure.what, figure.in_flight),
            users: with.users,
            value: growth(without, with, figure)?,
            target: 0.9,
            stretch: 0.95,
            at_most: false,
        })
    };
    with.figures.iter().filter_map(verdict).collect()
}

/// The rate of a figure with many users there ÷ with few.
pub(crate) fn growth(few: &Stage, many: &Stage, figure: &Figure) -> Option<f64> {
    let rate = |stage: &Stage| Some(stage.figure(&figure.what, figure.in_flight)?.per_second);
    Some(rate(many)? / rate(few)?)
}

fn of_stage(stage: &Stage) -> Vec<Verdict> {
    let rate = |what: &str, in_flight| Some(stage.figure(what, in_flight)?.per_second);
    let p50 = |what: &str, in_flight| Some(stage.figure(what, in_flight)?.p50_ms);
    let against_rows = |operation: Operation, in_flight| {
        Some(rate(&operation.to_string(), in_flight)? / rate(RAW_ROWS, BUSY)?)
    };
    let more = |what: &str, value: Option<f64>, target, stretch| {
        let what = what.to_owned();
        value.map(|value| Verdict { what, users: stage.users, value, target, stretch, at_most: false })
    };
    let less = |what: String, value: Option<f64>, target, stretch| {
        value.map(|value| Verdict { what, users: stage.users, value, target, stretch, at_most: true })
    };
    let round_trips = rate(&Operation::GetById.to_string(), BUSY).zip(rate(RAW_ROUND_TRIP, BUSY));
    let waits = p50(&Operation::Create.to_string(), 1).zip(p50(RAW_ROWS, 1));
    let [small, .., large] = SIZES.map(|size| p50(&Operation::JoinAndLeave(size).to_string(), 1));
    let growth_of_groups = small.zip(large).map(|(small, large)| large / small);
    let ratios = [
        more("POST at 64 in flight ÷ raw commits", against_rows(Operation::Create, BUSY), 0.8, 1.1),
        more("initial cycle at 64 ÷ raw commits", against_rows(Operation::InitialCycle, BUSY), 0.5, 0.7),
        more("initial cycle at 16 ÷ raw commits", against_rows(Operation::InitialCycle, USUAL), 0.3, 0.45),
        less("POST p50 at 1 − raw commit p50, ms".to_owned(), waits.map(|(post, row)| post - row), 1.0, 0.6),
        more("GET by id at 64 ÷ raw round trips", round_trips.map(|(get, raw)| get / raw), 0.15, 0.3),
        less("100 members: group of 100k ÷ group of 10, p50".to_owned(), growth_of_groups, 1.5, 1.1),
    ];
    let memory = SERVICES.iter().map(|name| {
        less(format!("resident memory of {name}, MiB"), stage.resident_mib.get(*name).copied(), 100.0, 50.0)
    });
    ratios.into_iter().chain(memory).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(what: &str, in_flight: usize, per_second: f64, p50_ms: f64) -> Figure {
        Figure {
            what: what.to_owned(),
            in_flight,
            per_second,
            runs: vec![],
            p50_ms,
            p95_ms: p50_ms,
            p99_ms: p50_ms,
            cpu_us: [].into(),
            failures: vec![],
        }
    }

    fn stage(users: u64, posts: f64) -> Stage {
        Stage {
            users,
            log_lines: 0,
            raw: vec![figure(RAW_ROWS, BUSY, 8_000.0, 6.0), figure(RAW_ROWS, 1, 2_000.0, 0.5)],
            figures: vec![
                figure(&Operation::Create.to_string(), BUSY, posts, 8.0),
                figure(&Operation::Create.to_string(), 1, 800.0, 1.25),
            ],
            resident_mib: [("scim-gateway".to_owned(), 60.0)].into(),
        }
    }

    #[test]
    fn figures_are_judged_against_the_raw_ones_of_their_own_stage() {
        let verdicts = judge(&[stage(1_000, 8_000.0)]);
        let words: Vec<_> = verdicts.iter().map(|verdict| (verdict.value, verdict.word())).collect();
        assert_eq!(words, [(1.0, "met"), (0.75, "met"), (60.0, "met")]);
    }

    #[test]
    fn the_figure_that_size_hurts_most_stands_for_all() {
        let verdicts = judge(&[stage(1_000, 8_000.0), stage(1_000_000, 4_000.0)]);
        let last = verdicts.last().unwrap();
        assert_eq!((last.value, last.users, last.word()), (0.5, 1_000_000, "missed"));
    }

    #[test]
    fn a_page_is_judged_against_itself_with_hardly_anything_to_show() {
        let with = |users, log_lines, p50_ms| Stage {
            log_lines,
            raw: vec![],
            figures: vec![figure("page: people", 1, 1_000.0 / p50_ms, p50_ms)],
            ..stage(users, 1.0)
        };
        let [verdict] = judge_pages(&[with(10, 10, 2.0), with(1_000, 100_000, 4.0)]).try_into().unwrap();
        assert_eq!((verdict.value, verdict.users, verdict.word()), (2.0, 1_000, "missed"));
        assert_eq!(judge_pages(&[]), []);
    }

    #[test]
    fn traces_are_judged_by_what_they_leave_of_each_figure() {
        let [verdict, _] = judge_tracing(&[stage(1_000, 1_000.0), stage(1_000, 920.0)]).try_into().unwrap();
        assert_eq!((verdict.value, verdict.word()), (0.92, "met"));
        assert_eq!(judge_tracing(&[]), []);
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let nothing = Stage { users: 1, log_lines: 0, raw: vec![], figures: vec![], resident_mib: [].into() };
        assert_eq!(judge(&[nothing]), []);
    }
}
