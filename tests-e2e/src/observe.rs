//! What can be seen from outside, beside SCIM: the second listeners and the logs.

use std::{collections::BTreeSet, fs, path::Path};

use local_stack::Stack;
use reqwest::Client;
use tokio::task::block_in_place;

use crate::metrics::Told;

/// The status and the body of a path of an instance's second listener; `None` when nobody answers.
pub async fn second_listener(stack: &Stack, instance: &str, path: &str) -> Option<(u16, String)> {
    let metrics = block_in_place(|| stack.endpoints()).metrics.remove(instance)?;
    let response = Client::new().get(metrics.replace("/metrics", path)).send().await.ok()?;
    Some((response.status().as_u16(), response.text().await.ok()?))
}

/// An instance's metrics; `None` when they cannot be read.
pub async fn told(stack: &Stack, instance: &str) -> Option<Told> {
    let (_, text) = second_listener(stack, instance, "/metrics").await?;
    Some(Told::read(&text))
}

/// A metric's value, summed over its labels; `None` when it cannot be read or does not exist.
pub async fn metric(stack: &Stack, instance: &str, name: &str) -> Option<f64> {
    told(stack, instance).await?.sum(name, &[])
}

/// How many requests the gateway has answered with this status; `None` when it cannot be read.
pub async fn answers_with(stack: &Stack, status: u16) -> Option<f64> {
    let told = told(stack, "scim-gateway").await?;
    let status = status.to_string();
    Some(told.sum("timeclock_http_requests_total", &[("status", &status)]).unwrap_or_default())
}

/// The mails to this address that the console has sent, as they travel but with their long lines whole.
///
/// # Panics
/// When they cannot be read.
#[must_use]
pub fn mails(stack: &Stack, address: &str) -> Vec<String> {
    let folder = fs::read_dir(stack.workdir().join("mail")).expect("a directory of mails");
    // A mail under way may be half written; whoever waits for it looks again.
    let mails = folder.map(|entry| text(&entry.expect("a mail").path()).replace("=\r\n", ""));
    mails.filter(|mail| mail.lines().any(|line| line.starts_with("To: ") && line.contains(address))).collect()
}

/// Every log of a stack, the backing servers' included: its name and its text.
///
/// # Panics
/// When they cannot be read.
#[must_use]
pub fn logs(stack: &Stack) -> Vec<(String, String)> {
    let folder = fs::read_dir(stack.workdir().join("logs")).expect("a directory of logs");
    let files = folder.map(|entry| entry.expect("a log").path());
    files.chain([stack.postgres().log(), stack.nats().log()]).map(|log| (name(&log), text(&log))).collect()
}

/// What a service should never have to say: lines of level ERROR, and panics.
#[must_use]
pub fn complaints(stack: &Stack) -> BTreeSet<String> {
    let complains = |line: &&str| {
        line.contains("\"level\":\"ERROR\"") || (line.contains("thread '") && line.contains("panicked"))
    };
    logs(stack)
        .iter()
        .flat_map(|(log, text)| {
            text.lines().filter(complains).map(move |line| format!("{log}: {line}")).collect::<Vec<_>>()
        })
        .collect()
}

/// The last lines of every log, for whoever reads a failed test.
#[must_use]
pub fn log_tails(stack: &Stack) -> String {
    const LINES: usize = 30;
    let tail = |text: &str| {
        let lines: Vec<_> = text.lines().collect();
        lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
    };
    let logs = logs(stack);
    logs.iter().map(|(log, text)| format!("--- the end of {log}\n{}\n", tail(text))).collect()
}

fn name(log: &Path) -> String {
    log.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn text(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// A page of the reference, `docs/reference/<name>`.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(name);
    fs::read_to_string(path).expect("a page of the reference")
}

/// What the first columns of the tables below a heading name, up to the next heading of its rank.
#[must_use]
pub fn documented(page: &str, heading: &str) -> BTreeSet<String> {
    let rank = heading.split(' ').next().unwrap_or_default();
    let mut below = page.lines().skip_while(|line| *line != heading);
    let below = below.by_ref().skip(1).take_while(|line| line.split(' ').next() != Some(rank));
    below.filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned)).collect()
}
