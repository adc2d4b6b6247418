//! People at a browser: the scenarios of `tests-e2e/browser`, which Node runs and Chromium shows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use local_stack::binaries::Binaries;
use serde_json::{Value, json};

use crate::world::{self, World};

/// What drives the browser, installed.
pub struct Browser {
    target: PathBuf,
}

impl Browser {
    /// Installs what is not installed yet.
    ///
    /// # Panics
    /// When the script fails.
    #[must_use]
    pub fn install() -> Self {
        let target = world::target_directory().expect("a target directory");
        let script = sources().join("../../scripts/install-browser-modules");
        let installed = Command::new(&script).env("CARGO_TARGET_DIR", &target).output();
        let installed = installed.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        assert!(installed.status.success(), "{}", shown(&installed));
        Self { target }
    }

    /// Runs the tests of one file that need nothing but a browser.
    ///
    /// # Panics
    /// When one of them fails, with what they said.
    pub fn run(&self, scenario: &str) {
        self.node(scenario, None);
    }

    /// Runs the tests of one file in a world, of which they are told where everything is, and what `more` holds.
    ///
    /// # Panics
    /// When one of them fails, with what they said.
    pub fn run_in(&self, world: &World, scenario: &str, more: &Value) {
        let endpoints = world.stack().endpoints();
        let binaries = Binaries::beside_this_program().expect("the programs");
        let mut told = json!({
            "scim_url": endpoints.scim_url,
            "console_url": endpoints.console_url,
            "token_url": endpoints.token_url,
            "company": world.company,
            "entra_emulator": binaries.find("entra-emulator").expect("the emulator"),
            "screenshots": self.target.join("screenshots"),
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            told[key] = value.clone();
        }
        // It holds a company's secrets: in a directory of its owner's, which goes with this scenario.
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("world.json");
        fs::write(&file, told.to_string()).expect("the world can be written down");
        self.node(scenario, Some(&file));
    }

    fn node(&self, scenario: &str, world: Option<&Path>) {
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=spec"]).arg(sources().join("tests").join(scenario));
        node.env("BROWSER_MODULES", self.target.join("browser"));
        node.envs(world.map(|file| ("BROWSER_WORLD", file)));
        let output = node.output().expect("node starts: scripts/install-system-packages tests installs it");
        assert!(output.status.success(), "{}", shown(&output));
        println!("{}", shown(&output));
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn shown(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}
