//! A directory and a token service that answer what they were told to, and keep what they were asked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use bus_contract::{
    Message,
    directory::{self, ListCompanies, ListCompaniesReply},
    subject::{DIRECTORY_QUEUE, LIST_COMPANIES, TOKEN_QUEUE},
    token::ListTokens,
};
use bus_jetstream::Bus;
use futures_util::StreamExt as _;
use typed_ids::CompanyId;

use super::{Company, DEADLINE, connect, eventually};

/// What a subject is answered with, given the question.
type Reply = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// The company that a question names: each has it as its first field.
fn company_of(question: &[u8]) -> String {
    ListTokens::decode(question).unwrap().company_id
}

#[derive(Default)]
pub(crate) struct Services {
    /// By company and subject; of no company in particular under an empty one.
    replies: Mutex<HashMap<(String, String), Reply>>,
    /// Whose answers are given at the moment.
    speaking_of: Mutex<String>,
    asked: Mutex<Vec<(String, Vec<u8>)>>,
    is_hasty: AtomicBool,
}

impl Services {
    /// Both; the directory knows these companies, and whatever else is asked has no answer until a test gives it one.
    pub(crate) async fn start<const N: usize>(nats: &str, companies: [&Company; N]) -> Arc<Self> {
        let services = Arc::new(Self::default());
        let mut known = companies.map(|company| directory::Company {
            company_id: company.id.to_string(),
            name: company.name.to_owned(),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        });
        known.sort_unstable_by(|a, b| a.company_id.cmp(&b.company_id));
        services.answer(LIST_COMPANIES, move |question: ListCompanies| {
            let asked_for = |company: &&directory::Company| {
                (question.company_id.is_empty() || question.company_id == company.company_id)
                    && company.company_id > question.after_company_id
            };
            let companies = known.iter().filter(asked_for).cloned().collect();
            directory::Reply {
                result: Some(directory::reply::Result::ListCompanies(ListCompaniesReply {
                    companies,
                    ..ListCompaniesReply::default()
                })),
            }
        });
        services.listen(connect(nats, "directory").await, "directory.v1.>", DIRECTORY_QUEUE).await;
        services.listen(connect(nats, "tokens").await, "tokens.v1.>", TOKEN_QUEUE).await;
        services.listen(connect(nats, "tokens").await, "receipts.v1.>", TOKEN_QUEUE).await;
        // Whoever asks before the server has heard of the subscription is told that nobody answers.
        let asking = connect(nats, "operator").await;
        let question = ListCompanies::default().encode_to_vec();
        eventually("the directory answers", || async {
            asking.ask(LIST_COMPANIES, question.clone(), DEADLINE).await.ok()
        })
        .await;
        services
    }

    /// What is answered from here on is for questions that name this company.
    pub(crate) fn speak_of(&self, company: CompanyId) {
        *self.speaking_of.lock().unwrap() = company.to_string();
    }

    /// From here on, questions to this subject get this reply.
    pub(crate) fn answer<Q, R>(&self, subject: &str, reply: impl Fn(Q) -> R + Send + Sync + 'static)
    where
        Q: Message + Default,
        R: Message,
    {
        let reply: Reply = Arc::new(move |question| reply(Q::decode(question).unwrap()).encode_to_vec());
        let company = self.speaking_of.lock().unwrap().clone();
        self.replies.lock().unwrap().insert((company, subject.to_owned()), reply);
    }

    /// From here on, what has no reply is answered with nonsense at once, so that no page waits for it.
    pub(crate) fn hurry(&self) {
        self.is_hasty.store(true, Ordering::Relaxed);
    }

    /// What was asked of this subject so far, in order.
    pub(crate) fn asked<Q: Message + Default>(&self, subject: &str) -> Vec<Q> {
        let asked = self.asked.lock().unwrap();
        let of_subject = asked.iter().filter(|(of, _)| of == subject);
        of_subject.map(|(_, question)| Q::decode(question.as_slice()).unwrap()).collect()
    }

    /// Subject and company of every question so far, in order.
    pub(crate) fn companies_asked(&self) -> Vec<(String, String)> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(subject, question)| (subject.clone(), company_of(question))).collect()
    }

    fn reply_to(&self, subject: &str, question: &[u8]) -> Option<Reply> {
        let replies = self.replies.lock().unwrap();
        let companies = [company_of(question), String::new()];
        companies.into_iter().find_map(|company| replies.get(&(company, subject.to_owned())).cloned())
    }

    async fn listen(self: &Arc<Self>, bus: Bus, subjects: &'static str, queue: &str) {
        let mut questions = bus.serve(subjects, queue).await.unwrap();
        let services = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(asked) = questions.next().await {
                let subject = asked.subject.to_string();
                services.asked.lock().unwrap().push((subject.clone(), asked.payload.to_vec()));
                let reply = services.reply_to(&subject, &asked.payload);
                // Without a reply the asker waits until its own patience ends, as with a service that hangs.
                if let Some(reply) = reply {
                    asked.respond(&bus, reply(&asked.payload)).await.ok();
                } else if services.is_hasty.load(Ordering::Relaxed) {
                    asked.respond(&bus, "?").await.ok();
                }
            }
        });
    }
}
