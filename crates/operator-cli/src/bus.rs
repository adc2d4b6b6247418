//! Asking the services.

use std::time::Duration;

use bus_contract::{Message, audit::Actor};
use bus_jetstream::{Bus, Settings, request::AskError};
use service_runtime::settings::{Environment, Reader};

use crate::failure::Failure;

/// How long NATS may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a service may take to answer; more than its own limits sum up to.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// The only variables that matter here; an operator's shell may hold those of the services too.
const VARIABLES: [&str; 4] =
    ["TIMECLOCK_NATS_URL", "TIMECLOCK_NATS_USER", "TIMECLOCK_NATS_PASSWORD", "TIMECLOCK_NATS_PASSWORD_FILE"];

/// A connection over which services can be asked.
pub(crate) struct Questions {
    bus: Bus,
    actor: Actor,
}

impl Questions {
    /// Connects as the environment says; what is asked for is done by `actor`.
    pub(crate) async fn connect(actor: Actor) -> Result<Self, Failure> {
        let environment = Environment::of_process();
        let mut reader =
            Reader::new(VARIABLES.iter().filter_map(|name| Some((*name, environment.get(name)?))).collect());
        let settings = Settings {
            url: reader.with_default("TIMECLOCK_NATS_URL", "nats://127.0.0.1:4222"),
            user: reader.with_default("TIMECLOCK_NATS_USER", "operator"),
            password: reader.secret("TIMECLOCK_NATS_PASSWORD"),
            connection_name: "timeclock-operator".to_owned(),
        };
        reader.finish().map_err(|problems| Failure::Usage(problems.to_string()))?;
        let url = &settings.url;
        let bus = Bus::connect(&settings).await.map_err(|_malformed| {
            Failure::Usage("TIMECLOCK_NATS_URL must be like nats://host:4222".to_owned())
        })?;
        if tokio::time::timeout(CONNECT_TIMEOUT, bus.connected_after(0)).await.is_err() {
            let trouble = bus.trouble().unwrap_or_else(|| "no answer".to_owned());
            return Err(Failure::Unavailable(format!(
                "NATS at {url} does not let us in ({trouble}).\n\
                 Is it running? Check TIMECLOCK_NATS_URL, TIMECLOCK_NATS_USER and TIMECLOCK_NATS_PASSWORD."
            )));
        }
        Ok(Self { bus, actor })
    }

    /// Who does what is asked for, for the audit log.
    pub(crate) fn actor(&self) -> Option<Actor> {
        Some(self.actor.clone())
    }

    /// Asks `service` and reads its answer.
    pub(crate) async fn ask<Q: Message, A: Message + Default>(
        &self,
        service: &str,
        subject: &'static str,
        question: &Q,
    ) -> Result<A, Failure> {
        let answer = self.bus.ask(subject, question.encode_to_vec(), ANSWER_TIMEOUT).await;
        let answer = answer.map_err(|error| {
            Failure::Unavailable(match error {
                AskError::NoResponders => format!("no {service} is running, or it is not connected to NATS yet"),
                AskError::TimedOut => format!(
                    "{service} did not answer within {} s; look at its /readyz, and whether this user may ask",
                    ANSWER_TIMEOUT.as_secs()
                ),
                AskError::Unavailable(_) => "the connection to NATS broke".to_owned(),
            })
        })?;
        A::decode(answer).map_err(|error| unintelligible(service, &error.to_string()))
    }
}

/// An answer that makes no sense: the two sides are of different versions.
pub(crate) fn unintelligible(service: &str, why: &str) -> Failure {
    Failure::Unavailable(format!(
        "{service} answered something unintelligible ({why}); are the versions the same?"
    ))
}
