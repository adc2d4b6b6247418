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
};
use bus_jetstream::Bus;
use futures_util::StreamExt as _;

use super::{Company, DEADLINE, connect, eventually};

/// What a subject is answered with, given the question.
type Reply = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

#[derive(Default)]
pub(crate) struct Services {
    replies: Mutex<HashMap<String, Reply>>,
    asked: Mutex<Vec<(String, Vec<u8>)>>,
    is_hasty: AtomicBool,
}

impl Services {
    /// Both; the directory knows these companies, and whatever else is asked has no answer until a test gives it one.
    pub(crate) async fn start<const N: usize>(nats: &str, companies: [&Company; N]) -> Arc<Self> {
        let services = Arc::new(Self::default());
        let known = companies.map(|company| directory::Company {
            company_id: company.id.to_string(),
            name: company.name.to_owned(),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        });
        services.answer(LIST_COMPANIES, move |question: ListCompanies| {
            let asked_for = |company: &&directory::Company| {
                question.company_id.is_empty() || question.company_id == company.company_id
            };
            let companies = known.iter().filter(asked_for).cloned().collect();
            directory::Reply {
                result: Some(directory::reply::Result::ListCompanies(ListCompaniesReply { companies })),
            }
        });
        services.listen(connect(nats, "directory").await, "directory.v1.>", DIRECTORY_QUEUE).await;
        services.listen(connect(nats, "tokens").await, "tokens.v1.>", TOKEN_QUEUE).await;
        // Whoever asks before the server has heard of the subscription is told that nobody answers.
        let asking = connect(nats, "operator").await;
        let question = ListCompanies::default().encode_to_vec();
        eventually("the directory answers", || async {
            asking.ask(LIST_COMPANIES, question.clone(), DEADLINE).await.ok()
        })
        .await;
        services
    }

    /// From here on, questions to this subject get this reply.
    pub(crate) fn answer<Q, R>(&self, subject: &str, reply: impl Fn(Q) -> R + Send + Sync + 'static)
    where
        Q: Message + Default,
        R: Message,
    {
        let reply: Reply = Arc::new(move |question| reply(Q::decode(question).unwrap()).encode_to_vec());
        self.replies.lock().unwrap().insert(subject.to_owned(), reply);
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

    async fn listen(self: &Arc<Self>, bus: Bus, subjects: &'static str, queue: &str) {
        let mut questions = bus.serve(subjects, queue).await.unwrap();
        let services = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(asked) = questions.next().await {
                let subject = asked.subject.to_string();
                services.asked.lock().unwrap().push((subject.clone(), asked.payload.to_vec()));
                let reply = services.replies.lock().unwrap().get(&subject).cloned();
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
