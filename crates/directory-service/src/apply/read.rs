//! What a batch has to know before it is decided.

use std::collections::{BTreeSet, HashMap};

use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, MemberId, UserId};

use super::{
    decide::{
        self, Known, Unknown, UserKey,
        groups::{GroupKey, Member, MemberKey},
        restore::Held,
    },
    request::{Change, GroupChange, Request, UserChange},
};
use crate::{
    extension,
    store::{self, batch::Seen, partitions::Tenure},
};

/// What was read.
pub(super) struct Read {
    pub(super) seen: Seen,
    pub(super) known: Known,
    /// What the groups are called that users of the batch are in.
    pub(super) group_names: HashMap<GroupKey, String>,
}

/// Reads everything that the requests are about. A create's id is among it: it has to be nobody's.
///
/// The first statement says at which revision the partition is. What the others read later cannot be newer than what is
/// written, because nothing is written when the revision has moved on.
pub(super) fn read(
    conn: &mut PgConnection,
    tenure: Tenure,
    companies: &[CompanyId],
    requests: &[&Request],
) -> QueryResult<Read> {
    let targets: BTreeSet<_> =
        requests.iter().filter_map(|request| Some((request.company, request.user()?))).collect();
    let targets: Vec<_> = targets.into_iter().collect();
    let names: BTreeSet<_> = requests.iter().filter_map(|request| decide::wanted_name(request)).collect();
    let names: Vec<_> = names.into_iter().collect();
    let mut seen = store::batch::read(conn, tenure.partition, companies, &targets, &names)?;
    let mut known = Known {
        users: seen.users.drain(..).map(|user| (user.key(), user)).collect(),
        names: names.into_iter().zip(seen.holders.drain(..)).collect(),
        ..Known::default()
    };
    let mut declared: HashMap<CompanyId, Vec<String>> = HashMap::new();
    for (company, document) in seen.extensions.drain(..) {
        declared.entry(company).or_default().push(document);
    }
    known.schemas = declared
        .iter()
        .map(|(company, documents)| (*company, extension::users_with(documents.iter().map(String::as_str))))
        .collect();
    let mut group_names = HashMap::new();
    for ((company, user), group, name) in seen.direct_groups.drain(..) {
        let member = Member { id: MemberId::from_uuid(user.as_uuid()), is_group: false };
        known.groups.memberships.insert((company, group), member);
        group_names.insert((company, group), name);
    }
    read_removed(conn, companies, requests, &mut known)?;
    read_groups(conn, companies, requests, &mut known)?;
    Ok(Read { seen, known, group_names })
}

/// What an undo needs of those whom a mass removal took away: what they were, and who has their names by now.
fn read_removed(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    requests: &[&Request],
    known: &mut Known,
) -> QueryResult<()> {
    let wanted: BTreeSet<UserKey> = requests
        .iter()
        .filter_map(|request| match request.change {
            Change::User(user, UserChange::Restore(_)) => Some((request.company, user)),
            Change::User(..) | Change::Group(..) => None,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<UserKey> = wanted.into_iter().collect();
    known.removed.people = store::removals::by_users(conn, companies, &wanted)?.into_iter().collect();
    let held = || known.removed.people.values().filter_map(|removed| removed.held.as_ref());
    let external_id = |held: &Held| Some((held.user.company, held.user.external_id()?.to_owned()));
    let external_ids: Vec<_> = held().filter_map(external_id).collect();
    let names: Vec<_> = held().map(|held| decide::name_key(&held.user)).collect();
    let holders = store::removals::external_id_holders(conn, companies, &external_ids)?;
    known.removed.external_ids =
        external_ids.into_iter().zip(holders).filter_map(|(id, holder)| Some((id, holder?))).collect();
    let holders = store::users::name_holders(conn, companies, &names)?;
    known.names.extend(names.into_iter().zip(holders));
    Ok(())
}

/// What only some batches need.
fn read_groups(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    requests: &[&Request],
    known: &mut Known,
) -> QueryResult<()> {
    let wanted = Wanted::of(requests, known);
    if wanted.is_nothing() {
        return Ok(());
    }
    let list = |keys: &BTreeSet<_>| keys.iter().copied().collect::<Vec<_>>();
    let memberships = [
        store::memberships::of_groups(conn, companies, &list(&wanted.emptied))?,
        store::memberships::of_members(conn, companies, &wanted.deleted)?,
        store::memberships::pairs(conn, companies, &wanted.pairs.iter().copied().collect::<Vec<_>>())?,
    ];
    let mut groups = wanted.groups;
    for (group, member) in memberships.into_iter().flatten() {
        if wanted.deleted.contains(&(group.0, member.id)) {
            groups.insert(group);
        }
        known.groups.memberships.insert(group, member);
    }
    let found = store::groups::by_ids(conn, companies, &list(&groups))?;
    known.groups.groups = found.into_iter().map(|group| (group.key(), group)).collect();
    let candidates: Vec<MemberKey> = wanted.candidates.into_iter().collect();
    known.groups.candidates = store::memberships::kinds(conn, companies, &candidates)?.into_iter().collect();
    let names: Vec<_> = wanted.names.into_iter().collect();
    let holders = store::groups::name_holders(conn, companies, &names)?;
    known.groups.names = names.into_iter().zip(holders).collect();
    Ok(())
}

/// What has to be asked about groups.
#[derive(Default)]
struct Wanted {
    groups: BTreeSet<GroupKey>,
    names: BTreeSet<(CompanyId, String)>,
    /// Whoever is to be a member.
    candidates: BTreeSet<MemberKey>,
    pairs: BTreeSet<(GroupKey, MemberId)>,
    /// Groups whose members are all replaced.
    emptied: BTreeSet<GroupKey>,
    /// Groups that are deleted, as members of others.
    deleted: Vec<MemberKey>,
}

impl Wanted {
    fn of(requests: &[&Request], known: &Known) -> Self {
        let mut wanted = Self::default();
        for request in requests {
            let company = request.company;
            match &request.change {
                // Users that are deleted leave their groups, which are then at another version.
                Change::User(user, UserChange::Delete(_)) => {
                    let groups = known.groups.memberships.of_member((company, member(*user)));
                    wanted.groups.extend(groups.into_iter().map(|group| (company, group)));
                }
                // Users that come back are in their groups again.
                Change::User(user, UserChange::Restore(_)) => {
                    let held = known.removed.people.get(&(company, *user)).and_then(|it| it.held.as_ref());
                    let groups = held.map(|held| held.groups.as_slice()).unwrap_or_default();
                    wanted.groups.extend(groups.iter().map(|group| (company, *group)));
                }
                Change::User(..) => {}
                Change::Group(group, change) => {
                    let key = (company, *group);
                    wanted.groups.insert(key);
                    wanted.names.extend(decide::groups::wanted_name(company, change));
                    if matches!(change, GroupChange::Delete(_)) {
                        wanted.deleted.push((company, MemberId::from_uuid(group.as_uuid())));
                    }
                    let Some(members) = change.members() else { continue };
                    wanted.candidates.extend(members.added.iter().map(|id| (company, *id)));
                    if members.clear {
                        wanted.emptied.insert(key);
                    } else {
                        let named = members.added.iter().chain(&members.removed);
                        wanted.pairs.extend(named.map(|id| (key, *id)));
                    }
                }
            }
        }
        wanted
    }

    fn is_nothing(&self) -> bool {
        self.groups.is_empty()
    }
}

fn member(user: UserId) -> MemberId {
    MemberId::from_uuid(user.as_uuid())
}

/// Looks up what a decision turned out to depend on.
pub(super) fn complete(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    known: &mut Known,
    unknown: Unknown,
) -> QueryResult<()> {
    let holders = store::users::name_holders(conn, companies, &unknown.names)?;
    known.names.extend(unknown.names.into_iter().zip(holders));
    let holders = store::groups::name_holders(conn, companies, &unknown.group_names)?;
    known.groups.names.extend(unknown.group_names.into_iter().zip(holders));
    Ok(())
}
