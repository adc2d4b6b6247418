//! The members of groups, read page by page and only when they are shown.
//!
//! A look-up or search tells of a group without its members, of which there may be a hundred thousand, and Entra asks for
//! them never (entra-wire bug 18).

use std::sync::atomic::{AtomicUsize, Ordering};

use bus_contract::directory::{GroupRecord, Member};
use scim_protocol::{
    bulk::Endpoint,
    error::{ScimError, ScimType},
    projection::Projection,
};

use super::{Authenticated, respond::Refusal};
use crate::directory::{self, Key, Record};

/// The most members in one answer, of however many groups: some 50 MB of JSON.
const MAX_MEMBERS_SHOWN: usize = 200_000;

/// How often the members of a group are read when it changes under the reading.
const ATTEMPTS: usize = 3;

/// A resource that is about to be shown.
pub(super) struct Shown {
    pub(super) record: Record,
    pub(super) members: Members,
}

/// What is known of the members.
pub(super) enum Members {
    /// Nothing: they are not shown, or it is no group.
    Unasked,
    /// All of them.
    Of(Vec<Member>),
    /// That there is no such group any more.
    Gone,
}

/// How many members one answer has room for.
pub(super) struct Allowance(AtomicUsize);

impl Default for Allowance {
    fn default() -> Self {
        Self(AtomicUsize::new(MAX_MEMBERS_SHOWN))
    }
}

impl Allowance {
    fn take(&self, members: usize) -> Result<(), ScimError> {
        let taken = self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(members));
        taken.map(drop).map_err(|_left| {
            ScimError::new(
                400,
                Some(ScimType::TooMany),
                format!(
                    "The answer would list more than {MAX_MEMBERS_SHOWN} members. Ask with \
                     excludedAttributes=members, or for fewer groups with a smaller count."
                ),
            )
        })
    }

    fn give_back(&self, members: usize) {
        self.0.fetch_add(members, Ordering::Relaxed);
    }
}

/// What reading the members of one version of a group came to.
enum Read {
    Whole(Vec<Member>),
    Changed,
    Gone,
}

impl Authenticated<'_> {
    /// The resource with its members, when the projection shows any.
    pub(super) async fn with_members(
        &self,
        record: Record,
        projection: &Projection,
        allowance: &Allowance,
    ) -> Result<Shown, Refusal> {
        match record {
            Record::Group(group) if projection.shows("members") => {
                self.with_present_members(group, allowance).await
            }
            record => Ok(Shown { record, members: Members::Unasked }),
        }
    }

    /// The group and its members as of the same version, unless it never holds still: then members of several.
    async fn with_present_members(
        &self,
        mut group: GroupRecord,
        allowance: &Allowance,
    ) -> Result<Shown, Refusal> {
        for attempt in 1..=ATTEMPTS {
            let members = match self.read_members(&group, attempt == ATTEMPTS, allowance).await? {
                Read::Whole(members) => Members::Of(members),
                Read::Gone => Members::Gone,
                Read::Changed => {
                    let key = Key::Id(group.group_id.clone());
                    let found =
                        directory::look_up(self.app, self.caller.company, Endpoint::Groups, key).await?;
                    match found.into_iter().next() {
                        Some(Record::Group(present)) => {
                            group = present;
                            continue;
                        }
                        _ => Members::Gone,
                    }
                }
            };
            return Ok(Shown { record: Record::Group(group), members });
        }
        Err(Refusal::internal("members were read without an end"))
    }

    async fn read_members(
        &self,
        group: &GroupRecord,
        whatever_the_version: bool,
        allowance: &Allowance,
    ) -> Result<Read, Refusal> {
        let mut members: Vec<Member> = Vec::new();
        loop {
            let after = members.last().map_or("", |member| &member.member_id);
            let page = directory::list_members(self.app, self.caller.company, &group.group_id, after).await?;
            if page.version == 0 {
                allowance.give_back(members.len());
                return Ok(Read::Gone);
            }
            if page.version != group.version && !whatever_the_version {
                allowance.give_back(members.len());
                return Ok(Read::Changed);
            }
            allowance.take(page.members.len())?;
            members.extend(page.members);
            if !page.has_more {
                return Ok(Read::Whole(members));
            }
        }
    }
}
