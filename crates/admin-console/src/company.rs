//! What a company is called: the directory knows, and it seldom changes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_contract::{
    directory::{Company, ListCompanies, ListCompaniesReply, Reply, reply::Result as Answer},
    subject::LIST_COMPANIES,
};
use bus_jetstream::Bus;
use service_runtime::clock::Clock;
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::question::{self, Unanswered, answer_of};

/// A name is asked for again after this long.
const KEPT: Duration = Duration::from_secs(60);
/// Names that are remembered; beyond it all are forgotten, and asked for again.
const REMEMBERED_MOST: usize = 10_000;

/// Remembers names. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Companies {
    bus: Bus,
    clock: Clock,
    names: Arc<Mutex<HashMap<CompanyId, (String, Duration)>>>,
}

impl Companies {
    pub(crate) fn new(bus: Bus, clock: Clock) -> Self {
        Self { bus, clock, names: Arc::default() }
    }

    /// The company's name; empty when the directory has not told it.
    pub(crate) async fn name(&self, company: CompanyId) -> String {
        let now = self.clock.since_epoch();
        let known = self.names.lock().ok().and_then(|names| names.get(&company).cloned());
        if let Some((name, asked_at)) = &known
            && now.saturating_sub(*asked_at) < KEPT
        {
            return name.clone();
        }
        let name = match self.find(company).await {
            Ok(found) => found.map(|company| company.name).unwrap_or_default(),
            // An old name is better than none, also for the next minute: a page does not wait for it again.
            Err(_unavailable) => known.map(|(name, _)| name).unwrap_or_default(),
        };
        if let Ok(mut names) = self.names.lock() {
            if names.len() >= REMEMBERED_MOST {
                names.clear();
            }
            names.insert(company, (name.clone(), now));
        }
        name
    }

    /// Asks the directory whether there is such a company, and what it is called.
    pub(crate) async fn find(&self, company: CompanyId) -> Result<Option<Company>, Unanswered> {
        let question = ListCompanies { company_id: company.to_string(), ..ListCompanies::default() };
        Ok(self.ask(question).await?.companies.into_iter().next())
    }

    /// Every company.
    pub(crate) async fn all(&self) -> Result<Vec<Company>, Unanswered> {
        let mut all: Vec<Company> = Vec::new();
        loop {
            // One answer holds as many as fit.
            let after = all.last().map(|last| last.company_id.clone()).unwrap_or_default();
            let question = ListCompanies { after_company_id: after.clone(), ..ListCompanies::default() };
            let mut page = self.ask(question).await?.companies;
            // An older directory knows no pages and begins at the first each time.
            page.retain(|company| company.company_id > after);
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Which history of the directory is the present one; `None` from a directory that does not say.
    pub(crate) async fn history(&self) -> Result<Option<Uuid>, Unanswered> {
        // Behind every company there is none, so the answer is short.
        let question =
            ListCompanies { after_company_id: Uuid::max().to_string(), ..ListCompanies::default() };
        Ok(self.ask(question).await?.history_id.parse().ok())
    }

    async fn ask(&self, question: ListCompanies) -> Result<ListCompaniesReply, Unanswered> {
        let reply: Reply = question::ask(&self.bus, LIST_COMPANIES, &question).await?;
        let answer = reply.result.ok_or(Unanswered::Unintelligible)?;
        answer_of!(answer, ListCompanies)
    }
}
