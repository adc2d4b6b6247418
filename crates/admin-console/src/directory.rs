//! What the directory is asked, always about the company of whoever looks.

use bus_contract::{
    audit::{Actor, Event, ListEvents},
    directory::{
        BrakeRule, BrowseGroups, BrowseGroupsReply, BrowseUsers, BrowseUsersReply, DecideBrake,
        DecideBrakeReply, GetActivity, GetActivityReply, GroupRecord, ListBrakes, ListBrakesReply,
        ListCycles, ListCyclesReply, ListLog, ListLogReply, ListMembers, ListMembersReply, ListRemovals,
        ListRemovalsReply, LookUpGroup, LookUpUser, Reply, SetBrakeRule, SetBrakeRuleReply, UserRecord,
        browse_users, decide_brake::Decision, failure::Reason, look_up_group, look_up_user,
        reply::Result as Answer,
    },
    subject,
};
use bus_jetstream::Bus;
use typed_ids::{BrakeId, CompanyId, GroupId, UserId};
use uuid::Uuid;

use crate::{
    app::App,
    question::{self, Unanswered, answer_of},
    signed_in::SignedIn,
};

/// The directory, for one company.
pub(crate) struct Directory<'a> {
    bus: &'a Bus,
    company: CompanyId,
}

impl<'a> Directory<'a> {
    pub(crate) fn of(app: &'a App, who: &SignedIn) -> Self {
        Self::of_company(app, who.company)
    }

    /// Where nobody is signed in yet, and something else has proved which company it is about.
    pub(crate) const fn of_company(app: &'a App, company: CompanyId) -> Self {
        Self { bus: &app.bus, company }
    }

    /// Health, cycles, the last day, credentials' uses and the size.
    pub(crate) async fn activity(&self) -> Result<GetActivityReply, Unanswered> {
        let question = GetActivity { company_id: self.company.to_string() };
        answer_of!(self.ask(subject::GET_ACTIVITY, &question).await?, GetActivity)
    }

    /// A page of the provisioning log. The company of the question is filled in here, whatever it was.
    pub(crate) async fn log(&self, mut question: ListLog) -> Result<ListLogReply, Unanswered> {
        question.company_id = self.company.to_string();
        answer_of!(self.ask(subject::LIST_LOG, &question).await?, ListLog)
    }

    pub(crate) async fn cycles(
        &self,
        before: Option<String>,
        limit: u32,
    ) -> Result<ListCyclesReply, Unanswered> {
        let question = ListCycles {
            company_id: self.company.to_string(),
            before_cycle_id: before.unwrap_or_default(),
            limit,
        };
        answer_of!(self.ask(subject::LIST_CYCLES, &question).await?, ListCycles)
    }

    pub(crate) async fn people(
        &self,
        search: &str,
        state: browse_users::State,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<BrowseUsersReply, Unanswered> {
        let question = BrowseUsers {
            company_id: self.company.to_string(),
            search: search.to_owned(),
            state: state.into(),
            after_user_id: after.map(|after| after.to_string()).unwrap_or_default(),
            limit,
        };
        answer_of!(self.ask(subject::BROWSE_USERS, &question).await?, BrowseUsers)
    }

    /// `None` when the company has no such person.
    pub(crate) async fn person(&self, person: UserId) -> Result<Option<UserRecord>, Unanswered> {
        let found = self.people_by(look_up_user::Key::UserId(person.to_string())).await?;
        Ok(found.into_iter().next())
    }

    /// Whoever has this key; an externalId may be that of several.
    pub(crate) async fn people_by(&self, key: look_up_user::Key) -> Result<Vec<UserRecord>, Unanswered> {
        let question = LookUpUser { company_id: self.company.to_string(), key: Some(key) };
        let found = answer_of!(self.ask(subject::LOOK_UP_USER, &question).await?, LookUpUser)?;
        Ok(found.users)
    }

    pub(crate) async fn groups(
        &self,
        search: &str,
        after: Option<GroupId>,
        limit: u32,
    ) -> Result<BrowseGroupsReply, Unanswered> {
        let question = BrowseGroups {
            company_id: self.company.to_string(),
            search: search.to_owned(),
            after_group_id: after.map(|after| after.to_string()).unwrap_or_default(),
            limit,
        };
        answer_of!(self.ask(subject::BROWSE_GROUPS, &question).await?, BrowseGroups)
    }

    /// `None` when the company has no such group.
    pub(crate) async fn group(&self, group: GroupId) -> Result<Option<GroupRecord>, Unanswered> {
        let key = Some(look_up_group::Key::GroupId(group.to_string()));
        let question = LookUpGroup { company_id: self.company.to_string(), key };
        let found = answer_of!(self.ask(subject::LOOK_UP_GROUP, &question).await?, LookUpGroup)?;
        Ok(found.groups.into_iter().next())
    }

    pub(crate) async fn members(
        &self,
        group: GroupId,
        after: Option<String>,
        limit: u32,
    ) -> Result<ListMembersReply, Unanswered> {
        let question = ListMembers {
            company_id: self.company.to_string(),
            group_id: group.to_string(),
            after_member_id: after.unwrap_or_default(),
            limit,
        };
        answer_of!(self.ask(subject::LIST_MEMBERS, &question).await?, ListMembers)
    }

    /// Mass removals, the newest first, and when there is one.
    pub(crate) async fn brakes(&self) -> Result<ListBrakesReply, Unanswered> {
        let question = ListBrakes { company_id: self.company.to_string() };
        answer_of!(self.ask(subject::LIST_BRAKES, &question).await?, ListBrakes)
    }

    /// Who waits for a decision about a mass removal.
    pub(crate) async fn removals(
        &self,
        brake: BrakeId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<ListRemovalsReply, Unanswered> {
        let question = ListRemovals {
            company_id: self.company.to_string(),
            brake_id: brake.to_string(),
            after_user_id: after.map(|after| after.to_string()).unwrap_or_default(),
            limit,
        };
        answer_of!(self.ask(subject::LIST_REMOVALS, &question).await?, ListRemovals)
    }

    /// Decides about those whom somebody has `seen`, so many.
    pub(crate) async fn decide(
        &self,
        brake: BrakeId,
        (decision, seen): (Decision, u64),
        actor: Actor,
    ) -> Result<DecideBrakeReply, Unanswered> {
        let act = DecideBrake {
            company_id: self.company.to_string(),
            brake_id: brake.to_string(),
            decision: decision.into(),
            actor: Some(actor),
            removed: seen,
        };
        answer_of!(self.ask(subject::DECIDE_BRAKE, &act).await?, DecideBrake)
    }

    pub(crate) async fn set_brake_rule(
        &self,
        rule: BrakeRule,
        actor: Actor,
    ) -> Result<SetBrakeRuleReply, Unanswered> {
        let act = SetBrakeRule { company_id: self.company.to_string(), rule: Some(rule), actor: Some(actor) };
        answer_of!(self.ask(subject::SET_BRAKE_RULE, &act).await?, SetBrakeRule)
    }

    /// The directory's part of the audit log, the newest first.
    pub(crate) async fn events(&self, before: Option<String>, limit: u32) -> Result<Vec<Event>, Unanswered> {
        let question = ListEvents {
            company_id: self.company.to_string(),
            before_event_id: before.unwrap_or_default(),
            limit,
        };
        let list = answer_of!(self.ask(subject::LIST_COMPANY_EVENTS, &question).await?, ListEvents)?;
        Ok(list.events)
    }

    async fn ask<Q: bus_contract::Message>(
        &self,
        subject: &'static str,
        question: &Q,
    ) -> Result<Answer, Unanswered> {
        let reply: Reply = question::ask(self.bus, subject, question).await?;
        match reply.result.ok_or(Unanswered::Unintelligible)? {
            Answer::Failure(failure) => Err(match failure.reason() {
                Reason::Unavailable => Unanswered::Unavailable(failure.detail),
                Reason::Invalid | Reason::Conflict | Reason::Unspecified => {
                    Unanswered::Refused(failure.detail)
                }
            }),
            answer => Ok(answer),
        }
    }
}
