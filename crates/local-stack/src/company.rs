//! A customer company with its Entra token, made by `timeclock-operator` as an operator would.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{probe, secrets, service::isolated, topology::Environment};

/// A company that can be provisioned at once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Company {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What its administrator pastes into Entra.
    pub scim_token: String,
    /// Who signs in to the console; null while there is none.
    pub admin_email: Option<String>,
    /// Their password; null while there is none.
    pub admin_password: Option<String>,
}

impl std::fmt::Debug for Company {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Company").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Company {
    pub(crate) fn create(name: &str, operator: &Operator) -> Result<Self> {
        let company = operator.run(&["company", "create", "--name", name])?;
        let id = text(&company, "id")?;
        let token = operator.run(&["token", "issue", "--company", &id])?;
        let scim_token = text(&token, "token")?;
        Ok(Self { id, name: name.to_owned(), scim_token, admin_email: None, admin_password: None })
    }

    /// Invites an administrator and accepts, as an operator and a browser would.
    pub(crate) fn give_administrator(
        &mut self,
        email: &str,
        operator: &Operator,
        console: &str,
    ) -> Result<()> {
        let invited = operator.run(&["administrator", "invite", "--company", &self.id, "--email", email])?;
        let link = text(&invited, "link")?;
        let path = link.strip_prefix(console).with_context(|| format!("{link} is not at {console}"))?;
        let password = secrets::password();
        let form = format!("name=Admin+of+{}&password={password}", self.name.replace(' ', "+"));
        let status = probe::post_form(console, path, &form).context("the console does not answer")?;
        if status != 303 {
            bail!("the console did not accept the invitation of {email}: {status}");
        }
        self.admin_email = Some(email.to_owned());
        self.admin_password = Some(password);
        Ok(())
    }
}

/// `timeclock-operator` with the rights to talk to this stack.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) program: std::path::PathBuf,
    pub(crate) environment: Environment,
}

impl Operator {
    /// Its answer as JSON.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Value> {
        let shown = format!("timeclock-operator {}", arguments.join(" "));
        let mut command = isolated(Command::new(&self.program));
        command.arg("--json").args(arguments).envs(self.environment.iter().cloned());
        let output = command.output().with_context(|| format!("cannot start {shown}"))?;
        if !output.status.success() {
            bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("`{shown}` did not print JSON"))
    }
}

fn text(answer: &Value, key: &str) -> Result<String> {
    let found = answer.get(key).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("timeclock-operator printed no {key}"))
}
