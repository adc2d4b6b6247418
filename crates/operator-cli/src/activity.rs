//! Commands about what Entra did: the provisioning log, cycles, health.

mod rows;

use bus_contract::{
    Timestamp,
    directory::{GetActivity, ListCycles, ListHealth, ListHealthReply, ListLog, Reply, health::State, reply},
    subject::{GET_ACTIVITY, LIST_CYCLES, LIST_HEALTH, LIST_LOG},
};
use chrono::Utc;

use self::rows::{CycleRow, HealthRow, LogRow, SummaryRow};
use crate::{
    bus::{Questions, unintelligible},
    cli::ActivityCommand,
    company::{DIRECTORY, result},
    failure::Failure,
    output::Answer,
};

/// Companies that are asked for at once.
const HEALTH_PAGE: u32 = 500;

pub(crate) async fn execute(questions: &Questions, command: ActivityCommand) -> Result<Answer, Failure> {
    match command {
        ActivityCommand::Show { company } => show(questions, company).await,
        ActivityCommand::Log { company, user, group, name, request, verb, outcome, since, limit, before } => {
            let question = ListLog {
                company_id: company,
                verbs: verb,
                outcomes: outcome,
                user_id: user.unwrap_or_default(),
                group_id: group.unwrap_or_default(),
                name_prefix: name.unwrap_or_default(),
                request_id: request.unwrap_or_default(),
                from: since.map(ago),
                until: None,
                before_request_id: before.unwrap_or_default(),
                limit,
            };
            log(questions, &question).await
        }
        ActivityCommand::Cycles { company, limit, before } => {
            let before_cycle_id = before.unwrap_or_default();
            cycles(questions, &ListCycles { company_id: company, before_cycle_id, limit }).await
        }
        ActivityCommand::Health { all } => health(questions, all).await,
    }
}

async fn show(questions: &Questions, company_id: String) -> Result<Answer, Failure> {
    let reply: Reply = questions.ask(DIRECTORY, GET_ACTIVITY, &GetActivity { company_id }).await?;
    let reply::Result::GetActivity(activity) = result(reply)? else { return Err(another()) };
    let summary = SummaryRow::new(activity)?;
    let (credentials, is_of_nothing) = (summary.credentials().to_vec(), summary.is_of_nothing());
    Ok(Answer::one(summary)?.with_table(&credentials).of_nothing(is_of_nothing))
}

async fn log(questions: &Questions, question: &ListLog) -> Result<Answer, Failure> {
    let reply::Result::ListLog(log) = result(questions.ask(DIRECTORY, LIST_LOG, question).await?)? else {
        return Err(another());
    };
    let last = log.entries.last().map(|entry| entry.request_id.clone());
    let rows: Result<Vec<_>, _> = log.entries.into_iter().map(LogRow::new).collect();
    let answer = Answer::many(&rows?)?;
    Ok(match last.filter(|_| log.has_more) {
        Some(last) => answer.with_note(format!("There are older ones: --before {last}")),
        None => answer,
    })
}

async fn cycles(questions: &Questions, question: &ListCycles) -> Result<Answer, Failure> {
    let reply::Result::ListCycles(list) = result(questions.ask(DIRECTORY, LIST_CYCLES, question).await?)?
    else {
        return Err(another());
    };
    let last = list.cycles.last().map(|cycle| cycle.cycle_id.clone());
    let rows: Result<Vec<_>, _> = list.cycles.into_iter().map(CycleRow::new).collect();
    let answer = Answer::many(&rows?)?;
    Ok(match last.filter(|_| list.has_more) {
        Some(last) => answer.with_note(format!("There are older ones: --before {last}")),
        None => answer,
    })
}

async fn health(questions: &Questions, all: bool) -> Result<Answer, Failure> {
    let mut rows = Vec::new();
    let mut after_company_id = String::new();
    loop {
        let question = ListHealth { after_company_id, limit: HEALTH_PAGE };
        let reply::Result::ListHealth(ListHealthReply { companies }) =
            result(questions.ask(DIRECTORY, LIST_HEALTH, &question).await?)?
        else {
            return Err(another());
        };
        let Some(last) = companies.last() else { break };
        after_company_id = last.company_id.clone();
        for company in companies {
            let state = company.health.as_ref().map(|health| health.state());
            if all || matches!(state, Some(State::Warning | State::Critical)) {
                rows.push(HealthRow::new(company)?);
            }
        }
    }
    Answer::many(&rows)
}

fn ago(seconds: u32) -> Timestamp {
    Timestamp { seconds: Utc::now().timestamp() - i64::from(seconds), nanos: 0 }
}

fn another() -> Failure {
    unintelligible(DIRECTORY, "another result")
}
