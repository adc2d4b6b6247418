//! What is known about tokens: public keys and revocations, followed in a bucket that the token service writes.
//!
//! Until the first keys have arrived nothing is known, which is not the same as knowing that a token is bad: callers are
//! then asked to come back, never refused. When the bus goes away later, what is known stays in use.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bus_contract::stream::{KEY_PREFIX, REVOKED_PREFIX, TOKENS};
use bus_jetstream::{Bus, Bytes, watch::Change};
use prometheus::IntGauge;
use token_protocol::{KeySet, Principal, Refusal};
use tokio_util::sync::CancellationToken;
use typed_ids::CredentialId;

use crate::metrics::Metrics;

/// Keys and revocations. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<Inner>);

struct Inner {
    known: RwLock<Known>,
    keys: IntGauge,
    revocations: IntGauge,
}

#[derive(Default)]
struct Known {
    /// Documents as they were published, by their key in the bucket.
    documents: BTreeMap<String, Bytes>,
    keys: Arc<KeySet>,
    /// Counts changes of the keys. What was verified under an earlier generation is verified again. 0: nothing is known.
    generation: u64,
    /// From which second on a credential is refused.
    revoked: HashMap<CredentialId, u64>,
}

/// A token that one generation of keys has verified.
#[derive(Clone, Copy)]
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    pub(crate) generation: u64,
}

impl Keyring {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            known: RwLock::default(),
            keys: metrics.verification_keys.clone(),
            revocations: metrics.revocations.clone(),
        }))
    }

    /// Whether there are keys to verify with.
    pub(crate) fn is_ready(&self) -> bool {
        self.generation().is_some()
    }

    /// The present generation of keys; `None` while there is none that can be used.
    pub(crate) fn generation(&self) -> Option<u64> {
        let known = self.read();
        (!known.keys.is_empty()).then_some(known.generation)
    }

    /// Whether the token is refused at this second: it, or the client that got it.
    pub(crate) fn is_revoked(&self, principal: &Principal, now: u64) -> bool {
        let known = self.read();
        [principal.credential_id, principal.token_id.into()]
            .iter()
            .any(|credential| known.revoked.get(credential).is_some_and(|&from| now >= from))
    }

    /// Checks a token's signature and claims. Costs tens of microseconds.
    pub(crate) fn verify(&self, token: &str, now: u64) -> Result<Verified, Refusal> {
        let (keys, generation) = {
            let known = self.read();
            (Arc::clone(&known.keys), known.generation)
        };
        keys.verify(token, now).map(|principal| Verified { principal, generation })
    }

    /// Learns what the bucket holds, until asked to stop.
    pub(crate) async fn follow(self, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
        let mut watcher = bus.watch(&TOKENS);
        while let Some(change) = stop.run_until_cancelled(watcher.next()).await {
            self.learn(change);
        }
        Ok(())
    }

    /// Takes in one change of the bucket.
    pub(crate) fn learn(&self, change: Change) {
        let mut known = self.write();
        match change {
            Change::Snapshot(entries) => {
                known.documents.clear();
                known.revoked.clear();
                for (key, value) in entries {
                    known.put(key, value);
                }
                known.rebuild_keys();
                tracing::info!(
                    keys = known.documents.len(),
                    revocations = known.revoked.len(),
                    "token keys are known"
                );
            }
            Change::Put { key, value } => {
                if known.put(key, value) {
                    known.rebuild_keys();
                }
            }
            Change::Deleted { key } => {
                if known.documents.remove(&key).is_some() {
                    known.rebuild_keys();
                } else if let Some(credential) = revoked_credential(&key) {
                    known.revoked.remove(&credential);
                }
            }
        }
        self.0.keys.set(i64::try_from(known.documents.len()).unwrap_or(i64::MAX));
        self.0.revocations.set(i64::try_from(known.revoked.len()).unwrap_or(i64::MAX));
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether the keys must be rebuilt.
    fn put(&mut self, key: String, value: Bytes) -> bool {
        if key.starts_with(KEY_PREFIX) {
            self.documents.insert(key, value);
            return true;
        }
        let from = std::str::from_utf8(&value).ok().and_then(|text| text.trim().parse::<u64>().ok());
        match (revoked_credential(&key), from) {
            (Some(credential), Some(from)) => {
                // An end only ever moves forward; a later one is an older word that was overtaken.
                self.revoked.entry(credential).and_modify(|end| *end = from.min(*end)).or_insert(from);
            }
            // A revocation that cannot be read in full still revokes: from now on.
            (Some(credential), None) => {
                tracing::warn!(credential.id = %credential, "a revocation has no readable time; it counts from the beginning");
                self.revoked.insert(credential, 0);
            }
            (None, _) => tracing::warn!(entry = key, "the tokens bucket holds something unknown"),
        }
        false
    }

    fn rebuild_keys(&mut self) {
        self.generation += 1;
        let mut keys = KeySet::default();
        for (key, document) in &self.documents {
            if let Err(error) = keys.add(document) {
                tracing::error!(entry = key, %error, "a published key cannot be used");
            }
        }
        self.keys = Arc::new(keys);
    }
}

fn revoked_credential(key: &str) -> Option<CredentialId> {
    key.strip_prefix(REVOKED_PREFIX)?.parse().ok()
}
