//! Commands about mass removals.

mod rule;

use bus_contract::{
    directory::{
        Brake, DecideBrake, ListBrakes, Reply, brake::State, decide_brake::Decision, reply::Result as Told,
    },
    subject::{DECIDE_BRAKE, LIST_BRAKES},
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::BrakeCommand,
    company::{DIRECTORY, result},
    events::kind,
    failure::Failure,
    output::{Answer, Row},
    time,
};

/// A mass removal as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    state: &'static str,
    began_at: String,
    last_at: String,
    removed: u64,
    had_access: u64,
    people: u64,
    waiting: u64,
    waiting_deleted: u64,
    restored: u64,
    superseded: u64,
    returned: u64,
    not_held: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    decided_by: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    decided_by_kind: &'static str,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] =
        &["ID", "STATE", "BEGAN AT", "REMOVED", "HAD ACCESS", "WAITING", "BROUGHT BACK", "DECIDED BY"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.state.to_owned(),
            self.began_at.clone(),
            self.removed.to_string(),
            format!("{} of {}", self.had_access, self.people),
            format!("{}, {} deleted", self.waiting, self.waiting_deleted),
            self.restored.to_string(),
            match self.decided_by_kind {
                "" => self.decided_by.clone(),
                kind => format!("{}, {kind}", self.decided_by),
            },
        ]
    }
}

pub(crate) async fn execute(questions: &Questions, command: BrakeCommand) -> Result<Answer, Failure> {
    match command {
        BrakeCommand::List { company } => {
            let reply: Reply =
                questions.ask(DIRECTORY, LIST_BRAKES, &ListBrakes { company_id: company }).await?;
            let Told::ListBrakes(list) = result(reply)? else { return Err(other()) };
            let rows: Result<Vec<_>, _> = list.brakes.into_iter().map(shown).collect();
            Answer::many(&rows?)
        }
        BrakeCommand::Undo { company, brake } => decide(questions, company, brake, Decision::Undo, 0).await,
        BrakeCommand::Release { company, brake, removed } => {
            decide(questions, company, brake, Decision::Release, removed).await
        }
        BrakeCommand::Rule(command) => rule::execute(questions, command).await,
    }
}

async fn decide(
    questions: &Questions,
    company_id: String,
    brake_id: String,
    decision: Decision,
    removed: u64,
) -> Result<Answer, Failure> {
    let (actor, decision_sent) = (questions.actor(), decision.into());
    let act = DecideBrake { company_id, brake_id, decision: decision_sent, actor, removed };
    let reply: Reply = questions.ask(DIRECTORY, DECIDE_BRAKE, &act).await?;
    let Told::DecideBrake(decided) = result(reply)? else { return Err(other()) };
    let brake = decided.brake.ok_or_else(|| unintelligible(DIRECTORY, "no mass removal"))?;
    let note = match decision {
        Decision::Undo => "they come back one after the other; list again to see how far it is",
        Decision::Release | Decision::Unspecified => "what was kept of the deleted users is destroyed",
    };
    Ok(Answer::one(shown(brake)?)?.with_note(note.to_owned()))
}

fn other() -> Failure {
    unintelligible(DIRECTORY, "another result")
}

fn shown(brake: Brake) -> Result<Shown, Failure> {
    let state = match brake.state() {
        State::On => "on",
        State::Undoing => "undoing",
        State::Undone => "undone",
        State::Released => "released",
        State::Expired => "expired",
        State::Unspecified => "unknown",
    };
    let decided_by_kind = kind(brake.decided_by_kind());
    Ok(Shown {
        id: brake.brake_id,
        state,
        began_at: time::shown(DIRECTORY, brake.began_at)?,
        last_at: time::shown(DIRECTORY, brake.last_at)?,
        removed: brake.removed,
        had_access: brake.had_access,
        people: brake.people,
        waiting: brake.waiting,
        waiting_deleted: brake.waiting_deleted,
        restored: brake.restored,
        superseded: brake.superseded,
        returned: brake.returned,
        not_held: brake.not_held,
        ends_at: brake.ends_at.map(|at| time::shown(DIRECTORY, Some(at))).transpose()?,
        decided_at: brake.decided_at.map(|at| time::shown(DIRECTORY, Some(at))).transpose()?,
        decided_by: brake.decided_by,
        decided_by_kind,
    })
}
