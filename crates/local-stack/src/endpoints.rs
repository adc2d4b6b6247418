//! `endpoints.json`: where everything is, for people and for tools outside the project.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{company::Company, workdir};

/// The file's name in the working directory.
pub const FILE: &str = "endpoints.json";

/// Where everything is. Its names are an interface that others hold on to: add, never rename.
#[derive(Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The tenant URL that Entra is given.
    pub scim_url: String,
    /// The pages for administrators.
    pub console_url: Option<String>,
    /// The token service.
    pub token_url: String,
    /// The companies that were seeded.
    pub companies: Vec<Company>,
    /// `/metrics` of each service.
    pub metrics: BTreeMap<String, String>,
    /// Postgres, as its superuser.
    pub postgres_url: String,
    /// NATS, as the operator.
    pub nats_url: String,
    /// The pid of each process.
    pub processes: BTreeMap<String, u32>,
}

impl Endpoints {
    /// Reads the file of a running stack.
    ///
    /// # Errors
    /// When there is none, or it is not one of ours.
    pub fn read(workdir: &Path) -> Result<Self> {
        let file = workdir.join(FILE);
        let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
    }

    pub(crate) fn write(&self, workdir: &Path) -> Result<()> {
        workdir::write_private(&workdir.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// Removes the file, so that nobody takes a stack that has ended for one that runs.
    pub(crate) fn remove(workdir: &Path) {
        // It may never have been written.
        drop(std::fs::remove_file(workdir.join(FILE)));
    }
}
