//! What becomes of changes in the tests' directory.

use std::collections::BTreeSet;

use bus_contract::{
    Timestamp,
    directory::{GroupRecord, UserRecord},
    provisioning::{
        Applied, MembersChange, Outcome, PatchGroup, PatchOperation, Refused, Request, VersionCondition,
        outcome, patch_operation, refused, request::Change,
    },
    subject::{RequestSubject, Resource},
};
use scim_protocol::{
    Attributes, patch,
    schema::{SchemaSet, groups},
};

use super::{CREATED, Key, Mood, State, questions::has_name};

type Refusal = (refused::Reason, &'static str, String);

impl State {
    pub(super) fn change(&mut self, subject: RequestSubject, request: Request) -> Outcome {
        assert_eq!(subject.company.to_string(), request.company_id);
        self.requests.push((subject, request.clone()));
        let result = match self.mood {
            Mood::Refusing(reason) => Err((reason, "", "refused by the test".to_owned())),
            _ => self.apply(subject.resource, &request),
        };
        let result = match result {
            Ok(applied) => outcome::Result::Applied(applied),
            Err((reason, scim_type, detail)) => outcome::Result::Refused(Refused {
                reason: reason.into(),
                scim_type: scim_type.to_owned(),
                detail,
            }),
        };
        Outcome { request_id: request.request_id, repeated: false, result: Some(result) }
    }

    fn apply(&mut self, resource: Resource, request: &Request) -> Result<Applied, Refusal> {
        let company = request.company_id.clone();
        match (resource, request.change.clone().unwrap()) {
            (Resource::User, change) => self.change_user(company, change),
            (Resource::Group, change) => self.change_group(company, change),
        }
    }

    fn change_user(&mut self, company: String, change: Change) -> Result<Applied, Refusal> {
        match change {
            Change::CreateUser(create) => {
                let attributes: Attributes = serde_json::from_str(&create.attributes_json).unwrap();
                let name = attributes["userName"].as_str().unwrap();
                let others = self.users_of(&company);
                if others.iter().any(|user| has_name(&user.attributes_json, "userName", name)) {
                    return Err(taken("userName"));
                }
                Ok(self.store_user((company, create.user_id), 1, &attributes))
            }
            Change::ReplaceUser(replace) => {
                let key = (company, replace.user_id);
                let old = self.user(&key, replace.condition.as_ref())?;
                let attributes = serde_json::from_str(&replace.attributes_json).unwrap();
                Ok(self.store_user(key, old.version + 1, &attributes))
            }
            Change::PatchUser(patch) => {
                let key = (company, patch.user_id);
                let old = self.user(&key, patch.condition.as_ref())?;
                let (attributes, changed) = patched(&self.schemas, &old.attributes_json, &patch.operations)?;
                let stored = self.store_user(key, old.version + i64::from(changed), &attributes);
                Ok(Applied { changed, ..stored })
            }
            Change::DeleteUser(delete) => {
                let key = (company, delete.user_id);
                self.user(&key, delete.condition.as_ref())?;
                self.users.remove(&key);
                Ok(Applied { changed: true, ..Applied::default() })
            }
            _ => panic!("a change of a group on the subject of a user"),
        }
    }

    fn change_group(&mut self, company: String, change: Change) -> Result<Applied, Refusal> {
        match change {
            Change::CreateGroup(create) => {
                let attributes: Attributes = serde_json::from_str(&create.attributes_json).unwrap();
                let name = attributes["displayName"].as_str().unwrap();
                let others = self.groups_of(&company);
                if others.iter().any(|group| has_name(&group.attributes_json, "displayName", name)) {
                    return Err(taken("displayName"));
                }
                let members = MembersChange { added: create.member_ids, ..MembersChange::default() };
                let key = (company, create.group_id);
                self.change_members(&key, &members)?;
                Ok(self.store_group(key, 1, &attributes))
            }
            Change::ReplaceGroup(replace) => {
                let key = (company, replace.group_id);
                let old = self.group(&key, replace.condition.as_ref())?;
                let members = MembersChange { clear: true, added: replace.member_ids, removed: vec![] };
                self.change_members(&key, &members)?;
                let attributes = serde_json::from_str(&replace.attributes_json).unwrap();
                Ok(self.store_group(key, old.version + 1, &attributes))
            }
            Change::PatchGroup(PatchGroup { group_id, operations, members, condition }) => {
                let key = (company, group_id);
                let old = self.group(&key, condition.as_ref())?;
                let (attributes, changed) = patched(groups(), &old.attributes_json, &operations)?;
                let changed = self.change_members(&key, &members.unwrap())? || changed;
                let stored = self.store_group(key, old.version + i64::from(changed), &attributes);
                Ok(Applied { changed, ..stored })
            }
            Change::DeleteGroup(delete) => {
                let key = (company, delete.group_id);
                self.group(&key, delete.condition.as_ref())?;
                self.groups.remove(&key);
                self.members.remove(&key);
                Ok(Applied { changed: true, ..Applied::default() })
            }
            _ => panic!("a change of a user on the subject of a group"),
        }
    }

    fn change_members(&mut self, key: &Key, change: &MembersChange) -> Result<bool, Refusal> {
        let before = self.members.get(key).cloned().unwrap_or_default();
        let mut after = if change.clear { BTreeSet::new() } else { before.clone() };
        for id in &change.added {
            let member = (key.0.clone(), id.clone());
            if !self.users.contains_key(&member) && !self.groups.contains_key(&member) {
                let detail =
                    format!("No user or group of this company has the id '{id}'; nothing was changed.");
                return Err((refused::Reason::Invalid, "invalidValue", detail));
            }
            after.insert(id.clone());
        }
        after.retain(|id| !change.removed.contains(id));
        let changed = after != before;
        self.members.insert(key.clone(), after);
        Ok(changed)
    }

    fn user(&self, key: &Key, condition: Option<&VersionCondition>) -> Result<UserRecord, Refusal> {
        let user = self.users.get(key).ok_or_else(|| not_found("User", &key.1))?;
        is_met(condition, user.version).map(|()| user.clone())
    }

    fn group(&self, key: &Key, condition: Option<&VersionCondition>) -> Result<GroupRecord, Refusal> {
        let group = self.groups.get(key).ok_or_else(|| not_found("Group", &key.1))?;
        is_met(condition, group.version).map(|()| group.clone())
    }

    fn store_user(&mut self, key: Key, version: i64, attributes: &Attributes) -> Applied {
        let id = key.1.clone();
        let user = UserRecord {
            user_id: id.clone(),
            version,
            created_at: Some(CREATED),
            last_modified_at: Some(later(version)),
            attributes_json: serde_json::to_string(attributes).unwrap(),
            ..UserRecord::default()
        };
        let company = key.0.clone();
        self.users.insert(key, user);
        let user = self.users_of(&company).into_iter().find(|user| user.user_id == id);
        Applied { user, changed: true, ..Applied::default() }
    }

    fn store_group(&mut self, key: Key, version: i64, attributes: &Attributes) -> Applied {
        let group = GroupRecord {
            group_id: key.1.clone(),
            version,
            created_at: Some(CREATED),
            last_modified_at: Some(later(version)),
            attributes_json: serde_json::to_string(attributes).unwrap(),
        };
        self.groups.insert(key, group.clone());
        Applied { group: Some(group), changed: true, ..Applied::default() }
    }
}

fn patched(
    schemas: &SchemaSet,
    before: &str,
    operations: &[PatchOperation],
) -> Result<(Attributes, bool), Refusal> {
    let operations: Vec<_> = operations.iter().map(|operation| read(schemas, operation)).collect();
    let before: Attributes = serde_json::from_str(before).unwrap();
    let patched = patch::apply(schemas, &before, &operations).map_err(|error| {
        (refused::Reason::Invalid, error.scim_type.map_or("", |kind| kind.as_str()), error.detail)
    })?;
    Ok((patched.attributes, !patched.changed.is_empty()))
}

fn read(schemas: &SchemaSet, operation: &PatchOperation) -> patch::Operation {
    let op = match operation.op() {
        patch_operation::Op::Add => patch::Op::Add,
        patch_operation::Op::Replace => patch::Op::Replace,
        patch_operation::Op::Remove => patch::Op::Remove,
        patch_operation::Op::Unspecified => panic!("an operation must say what it does"),
    };
    patch::Operation::from_parts(schemas, op, &operation.path, operation.value_json.as_deref()).unwrap()
}

fn is_met(condition: Option<&VersionCondition>, version: i64) -> Result<(), Refusal> {
    match condition {
        Some(condition) if !condition.versions.is_empty() && !condition.versions.contains(&version) => {
            Err((refused::Reason::PreconditionFailed, "", "it has another version".to_owned()))
        }
        _ => Ok(()),
    }
}

fn not_found(kind: &str, id: &str) -> Refusal {
    (refused::Reason::NotFound, "", format!("{kind} {id} not found"))
}

fn taken(attribute: &str) -> Refusal {
    (refused::Reason::Conflict, "uniqueness", format!("{attribute} is already in use in this company"))
}

fn later(version: i64) -> Timestamp {
    Timestamp { seconds: CREATED.seconds + version, nanos: 0 }
}
