//! What each process of the system has used: CPU time and resident memory, from `/proc`.
//!
//! Elsewhere than on Linux nothing is known, and the figures are left out.

use std::{collections::BTreeMap, fs, time::Duration};

/// The unit of `/proc/<pid>/stat`. Linux has reported CPU time in hundredths of a second to programs for ever.
const TICK: Duration = Duration::from_millis(10);
/// What the process of the benchmark itself is called.
pub(crate) const LOAD_GENERATOR: &str = "load generator";

/// The processes to be watched, by name.
#[derive(Debug, Clone)]
pub(crate) struct Processes(BTreeMap<String, u32>);

/// CPU time by process, user and system together.
pub(crate) type CpuTimes = BTreeMap<String, Duration>;

/// One line of the process table.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    pid: u32,
    parent: u32,
    own: Duration,
    /// Of children that have ended.
    ended_children: Duration,
}

impl Processes {
    /// These, and the running process itself.
    pub(crate) fn new(known: BTreeMap<String, u32>) -> Self {
        let mut all = known;
        all.insert(LOAD_GENERATOR.to_owned(), std::process::id());
        Self(all)
    }

    /// CPU time used so far. A server that works in processes of its own, as Postgres does, counts with all of them.
    pub(crate) fn cpu_times(&self) -> CpuTimes {
        let table = table();
        let of = |(name, pid): (&String, &u32)| {
            // The servers are children of the benchmark too, and not its own work.
            let with_children = name != LOAD_GENERATOR;
            Some((name.clone(), used(&table, *pid, with_children)?))
        };
        self.0.iter().filter_map(of).collect()
    }

    /// Resident memory in bytes, of processes that work alone: Postgres's share most of theirs and cannot be added up.
    pub(crate) fn resident_bytes(&self) -> BTreeMap<String, u64> {
        let table = table();
        let alone = |pid: u32| !table.iter().any(|entry| entry.parent == pid && pid != std::process::id());
        let of = |(name, pid): (&String, &u32)| Some((name.clone(), resident(*pid).filter(|_| alone(*pid))?));
        self.0.iter().filter_map(of).collect()
    }
}

fn used(table: &[Entry], pid: u32, with_children: bool) -> Option<Duration> {
    let entry = table.iter().find(|entry| entry.pid == pid)?;
    if !with_children {
        return Some(entry.own);
    }
    let children = table.iter().filter(|child| child.parent == pid);
    let living: Duration = children.filter_map(|child| used(table, child.pid, true)).sum();
    Some(entry.own + entry.ended_children + living)
}

fn table() -> Vec<Entry> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    lines.filter_map(|line| parse(&line)).collect()
}

/// `proc(5)`: pid, the name in parentheses, state, parent, …; the fields 14 to 17 are the times.
fn parse(line: &str) -> Option<Entry> {
    let (pid, _) = line.split_once(' ')?;
    // The name may itself hold parentheses and spaces.
    let (_, rest) = line.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |place: usize| Some(TICK * fields.get(place)?.parse().ok()?);
    Some(Entry {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        ended_children: ticks(13)? + ticks(14)?,
    })
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "42 (a (b) c) S 7 42 42 0 -1 4194304 100 0 0 0 150 50 30 20 20 0 9 0 100 1 2";

    #[test]
    fn a_line_of_the_process_table_is_read_whatever_the_name() {
        let hundredths = |count| TICK * count;
        let expected = Entry { pid: 42, parent: 7, own: hundredths(200), ended_children: hundredths(50) };
        assert_eq!(parse(LINE), Some(expected));
    }

    #[test]
    fn children_that_live_and_children_that_have_ended_count_with_their_parent() {
        let child = Entry { pid: 43, parent: 42, own: TICK * 5, ended_children: Duration::ZERO };
        let table = [parse(LINE).unwrap(), child];
        assert_eq!(used(&table, 42, true), Some(TICK * 255));
        assert_eq!(used(&table, 42, false), Some(TICK * 200));
        assert_eq!(used(&table, 44, true), None);
    }
}
