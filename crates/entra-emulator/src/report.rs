//! What passed, what did not, with the offending exchange: for people as tables, for machines as JSON.

use std::{collections::BTreeMap, fmt::Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde::Serialize;

use crate::{
    cycle::{Counts, Cycle, CycleKind},
    exchange::{Answer, Exchange},
    latency::{Distribution, Latencies},
    mapping::Mapping,
    outcome::{Action, Entry, Failure, Kind, Outcome, Quarantine, Skip},
    wire::{Dialect, Purpose},
};

/// The failures that the JSON document holds; the counts are always complete.
const MAX_FAILURES_IN_JSON: usize = 1_000;
/// The kinds of failure that are shown to people, with one example each.
const MAX_KINDS_SHOWN: usize = 10;
/// How much of a response body is shown to people, in characters.
const MAX_BODY_SHOWN: usize = 600;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Succeeded,
    Failed,
    Quarantined,
}

/// What was run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Subject {
    pub(crate) tenant_url: String,
    pub(crate) dialect: Dialect,
    pub(crate) mapping: Mapping,
    pub(crate) seed: u64,
    pub(crate) users: usize,
    pub(crate) groups: usize,
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    result: Verdict,
    #[serde(flatten)]
    subject: Subject,
    cycles: Vec<CycleReport>,
    requests: BTreeMap<Purpose, Distribution>,
    failures_total: usize,
    failures: Vec<FailureReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<QuarantineReport>,
}

#[derive(Debug, Serialize)]
struct CycleReport {
    kind: CycleKind,
    duration_ms: f64,
    users: usize,
    users_per_second: f64,
    repeats: u64,
    counts: Vec<CountReport>,
    skipped: BTreeMap<Skip, usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire_log_fault: Option<String>,
}

#[derive(Debug, Serialize)]
struct CountReport {
    kind: Kind,
    action: Action,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize)]
struct FailureReport {
    cycle: usize,
    kind: Kind,
    object: String,
    name: String,
    action: Action,
    code: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<Exchange>,
}

#[derive(Debug, Serialize)]
struct QuarantineReport {
    cycle: usize,
    message: String,
    exchange: Exchange,
}

impl Report {
    pub(crate) fn new(subject: Subject, cycles: &[Cycle]) -> Self {
        let mut latencies = Latencies::default();
        cycles.iter().for_each(|cycle| latencies.merge(&cycle.latencies));
        let all =
            || cycles.iter().enumerate().flat_map(|(at, cycle)| cycle.failures().map(move |f| (at + 1, f)));
        let quarantine = cycles
            .iter()
            .enumerate()
            .find_map(|(at, cycle)| Some(QuarantineReport::new(at + 1, cycle.quarantine.as_ref()?)));
        let result = match &quarantine {
            Some(_) => Verdict::Quarantined,
            None if cycles.iter().all(Cycle::succeeded) => Verdict::Succeeded,
            None => Verdict::Failed,
        };
        Self {
            result,
            subject,
            cycles: cycles.iter().map(CycleReport::new).collect(),
            requests: latencies.distributions(),
            failures_total: all().count(),
            failures: all()
                .take(MAX_FAILURES_IN_JSON)
                .map(|(cycle, (entry, failure))| FailureReport::new(cycle, entry, failure))
                .collect(),
            quarantine,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.result
    }

    /// The tables, the failures and one last line that says how it ended.
    pub(crate) fn for_people(&self) -> String {
        let mut text = String::new();
        self.tables(&mut text);
        self.examples(&mut text);
        for cycle in &self.cycles {
            if let Some(fault) = &cycle.wire_log_fault {
                line(&mut text, &format!("\nThe wire log is incomplete: {fault}"));
            }
        }
        if let Some(quarantine) = &self.quarantine {
            line(
                &mut text,
                &format!("\nQUARANTINED in cycle {}: {}", quarantine.cycle, shorten(&quarantine.message)),
            );
            show(&mut text, &quarantine.exchange, &quarantine.message);
        }
        line(&mut text, &self.last_line());
        text
    }

    /// One example of each kind of failure: ten thousand users that fail for one reason are one thing to read.
    fn examples(&self, text: &mut String) {
        let mut kinds: Vec<(&FailureReport, usize)> = Vec::new();
        for failure in &self.failures {
            if let Some((_, count)) = kinds.iter_mut().find(|(example, _)| example.is_like(failure)) {
                *count += 1;
            } else if kinds.len() < MAX_KINDS_SHOWN {
                kinds.push((failure, 1));
            }
        }
        let mut shown = 0;
        for (FailureReport { action, name, code, reason, exchange, .. }, count) in &kinds {
            shown += count;
            let more = if *count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            line(text, &format!("\nFAILED {action} {name}{more}: {code}"));
            line(text, &format!("  {}", shorten(reason)));
            if let Some(exchange) = exchange {
                show(text, exchange, reason);
            }
        }
        if self.failures_total > shown {
            line(text, &format!("\nFAILED {} more; --json lists them", self.failures_total - shown));
        }
    }

    fn tables(&self, text: &mut String) {
        let mut objects = table(&["cycle", "object", "action", "success", "skipped", "failure"]);
        for (at, cycle) in self.cycles.iter().enumerate() {
            for count in &cycle.counts {
                let Counts { success, skipped, failure } = count.counts;
                objects.add_row([
                    format!("{} {}", at + 1, cycle.kind),
                    count.kind.to_string(),
                    count.action.to_string(),
                    success.to_string(),
                    skipped.to_string(),
                    failure.to_string(),
                ]);
            }
        }
        right_align(&mut objects, 3..6);
        let mut requests = table(&["request", "count", "p50 ms", "p95 ms", "max ms"]);
        for (purpose, d) in &self.requests {
            requests.add_row([
                purpose.to_string(),
                d.count.to_string(),
                format!("{:.1}", d.p50_ms),
                format!("{:.1}", d.p95_ms),
                format!("{:.1}", d.max_ms),
            ]);
        }
        right_align(&mut requests, 1..5);
        line(text, &objects.to_string());
        line(text, &format!("\n{requests}"));
    }

    fn last_line(&self) -> String {
        let users: usize = self.cycles.iter().map(|cycle| cycle.users).sum();
        let speed = self.cycles.first().map_or(0.0, |cycle| cycle.users_per_second);
        let cycles = if self.cycles.len() == 1 {
            "1 cycle".to_owned()
        } else {
            format!("{} cycles", self.cycles.len())
        };
        let what = format!("{users} user changes in {cycles}; initial cycle {speed:.1} users/s");
        match self.result {
            Verdict::Succeeded => format!("\nSucceeded: {what}; nothing failed."),
            Verdict::Failed => format!("\nFailed: {what}; {} failures.", self.failures_total),
            Verdict::Quarantined => format!("\nQuarantined: {what}; {} failures.", self.failures_total),
        }
    }
}

impl CycleReport {
    fn new(cycle: &Cycle) -> Self {
        let mut skipped = BTreeMap::new();
        for entry in &cycle.entries {
            if let Outcome::Skipped(skip) = &entry.outcome {
                *skipped.entry(*skip).or_default() += 1;
            }
        }
        Self {
            kind: cycle.kind,
            duration_ms: cycle.took.as_secs_f64() * 1e3,
            users: cycle.users,
            users_per_second: cycle.users_per_second(),
            repeats: cycle.repeats,
            counts: cycle
                .counts()
                .into_iter()
                .map(|((kind, action), counts)| CountReport { kind, action, counts })
                .collect(),
            skipped,
            wire_log_fault: cycle.wire_log_fault.clone(),
        }
    }
}

impl FailureReport {
    fn new(cycle: usize, entry: &Entry, failure: &Failure) -> Self {
        Self {
            cycle,
            kind: entry.kind,
            object: entry.object.to_string(),
            name: entry.name.clone(),
            action: entry.action,
            code: failure.code,
            reason: failure.reason.clone(),
            exchange: failure.exchange.as_deref().cloned(),
        }
    }
}

impl FailureReport {
    fn is_like(&self, other: &Self) -> bool {
        (self.action, self.code, &self.reason) == (other.action, other.code, &other.reason)
    }
}

impl QuarantineReport {
    fn new(cycle: usize, quarantine: &Quarantine) -> Self {
        let exchange = quarantine.exchange.as_ref().clone();
        Self { cycle, message: quarantine.message.clone(), exchange }
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}

fn right_align(table: &mut Table, columns: std::ops::Range<usize>) {
    for at in columns {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// An exchange in a few lines, indented under what was said about it already.
pub(crate) fn show(text: &mut String, exchange: &Exchange, said: &str) {
    line(text, &format!("  {}", exchange.summary()));
    if let Some(body) = &exchange.request_body {
        line(text, &format!("  sent     {}", shorten(&body.to_string())));
    }
    if let Answer::Response { body, .. } = &exchange.answer
        && !said.contains(body)
    {
        line(text, &format!("  received {}", shorten(body)));
    }
}

fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_BODY_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "{line}");
}
