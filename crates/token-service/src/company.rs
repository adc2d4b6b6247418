//! Whether a company exists: the directory knows.

use std::time::Duration;

use bus_contract::{
    Message as _,
    directory::{ListCompanies, Reply, reply},
    subject::LIST_COMPANIES,
};
use bus_jetstream::{Bus, request::AskError};
use typed_ids::CompanyId;

/// How long the directory may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The directory did not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompanyError {
    #[error("the directory cannot be asked about the company")]
    Ask(#[from] AskError),
    #[error("the directory's answer about the company makes no sense")]
    Answer(#[source] Option<prost::DecodeError>),
}

/// Asks the directory.
pub(crate) async fn exists(bus: &Bus, company: CompanyId) -> Result<bool, CompanyError> {
    let question = ListCompanies { company_id: company.to_string(), ..ListCompanies::default() };
    let answer = bus.ask(LIST_COMPANIES, question.encode_to_vec(), TIMEOUT).await?;
    let reply = Reply::decode(answer).map_err(|error| CompanyError::Answer(Some(error)))?;
    match reply.result {
        Some(reply::Result::ListCompanies(list)) => {
            Ok(list.companies.iter().any(|found| found.company_id == question.company_id))
        }
        _ => Err(CompanyError::Answer(None)),
    }
}
