//! A SAML identity provider that we did not write: pysaml2, with pages of ours around it (`identity-provider/`).
//!
//! People sign in to it as whoever they say they are; tests tell it which service providers there are, which of its two
//! keys it publishes and signs with, and what responses they want.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{
    directory::Directory,
    port,
    process::Process,
    provider::{self, ask},
};

pub use crate::provider::Options;

const NAME: &str = "identity-provider";

/// A running identity provider; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    _process: Process,
    port: u16,
    python: PathBuf,
    directory: Directory,
}

impl Server {
    /// Installs it where it is not installed yet, starts it and waits until it publishes its metadata.
    ///
    /// # Errors
    /// When Python or xmlsec1 are not installed, its packages cannot be had, or it does not start in time.
    pub fn start(options: Options) -> Result<Self> {
        let python = install()?;
        let directory = Directory::prepare(options.directory, NAME)?;
        let (port, process) = port::start_at(options.port, |port| launch(&python, &directory, port))?;
        Ok(Self { _process: process, port, python, directory })
    }

    /// Where it is: `http://127.0.0.1:<port>`. What is there is listed at the head of its `server.py`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address of its metadata, which is its entity id too.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}/metadata", self.url())
    }

    /// Its metadata, with the keys that it publishes now.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metadata(&self) -> Result<String> {
        self.get("/metadata")
    }

    /// One of its pages.
    ///
    /// # Errors
    /// When it refuses; the error has its traceback.
    pub fn get(&self, path: &str) -> Result<String> {
        ask(self.port, "GET", path, "")?.page()
    }

    /// Where it sends a browser that comes to one of its pages.
    ///
    /// # Errors
    /// When it sends it nowhere.
    pub fn get_location(&self, path: &str) -> Result<String> {
        ask(self.port, "GET", path, "")?.location()
    }

    /// Tells it something, or asks it for something: one of the addresses that take a POST.
    ///
    /// # Errors
    /// When it refuses; the error has its traceback.
    pub fn tell(&self, path: &str, text: &str) -> Result<String> {
        ask(self.port, "POST", path, text)?.page()
    }

    /// The private key and the certificate in PEM that it has under this name, `first` or `second`.
    #[must_use]
    pub fn key_files(&self, name: &str) -> (PathBuf, PathBuf) {
        let file = |extension| self.directory.path().join(format!("{name}.{extension}"));
        (file("key"), file("crt"))
    }

    /// The Python that it runs on, which has the package `cryptography`.
    #[must_use]
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        provider::log_of(NAME, &self.directory)
    }
}

/// Python with pysaml2, which signs by a program of its own.
fn install() -> Result<PathBuf> {
    crate::program::find("xmlsec1", &[]).context(
        "xmlsec1 is not installed: Debian and Ubuntu have it in the package xmlsec1, Homebrew in libxmlsec1",
    )?;
    provider::install(NAME)
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn launch(python: &Path, directory: &Directory, port: u16) -> Result<Process> {
    let mut command = Command::new(python);
    // Without caches beside the sources.
    command.arg("-B").arg(home().join("identity-provider/server.py"));
    command.arg(port.to_string()).arg(directory.path());
    let entity_id = format!("entityID=\"http://127.0.0.1:{port}/metadata\"");
    provider::launch(NAME, command, (directory, port), ("/metadata", &entity_id))
}
