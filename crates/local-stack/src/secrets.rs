//! The passwords and keys of one stack: made up once, kept in its working directory for its owner alone.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rand::{
    RngCore as _,
    distr::{Alphanumeric, SampleString as _},
};

use crate::{topology, workdir};

const PASSWORD_LENGTH: usize = 32;

/// Secrets by the name of the environment variable that carries them. The default has none.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Reads the file, adds what it lacks and writes it back.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub(crate) fn load_or_create(file: &Path) -> Result<Self> {
        let mut known: BTreeMap<String, String> = match std::fs::read(file) {
            Ok(text) => {
                serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))?
            }
            Err(_) => BTreeMap::new(),
        };
        let users = topology::bus_users().map(topology::bus_password_variable);
        for name in users.chain(topology::roles().map(topology::role_password_variable)) {
            known.entry(name).or_insert_with(password);
        }
        for name in topology::SERVICES.iter().flat_map(|service| service.secrets) {
            if !known.contains_key(*name) {
                let made =
                    if *name == topology::SIGN_IN_SIGNING_KEY { key_and_certificate()? } else { key() };
                known.insert((*name).to_owned(), made);
            }
        }
        workdir::write_private(file, &serde_json::to_vec_pretty(&known)?)?;
        Ok(Self(known))
    }

    /// A secret by its variable's name; empty when there is none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(crate) fn of_bus_users(&self) -> topology::Environment {
        self.pick(topology::bus_users().map(topology::bus_password_variable))
    }

    pub(crate) fn of_roles(&self) -> topology::Environment {
        self.pick(topology::roles().map(topology::role_password_variable))
    }

    fn pick(&self, names: impl Iterator<Item = String>) -> topology::Environment {
        names.map(|name| (name.clone(), self.get(&name).to_owned())).collect()
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Letters and digits, a letter first: nats-server reads a variable's value as configuration, where `1e5` is a number.
pub(crate) fn password() -> String {
    format!("p{}", Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH))
}

fn key() -> String {
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    BASE64_STANDARD.encode(key)
}

/// An RSA key and a certificate of its own, as long as a stack on one machine may live.
fn key_and_certificate() -> Result<String> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"])
        .args(["-subj", "/CN=TimeClock 365 on this machine", "-keyout", "-", "-out", "-"])
        .output()
        .context("cannot run openssl; scripts/install-system-packages installs it")?;
    ensure!(made.status.success(), "openssl made no key: {}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).context("openssl answered with something else than PEM")
}
