//! The report as Markdown, fit for a README.

use std::collections::BTreeSet;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use super::{Figure, Report, Stage, short};
use crate::targets::{BUSY, growth};

pub(crate) fn markdown(report: &Report) -> String {
    let machine = &report.machine;
    let mut parts = vec![format!(
        "Measured {} on {} ({} cores, {} GiB, {}), PostgreSQL {}, nats-server {}, commit {}; \
         median of {} runs of {} s each, load generator included.",
        report.began_at.split('T').next().unwrap_or_default(),
        machine.cpu,
        machine.cores,
        machine.memory_gib,
        machine.system,
        machine.postgres,
        machine.nats_server,
        machine.commit,
        report.effort.runs,
        report.effort.seconds,
    )];
    if !report.stages.is_empty() {
        parts.push("The machine by itself:".to_owned());
        parts.push(figures_by_size(&report.stages, |stage| &stage.raw));
        parts.push(
            "The system, by users already there (per second, p50, CPU time of all processes):".to_owned(),
        );
        parts.push(figures_by_size(&report.stages, |stage| &stage.figures));
    }
    if let Some(stage) = report.stages.last() {
        parts.push(format!(
            "Where the time goes: µs of CPU per operation with {BUSY} in flight and {} users there:",
            short(stage.users)
        ));
        parts.push(processes(stage));
    }
    if !report.pages.is_empty() {
        parts.push("The console's pages, by what there is to show (per second, p50, CPU time):".to_owned());
        parts.push(figures_by_size(&report.pages, |stage| &stage.figures));
    }
    if let Some(stage) = report.access.first() {
        parts.push("From Entra's PATCH until the session of whoever it disables has ended:".to_owned());
        parts.push(latencies(stage));
    }
    if !report.tracing.is_empty() {
        parts.push("What traces cost, with all of them exported (per second, p50, CPU time):".to_owned());
        let titles = ["no traces", "every trace"].map(ToOwned::to_owned).into();
        parts.push(figures(&report.tracing, titles, "every ÷ no", |stage| &stage.figures));
    }
    parts.push("Against the targets (**met**, **stretch** met, or **missed**):".to_owned());
    parts.push(verdicts(report));
    parts.join("\n\n")
}

fn table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A table that tells how long things took.
fn latencies(stage: &Stage) -> String {
    let header = ["what", "in flight", "per second", "p50", "p99"].map(str::to_owned);
    let mut table = table(header.into());
    for figure in &stage.figures {
        let milliseconds = [figure.p50_ms, figure.p99_ms].map(|time| format!("{time:.1} ms"));
        let mut row =
            vec![figure.what.clone(), figure.in_flight.to_string(), format!("{:.0}", figure.per_second)];
        row.extend(milliseconds);
        table.add_row(row);
    }
    table.to_string()
}

/// A table with a column for each stage, called by its size.
fn figures_by_size(stages: &[Stage], of: impl Fn(&Stage) -> &Vec<Figure>) -> String {
    let titles = stages.iter().map(titled).collect();
    let ratio = |(last, first): (&Stage, &Stage)| format!("{} ÷ {}", short(last.users), short(first.users));
    figures(stages, titles, &stages.last().zip(stages.first()).map(ratio).unwrap_or_default(), of)
}

fn figures(
    stages: &[Stage],
    titles: Vec<String>,
    ratio: &str,
    of: impl Fn(&Stage) -> &Vec<Figure>,
) -> String {
    let mut header = vec!["what".to_owned(), "in flight".to_owned()];
    header.extend(titles);
    let last_and_first = stages.last().zip(stages.first()).filter(|_| stages.len() > 1);
    header.extend(last_and_first.map(|_| ratio.to_owned()));
    let mut table = table(header);
    for figure in stages.first().map(&of).into_iter().flatten() {
        let mut row = vec![figure.what.clone(), figure.in_flight.to_string()];
        row.extend(stages.iter().map(|stage| {
            let same = stage.figure(&figure.what, figure.in_flight);
            same.map(cell).unwrap_or_default()
        }));
        row.extend(last_and_first.map(|(last, first)| {
            growth(first, last, figure).map(|ratio| format!("{ratio:.2}")).unwrap_or_default()
        }));
        table.add_row(row);
    }
    table.to_string()
}

fn titled(stage: &Stage) -> String {
    let users = format!("{} users", short(stage.users));
    if stage.log_lines == 0 { users } else { format!("{users}, {} lines", short(stage.log_lines)) }
}

fn cell(figure: &Figure) -> String {
    let rate = figure.per_second;
    let rate = if rate >= 1_000.0 { format!("{:.1} k/s", rate / 1_000.0) } else { format!("{rate:.0} /s") };
    format!("{rate}, {:.2} ms, {:.0} µs", figure.p50_ms, figure.cpu_us_total())
}

fn processes(stage: &Stage) -> String {
    let busy: Vec<_> = stage.figures.iter().filter(|figure| figure.in_flight == BUSY).collect();
    let names: BTreeSet<_> = busy.iter().flat_map(|figure| figure.cpu_us.keys()).collect();
    let mut header = vec!["what".to_owned()];
    header.extend(names.iter().map(|name| (*name).clone()));
    header.push("together".to_owned());
    let mut table = table(header);
    for figure in busy {
        let mut row = vec![figure.what.clone()];
        row.extend(
            names
                .iter()
                .map(|name| figure.cpu_us.get(*name).map(|time| format!("{time:.0}")).unwrap_or_default()),
        );
        row.push(format!("{:.0}", figure.cpu_us_total()));
        table.add_row(row);
    }
    table.to_string()
}

fn verdicts(report: &Report) -> String {
    let mut header: Vec<String> = ["what", "target", "stretch"].map(str::to_owned).into();
    let sizes: BTreeSet<u64> = report.verdicts.iter().map(|verdict| verdict.users).collect();
    header.extend(sizes.iter().map(|users| format!("{} users", short(*users))));
    let mut table = table(header);
    let mut seen: Vec<&str> = Vec::new();
    for verdict in &report.verdicts {
        if seen.contains(&verdict.what.as_str()) {
            continue;
        }
        seen.push(&verdict.what);
        let sign = if verdict.at_most { '≤' } else { '≥' };
        let mut row = vec![verdict.what.clone()];
        row.extend([verdict.target, verdict.stretch].map(|limit| format!("{sign} {limit}")));
        row.extend(sizes.iter().map(|users| {
            let same = |other: &&super::Verdict| other.what == verdict.what && other.users == *users;
            let found = report.verdicts.iter().find(same);
            found.map(|one| format!("{:.2} {}", one.value, one.word())).unwrap_or_default()
        }));
        table.add_row(row);
    }
    table.to_string()
}
