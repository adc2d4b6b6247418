//! What the tests about the deployment's files share: the files, and other people's programs that read them.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn yaml(text: &str) -> Value {
    let mut yaml: serde_norway::Value = serde_norway::from_str(text).unwrap();
    yaml.apply_merge().unwrap();
    serde_json::to_value(yaml).unwrap()
}

/// `docker-compose.yml` as Compose sees it before it puts variables in.
pub(crate) fn compose() -> Value {
    yaml(&read("docker-compose.yml"))
}

/// The names under `services`, with what they say.
pub(crate) fn services(compose: &Value) -> impl Iterator<Item = (&str, &Value)> {
    compose["services"].as_object().unwrap().iter().map(|(name, service)| (name.as_str(), service))
}

/// The texts of a list; empty when there is none.
pub(crate) fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

/// What `scripts/compose-env` prints.
pub(crate) fn compose_env() -> BTreeMap<String, String> {
    let output = Command::new(root().join("scripts/compose-env")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    dotenv(&String::from_utf8(output.stdout).unwrap())
}

/// What Compose takes a `.env` for: between single quotes everything is itself.
pub(crate) fn dotenv(text: &str) -> BTreeMap<String, String> {
    let set = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    set.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}

/// A variable that compose puts in, and its default: `${NAME}`, `${NAME:-default}`, `${NAME:?why it is needed}`.
pub(crate) fn variables(text: &str) -> Vec<(&str, Option<&str>)> {
    let inside = text.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0);
    inside
        .map(|inside| match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside.split(':').next().unwrap(), None),
        })
        .collect()
}

/// The environment of a service with `.env` put in.
pub(crate) fn environment(service: &Value, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let put_in = |text: &str| {
        let mut text = text.to_owned();
        while let Some((before, rest)) = text.split_once("${") {
            let (inside, after) = rest.split_once('}').unwrap();
            let whole = format!("${{{inside}}}");
            let (name, default) = *variables(&whole).first().unwrap();
            let value = env.get(name).map(String::as_str).or(default).unwrap_or_else(|| panic!("no {name}"));
            text = format!("{before}{value}{after}");
        }
        text
    };
    let environment = service["environment"].as_object().unwrap();
    environment.iter().map(|(name, value)| (name.clone(), put_in(value.as_str().unwrap()))).collect()
}

/// Programs that read the deployment's files as their real readers would.
pub(crate) struct Tools(PathBuf);

impl Tools {
    /// Installed the first time, beside the programs under test; tried once, whatever comes of it.
    pub(crate) fn install() -> &'static Self {
        static INSTALLED: OnceLock<Result<Tools, String>> = OnceLock::new();
        let installed = INSTALLED.get_or_init(|| {
            let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
            let script = root().join("scripts/install-deployment-tools");
            let output = Command::new(script).env("CARGO_TARGET_DIR", &target).output().unwrap();
            output.status.success().then(|| Self(target.join("deployment/bin"))).ok_or_else(|| said(&output))
        });
        installed.as_ref().unwrap_or_else(|why| panic!("{why}"))
    }

    /// One of them.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.0.join(name))
    }

    /// One of the Python programs in tests/deployment.
    pub(crate) fn python(&self, script: &str, argument: &Path, input: &Value) -> Output {
        run(self.program("python"), script, argument, input)
    }

    /// One of the JavaScript programs in tests/deployment, told where its modules are.
    pub(crate) fn node(&self, script: &str, input: &Value) -> Output {
        let modules = self.0.parent().unwrap().join("node_modules");
        run(Command::new("node"), script, &modules, input)
    }
}

fn run(mut program: Command, script: &str, argument: &Path, input: &Value) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deployment").join(script);
    program.arg(script).arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What a program printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
