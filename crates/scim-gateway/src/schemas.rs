//! Which attributes the users of each company have: the standard ones, and those that the company has declared, followed in
//! a bucket that the directory writes.
//!
//! Until its first snapshot nothing is known, and a body that is read without the company's attributes would lose them:
//! callers are then asked to come back. When the bus goes away later, what is known stays in use.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bus_contract::stream::SCHEMAS;
use bus_jetstream::{Bus, Bytes, watch::Change};
use prometheus::IntGauge;
use scim_protocol::schema::{Schema, SchemaSet, users};
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use crate::metrics::Metrics;

/// The schemas of companies' users. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub(crate) struct Schemas(Arc<Inner>);

struct Inner {
    /// Of those companies that have declared something; `None` before the first snapshot.
    declared: RwLock<Option<HashMap<CompanyId, SchemaSet>>>,
    companies: IntGauge,
}

impl Schemas {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            declared: RwLock::default(),
            companies: metrics.companies_with_schemas.clone(),
        }))
    }

    /// Whether it is known what companies have declared.
    pub(crate) fn is_ready(&self) -> bool {
        self.read().is_some()
    }

    /// The schemas of a company's users; `None` while that is not known.
    pub(crate) fn users(&self, company: CompanyId) -> Option<SchemaSet> {
        self.read().as_ref().map(|declared| declared.get(&company).unwrap_or(users()).clone())
    }

    /// Learns what the bucket holds, until asked to stop.
    pub(crate) async fn follow(self, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
        let mut watcher = bus.watch(&SCHEMAS);
        while let Some(change) = stop.run_until_cancelled(watcher.next()).await {
            self.learn(change);
        }
        Ok(())
    }

    fn learn(&self, change: Change) {
        let mut declared = self.write();
        match change {
            Change::Snapshot(entries) => {
                *declared = Some(entries.iter().filter_map(|(key, value)| read(key, value)).collect());
                tracing::info!(companies = entries.len(), "declared schemas are known");
            }
            Change::Put { key, value } => {
                if let (Some(declared), Some((company, schemas))) = (declared.as_mut(), read(&key, &value)) {
                    declared.insert(company, schemas);
                }
            }
            Change::Deleted { key } => {
                if let (Some(declared), Ok(company)) = (declared.as_mut(), key.parse()) {
                    declared.remove(&company);
                }
            }
        }
        let count = declared.as_ref().map_or(0, HashMap::len);
        self.0.companies.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<HashMap<CompanyId, SchemaSet>>> {
        self.0.declared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<HashMap<CompanyId, SchemaSet>>> {
        self.0.declared.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One entry: a JSON list of schema documents, which the directory has checked.
fn read(key: &str, value: &Bytes) -> Option<(CompanyId, SchemaSet)> {
    let company = key.parse::<CompanyId>();
    let schemas = serde_json::from_slice::<Vec<Schema>>(value);
    let (Ok(company), Ok(schemas)) = (company, schemas) else {
        tracing::error!(entry = key, "the bucket of schemas holds something that cannot be read");
        return None;
    };
    Some((company, schemas.into_iter().fold(users().clone(), |set, schema| set.with_extension(schema))))
}
