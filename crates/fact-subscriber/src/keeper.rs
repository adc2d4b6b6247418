//! The model, for tasks that must not block: its work is done on threads that may.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Error, Model};

/// A handle to the model. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Mutex<Model>>);

impl Keeper {
    pub(crate) fn new(model: Model) -> Self {
        Self(Arc::new(Mutex::new(model)))
    }

    /// Does some work on the model, one at a time.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Model) -> Result<T, Error> + Send + 'static,
    ) -> anyhow::Result<T> {
        let model = Arc::clone(&self.0);
        #[expect(
            clippy::disallowed_methods,
            reason = "the model is a file, not Postgres; this is its one door"
        )]
        let done = tokio::task::spawn_blocking(move || {
            work(&mut model.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(done.await??)
    }
}
