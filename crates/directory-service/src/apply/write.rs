//! What a batch amounts to, into the database.

use std::collections::BTreeMap;

use diesel::{Connection as _, PgConnection, QueryResult, result::Error};
use typed_ids::{CompanyId, GroupId, MemberId, UserId};

use super::{
    decide::{Decision, groups::GroupKey},
    removals::{News, Removals},
};
use crate::{
    brake::BrakeSettings,
    store::{self, batch::Write, dead_letters::DeadLetter},
};

/// Writes everything, or nothing and `None` when somebody wrote since it was read. What is rare, or about groups, is a
/// statement of its own, for which there is a transaction around all.
pub(super) fn write(
    conn: &mut PgConnection,
    write: &Write<'_>,
    decision: &Decision,
    letters: &[DeadLetter<'_>],
    removals: Removals<'_>,
    brake: BrakeSettings,
) -> QueryResult<Option<Vec<News>>> {
    let is_plain = decision.deletes.is_empty() && decision.groups.is_empty() && letters.is_empty();
    if is_plain && removals.is_empty() {
        return Ok(store::batch::write(conn, write)?.then(Vec::new));
    }
    let written = conn.transaction(|conn| {
        store::open_companies(conn, write.companies)?;
        for letter in letters {
            store::dead_letters::insert(conn, letter, write.applied_at)?;
        }
        // Removals first, so that a name freed by this batch can be taken by it.
        delete(conn, decision)?;
        if !store::batch::write(conn, write)? {
            return Err(Error::RollbackTransaction);
        }
        store::groups::upsert(conn, &decision.groups.writes)?;
        store::memberships::add(conn, &decision.groups.added)?;
        removals.write(conn, brake, write.applied_at)
    });
    match written {
        Ok(news) => Ok(Some(news)),
        Err(Error::RollbackTransaction) => Ok(None),
        Err(error) => Err(error),
    }
}

fn delete(conn: &mut PgConnection, decision: &Decision) -> QueryResult<()> {
    let mut left: BTreeMap<GroupKey, Vec<MemberId>> = BTreeMap::new();
    for (group, member) in &decision.groups.removed {
        left.entry(*group).or_default().push(*member);
    }
    for (group, members) in left {
        store::memberships::remove(conn, group, &members)?;
    }
    let mut groups: BTreeMap<CompanyId, Vec<GroupId>> = BTreeMap::new();
    for (company, group) in &decision.groups.deletes {
        groups.entry(*company).or_default().push(*group);
    }
    for (company, groups) in groups {
        store::groups::delete(conn, company, &groups)?;
    }
    let mut users: BTreeMap<CompanyId, Vec<UserId>> = BTreeMap::new();
    for (company, user) in &decision.deletes {
        users.entry(*company).or_default().push(*user);
    }
    for (company, users) in users {
        store::users::delete(conn, company, &users)?;
    }
    Ok(())
}
