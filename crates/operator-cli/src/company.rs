//! Commands about companies.

use bus_contract::{
    directory::{Company, CreateCompany, ListCompanies, Reply, failure::Reason, reply},
    subject::{CREATE_COMPANY, LIST_COMPANIES, LIST_COMPANY_EVENTS},
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::CompanyCommand,
    events,
    failure::Failure,
    output::{Answer, Row},
};

pub(crate) const DIRECTORY: &str = "directory-service";

/// A company as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["ID", "NAME", "CREATED AT"];

    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.name.clone(), self.created_at.clone()]
    }
}

impl Shown {
    fn new(company: Company, created: Option<bool>) -> Self {
        Self { id: company.company_id, name: company.name, created_at: company.created_at, created }
    }
}

pub(crate) async fn execute(questions: &Questions, command: CompanyCommand) -> Result<Answer, Failure> {
    match command {
        CompanyCommand::Create { name, id } => create(questions, name, id).await,
        CompanyCommand::List => Answer::many(&list(questions, String::new()).await?),
        CompanyCommand::Show { id } => {
            let found = list(questions, id).await?.into_iter().next();
            Answer::one(found.ok_or_else(unknown)?)
        }
        CompanyCommand::Events(page) => {
            match result(questions.ask(DIRECTORY, LIST_COMPANY_EVENTS, &events::question(page)).await?)? {
                reply::Result::ListEvents(reply) => events::show(DIRECTORY, reply.events),
                _ => Err(unintelligible(DIRECTORY, "another result")),
            }
        }
    }
}

/// Refuses a company that does not exist. Most services answer for one as for a company of which there is nothing yet.
pub(crate) async fn must_exist(questions: &Questions, id: String) -> Result<(), Failure> {
    if list(questions, id).await?.is_empty() { Err(unknown()) } else { Ok(()) }
}

fn unknown() -> Failure {
    Failure::Refused("there is no such company".to_owned())
}

async fn create(questions: &Questions, name: String, id: Option<String>) -> Result<Answer, Failure> {
    let question = CreateCompany { company_id: id.unwrap_or_default(), name, actor: questions.actor() };
    match result(questions.ask(DIRECTORY, CREATE_COMPANY, &question).await?)? {
        reply::Result::CreateCompany(created) => {
            let company = created.company.ok_or_else(|| unintelligible(DIRECTORY, "no company"))?;
            let note = if created.created { "created" } else { "was there already; nothing was changed" };
            Ok(Answer::one(Shown::new(company, Some(created.created)))?.with_note(note.to_owned()))
        }
        _ => Err(unintelligible(DIRECTORY, "another result")),
    }
}

async fn list(questions: &Questions, company_id: String) -> Result<Vec<Shown>, Failure> {
    let mut question = ListCompanies { company_id, ..ListCompanies::default() };
    let mut companies = Vec::new();
    loop {
        let answer = result(questions.ask(DIRECTORY, LIST_COMPANIES, &question).await?)?;
        let reply::Result::ListCompanies(mut page) = answer else {
            return Err(unintelligible(DIRECTORY, "another result"));
        };
        // An older directory knows no pages and begins at the first each time.
        page.companies.retain(|company| company.company_id > question.after_company_id);
        // One answer holds as many as fit, and the one company that was asked for is all there is.
        let Some(last) = page.companies.last().filter(|_| question.company_id.is_empty()) else {
            companies.extend(page.companies);
            return Ok(companies.into_iter().map(|company| Shown::new(company, None)).collect());
        };
        question.after_company_id = last.company_id.clone();
        companies.extend(page.companies);
    }
}

pub(crate) fn result(reply: Reply) -> Result<reply::Result, Failure> {
    match reply.result {
        Some(reply::Result::Failure(failure)) => Err(match failure.reason() {
            Reason::Invalid | Reason::Conflict => Failure::Refused(failure.detail),
            Reason::Unavailable | Reason::Unspecified => Failure::Unavailable(failure.detail),
        }),
        Some(result) => Ok(result),
        None => Err(unintelligible(DIRECTORY, "no result")),
    }
}
