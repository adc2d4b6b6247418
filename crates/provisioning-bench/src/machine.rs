//! Where the figures come from: without it, they say nothing.

use std::{fs, process::Command, thread};

use serde::{Deserialize, Serialize};

/// The machine and the versions. What the system does not tell is "unknown".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The CPU's model.
    pub cpu: String,
    /// How many cores the benchmark and everything it starts may use.
    pub cores: usize,
    /// Main memory.
    pub memory_gib: u64,
    /// The operating system and its version.
    pub system: String,
    /// The server's version.
    pub postgres: String,
    /// The server's version.
    pub nats_server: String,
    /// What was measured.
    pub commit: String,
}

impl Machine {
    pub(crate) fn describe(postgres: String, nats_server: String) -> Self {
        let or_unknown = |found: Option<String>| found.unwrap_or_else(|| "unknown".to_owned());
        Self {
            cpu: or_unknown(field("/proc/cpuinfo", "model name", ':')),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib().map_or(0, |kibibytes| (kibibytes + (1 << 19)) >> 20),
            system: or_unknown(field("/etc/os-release", "PRETTY_NAME", '=')),
            postgres,
            nats_server,
            commit: or_unknown(commit()),
        }
    }
}

/// Main memory, where the system tells.
pub(crate) fn memory_kib() -> Option<u64> {
    kibibytes(&field("/proc/meminfo", "MemTotal", ':')?)
}

/// The first value of this name in a file of "name: value" lines.
fn field(file: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.parse().ok()
}

fn commit() -> Option<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then(|| text.trim().to_owned())
}
