//! A fresh database per test: prepared once, then cloned.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Result, anyhow};

use super::Server;

type Prepared = Arc<OnceLock<std::result::Result<(), String>>>;

/// The templates that this server has prepared, by name.
#[derive(Debug, Default)]
pub(super) struct Templates {
    prepared: Mutex<HashMap<String, Prepared>>,
    clones: AtomicU32,
}

/// A database of its own for one test. It goes when the server goes.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its superuser's connection URL.
    pub url: String,
}

impl Server {
    /// A fresh database, cloned from the template `name`, which `prepare` fills once per server.
    ///
    /// `prepare` receives the superuser's URL of the empty template and must leave no connection open.
    ///
    /// # Errors
    /// What `prepare` reports, also to those who asked for the same template later, and whatever Postgres refuses.
    pub fn database_from_template(
        &self,
        name: &str,
        prepare: impl FnOnce(&str) -> Result<()>,
    ) -> Result<Database> {
        let template = format!("template_{name}");
        let prepared = {
            let mut all = self.templates.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(name.to_owned()).or_default().clone()
        };
        let outcome = prepared.get_or_init(|| {
            self.create_database(&template)
                .and_then(|()| prepare(&self.superuser_url(&template)))
                .map_err(|error| format!("{error:#}"))
        });
        outcome.clone().map_err(|reason| anyhow!("cannot prepare the template {name}: {reason}"))?;
        let clone = format!("{name}_{}", self.templates.clones.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!(r#"CREATE DATABASE "{clone}" TEMPLATE "{template}""#))?;
        Ok(Database { url: self.superuser_url(&clone), name: clone })
    }

    /// An empty database.
    ///
    /// # Errors
    /// When Postgres refuses, for example because the name is taken.
    pub fn create_database(&self, name: &str) -> Result<()> {
        self.sql("postgres", &format!(r#"CREATE DATABASE "{name}""#)).map(drop)
    }
}
