//! An OpenID provider that we did not write: oidc-provider-mock. Whoever comes says who they are.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    directory::Directory,
    port,
    process::Process,
    provider::{self, ask, ask_with},
};

pub use crate::provider::Options;

const NAME: &str = "openid-provider";

/// A running OpenID provider; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    _process: Process,
    port: u16,
    _directory: Directory,
}

impl Server {
    /// Installs it where it is not installed yet, starts it and waits until it publishes its configuration.
    ///
    /// # Errors
    /// When Python is not installed, its packages cannot be had, or it does not start in time.
    pub fn start(options: Options) -> Result<Self> {
        let python = provider::install(NAME)?;
        let directory = Directory::prepare(options.directory, NAME)?;
        let (port, process) = port::start_at(options.port, |port| launch(&python, &directory, port))?;
        Ok(Self { _process: process, port, _directory: directory })
    }

    /// How it calls itself: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// One of its documents or pages.
    ///
    /// # Errors
    /// When it refuses.
    pub fn get(&self, path: &str) -> Result<String> {
        ask(self.port, "GET", path, "")?.page()
    }

    /// Tells it what it is to say of somebody, as JSON.
    ///
    /// # Errors
    /// When it refuses them.
    pub fn set_claims(&self, subject: &str, claims: &str) -> Result<()> {
        let path = format!("/users/{subject}");
        ask_with(self.port, "PUT", &path, ("application/json", claims))?.done()
    }

    /// Signs somebody in who came by this address; where it sends the browser with the code.
    ///
    /// # Errors
    /// When it refuses the request.
    pub fn sign_in(&self, authorization_url: &str, subject: &str) -> Result<String> {
        let path = authorization_url.trim_start_matches(&self.issuer());
        ask(self.port, "POST", path, &format!("sub={subject}"))?.location()
    }

    /// Declines to sign somebody in; where it sends the browser.
    ///
    /// # Errors
    /// When it refuses the request.
    pub fn decline(&self, authorization_url: &str) -> Result<String> {
        let path = authorization_url.trim_start_matches(&self.issuer());
        ask(self.port, "POST", path, "action=deny")?.location()
    }

    /// What its token endpoint answers to a form, whatever it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn token(&self, url: &str, form: &str) -> Result<String> {
        Ok(ask(self.port, "POST", url.trim_start_matches(&self.issuer()), form)?.body)
    }
}

/// The provider takes clients with a secret, whatever it is, and refuses all others. With this it also takes those that prove
/// themselves by an assertion, at which it does not look: whoever sends one has to verify it elsewhere.
const PROGRAM: &str = "
from oidc_provider_mock import __main__, _app
_app.AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none']
__main__.run()
";

fn launch(python: &Path, directory: &Directory, port: u16) -> Result<Process> {
    let mut command = Command::new(python);
    command.args(["-c", PROGRAM, "--require-nonce", "true", "--port"]).arg(port.to_string());
    // Authlib wants TLS, which nobody has on loopback.
    command.env("AUTHLIB_INSECURE_TRANSPORT", "1").current_dir(directory.path());
    let issuer = format!("http://127.0.0.1:{port}\"");
    provider::launch(NAME, command, (directory, port), ("/.well-known/openid-configuration", &issuer))
}
