//! What a service is given when it starts.

use prometheus::Registry;
use uuid::Uuid;

use crate::{clock::Clock, health::Health, tasks::Tasks};

/// The running process, as its service sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Process {
    /// Names this process among all that ever ran: 32 characters, `[0-9a-f]`, new at every start. It is legal wherever
    /// a name is built from it.
    pub id: String,
    /// Starts tasks that live as long as the process.
    pub tasks: Tasks,
    /// Takes readiness checks.
    pub health: Health,
    /// Takes metrics.
    pub metrics: Registry,
    /// The time.
    pub clock: Clock,
}

impl Process {
    /// A process that is not supervised by [`crate::Service::run`]: for the tests of services.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            id: Uuid::new_v4().simple().to_string(),
            tasks: Tasks::default(),
            health: Health::default(),
            metrics: Registry::new(),
            clock,
        }
    }
}
