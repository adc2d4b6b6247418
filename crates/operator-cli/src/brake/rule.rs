//! Commands about when a removal of people is a mass removal.

use bus_contract::{
    directory::{BrakeRule, ListBrakes, Reply, SetBrakeRule, reply::Result as Told},
    subject::{LIST_BRAKES, SET_BRAKE_RULE},
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::BrakeRuleCommand,
    company::{DIRECTORY, result},
    failure::Failure,
    output::{Answer, Row},
};

/// A rule as it is shown.
#[derive(Serialize)]
struct Shown {
    more_than: u32,
    percent: u32,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["MORE THAN", "AND MORE THAN"];

    fn cells(&self) -> Vec<String> {
        vec![format!("{} people", self.more_than), format!("{} % of those with access", self.percent)]
    }
}

pub(super) async fn execute(questions: &Questions, command: BrakeRuleCommand) -> Result<Answer, Failure> {
    let rule = match command {
        BrakeRuleCommand::Show { company } => {
            let reply: Reply =
                questions.ask(DIRECTORY, LIST_BRAKES, &ListBrakes { company_id: company }).await?;
            let Told::ListBrakes(list) = result(reply)? else { return Err(super::other()) };
            list.rule
        }
        BrakeRuleCommand::Set { company, more_than, percent } => {
            let rule = Some(BrakeRule { more_than, percent });
            let question = SetBrakeRule { company_id: company, rule, actor: questions.actor() };
            let reply: Reply = questions.ask(DIRECTORY, SET_BRAKE_RULE, &question).await?;
            let Told::SetBrakeRule(set) = result(reply)? else { return Err(super::other()) };
            set.rule
        }
    };
    let BrakeRule { more_than, percent } = rule.ok_or_else(|| unintelligible(DIRECTORY, "no rule"))?;
    Answer::one(Shown { more_than, percent })
}
