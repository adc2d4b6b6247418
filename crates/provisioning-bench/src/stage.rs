//! Everything that is measured at one size of the directory, and in which order.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::runtime::Runtime;

use crate::{
    access,
    figure::{Effort, Figure, measure},
    groups::SIZES,
    history::Extent,
    load::closed_loop,
    neighbours::{Beside, HIRING},
    operation::Operation,
    pages::PAGES,
    processes::Processes,
    raw::{Exchange, RawBus, RawRows},
    report::{Stage, short},
    system::System,
    targets::{BUSY, RAW_PUBLISH, RAW_ROUND_TRIP, RAW_ROWS, USUAL},
    tracing,
};

/// What only looks comes first, so that it finds the directory at the size it should have.
const PLAN: [(Operation, &[usize]); 16] = [
    (Operation::GetById, &[1, USUAL, BUSY]),
    (Operation::FindByUserName, &[1, USUAL, BUSY]),
    (Operation::FindByExternalId, &[1, USUAL, BUSY]),
    (Operation::Patch, &[1, USUAL, BUSY]),
    (Operation::Create, &[1, USUAL, BUSY]),
    (Operation::CreateInSeveral, &[BUSY]),
    (Operation::InitialCycle, &[1, USUAL, BUSY]),
    (Operation::Disable(Beside::Nobody), &[1]),
    (Operation::Disable(Beside::AnotherPartition), &[1]),
    (Operation::Disable(Beside::SamePartition), &[1]),
    (Operation::Disable(Beside::Itself), &[1]),
    (Operation::JoinAndLeave(SIZES[0]), &[1]),
    (Operation::JoinAndLeave(SIZES[1]), &[1]),
    (Operation::JoinAndLeave(SIZES[2]), &[1]),
    (Operation::JoinAndLeaveAlone, &[1, BUSY]),
    (Operation::CreateGroup, &[1, USUAL]),
];

/// How a run is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) effort: Effort,
    pub(crate) progress: fn(&str),
    /// Looked at before each figure; once it is set, everything ends by an error.
    pub(crate) interrupted: &'a AtomicBool,
    /// Measures only operations with this in their name, and nothing raw.
    pub(crate) only: Option<&'a str>,
}

impl Course<'_> {
    fn go_on(&self) -> Result<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        Ok(())
    }

    /// Measures one thing and says what came of it.
    fn figure(
        &self,
        processes: &Processes,
        what: &str,
        in_flight: usize,
        run: impl FnMut(Duration) -> Result<crate::load::Outcome>,
    ) -> Result<Figure> {
        self.go_on()?;
        let figure = measure(self.effort, processes, (what.to_owned(), in_flight), run)?;
        (self.progress)(&format!(
            "  {what:<34} {in_flight:>3} in flight {:>9.0} /s  p50 {:>7.2} ms  {:>5.0} µs of CPU",
            figure.per_second,
            figure.p50_ms,
            figure.cpu_us_total()
        ));
        Ok(figure)
    }

    /// Brings the directory to this size and measures everything.
    ///
    /// # Errors
    /// When something ends or cannot be measured; wrong answers are part of the figures.
    pub(crate) fn stage(&self, system: &mut System, users: u64) -> Result<Stage> {
        (self.progress)(&format!("{} users", short(users)));
        system.grow_to(users, |there| {
            (self.progress)(&format!("  {there} are there"));
            self.go_on()
        })?;
        let raw = if self.only.is_some() { vec![] } else { self.raw(system)? };
        let mut stage = Stage { users, log_lines: 0, raw, figures: vec![], resident_mib: BTreeMap::new() };
        let plan = PLAN.iter().flat_map(|(operation, at)| at.iter().map(move |n| (operation, n)));
        let wanted =
            plan.filter(|(operation, _)| operation.to_string().contains(self.only.unwrap_or_default()));
        for (operation, in_flight) in wanted {
            let figure = self.operation(system, *operation, *in_flight)?;
            stage.figures.push(figure);
            system.check()?;
            for (name, bytes) in system.processes.resident_bytes() {
                let most = stage.resident_mib.entry(name).or_default();
                *most = most.max(bytes as f64 / f64::from(1 << 20));
            }
        }
        Ok(stage)
    }

    /// Opens the console's pages where there is hardly anything and where there is very much, each page here and there one
    /// after the other; a stage for each extent.
    ///
    /// # Errors
    /// When something ends or cannot be measured; wrong answers are part of the figures.
    pub(crate) fn pages(&self, system: &System, extents: [Extent; 2]) -> Result<Vec<Stage>> {
        let mut visits = Vec::new();
        for extent in extents {
            (self.progress)(&format!("{} users, {} log lines", short(extent.users), short(extent.lines)));
            let target = self.runtime.block_on(system.visit(extent, || self.go_on()))?;
            visits.push((extent, target, Vec::new()));
        }
        for page in PAGES {
            for (extent, target, figures) in &mut visits {
                let users = extent.users;
                // Anew for each page: the console does not keep a connection for as long as another page is measured.
                let mut visitors = self.runtime.block_on(target.connect(1))?;
                figures.push(self.figure(&system.processes, &page.to_string(), 1, |duration| {
                    let open = async |connection: &mut _| page.open(connection, users).await;
                    Ok(self.runtime.block_on(closed_loop(&mut visitors, duration, open)))
                })?);
                system.check()?;
            }
        }
        let stages = visits.into_iter().map(|(extent, _, figures)| Stage {
            users: extent.users,
            log_lines: extent.lines,
            raw: vec![],
            figures,
            resident_mib: BTreeMap::new(),
        });
        Ok(stages.collect())
    }

    /// Disables people who are signed in to the console, and waits for each until their session has ended.
    ///
    /// # Errors
    /// When something ends or cannot be measured; wrong answers are part of the figures.
    pub(crate) fn access(&self, system: &System, people: u64) -> Result<Stage> {
        (self.progress)(&format!("{} people who are signed in", short(people)));
        let signed_in = system.signed_in(people)?;
        let mut figures = Vec::new();
        for in_flight in access::IN_FLIGHT {
            let mut callers = self.runtime.block_on(signed_in.gateway.connect(in_flight))?;
            figures.push(self.figure(&system.processes, access::WHAT, in_flight, |duration| {
                Ok(self.runtime.block_on(signed_in.disable(&mut callers, duration)))
            })?);
            system.check()?;
        }
        Ok(Stage { users: people, log_lines: 0, raw: vec![], figures, resident_mib: BTreeMap::new() })
    }

    /// Measures the same without traces and with all of them, in turn, so that both meet the same moods of the machine; a
    /// stage for each.
    ///
    /// # Errors
    /// When something ends or cannot be measured; wrong answers are part of the figures.
    pub(crate) fn tracing(&self, disk: &Path) -> Result<Vec<Stage>> {
        let collector = tracing::collector()?;
        (self.progress)("without traces, and with all of them");
        let mut sides = Vec::new();
        for environment in [vec![], tracing::environment(collector)] {
            let mut system = System::start(disk, self.progress, environment)?;
            system.grow_to(tracing::USERS, |_| self.go_on())?;
            sides.push((system, Vec::new()));
        }
        let once = Course { effort: Effort { runs: 1, ..self.effort }, ..*self };
        for (operation, in_flight) in tracing::PLAN {
            let mut taken = [vec![], vec![]];
            for run in 0..self.effort.runs {
                let mut turns: Vec<_> = sides.iter().zip(&mut taken).collect();
                // What the one leaves to be written back, the other waits for.
                if run % 2 == 1 {
                    turns.reverse();
                }
                for ((system, _), taken) in turns {
                    taken.push(once.operation(system, operation, in_flight)?);
                    system.check()?;
                }
            }
            for ((_, figures), taken) in sides.iter_mut().zip(taken) {
                figures.extend(Figure::of_runs(taken));
            }
        }
        let stages = sides.into_iter().map(|(_, figures)| Stage {
            users: tracing::USERS,
            log_lines: 0,
            raw: vec![],
            figures,
            resident_mib: BTreeMap::new(),
        });
        Ok(stages.collect())
    }

    fn operation(&self, system: &System, operation: Operation, in_flight: usize) -> Result<Figure> {
        let target = system.target(operation);
        let mut callers = self.runtime.block_on(target.connect(in_flight))?;
        let mut hiring = match system.hiring(operation)? {
            Some(target) => self.runtime.block_on(target.connect(HIRING))?,
            None => vec![],
        };
        self.figure(&system.processes, &operation.to_string(), in_flight, |duration| {
            let call = async |connection: &mut _| operation.perform(connection, &system.people).await;
            let hire = async |connection: &mut _| Operation::Create.perform(connection, &system.people).await;
            let both = async {
                tokio::join!(
                    closed_loop(&mut callers, duration, call),
                    closed_loop(&mut hiring, duration, hire)
                )
            };
            let (mut outcome, hires) = self.runtime.block_on(both);
            outcome.failures.extend(hires.failures);
            Ok(outcome)
        })
    }

    /// What the machine can do at this time.
    fn raw(&self, system: &System) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        let rows = RawRows::create(system.postgres(), system.directory())?;
        for writers in [1, BUSY] {
            figures.push(
                self.figure(&system.processes, RAW_ROWS, writers, |duration| rows.insert(writers, duration))?,
            );
        }
        drop(rows);
        let bus = RawBus::start(system.directory(), self.runtime)?;
        let processes = Processes::new([("nats-server".to_owned(), bus.pid())].into());
        let exchanges =
            [(RAW_ROUND_TRIP, Exchange::RequestReply, 1), (RAW_ROUND_TRIP, Exchange::RequestReply, BUSY)];
        for (what, exchange, in_flight) in
            exchanges.into_iter().chain([(RAW_PUBLISH, Exchange::PublishAck, BUSY)])
        {
            figures.push(self.figure(&processes, what, in_flight, |duration| {
                Ok(bus.exchange(exchange, in_flight, duration))
            })?);
        }
        drop(bus);
        figures.push(self.operation(system, Operation::Health, BUSY)?);
        Ok(figures)
    }
}
