//! An operator of ours, at `timeclock-operator`.

use local_stack::Stack;
use serde_json::Value;
use tokio::task::block_in_place;

/// A token and its id.
#[derive(Clone)]
pub struct Token {
    /// Its id, by which it is revoked.
    pub id: String,
    /// What is pasted into Entra.
    pub secret: String,
}

/// An operator who looks after one company.
pub struct Operator<'a> {
    stack: &'a Stack,
    company: &'a str,
}

impl<'a> Operator<'a> {
    /// The operator of this stack, about this company.
    #[must_use]
    pub const fn new(stack: &'a Stack, company: &'a str) -> Self {
        Self { stack, company }
    }

    /// Issues a token that works for so long, for example `365d`.
    #[must_use]
    pub fn issue(&self, lifetime: &str) -> Token {
        token(&self.run("issue", &["--lifetime", lifetime]))
    }

    /// Issues a successor; the other tokens work for `overlap` longer, for example `3d`.
    #[must_use]
    pub fn rotate(&self, overlap: &str) -> Token {
        token(&self.run("rotate", &["--overlap", overlap]))
    }

    /// Ends a token.
    pub fn revoke(&self, token: &str) {
        drop(self.run("revoke", &["--token", token]));
    }

    /// The company's tokens, without their secrets.
    ///
    /// # Panics
    /// When the answer is no list.
    #[must_use]
    pub fn tokens(&self) -> Vec<Value> {
        self.run("list", &[]).as_array().cloned().expect("a list of tokens")
    }

    /// Invites somebody who reads `language` to the console as `administrator` or `auditor`; returns the link to accept.
    ///
    /// # Panics
    /// When the answer has no link.
    #[must_use]
    pub fn invite(&self, email: &str, role: &str, language: &str) -> String {
        let arguments = ["--email", email, "--role", role, "--language", language];
        let invited = self.execute("administrator", "invite", &arguments);
        invited["link"].as_str().expect("a link").to_owned()
    }

    /// Says that a domain is the company's.
    pub fn vouch(&self, domain: &str) {
        drop(self.execute("sign-in", "vouch", &["--domain", domain]));
    }

    /// Creates an OAuth client, by a secret unless `arguments` say otherwise; the answer has its secret.
    #[must_use]
    pub fn create_client(&self, arguments: &[&str]) -> Value {
        self.execute("client", "create", arguments)
    }

    /// Ends a client.
    pub fn revoke_client(&self, client: &str) {
        drop(self.execute("client", "revoke", &["--client", client]));
    }

    /// How the company's provisioning goes: health, freshness, size.
    #[must_use]
    pub fn activity(&self) -> Value {
        self.execute("activity", "show", &[])
    }

    /// The provisioning log, the newest first.
    #[must_use]
    pub fn log(&self, arguments: &[&str]) -> Value {
        self.execute("activity", "log", arguments)
    }

    /// Entra's cycles, the newest first.
    #[must_use]
    pub fn cycles(&self) -> Value {
        self.execute("activity", "cycles", &[])
    }

    /// The company among those that are not healthy; null when it is not there.
    ///
    /// # Panics
    /// When the answer is no list.
    #[must_use]
    pub fn trouble(&self) -> Value {
        let all = self.ask(&["activity", "health"]);
        let all = all.as_array().expect("a list of companies");
        all.iter().find(|row| row["company_id"] == self.company).cloned().unwrap_or_default()
    }

    /// What was done to the company (`company`), its credentials (`token`) or those who may sign in (`administrator`),
    /// the newest first.
    #[must_use]
    pub fn events(&self, subject: &str) -> Value {
        self.execute(subject, "events", &[])
    }

    /// Lists people, shows one, or signs one out.
    #[must_use]
    pub fn person(&self, command: &str, arguments: &[&str]) -> Value {
        self.execute("person", command, arguments)
    }

    /// Declares a schema of the company's own, from a file with its document.
    pub fn declare_schema(&self, file: &str) {
        drop(self.execute("schema", "declare", &["--file", file]));
    }

    /// Removes a schema of the company's own.
    pub fn remove_schema(&self, urn: &str) {
        drop(self.execute("schema", "remove", &["--urn", urn]));
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Value {
        self.execute("token", command, arguments)
    }

    fn execute(&self, subject: &str, command: &str, arguments: &[&str]) -> Value {
        self.ask(&[&[subject, command, "--company", self.company], arguments].concat())
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        block_in_place(|| self.stack.operator(arguments)).expect("timeclock-operator")
    }
}

fn token(answer: &Value) -> Token {
    let text = |key: &str| answer[key].as_str().expect("an id and a token").to_owned();
    Token { id: text("id"), secret: text("token") }
}
