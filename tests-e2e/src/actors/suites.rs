//! Conformance suites that other people wrote, as callers with a company's token.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::world;

/// What scim2-tester says of a check, at the beginning of its line.
const VERDICTS: [&str; 7] =
    ["SUCCESS", "COMPLIANT", "ACCEPTABLE", "DEVIATION", "ERROR", "CRITICAL", "SKIPPED"];
/// scim-sanity as its own entry point starts it, except that options are also read from the environment.
const SANITY: &str = "from scim_sanity.cli import main; main(auto_envvar_prefix='SCIM_SANITY')";

/// What a suite found out about one thing.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was checked, as the suite calls it.
    pub name: String,
    /// The suite's verdict, in lower case.
    pub verdict: String,
    /// What it says beside that.
    pub detail: String,
}

/// The suites, installed.
pub struct Suites {
    programs: PathBuf,
}

impl Suites {
    /// Installs what is not installed yet.
    ///
    /// # Panics
    /// When the script fails.
    #[must_use]
    pub fn install() -> Self {
        let target = world::target_directory().expect("a target directory");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/install-conformance-suites");
        let installed = Command::new(&script).env("CARGO_TARGET_DIR", &target).output();
        let installed = installed.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        assert!(installed.status.success(), "{}", shown(&installed));
        Self { programs: target.join("conformance/bin") }
    }

    /// Python, with what is installed beside the suites.
    #[must_use]
    pub fn python(&self) -> Command {
        Command::new(self.programs.join("python"))
    }

    /// Every check of scim2-tester.
    ///
    /// # Panics
    /// When it ends before it has checked everything.
    #[must_use]
    pub fn scim2_tester(&self, url: &str, token: &str) -> Vec<Check> {
        // Other users of a machine see command lines, so the token is none of its arguments.
        let mut suite = Command::new(self.programs.join("scim2"));
        suite.args(["--url", url, "test"]).env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {token}"));
        let output = suite.output().expect("scim2 starts");
        // It ends with 1 when a check has failed, and when it has failed itself.
        assert!(output.stderr.is_empty(), "{}", shown(&output));
        checks(&String::from_utf8_lossy(&output.stdout))
    }

    /// Every check of scim-sanity's probe, in its strict mode.
    ///
    /// # Panics
    /// When it ends before it has checked everything.
    #[must_use]
    pub fn scim_sanity(&self, url: &str, token: &str) -> Vec<Check> {
        let mut suite = Command::new(self.programs.join("python"));
        suite.args(["-c", SANITY, "probe", url, "--strict", "--json-output", "--i-accept-side-effects"]);
        let output = suite.env("SCIM_SANITY_PROBE_TOKEN", token).output().expect("scim-sanity starts");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let results = report["results"].as_array().unwrap_or_else(|| panic!("{}", shown(&output)));
        let text = |result: &Value, key: &str| result[key].as_str().unwrap_or_default().to_owned();
        let check = |result| Check {
            name: text(result, "name"),
            verdict: text(result, "status"),
            detail: text(result, "message"),
        };
        results.iter().map(check).collect()
    }
}

/// Reads lines of a verdict and a check, each followed by what there is to say about it.
fn checks(report: &str) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for line in report.lines() {
        match line.split_once(' ') {
            Some((verdict, name)) if VERDICTS.contains(&verdict) => checks.push(Check {
                name: name.to_owned(),
                verdict: verdict.to_lowercase(),
                detail: String::new(),
            }),
            _ => {
                if let Some(check) = checks.last_mut() {
                    check.detail.push_str(line.trim());
                }
            }
        }
    }
    checks
}

fn shown(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}
