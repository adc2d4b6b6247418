//! What happens to machines: processes are killed, stall, end and come back.

use std::time::Duration;

use anyhow::Result;
use local_stack::Stack;
use tokio::task::block_in_place;

use crate::{
    eventually::{eventually, when},
    observe,
};

/// The services of a stack, by the names of their first instances.
pub const SERVICES: [&str; 4] = ["directory-service", "token-service", "scim-gateway", "admin-console"];

/// A part of a stack that can be killed.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// An instance of a service of ours.
    Service(&'static str),
    /// Postgres, as if its machine had lost power.
    Postgres,
    /// nats-server.
    Nats,
}

impl Part {
    /// Ends it as a crash would.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(self, stack: &Stack) {
        let killed = block_in_place(|| match self {
            Self::Service(name) => stack.kill_9(name),
            Self::Postgres => stack.postgres().kill_9(),
            Self::Nats => stack.nats().kill_9(),
        });
        killed.expect("kill -9");
    }

    /// Starts it again at the same address.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(self, stack: &Stack) {
        let started = block_in_place(|| match self {
            Self::Service(name) => stack.restart_unready(name),
            Self::Postgres => stack.postgres().restart(),
            Self::Nats => stack.nats().restart(),
        });
        started.expect("it starts again");
    }
}

/// Waits until every service says that it is ready, and says how long that took.
pub async fn all_ready(stack: &Stack) -> Duration {
    let observe = async || {
        let mut answers = Vec::new();
        for service in SERVICES {
            answers.push((service, observe::second_listener(stack, service, "/readyz").await));
        }
        answers
    };
    let ready = |answers: &Vec<(&str, Option<(u16, String)>)>| {
        when(answers.iter().all(|(_, answer)| matches!(answer, Some((200, _)))))
    };
    eventually("all services are ready by themselves", observe, ready).await.1
}

/// Starts again whatever an earlier scenario has left broken.
///
/// # Errors
/// When something does not become ready.
pub fn mend(stack: &Stack) -> Result<()> {
    if !stack.postgres().is_running() {
        stack.postgres().restart()?;
    }
    if !stack.nats().is_running() {
        stack.nats().restart()?;
    }
    for service in SERVICES {
        if !stack.is_ready(service)? {
            stack.restart(service)?;
        }
    }
    Ok(())
}
