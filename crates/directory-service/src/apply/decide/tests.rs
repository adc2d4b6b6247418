//! The rules of a batch, without a database.

use bus_contract::provisioning::{PatchOperation, patch_operation::Op};
use proptest::prelude::*;
use serde_json::{Value, json};
use typed_ids::RequestId;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn attributes(value: Value) -> Canonical {
    let Value::Object(attributes) = value else { panic!("not an object") };
    attributes.into()
}

fn request(company: CompanyId, user: UserId, change: UserChange) -> Request {
    let change = Change::User(user, change);
    Request { id: RequestId::mint(), company, token: None, verb: "update", accepted_at: at(0), change }
}

fn rename(name: &str) -> UserChange {
    let operation = PatchOperation {
        op: Op::Replace.into(),
        path: "userName".to_owned(),
        value_json: Some(json!(name).to_string()),
    };
    UserChange::Patch(vec![operation], Condition::None)
}

fn create(name: &str) -> UserChange {
    UserChange::Create(attributes(json!({"userName": name})))
}

/// Decides with every question answered by `known`, as the caller does.
fn decided(known: &Known, requests: &[Request]) -> Decision {
    let requests: Vec<&Request> = requests.iter().collect();
    let mut known = known.clone();
    loop {
        match decide(&known, &requests, at(100)) {
            Ok(decision) => return decision,
            Err(unknown) => {
                for name in unknown.names {
                    let holder = known.users.values().find(|user| name_key(user) == name).map(|user| user.id);
                    known.names.insert(name, holder);
                }
            }
        }
    }
}

#[test]
fn a_user_that_comes_and_goes_in_one_batch_leaves_no_row() {
    let (company, user) = (CompanyId::mint(), UserId::mint());
    let decision = decided(
        &Known::default(),
        &[request(company, user, create("a")), request(company, user, UserChange::Delete(Condition::None))],
    );
    assert!(matches!(decision.outcomes[..], [Outcome::Created(_), Outcome::Deleted { .. }]));
    assert!(decision.inserts.is_empty() && decision.updates.is_empty() && decision.deletes.is_empty());
}

#[test]
fn many_changes_of_one_user_are_one_write_of_the_last_version() {
    let (company, user) = (CompanyId::mint(), UserId::mint());
    let decision = decided(
        &Known::default(),
        &[
            request(company, user, create("a")),
            request(company, user, rename("b")),
            request(company, user, rename("b")),
            request(company, user, rename("c")),
        ],
    );
    assert!(matches!(
        decision.outcomes[..],
        [Outcome::Created(_), Outcome::Updated { .. }, Outcome::Unchanged(_), Outcome::Updated { .. }]
    ));
    let [written] = &decision.inserts[..] else { panic!("one row") };
    assert_eq!((written.version, written.user_name()), (3, "c"));
    assert_eq!((written.created_at, written.last_modified_at), (at(100), at(100)));
}

#[test]
fn a_rename_asks_who_holds_the_name_before_it_decides() {
    let (company, user) = (CompanyId::mint(), UserId::mint());
    let mut known = Known::default();
    let requests = [request(company, user, create("a"))];
    let existing = decided(&known, &requests).inserts.remove(0);
    known.users.insert(existing.key(), existing);

    let renaming = request(company, user, rename("Ünique"));
    let unknown = decide(&known, &[&renaming], at(1)).unwrap_err();
    assert_eq!(unknown.names, [(company, "ünique".to_owned())]);
}

#[test]
fn the_same_name_is_free_in_another_company() {
    let decision = decided(
        &Known::default(),
        &[
            request(CompanyId::mint(), UserId::mint(), create("a")),
            request(CompanyId::mint(), UserId::mint(), create("A")),
        ],
    );
    assert!(matches!(decision.outcomes[..], [Outcome::Created(_), Outcome::Created(_)]));
}

proptest! {
    /// However requests are cut into batches, they come to the same users and the same answers.
    #[test]
    fn batches_do_not_matter(
        steps in prop::collection::vec((0_usize..4, 0_usize..3, 0_u8..4), 1..24),
        cuts in prop::collection::vec(any::<bool>(), 24),
    ) {
        let company = CompanyId::mint();
        let users: Vec<_> = (0..4).map(|_| UserId::mint()).collect();
        let requests: Vec<_> = steps
            .iter()
            .map(|&(user, name, kind)| {
                let name = ["one", "ONE", "two"][name];
                let change = match kind {
                    0 => create(name),
                    1 => rename(name),
                    2 => UserChange::Replace(attributes(json!({"userName": name})), Condition::None),
                    _ => UserChange::Delete(Condition::None),
                };
                request(company, users[user], change)
            })
            // A gateway never chooses the same id twice.
            .scan(BTreeSet::new(), |created, request| {
                let again = matches!(request.change, Change::User(user, UserChange::Create(_)) if !created.insert(user));
                Some((!again).then_some(request))
            })
            .flatten()
            .collect();

        let whole = decided(&Known::default(), &requests);
        let (mut known, mut outcomes, mut start) = (Known::default(), vec![], 0);
        for end in 1..=requests.len() {
            if end == requests.len() || cuts[end] {
                let part = decided(&known, &requests[start..end]);
                outcomes.extend(part.outcomes);
                for user in part.inserts.into_iter().chain(part.updates) {
                    known.users.insert(user.key(), user);
                }
                for key in part.deletes {
                    known.users.remove(&key);
                }
                start = end;
            }
        }

        let words = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| format!("{outcome:?}")).collect::<Vec<_>>();
        prop_assert_eq!(words(&outcomes), words(&whole.outcomes));
        let written: HashMap<_, _> = whole.inserts.into_iter().map(|user| (user.key(), user)).collect();
        prop_assert_eq!(known.users, written);
    }
}

#[test]
fn a_create_never_takes_the_id_of_somebody_who_is_there() {
    let (company, user) = (CompanyId::mint(), UserId::mint());
    let first = decided(&Known::default(), &[request(company, user, create("a"))]);
    let known = Known {
        users: first.inserts.into_iter().map(|user| (user.key(), user)).collect(),
        ..Known::default()
    };

    let again = decided(&known, &[request(company, user, create("b"))]);

    assert!(matches!(again.outcomes[..], [Outcome::Refused(Refusal::IdTaken)]));
    assert!(again.inserts.is_empty() && again.updates.is_empty());
}

mod groups {
    use typed_ids::GroupId;

    use super::*;
    use crate::{
        apply::{
            decide::groups::{GroupKey, KnownGroups, Member},
            request::{GroupChange, MembersChange},
        },
        group::Group,
    };

    fn ask(company: CompanyId, group: GroupId, change: GroupChange) -> Request {
        let change = Change::Group(group, change);
        Request { id: RequestId::mint(), company, token: None, verb: "update", accepted_at: at(0), change }
    }

    fn member(user: UserId) -> MemberId {
        MemberId::from_uuid(user.as_uuid())
    }

    /// A database of groups, as the writes of a batch leave it.
    #[derive(Default, Clone)]
    struct Stored {
        users: HashMap<UserKey, User>,
        groups: HashMap<GroupKey, Group>,
        members: BTreeSet<(GroupKey, Member)>,
    }

    impl Stored {
        /// What the caller of `decide` looks up, and more than it would.
        fn known(&self) -> Known {
            let mut groups = KnownGroups { groups: self.groups.clone(), ..KnownGroups::default() };
            for (group, member) in &self.members {
                groups.memberships.insert(*group, *member);
            }
            for group in self.groups.values() {
                groups.names.insert((group.company, fold(group.display_name())), Some(group.id));
            }
            for (company, user) in self.users.keys() {
                groups.candidates.insert((*company, member(*user)), false);
            }
            Known { users: self.users.clone(), groups, ..Known::default() }
        }

        fn apply(&mut self, requests: &[Request]) -> Vec<Outcome> {
            let requests: Vec<&Request> = requests.iter().collect();
            let mut known = self.known();
            let decision = loop {
                match decide(&known, &requests, at(100)) {
                    Ok(decision) => break decision,
                    Err(unknown) => {
                        known.names.extend(unknown.names.into_iter().map(|name| (name, None)));
                        known.groups.names.extend(unknown.group_names.into_iter().map(|name| (name, None)));
                    }
                }
            };
            self.members.retain(|(group, member)| {
                !decision.groups.deletes.contains(group)
                    && !decision.groups.removed.contains(&(*group, member.id))
            });
            for key in &decision.groups.deletes {
                self.groups.remove(key);
            }
            for key in &decision.deletes {
                self.users.remove(key);
            }
            self.groups.extend(decision.groups.writes.into_iter().map(|group| (group.key(), group)));
            self.members.extend(decision.groups.added);
            let written = decision.inserts.into_iter().chain(decision.updates);
            self.users.extend(written.map(|user| (user.key(), user)));
            decision.outcomes
        }
    }

    proptest! {
        /// However requests about groups and their members are cut into batches, they come to the same.
        #[test]
        fn batches_do_not_matter_to_groups(
            steps in prop::collection::vec((0_u8..8, 0_usize..2, 0_usize..3, 0_usize..2), 1..30),
            cuts in prop::collection::vec(any::<bool>(), 30),
        ) {
            let company = CompanyId::mint();
            let users: Vec<_> = (0..3).map(|_| UserId::mint()).collect();
            let groups: Vec<_> = (0..2).map(|_| GroupId::mint()).collect();
            let named = |name: usize| attributes(json!({"displayName": if name == 0 { "One" } else { "ONE" }}));
            let only = |user: UserId| MembersChange { added: vec![member(user)], ..MembersChange::default() };
            let nested = |group: GroupId| MembersChange {
                added: vec![MemberId::from_uuid(group.as_uuid())],
                ..MembersChange::default()
            };
            let requests: Vec<_> = steps
                .iter()
                .map(|&(kind, group, user, name)| {
                    let (group, other, user) = (groups[group], groups[1 - group], users[user]);
                    let patch = |members| GroupChange::Patch(vec![], members, Condition::None);
                    match kind {
                        0 => request(company, user, create(&user.to_string())),
                        1 => request(company, user, UserChange::Delete(Condition::None)),
                        2 => ask(company, group, GroupChange::Create(named(name), only(user))),
                        3 => ask(company, group, patch(only(user))),
                        4 => ask(company, group, patch(MembersChange { removed: vec![member(user)], ..MembersChange::default() })),
                        5 => ask(company, group, patch(nested(other))),
                        6 => ask(company, group, GroupChange::Replace(named(name), MembersChange { clear: true, ..only(user) }, Condition::None)),
                        _ => ask(company, group, GroupChange::Delete(Condition::None)),
                    }
                })
                .collect();

            let mut whole = Stored::default();
            let told = whole.apply(&requests);
            let (mut parts, mut told_in_parts, mut start) = (Stored::default(), vec![], 0);
            for end in 1..=requests.len() {
                if end == requests.len() || cuts[end] {
                    told_in_parts.extend(parts.apply(&requests[start..end]));
                    start = end;
                }
            }

            let words = |told: &[Outcome]| told.iter().map(|outcome| format!("{outcome:?}")).collect::<Vec<_>>();
            prop_assert_eq!(words(&told), words(&told_in_parts));
            prop_assert_eq!(&whole.members, &parts.members);
            prop_assert_eq!(&whole.groups, &parts.groups);
            // Nobody is in a group that is not there, and nobody is there who is gone.
            for (group, member) in &parts.members {
                prop_assert!(parts.groups.contains_key(group));
                let user = (company, UserId::from_uuid(member.id.as_uuid()));
                let nested = (company, GroupId::from_uuid(member.id.as_uuid()));
                prop_assert!(parts.users.contains_key(&user) || parts.groups.contains_key(&nested));
            }
        }
    }
}

mod restoring {
    use typed_ids::{BrakeId, GroupId, MemberId};

    use super::{
        super::{
            groups::{AtVersion, Member},
            restore::{Held, Returnee},
        },
        *,
    };
    use crate::group::Group;

    struct Scene {
        company: CompanyId,
        user: UserId,
        brake: BrakeId,
        group: GroupId,
        known: Known,
    }

    /// Somebody in version 4 who was deleted out of a group in version 7.
    fn deleted() -> Scene {
        let (company, user, brake) = (CompanyId::mint(), UserId::mint(), BrakeId::mint());
        let group = GroupId::mint();
        let held = User {
            company,
            id: user,
            version: 4,
            created_at: at(1),
            last_modified_at: at(2),
            attributes: attributes(json!({"userName": "a", "externalId": "x", "active": false})),
        };
        let mut known = Known::default();
        let held = Some(Held { user: held, groups: vec![group, GroupId::mint()] });
        let removed = Returnee { brake, user_name: "a".to_owned(), was_active: true, held };
        known.removed.people.insert((company, user), removed);
        known.names.insert((company, "a".to_owned()), None);
        let stored = Group {
            company,
            id: group,
            version: 7,
            created_at: at(1),
            last_modified_at: at(1),
            attributes: attributes(json!({"displayName": "Everybody"})),
        };
        known.groups.groups.insert((company, group), stored);
        Scene { company, user, brake, group, known }
    }

    impl Scene {
        fn restore(&self) -> Request {
            request(self.company, self.user, UserChange::Restore(self.brake))
        }
    }

    #[test]
    fn whoever_was_deleted_is_back_as_they_were_in_a_later_version_and_in_what_groups_there_are() {
        let scene = deleted();
        let decision = decided(&scene.known, &[scene.restore()]);
        let [Outcome::Restored { user, joined }] = &decision.outcomes[..] else { panic!("{decision:?}") };
        assert_eq!((user.id, user.version, user.created_at), (scene.user, 5, at(1)));
        // Disabled before they were deleted, both by the same mass removal.
        assert!(user.is_active());
        assert_eq!(joined, &[AtVersion { group: scene.group, version: 8 }]);
        assert_eq!(decision.inserts, std::slice::from_ref(user));
        let member = Member { id: MemberId::from_uuid(scene.user.as_uuid()), is_group: false };
        assert_eq!(decision.groups.added, [((scene.company, scene.group), member)]);
    }

    #[test]
    fn whoever_is_asked_for_twice_comes_back_once() {
        let scene = deleted();
        let decision = decided(&scene.known, &[scene.restore(), scene.restore()]);
        assert!(matches!(decision.outcomes[..], [Outcome::Restored { .. }, Outcome::Unchanged(_)]));
        assert_eq!(decision.inserts.len(), 1);
    }

    #[test]
    fn whoever_has_the_name_or_the_external_id_by_now_keeps_it() {
        let by_batch = |json: Value| {
            let scene = deleted();
            let newcomer = request(scene.company, UserId::mint(), UserChange::Create(attributes(json)));
            let decision = decided(&scene.known, &[newcomer, scene.restore()]);
            matches!(decision.outcomes[1], Outcome::Refused(Refusal::Superseded))
        };
        assert!(by_batch(json!({"userName": "A"})));
        assert!(by_batch(json!({"userName": "b", "externalId": "x"})));
        assert!(!by_batch(json!({"userName": "b", "externalId": "y"})));

        let mut scene = deleted();
        scene.known.names.insert((scene.company, "a".to_owned()), Some(UserId::mint()));
        let decision = decided(&scene.known, &[scene.restore()]);
        assert!(matches!(decision.outcomes[..], [Outcome::Refused(Refusal::Superseded)]));

        let mut scene = deleted();
        let holder = UserId::mint();
        scene.known.removed.external_ids.insert((scene.company, "x".to_owned()), holder);
        let decision = decided(&scene.known, &[scene.restore()]);
        assert!(matches!(decision.outcomes[..], [Outcome::Refused(Refusal::Superseded)]));
        assert!(decision.inserts.is_empty() && decision.groups.added.is_empty());
    }

    #[test]
    fn whoever_was_disabled_gets_access_back_and_keeps_what_changed_since() {
        let mut scene = deleted();
        let held = scene.known.removed.people.get_mut(&(scene.company, scene.user)).unwrap().held.take();
        let user = held.unwrap().user;
        scene.known.users.insert(user.key(), User { version: 9, ..user });
        let decision = decided(&scene.known, &[scene.restore(), scene.restore()]);
        assert!(matches!(decision.outcomes[..], [Outcome::Updated { .. }, Outcome::Unchanged(_)]));
        let [user] = &decision.updates[..] else { panic!("one row") };
        assert_eq!((user.version, user.is_active()), (10, true));
    }

    #[test]
    fn nobody_comes_back_by_another_undo() {
        let scene = deleted();
        let other = request(scene.company, scene.user, UserChange::Restore(BrakeId::mint()));
        let stranger = request(scene.company, UserId::mint(), UserChange::Restore(scene.brake));
        let decision = decided(&scene.known, &[other, stranger]);
        for outcome in decision.outcomes {
            assert!(matches!(outcome, Outcome::Refused(Refusal::NotRemoved)));
        }
    }
}
