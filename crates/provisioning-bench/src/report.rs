//! What a run leaves behind: JSON for programs, tables for people.

mod tables;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

pub use crate::{
    figure::{Effort, Figure},
    machine::Machine,
    targets::Verdict,
};

/// One run of the benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it began, RFC 3339, UTC.
    pub began_at: String,
    /// Where it ran, and which versions.
    pub machine: Machine,
    /// How long and how often everything was measured.
    pub effort: Effort,
    /// One per size of the directory, smallest first.
    pub stages: Vec<Stage>,
    /// The console's pages: with hardly anything to show, and with very much.
    #[serde(default)]
    pub pages: Vec<Stage>,
    /// How soon sessions end whose owners are disabled.
    #[serde(default)]
    pub access: Vec<Stage>,
    /// The same without traces, and with all of them.
    #[serde(default)]
    pub tracing: Vec<Stage>,
    /// The figures against the targets.
    pub verdicts: Vec<Verdict>,
}

/// Everything measured with so many users already there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Users of the company before its figures were taken.
    pub users: u64,
    /// Lines of its provisioning log, where pages are measured.
    #[serde(default)]
    pub log_lines: u64,
    /// What the machine could do at that time.
    pub raw: Vec<Figure>,
    /// What the system did.
    pub figures: Vec<Figure>,
    /// The most resident memory that each process was seen with, in MiB.
    pub resident_mib: BTreeMap<String, f64>,
}

impl Stage {
    /// What was measured of one thing.
    #[must_use]
    pub fn figure(&self, what: &str, in_flight: usize) -> Option<&Figure> {
        let mut all = self.raw.iter().chain(&self.figures);
        all.find(|figure| figure.what == what && figure.in_flight == in_flight)
    }
}

impl Report {
    /// Writes it into `directory`, under its date and as `latest.json`; returns the former.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<PathBuf> {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let text = serde_json::to_string_pretty(self).context("cannot write the report as JSON")?;
        let dated = directory.join(format!("{}.json", self.began_at.replace(':', "-")));
        for file in [&dated, &directory.join("latest.json")] {
            fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(dated)
    }

    /// What was answered wrongly, by figure.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let stages = self.stages.iter().chain(&self.pages).chain(&self.access).chain(&self.tracing);
        let figures = stages.flat_map(|stage| stage.raw.iter().chain(&stage.figures));
        figures.flat_map(|figure| {
            let place = format!("{}, {} in flight", figure.what, figure.in_flight);
            figure.failures.iter().map(move |failure| format!("{place}: {failure}"))
        })
    }

    /// The tables, in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        tables::markdown(self)
    }
}

/// A number of users, as short as it can be said exactly.
#[must_use]
pub fn short(users: u64) -> String {
    match users {
        _ if users >= 1_000_000 && users.is_multiple_of(1_000_000) => format!("{}m", users / 1_000_000),
        _ if users >= 1_000 && users.is_multiple_of(1_000) => format!("{}k", users / 1_000),
        _ => users.to_string(),
    }
}
