//! The console as the directory sees it, and a gateway that reports calls.

use bus_contract::{
    Message, Timestamp,
    audit::{ListEvents, ListEventsReply},
    directory::{
        self, BrowseGroups, BrowseGroupsReply, BrowseUsers, BrowseUsersReply, Call, CallBatch, Cycle,
        Failure, GetActivity, GetActivityReply, ListCycles, ListCyclesReply, ListHealth, ListHealthReply,
        ListLog, ListLogReply, call::Answer, reply,
    },
    subject,
};
use bus_jetstream::Bus;
use chrono::{DateTime, Utc};
use typed_ids::{CompanyId, RequestId};

use crate::harness::{DEADLINE, World, eventually};

pub(crate) struct Console {
    pub(crate) bus: Bus,
    gateway: Bus,
}

impl Console {
    pub(crate) async fn new(world: &World) -> Self {
        Self { bus: world.bus("console").await, gateway: world.bus("gateway").await }
    }

    /// Reports calls as a gateway does; returns when the stream has them.
    pub(crate) async fn report(&self, company: CompanyId, calls: Vec<Call>) {
        let batch_id = RequestId::mint().to_string();
        let batch = CallBatch { batch_id, company_id: company.to_string(), calls };
        self.publish(subject::calls(company), batch.encode_to_vec()).await;
    }

    /// Anything at all on the stream of calls.
    pub(crate) async fn publish(&self, subject: String, payload: Vec<u8>) {
        // Until the directory has made sure of the stream there is nobody who keeps it.
        eventually("the stream takes calls", async || {
            let id = RequestId::mint().to_string();
            match self.gateway.publish_durable(subject.clone(), &id, None, payload.clone()).await {
                Ok(confirmation) => confirmation.await.is_ok(),
                Err(_) => false,
            }
        })
        .await;
    }

    /// Asks, and returns what the directory says.
    pub(crate) async fn ask(
        &self,
        subject: &'static str,
        question: impl Message,
    ) -> Result<reply::Result, Failure> {
        let answer = self.bus.ask(subject, question.encode_to_vec(), DEADLINE).await.unwrap();
        match directory::Reply::decode(answer).unwrap().result.unwrap() {
            reply::Result::Failure(failure) => Err(failure),
            result => Ok(result),
        }
    }

    pub(crate) async fn log(&self, question: ListLog) -> ListLogReply {
        match self.ask(subject::LIST_LOG, question).await {
            Ok(reply::Result::ListLog(found)) => found,
            other => panic!("not a page of the log: {other:?}"),
        }
    }

    pub(crate) async fn activity(&self, company: CompanyId) -> GetActivityReply {
        match self.ask(subject::GET_ACTIVITY, GetActivity { company_id: company.to_string() }).await {
            Ok(reply::Result::GetActivity(found)) => found,
            other => panic!("not an activity: {other:?}"),
        }
    }

    /// The calls of every cycle of a company, as far as they are counted.
    pub(crate) async fn counted(&self, company: CompanyId) -> u64 {
        self.cycles(company, "", 100).await.cycles.iter().map(|cycle| cycle.calls).sum()
    }

    pub(crate) async fn latest(&self, company: CompanyId) -> Cycle {
        self.activity(company).await.latest.unwrap_or_default()
    }

    pub(crate) async fn cycles(&self, company: CompanyId, before: &str, limit: u32) -> ListCyclesReply {
        let question =
            ListCycles { company_id: company.to_string(), before_cycle_id: before.to_owned(), limit };
        match self.ask(subject::LIST_CYCLES, question).await {
            Ok(reply::Result::ListCycles(found)) => found,
            other => panic!("not a list of cycles: {other:?}"),
        }
    }

    pub(crate) async fn health(&self, after: &str, limit: u32) -> ListHealthReply {
        let question = ListHealth { after_company_id: after.to_owned(), limit };
        match self.ask(subject::LIST_HEALTH, question).await {
            Ok(reply::Result::ListHealth(found)) => found,
            other => panic!("not a list of health: {other:?}"),
        }
    }

    pub(crate) async fn users(&self, question: BrowseUsers) -> BrowseUsersReply {
        match self.ask(subject::BROWSE_USERS, question).await {
            Ok(reply::Result::BrowseUsers(found)) => found,
            other => panic!("not a page of users: {other:?}"),
        }
    }

    pub(crate) async fn groups(&self, question: BrowseGroups) -> BrowseGroupsReply {
        match self.ask(subject::BROWSE_GROUPS, question).await {
            Ok(reply::Result::BrowseGroups(found)) => found,
            other => panic!("not a page of groups: {other:?}"),
        }
    }

    pub(crate) async fn events(&self, company: CompanyId, before: &str, limit: u32) -> ListEventsReply {
        let question =
            ListEvents { company_id: company.to_string(), before_event_id: before.to_owned(), limit };
        match self.ask(subject::LIST_COMPANY_EVENTS, question).await {
            Ok(reply::Result::ListEvents(found)) => found,
            other => panic!("not a list of events: {other:?}"),
        }
    }
}

/// A call that was answered just now.
pub(crate) fn call(verb: &str, answer: Answer, status: u32) -> Call {
    Call {
        request_id: RequestId::mint().to_string(),
        answered_at: Some(timestamp(Utc::now())),
        duration_us: 1_000,
        verb: verb.to_owned(),
        answer: answer.into(),
        status,
        ..Call::default()
    }
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos().cast_signed() }
}

/// A page of the newest lines of a company.
pub(crate) fn lines_of(company: CompanyId) -> ListLog {
    ListLog { company_id: company.to_string(), limit: 500, ..ListLog::default() }
}
