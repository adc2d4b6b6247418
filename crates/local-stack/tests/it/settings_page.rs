//! `docs/reference/settings.md` is what the programs say of their settings. `make gen` (these tests with
//! `UPDATE_GENERATED=1`) writes it anew.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

use local_stack::topology::SERVICES;
use serde_json::Value;

use crate::programs;

const BEFORE: &str = "\
# Every setting

<!-- Written by `make gen` from what the programs say of themselves. Do not edit. -->

A service is set up by environment variables and by nothing else; an empty one counts as not set.
What is wrong is reported at once, all of it, and the process ends with exit status 64.
A variable that begins with `TIMECLOCK_` and that the service does not know is refused, because it is a misspelt setting.
A secret of ours can also be given as a file: `NAME_FILE` instead of `NAME`.

`<service> settings` prints what is below for that service as a file to fill in, and `<service> serve --check` what is in effect, secrets redacted.
`timeclock-operator`, `local-stack` and `entra-emulator` have command lines: their `--help` says what they read.
What has no setting is fixed: [every limit](limits.md).
";

/// A setting, the same in several programs.
struct Row {
    described: Value,
    /// Each program with what holds there while the setting is not set.
    absences: Vec<(&'static str, String)>,
    read_by: Vec<String>,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// What a program says of its settings.
fn listing(program: &str) -> Vec<Value> {
    let output = Command::new(programs().find(program).unwrap())
        .args(["settings", "--json"])
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    let listing: Value = serde_json::from_slice(&output.stdout).unwrap();
    listing["settings"].as_object().unwrap().values().cloned().collect()
}

fn absence(described: &Value) -> String {
    let absence = &described["absence"];
    match (absence["default"].as_str(), absence["means"].as_str()) {
        (Some(value), _) => format!("`{value}`"),
        (_, Some(words)) => words.to_owned(),
        _ => "**required**".to_owned(),
    }
}

fn rows() -> Vec<Row> {
    // The same name may mean different things in different programs.
    let mut rows: BTreeMap<[String; 3], Row> = BTreeMap::new();
    for service in &SERVICES {
        for described in listing(service.name) {
            let key = ["name", "meaning", "form"].map(|key| text(&described, key).to_owned());
            let row = rows.entry(key).or_insert_with(|| Row {
                described: described.clone(),
                absences: Vec::new(),
                read_by: Vec::new(),
            });
            row.absences.push((service.name, absence(&described)));
            for command in described["read_by"].as_array().unwrap() {
                let command = command.as_str().unwrap().to_owned();
                if !row.read_by.contains(&command) {
                    row.read_by.push(command);
                }
            }
        }
    }
    rows.into_values().collect()
}

fn line(row: &Row) -> String {
    let all = |(_, absence): &(&str, String)| *absence == row.absences[0].1;
    let unless_set = if row.absences.iter().all(all) {
        row.absences[0].1.clone()
    } else {
        let each = row.absences.iter().map(|(program, absence)| format!("{absence} ({program})"));
        each.collect::<Vec<_>>().join(", ")
    };
    let secret = if row.described["secret"] == true { "a secret: " } else { "" };
    let [name, form, meaning] = ["name", "form", "meaning"].map(|key| text(&row.described, key));
    format!("| `{name}` | {meaning} | {secret}{form} | {unless_set} | {} |\n", row.read_by.join(", "))
}

fn page() -> String {
    let mut sections: BTreeMap<Vec<&str>, String> = BTreeMap::new();
    for row in rows() {
        let mut readers: Vec<_> = row.absences.iter().map(|(program, _)| *program).collect();
        readers.sort_unstable();
        sections.entry(readers).or_default().push_str(&line(&row));
    }
    let mut sections: Vec<_> = sections.into_iter().collect();
    sections.sort_by_key(|(readers, _)| std::cmp::Reverse(readers.len()));
    let mut page = BEFORE.to_owned();
    for (readers, lines) in sections {
        let title =
            if readers.len() == SERVICES.len() { "Every service".to_owned() } else { readers.join(", ") };
        write!(page, "\n## {title}\n\n| variable | meaning | must be | unless it is set | read by |\n")
            .unwrap();
        write!(page, "|---|---|---|---|---|\n{lines}").unwrap();
    }
    page
}

#[test]
fn the_page_of_settings_is_current() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/settings.md");
    let written = page();
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&committed, &written).unwrap();
    }
    let committed = fs::read_to_string(&committed).unwrap_or_default();
    assert!(written == committed, "docs/reference/settings.md is not what the programs say: run `make gen`");
}

#[test]
fn every_setting_says_in_a_sentence_what_it_means() {
    for service in &SERVICES {
        for described in listing(service.name) {
            let (name, meaning) = (text(&described, "name"), text(&described, "meaning"));
            let is_sentence =
                meaning.ends_with('.') && meaning.starts_with(|first: char| !first.is_lowercase());
            assert!(is_sentence, "{name} of {} is declared without its meaning: {meaning:?}", service.name);
            assert!(
                !meaning.contains('|') && !text(&described, "form").contains('|'),
                "{name} breaks the table"
            );
        }
    }
}

#[test]
fn a_program_accepts_the_file_that_it_prints_once_the_required_lines_are_filled_in() {
    for service in &SERVICES {
        let program = programs().find(service.name).unwrap();
        let printed = Command::new(&program).arg("settings").env_clear().output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let lines = printed.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let variables = lines.map(|line| match line.split_once('=').unwrap() {
            ("TIMECLOCK_POSTGRES_URL", "") => ("TIMECLOCK_POSTGRES_URL", "postgres://localhost/timeclock"),
            ("TIMECLOCK_SEALING_KEY", "") => {
                ("TIMECLOCK_SEALING_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            }
            (name, "") => (name, "filled-in"),
            pair => pair,
        });
        let checked = Command::new(&program).args(["serve", "--check"]).env_clear().envs(variables).output();
        let checked = checked.unwrap();
        assert!(checked.status.success(), "{}: {}", service.name, String::from_utf8_lossy(&checked.stderr));
        let in_effect = String::from_utf8(checked.stdout).unwrap();
        assert!(in_effect.contains("TIMECLOCK_SHUTDOWN_DEADLINE_MS=20000"), "{in_effect}");
    }
}
