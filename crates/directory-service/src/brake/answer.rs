//! Answers about mass removals, and takes what a human decides about them.

use bus_contract::{
    Message as _,
    audit::Actor,
    directory::{
        self, BrakeRule, DecideBrake, DecideBrakeReply, ListBrakes, ListBrakesReply, ListRemovals,
        ListRemovalsReply, Reply, SetBrakeRule, SetBrakeRuleReply, brake::State as WireState,
        decide_brake::Decision, failure::Reason, reply,
    },
};
use diesel::{PgConnection, QueryResult};
use pg_pool::Pool;
use typed_ids::{BrakeId, CompanyId};
use uuid::Uuid;

use super::{Brake, MOST_PEOPLE, MOST_PER_CENT, Rule, State};
use crate::{
    audit,
    question::{answered, failed, failure},
    store::{self, brakes, removals},
    time::{now, to_timestamp},
};

/// Brakes of one company that are listed.
const MAX_BRAKES: i64 = 50;
/// The most people of a page.
const MAX_REMOVALS: u32 = 200;

/// Lists a company's mass removals, the newest first, and its rule.
pub(crate) async fn list(pool: &Pool, payload: &[u8]) -> Reply {
    let company = ListBrakes::decode(payload).ok().and_then(|question| question.company_id.parse().ok());
    let Some(company) = company else { return invalid("the question names no company") };
    let found = pool.transaction("brakes.list", move |conn| {
        store::open_companies(conn, &[company])?;
        let newest = brakes::newest(conn, company, MAX_BRAKES)?;
        let shown = newest.iter().map(|brake| to_wire(conn, brake)).collect::<QueryResult<Vec<_>>>()?;
        Ok((shown, brakes::rule(conn, company)?.0))
    });
    match found.await {
        Ok((brakes, rule)) => {
            answered(reply::Result::ListBrakes(ListBrakesReply { brakes, rule: Some(rule_to_wire(rule)) }))
        }
        Err(error) => failed("list mass removals", &error),
    }
}

/// Answers one page of those who wait for a decision.
pub(crate) async fn list_removals(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = ListRemovals::decode(payload) else { return invalid("the question is malformed") };
    let Some((company, brake)) = named(&question.company_id, &question.brake_id) else {
        return invalid("the question names no company, or no mass removal");
    };
    let after = match question.after_user_id.as_str() {
        "" => Ok(Uuid::nil()),
        text => text.parse(),
    };
    let Ok(after) = after else { return invalid("after_user_id is no id") };
    if !(1..=MAX_REMOVALS).contains(&question.limit) {
        return invalid(&format!("limit is 1 to {MAX_REMOVALS}"));
    }
    let limit = question.limit;
    let found = pool.transaction("removals.page", move |conn| {
        store::open_companies(conn, &[company])?;
        let Some(brake) = brakes::one(conn, company, brake)? else { return Ok(None) };
        let people = removals::page(conn, company, brake.id, after, i64::from(limit) + 1)?;
        Ok(Some((to_wire(conn, &brake)?, people)))
    });
    match found.await {
        Ok(None) => answered(reply::Result::ListRemovals(ListRemovalsReply::default())),
        Ok(Some((brake, mut removals))) => {
            // Each of them is two texts of at most 2 KiB and little else, so a page fits.
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let has_more = removals.len() > limit;
            removals.truncate(limit);
            let brake = Some(brake);
            answered(reply::Result::ListRemovals(ListRemovalsReply { brake, removals, has_more }))
        }
        Err(error) => failed("list removals", &error),
    }
}

/// What became of a decision.
enum Decided {
    Done(Box<directory::Brake>),
    NoSuchBrake,
    /// Somebody decided otherwise before, or nobody did in time.
    Otherwise(State),
    /// So many more have been removed than whoever decides has seen.
    Grown(i64),
}

/// Takes what a human decides. Deciding the same again changes nothing.
pub(crate) async fn decide(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = DecideBrake::decode(payload) else { return invalid("the question is malformed") };
    let Some((company, brake)) = named(&question.company_id, &question.brake_id) else {
        return invalid("the question names no company, or no mass removal");
    };
    let wanted = match question.decision() {
        Decision::Undo => State::Undoing,
        Decision::Release => State::Released,
        Decision::Unspecified => return invalid("a decision is to undo or to release"),
    };
    let actor = match audit::actor(question.actor) {
        Ok(actor) => actor,
        Err(reply) => return *reply,
    };
    let seen = i64::try_from(question.removed).unwrap_or(i64::MAX);
    let decided = pool
        .transaction("brakes.decide", move |conn| carry_out(conn, company, brake, (wanted, seen), &actor));
    match decided.await {
        Ok(Decided::Done(brake)) => {
            answered(reply::Result::DecideBrake(DecideBrakeReply { brake: Some(*brake) }))
        }
        Ok(Decided::NoSuchBrake) => invalid("there is no such mass removal in this company"),
        Ok(Decided::Otherwise(state)) => failure(Reason::Conflict, "", otherwise(state)),
        Ok(Decided::Grown(more)) => {
            let detail = format!("{more} more people were removed than you have seen: look again who it is");
            failure(Reason::Conflict, "", &detail)
        }
        Err(error) => failed("decide about a mass removal", &error),
    }
}

fn otherwise(state: State) -> &'static str {
    match state {
        State::On => "nobody has decided about this mass removal yet",
        State::Undoing | State::Undone => "this mass removal is undone, or is being undone",
        State::Released => "somebody has said that these people left; what they were is destroyed",
        State::Expired => "the time in which this mass removal could be undone is over",
    }
}

fn carry_out(
    conn: &mut PgConnection,
    company: CompanyId,
    id: BrakeId,
    (wanted, seen): (State, i64),
    actor: &Actor,
) -> QueryResult<Decided> {
    brakes::lock(conn, company)?;
    store::open_companies(conn, &[company])?;
    let now = now();
    if brakes::expire(conn, company, now)? > 0 {
        // What was kept of those people is destroyed by the next look.
        brakes::look_again(conn, &[company], now)?;
    }
    let Some(brake) = brakes::one(conn, company, id)? else { return Ok(Decided::NoSuchBrake) };
    match (brake.state, wanted) {
        // What they were is destroyed, and of those nobody has seen nobody can say that they left.
        (State::On, State::Released) if brake.removed > seen => {
            return Ok(Decided::Grown(brake.removed - seen));
        }
        (State::On, _) => {}
        (State::Undoing | State::Undone, State::Undoing) | (State::Released, State::Released) => {
            return Ok(Decided::Done(Box::new(to_wire(conn, &brake)?)));
        }
        (state, _) => return Ok(Decided::Otherwise(state)),
    }
    brakes::decide(conn, &brake, wanted, now, actor)?;
    let act = if wanted == State::Undoing { "brake.undone" } else { "brake.released" };
    let (waiting, had_access, people) = (brake.waiting(), brake.had_access, brake.people);
    let note = format!("{waiting} people; {had_access} of {people} with access were removed");
    audit::record(conn, company, actor, act, &id.to_string(), &note)?;
    // What those were who left is destroyed at once; the owner of the partition asks for those who come back.
    if wanted == State::Released {
        removals::destroy(conn, company, id)?;
    }
    brakes::look_again(conn, &[company], now)?;
    let brake = brakes::one(conn, company, id)?.unwrap_or(brake);
    Ok(Decided::Done(Box::new(to_wire(conn, &brake)?)))
}

/// Sets the company's own rule.
pub(crate) async fn set_rule(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = SetBrakeRule::decode(payload) else { return invalid("the question is malformed") };
    let Ok(company) = question.company_id.parse::<CompanyId>() else {
        return invalid("the question names no company");
    };
    let actor = match audit::actor(question.actor) {
        Ok(actor) => actor,
        Err(reply) => return *reply,
    };
    let Some(rule) = question.rule.and_then(allowed) else {
        return invalid(&format!(
            "a rule is more than 1 to {MOST_PEOPLE} people and more than 1 to {MOST_PER_CENT} per cent"
        ));
    };
    let set = pool.transaction("brakes.set_rule", move |conn| {
        store::open_companies(conn, &[company])?;
        brakes::set_rule(conn, company, rule)?;
        let note = format!("more than {} people and {} per cent", rule.more_than, rule.per_cent);
        audit::record(conn, company, &actor, "brake.rule_set", &company.to_string(), &note)
    });
    match set.await {
        Ok(()) => answered(reply::Result::SetBrakeRule(SetBrakeRuleReply { rule: Some(rule_to_wire(rule)) })),
        Err(error) => failed("set the rule of mass removals", &error),
    }
}

fn allowed(rule: BrakeRule) -> Option<Rule> {
    let rule = Rule { more_than: rule.more_than.into(), per_cent: rule.percent.into() };
    let is_allowed =
        (1..=MOST_PEOPLE).contains(&rule.more_than) && (1..=MOST_PER_CENT).contains(&rule.per_cent);
    is_allowed.then_some(rule)
}

fn named(company: &str, brake: &str) -> Option<(CompanyId, BrakeId)> {
    Some((company.parse().ok()?, brake.parse().ok()?))
}

fn rule_to_wire(rule: Rule) -> BrakeRule {
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    BrakeRule { more_than: count(rule.more_than), percent: count(rule.per_cent) }
}

fn to_wire(conn: &mut PgConnection, brake: &Brake) -> QueryResult<directory::Brake> {
    let waiting = brake.waiting();
    let deleted = if waiting > 0 { removals::count_deleted(conn, brake.company, brake.id)? } else { 0 };
    let state = match brake.state {
        State::On => WireState::On,
        State::Undoing => WireState::Undoing,
        State::Undone => WireState::Undone,
        State::Released => WireState::Released,
        State::Expired => WireState::Expired,
    };
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(directory::Brake {
        brake_id: brake.id.to_string(),
        state: state.into(),
        began_at: Some(to_timestamp(brake.began_at)),
        last_at: Some(to_timestamp(brake.last_at)),
        removed: count(brake.removed),
        people: count(brake.people),
        waiting: count(waiting),
        waiting_deleted: count(deleted),
        restored: count(brake.restored),
        superseded: count(brake.superseded),
        returned: count(brake.returned),
        ends_at: (brake.state == State::On).then(|| to_timestamp(brake.ends_at)),
        decided_at: brake.decided_at.map(to_timestamp),
        decided_by: brake.decided_by.clone().unwrap_or_default(),
        had_access: count(brake.had_access),
        not_held: count(brake.not_held),
        decided_by_kind: brake.decided_by_kind.unwrap_or_default().into(),
    })
}

fn invalid(detail: &str) -> Reply {
    failure(Reason::Invalid, "", detail)
}
