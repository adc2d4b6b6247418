//! One change, laid over what the model holds.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Effect;
use crate::change::{Change, Reading};

/// Applies a fact.
pub(super) fn apply(connection: &Connection, reading: &Reading) -> Result<Effect, rusqlite::Error> {
    change(connection, &reading.company, reading.occurred_at, &reading.change)
}

/// Applies a change that happened at this second.
pub(super) fn change(
    connection: &Connection,
    company: &str,
    at: i64,
    change: &Change,
) -> Result<Effect, rusqlite::Error> {
    let changed = match change {
        Change::User { user, version, active } => connection
            .prepare_cached(
                "insert into users (company_id, user_id, version, active) values (?1, ?2, ?3, ?4) \
                 on conflict do update set version = excluded.version, active = excluded.active, gone_at = null \
                 where excluded.version > version",
            )?
            .execute(params![company, user, version, active])?,
        // A deletion has the version of the last change before it, and comes after that.
        Change::UserGone { user, version } => connection
            .prepare_cached(
                "insert into users (company_id, user_id, version, active, gone_at) values (?1, ?2, ?4, 0, ?3) \
                 on conflict do update set version = excluded.version, active = 0, gone_at = excluded.gone_at \
                 where excluded.version > version or (excluded.version = version and gone_at is null)",
            )?
            .execute(params![company, user, at, version])?,
        Change::Group { group, version, name } => connection
            .prepare_cached(
                "insert into groups (company_id, group_id, version, name) values (?1, ?2, ?3, ?4) \
                 on conflict do update set version = excluded.version, name = excluded.name \
                 where excluded.version > version and gone_at is null",
            )?
            .execute(params![company, group, version, name])?,
        Change::GroupGone { group } => group_gone(connection, company, at, group)?,
        Change::Members { group, version, members, present } => {
            if is_old(connection, company, group, *version)? {
                return Ok(Effect::Known);
            }
            set_members(connection, (company, group, *version, at), members, *present)?
        }
        Change::Unknown => return Ok(Effect::PassedOver),
    };
    Ok(if changed > 0 { Effect::Applied } else { Effect::Known })
}

fn group_gone(
    connection: &Connection,
    company: &str,
    at: i64,
    group: &str,
) -> Result<usize, rusqlite::Error> {
    connection
        .prepare_cached("delete from memberships where company_id = ?1 and group_id = ?2")?
        .execute(params![company, group])?;
    connection
        .prepare_cached(
            "insert into groups (company_id, group_id, version, name, gone_at) values (?1, ?2, 0, '', ?3) \
             on conflict do update set name = '', gone_at = excluded.gone_at where gone_at is null",
        )?
        .execute(params![company, group, at])
}

/// Whether the group is gone, or its members are known as of this version or a later one.
fn is_old(
    connection: &Connection,
    company: &str,
    group: &str,
    version: i64,
) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached(
            "select gone_at is not null or members_since >= ?3 from groups where company_id = ?1 and group_id = ?2",
        )?
        .query_row(params![company, group, version], |row| row.get(0))
        .optional()
        .map(|old| old.unwrap_or(false))
}

fn set_members(
    connection: &Connection,
    (company, group, version, at): (&str, &str, i64, i64),
    members: &[String],
    present: bool,
) -> Result<usize, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "insert into memberships (company_id, group_id, member_id, version, present, changed_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6) \
         on conflict do update set version = excluded.version, present = excluded.present, \
           changed_at = excluded.changed_at \
         where (excluded.version, excluded.present) > (version, present)",
    )?;
    let mut changed = 0;
    for member in members {
        changed += statement.execute(params![company, group, member, version, present, at])?;
    }
    Ok(changed)
}
