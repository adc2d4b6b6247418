//! Commands about the keys that sign tokens.

use bus_contract::{
    audit::ListEvents,
    subject::{
        LIST_SIGNING_KEY_EVENTS, LIST_SIGNING_KEYS, RETIRE_SIGNING_KEY, ROTATE_SIGNING_KEY, SEAL_SIGNING_KEYS,
    },
    token::{
        ListSigningKeys, Reply, RetireSigningKey, RotateSigningKey, SealSigningKeys, SigningKey, reply,
        signing_key::{Seal, State},
    },
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::SigningKeyCommand,
    events,
    failure::Failure,
    output::{Answer, Row},
    time,
    token::{TOKENS, result},
};

/// A key as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    state: &'static str,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at: Option<String>,
    sealed_with: &'static str,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["ID", "STATE", "CREATED AT", "RETIRED AT", "SEALED WITH"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.state.to_owned(),
            self.created_at.clone(),
            self.retired_at.clone().unwrap_or_default(),
            self.sealed_with.to_owned(),
        ]
    }
}

pub(crate) async fn execute(questions: &Questions, command: SigningKeyCommand) -> Result<Answer, Failure> {
    let actor = questions.actor();
    let reply: Reply = match command {
        SigningKeyCommand::List => questions.ask(TOKENS, LIST_SIGNING_KEYS, &ListSigningKeys {}).await?,
        SigningKeyCommand::Rotate => {
            questions.ask(TOKENS, ROTATE_SIGNING_KEY, &RotateSigningKey { actor }).await?
        }
        SigningKeyCommand::Retire { key } => {
            questions.ask(TOKENS, RETIRE_SIGNING_KEY, &RetireSigningKey { key_id: key, actor }).await?
        }
        SigningKeyCommand::Seal => {
            questions.ask(TOKENS, SEAL_SIGNING_KEYS, &SealSigningKeys { actor }).await?
        }
        SigningKeyCommand::Events { limit, before } => {
            let question = ListEvents {
                company_id: String::new(),
                before_event_id: before.unwrap_or_default(),
                limit: limit.into(),
            };
            questions.ask(TOKENS, LIST_SIGNING_KEY_EVENTS, &question).await?
        }
    };
    match result(reply)? {
        reply::Result::SigningKeys(list) => {
            let keys: Result<Vec<_>, _> = list.keys.into_iter().map(shown).collect();
            Answer::many(&keys?)
        }
        reply::Result::Events(reply) => events::show(TOKENS, reply.events),
        _ => Err(unintelligible(TOKENS, "another result than was asked for")),
    }
}

fn shown(key: SigningKey) -> Result<Shown, Failure> {
    let state = match key.state() {
        State::Waiting => "waiting",
        State::Signing => "signing",
        State::Verifying => "verifying",
        State::Retired => "retired",
        State::Unspecified => return Err(unintelligible(TOKENS, "no state")),
    };
    let sealed_with = match key.seal() {
        Seal::Present => "the present sealing key",
        Seal::Previous => "the previous sealing key",
        Seal::Unknown => "a sealing key that the service does not have",
        Seal::Unspecified => return Err(unintelligible(TOKENS, "no seal")),
    };
    Ok(Shown {
        state,
        sealed_with,
        created_at: time::shown(TOKENS, key.created_at)?,
        retired_at: key.retired_at.map(|at| time::shown(TOKENS, Some(at))).transpose()?,
        id: key.key_id,
    })
}
