//! What the tests' directory knows.

use bus_contract::directory::{
    DirectGroup, Failure, GroupRecord, ListMembers, ListMembersReply, LookUpGroup, LookUpGroupReply,
    LookUpUser, LookUpUserReply, Member, Order, Position, SearchGroups, SearchGroupsReply, SearchUsers,
    SearchUsersReply, UserRecord, failure, look_up_group, look_up_user, reply,
};
use scim_protocol::{
    Attributes,
    filter::{self, Filter},
    fold::fold,
    resource::{self, Rendering},
    schema::{SchemaSet, groups},
    sort::Sort,
};
use serde_json::{Map, Value};

use super::{MEMBERS_PER_PAGE, Mood, State};

pub(super) fn unavailable() -> reply::Result {
    reply::Result::Failure(Failure { reason: failure::Reason::Unavailable.into(), ..Failure::default() })
}

impl State {
    pub(super) fn look_up_user(&mut self, question: LookUpUser) -> reply::Result {
        let is_asked_for = |user: &UserRecord| match question.key.as_ref().unwrap() {
            look_up_user::Key::UserId(id) => user.user_id == *id,
            look_up_user::Key::UserName(name) => has_name(&user.attributes_json, "userName", name),
            look_up_user::Key::ExternalId(id) => {
                text(&user.attributes_json, "externalId").as_deref() == Some(id)
            }
        };
        let users = self.users_of(&question.company_id).into_iter().filter(is_asked_for).collect();
        self.asked.look_ups.push(question);
        reply::Result::LookUpUser(LookUpUserReply { users })
    }

    pub(super) fn look_up_group(&mut self, question: LookUpGroup) -> reply::Result {
        let is_asked_for = |group: &GroupRecord| match question.key.as_ref().unwrap() {
            look_up_group::Key::GroupId(id) => group.group_id == *id,
            look_up_group::Key::DisplayName(name) => has_name(&group.attributes_json, "displayName", name),
            look_up_group::Key::ExternalId(id) => {
                text(&group.attributes_json, "externalId").as_deref() == Some(id)
            }
        };
        let groups = self.groups_of(&question.company_id).into_iter().filter(is_asked_for).collect();
        self.asked.group_look_ups.push(question);
        reply::Result::LookUpGroup(LookUpGroupReply { groups })
    }

    pub(super) fn search_users(&mut self, question: SearchUsers) -> reply::Result {
        let found = self
            .users_of(&question.company_id)
            .into_iter()
            .map(|user| (rendered(&self.schemas, &user.user_id, user.version, &user.attributes_json), user));
        let page = Page { offset: question.offset, limit: question.limit, after: question.after.as_ref() };
        let (total, mut users, next) =
            page.of(&self.schemas, found.collect(), &question.filter, question.order.as_ref());
        users.truncate(self.cut);
        self.asked.searches.push(question);
        reply::Result::SearchUsers(SearchUsersReply { total, users, next })
    }

    pub(super) fn search_groups(&mut self, question: SearchGroups) -> reply::Result {
        let found = self
            .groups_of(&question.company_id)
            .into_iter()
            .map(|group| (rendered(groups(), &group.group_id, group.version, &group.attributes_json), group));
        let page = Page { offset: question.offset, limit: question.limit, after: question.after.as_ref() };
        let (total, groups, next) =
            page.of(groups(), found.collect(), &question.filter, question.order.as_ref());
        self.asked.group_searches.push(question);
        reply::Result::SearchGroups(SearchGroupsReply { total, groups, next })
    }

    pub(super) fn list_members(&mut self, question: ListMembers) -> reply::Result {
        let key = (question.company_id.clone(), question.group_id.clone());
        if self.vanishing {
            self.groups.remove(&key);
        }
        if self.peace > 0 {
            self.peace -= 1;
        } else if self.disturbances > 0 {
            self.disturbances -= 1;
            self.groups.entry(key.clone()).and_modify(|group| group.version += 1);
        }
        let version = self.groups.get(&key).map_or(0, |group| group.version);
        let named = self.members.get(&key).into_iter().flatten().map(|id| self.member(&key.0, id));
        let nameless =
            (0..self.crowd).map(|number| Member { member_id: format!("g{number:08}"), ..Member::default() });
        let mut left = named.chain(nameless).filter(|member| member.member_id > question.after_member_id);
        let most = if self.crowd > 0 { question.limit as usize } else { MEMBERS_PER_PAGE };
        let members: Vec<_> = left.by_ref().take(most).collect();
        let has_more = left.next().is_some();
        drop(left);
        self.asked.pages_of_members.push(question);
        if self.mood == Mood::Promising {
            return reply::Result::ListMembers(ListMembersReply { version, members: vec![], has_more: true });
        }
        reply::Result::ListMembers(ListMembersReply { version, members, has_more })
    }

    fn member(&self, company: &str, id: &str) -> Member {
        let key = (company.to_owned(), id.to_owned());
        let user = self.users.get(&key).map(|user| (&user.attributes_json, "userName"));
        let group = self.groups.get(&key).map(|group| (&group.attributes_json, "displayName"));
        let (attributes, name) = user.or(group).unwrap();
        Member {
            member_id: id.to_owned(),
            is_group: group.is_some(),
            display_name: text(attributes, name).unwrap_or_default(),
        }
    }

    /// In the order of their ids, with their groups.
    pub(super) fn users_of(&self, company: &str) -> Vec<UserRecord> {
        let users =
            self.users.iter().filter(|((owner, _), _)| owner == company).map(|(_, user)| user.clone());
        let with_groups = users.map(|user| {
            let is_in = |group: &GroupRecord| {
                let key = (company.to_owned(), group.group_id.clone());
                self.members.get(&key).is_some_and(|members| members.contains(&user.user_id))
            };
            let groups = self.groups_of(company).into_iter().filter(is_in).map(|group| DirectGroup {
                display_name: text(&group.attributes_json, "displayName").unwrap_or_default(),
                group_id: group.group_id,
            });
            UserRecord { groups: groups.collect(), ..user }
        });
        with_groups.collect()
    }

    /// In the order of their ids.
    pub(super) fn groups_of(&self, company: &str) -> Vec<GroupRecord> {
        self.groups
            .iter()
            .filter(|((owner, _), _)| owner == company)
            .map(|(_, group)| group.clone())
            .collect()
    }
}

/// A part of what a search finds.
struct Page<'a> {
    offset: u32,
    limit: u32,
    after: Option<&'a Position>,
}

impl Page<'_> {
    fn of<R>(
        &self,
        schemas: &SchemaSet,
        mut found: Vec<(Map<String, Value>, R)>,
        filter: &str,
        order: Option<&Order>,
    ) -> (u64, Vec<R>, Option<Position>) {
        if !filter.is_empty() {
            let filter = Filter::parse(schemas, filter).unwrap();
            found.retain(|(resource, _)| filter::matches(&filter, resource));
        }
        if let Some(order) = order {
            let direction = if order.descending { "descending" } else { "ascending" };
            let sort = Sort::parse(schemas, Some(&order.path), Some(direction)).unwrap().unwrap();
            found.sort_by(|(a, _), (b, _)| sort.compare(a, b));
        }
        let total = found.len();
        let begin = match self.after {
            None => self.offset as usize,
            Some(after) => {
                assert_eq!(after.key.is_some(), order.is_some(), "a position belongs to its order");
                1 + found.iter().position(|(resource, _)| resource["id"] == after.id).unwrap()
            }
        };
        let end = (begin + self.limit as usize).min(total);
        let next = (begin < end && end < total).then(|| Position {
            id: found[end - 1].0["id"].as_str().unwrap().to_owned(),
            key: order.map(|_| "what it was sorted by".to_owned()),
        });
        let records = found.into_iter().map(|(_, record)| record).take(end).skip(begin);
        (total as u64, records.collect(), next)
    }
}

fn rendered(schemas: &SchemaSet, id: &str, version: i64, attributes: &str) -> Map<String, Value> {
    let attributes: Attributes = serde_json::from_str(attributes).unwrap();
    resource::render(schemas, &attributes, &Rendering { id, version, ..Rendering::default() })
}

pub(super) fn has_name(attributes: &str, attribute: &str, name: &str) -> bool {
    text(attributes, attribute).is_some_and(|own| fold(&own) == fold(name))
}

pub(super) fn text(attributes: &str, attribute: &str) -> Option<String> {
    let attributes: Attributes = serde_json::from_str(attributes).unwrap();
    attributes.get(attribute)?.as_str().map(ToOwned::to_owned)
}
