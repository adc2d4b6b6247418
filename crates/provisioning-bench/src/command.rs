//! The command line, and a run from its start to its report.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this module is what speaks to people")]

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context as _, Result};
use chrono::{SecondsFormat, Utc};
use clap::Parser;
use signal_hook::{consts::TERM_SIGNALS, flag};

use crate::{
    access,
    figure::Effort,
    history::{Extent, LITTLE, MUCH},
    machine::Machine,
    report::Report,
    stage::Course,
    system::System,
    targets::{judge, judge_pages, judge_tracing},
};

/// Users of the smoke test.
const QUICK: u64 = 200;
/// People who are signed in to be disabled: more than the runs take.
const LEAVERS: u64 = 50_000;
/// The same in the smoke test.
const LEAVERS_QUICK: u64 = 2_000;
/// More would have numbers of those who are hired meanwhile, and take days to put there.
const MOST_USERS: u64 = 1_000_000_000;

/// What a request costs, beside what the machine can do.
///
/// Starts a private Postgres, NATS and every service on loopback, puts as many users there as asked, and measures
/// Entra's requests at 1, 16 and 64 in flight, side by side with what Postgres and NATS do by themselves at that moment.
/// Compare ratios inside one run; absolute figures differ between machines and hours.
///
/// Leave the machine alone meanwhile. Progress goes to standard error, Markdown tables to standard output, everything as
/// JSON to the output directory. The exit status is 0 also when a target is missed; a request that was not answered as it
/// must be makes it 1.
#[derive(Debug, Parser)]
#[command(
    name = "provisioning-bench",
    version,
    after_help = "Examples:\n  provisioning-bench                      everything, about ten minutes\n  \
                  provisioning-bench --sizes 1k           the smallest directory only, three minutes\n  \
                  provisioning-bench --pages              the console's pages only, two minutes\n  \
                  provisioning-bench --access             how soon sessions end only, a minute\n  \
                  provisioning-bench --tracing            what traces cost only, two minutes\n  \
                  provisioning-bench --quick              seconds; the figures mean nothing, that it works does"
)]
struct Arguments {
    /// Users that are already there, smallest first; k and m stand for thousands and millions
    #[arg(long, value_delimiter = ',', default_value = "1k,100k,1m", value_parser = size)]
    sizes: Vec<u64>,
    /// Length of each run
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    seconds: f64,
    /// Runs of each thing; the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measure only what has this in its name, such as POST or filter, and nothing raw; to look into one thing
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Measure only the console's pages: with 10 users and log lines, and with 100k users and 1m log lines
    #[arg(long, conflicts_with = "only")]
    pages: bool,
    /// Measure only how soon the console's sessions end of people who are disabled
    #[arg(long, conflicts_with_all = ["only", "pages"])]
    access: bool,
    /// Measure only what it costs to record every trace, side by side with a system that records none
    #[arg(long, conflicts_with_all = ["only", "pages", "access"])]
    tracing: bool,
    /// A smoke test: 200 users, one run of a tenth of a second each
    #[arg(long, conflicts_with_all = ["sizes", "seconds", "runs"])]
    quick: bool,
    /// Where the report is written, under its date and as latest.json
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// The disk to measure on: data goes to a temporary directory in here
    #[arg(long, value_name = "DIR", default_value = "/var/tmp")]
    disk: PathBuf,
}

impl Arguments {
    fn effort(&self) -> Effort {
        if self.quick {
            return Effort { runs: 1, seconds: 0.1, warm_up_seconds: 0.05 };
        }
        Effort { runs: self.runs.max(1), seconds: self.seconds, warm_up_seconds: self.seconds / 4.0 }
    }

    /// Sizes at which Entra's requests are measured, smallest first.
    fn directory_sizes(&self) -> Vec<u64> {
        let mut sizes = match (self.pages || self.access || self.tracing, self.quick) {
            (true, _) => vec![],
            (false, true) => vec![QUICK],
            (false, false) => self.sizes.clone(),
        };
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// What there is to show where pages are measured, if they are: hardly anything, and as much as the directory has.
    fn extents(&self) -> Option<[Extent; 2]> {
        let users = match (self.quick, self.directory_sizes().last()) {
            (true, _) => QUICK,
            (false, largest) => largest.map_or(MUCH, |largest| MUCH.min(*largest)),
        };
        let is_wanted = self.only.is_none() && !self.access && !self.tracing;
        is_wanted.then_some([LITTLE, Extent::of(users)])
    }

    /// How many people are signed in where it is measured how soon that ends, if it is.
    fn leavers(&self) -> Option<u64> {
        let is_wanted = self.only.as_deref().is_none_or(|only| access::WHAT.contains(only));
        let people = if self.quick { LEAVERS_QUICK } else { LEAVERS };
        (is_wanted && !self.pages && !self.tracing).then_some(people)
    }
}

fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((end, 'k')) => (text.get(..end), 1_000),
        Some((end, 'm')) => (text.get(..end), 1_000_000),
        _ => (Some(text), 1),
    };
    let count = digits.and_then(|digits| digits.parse::<u64>().ok()?.checked_mul(unit));
    count
        .filter(|count| (1..=MOST_USERS).contains(count))
        .ok_or_else(|| "a number like 500, 1k or 1m".to_owned())
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) => conclude(&report),
        Err(error) => {
            eprintln!("provisioning-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn conclude(report: &Report) -> ExitCode {
    println!("{}", report.markdown());
    let mut status = ExitCode::SUCCESS;
    for failure in report.failures() {
        eprintln!("provisioning-bench: {failure}");
        status = ExitCode::FAILURE;
    }
    status
}

fn run(arguments: &Arguments) -> Result<Report> {
    let effort = arguments.effort();
    let progress = |text: &str| eprintln!("{text}");
    let began_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    // One thread, so that the load generator takes at most one core and hardly wakes itself.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let mut system = System::start(&arguments.disk, |step| eprintln!("starting {step} ..."), vec![])?;
    // From here on an interruption is noticed between two figures, and everything ends in good order.
    let interrupted = stop_requested()?;
    let course = Course {
        runtime: &runtime,
        effort,
        progress,
        interrupted: &interrupted,
        only: arguments.only.as_deref(),
    };
    let mut stages = Vec::new();
    for users in arguments.directory_sizes() {
        stages.push(course.stage(&mut system, users)?);
    }
    let pages = match arguments.extents() {
        Some(extents) => course.pages(&system, extents)?,
        None => vec![],
    };
    let access = match arguments.leavers() {
        Some(people) => vec![course.access(&system, people)?],
        None => vec![],
    };
    let machine = Machine::describe(system.postgres_version()?, system.nats_version()?);
    // Its background work would be in the way of the two that are compared.
    drop(system);
    let tracing = match arguments.only.is_none() && !arguments.pages && !arguments.access {
        true => course.tracing(&arguments.disk)?,
        false => vec![],
    };
    let verdicts = judge(&stages).into_iter().chain(judge_pages(&pages)).chain(judge_tracing(&tracing));
    let verdicts = verdicts.collect();
    let report = Report { began_at, machine, effort, stages, pages, access, tracing, verdicts };
    let file = report.write(&arguments.out)?;
    progress(&format!("wrote {}", file.display()));
    Ok(report)
}

fn stop_requested() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        flag::register(*signal, Arc::clone(&stop)).context("cannot listen to signals")?;
    }
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_be_written_short() {
        let read = ["500", "1k", "100k", "1m"].map(size);
        assert_eq!(read, [Ok(500), Ok(1_000), Ok(100_000), Ok(1_000_000)]);
    }

    #[test]
    fn sizes_that_make_no_sense_are_refused() {
        for text in ["", "k", "0", "-1", "many", "2000m", "99999999999999999999m"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
