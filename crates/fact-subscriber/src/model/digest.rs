//! What the model says, for people and for comparisons.

use sha2::{Digest as _, Sha256};

use super::{Error, Model};

/// A short name for everything that the model says, and how much that is. Two models that say the same have the same
/// one, whatever way they came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Of every line that there is to say, in a fixed order.
    pub sha256: String,
    /// Users that exist.
    pub users: u64,
    /// Of those, users that take a seat.
    pub seats: u64,
    /// Groups that exist.
    pub groups: u64,
    /// Memberships of users and groups in groups.
    pub memberships: u64,
}

/// A user, as the model knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Whose user.
    pub company: String,
    /// The user's id.
    pub user: String,
    /// Whether the user takes a seat.
    pub active: bool,
    /// The ids of the groups that the user is in, in their order.
    pub groups: Vec<String>,
}

const USERS: &str = "select 'user', company_id, user_id, active from users where gone_at is null \
    order by company_id, user_id";
const GROUPS: &str = "select 'group', company_id, group_id, name from groups where gone_at is null and version > 0 \
    order by company_id, group_id";
// A member that was added before its group was announced is none yet.
const MEMBERSHIPS: &str = "select 'member', m.company_id, m.group_id, m.member_id from memberships m \
    join groups g on g.company_id = m.company_id and g.group_id = m.group_id \
    where m.present and g.gone_at is null and g.version > 0 order by m.company_id, m.group_id, m.member_id";
const SEATS: &str = "select u.company_id, u.user_id, u.active, \
      (select coalesce(group_concat(group_id, ' '), '') from (select m.group_id from memberships m \
        join groups g on g.company_id = m.company_id and g.group_id = m.group_id \
        where m.company_id = u.company_id and m.member_id = u.user_id and m.present \
          and g.gone_at is null and g.version > 0 order by m.group_id)) \
    from users u where u.gone_at is null order by u.company_id, u.user_id";

impl Model {
    /// The digest of everything that the model says at this moment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn digest(&mut self) -> Result<Digest, Error> {
        // One transaction: what is read is of one moment, also when somebody writes meanwhile.
        let transaction = self.connection.transaction()?;
        let mut hash = Sha256::new();
        let mut counts = [0; 3];
        for (count, query) in counts.iter_mut().zip([USERS, GROUPS, MEMBERSHIPS]) {
            let mut statement = transaction.prepare(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (kind, company, id): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let value = match row.get_ref(3)? {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    text => String::from_utf8_lossy(text.as_bytes().unwrap_or_default()).into_owned(),
                };
                // A name may hold anything, so its length goes before it.
                hash.update(format!("{kind} {company} {id} {} {value}\n", value.len()));
                *count += 1;
            }
        }
        let seats: i64 = transaction.query_row(
            "select count(*) from users where active and gone_at is null",
            [],
            |row| row.get(0),
        )?;
        let [users, groups, memberships] = counts;
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Digest { sha256, users, seats: seats.unsigned_abs(), groups, memberships })
    }

    /// Tells of every user, in the order of companies and ids.
    ///
    /// # Errors
    /// When the file cannot be read, and what `tell` returns.
    pub fn each_seat<E: From<Error>>(
        &mut self,
        mut tell: impl FnMut(Seat) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare(SEATS).map_err(Error::from)?;
        let mut rows = statement.query([]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            let read = || {
                let groups: String = row.get(3)?;
                Ok::<_, rusqlite::Error>(Seat {
                    company: row.get(0)?,
                    user: row.get(1)?,
                    active: row.get(2)?,
                    groups: groups.split_whitespace().map(str::to_owned).collect(),
                })
            };
            tell(read().map_err(Error::from)?)?;
        }
        Ok(())
    }
}
