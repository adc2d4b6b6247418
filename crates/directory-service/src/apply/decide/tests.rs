//! The rules of a batch, without a database.

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

fn request(company: CompanyId, user: UserId, change: Change) -> Request {
    Request { id: RequestId::mint(), company, token: None, verb: "update", accepted_at: at(0), user, change }
}

fn rename(name: &str) -> Change {
    let operation = patch::Operation::from_parts(
        schema::users(),
        patch::Op::Replace,
        "userName",
        Some(&json!(name).to_string()),
    );
    Change::Patch(vec![operation.unwrap()], Condition::None)
}

fn create(name: &str) -> Change {
    Change::Create(attributes(json!({"userName": name})))
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
        &[request(company, user, create("a")), request(company, user, Change::Delete(Condition::None))],
    );
    assert!(matches!(decision.outcomes[..], [Outcome::Created(_), Outcome::Deleted(_)]));
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
                    2 => Change::Replace(attributes(json!({"userName": name})), Condition::None),
                    _ => Change::Delete(Condition::None),
                };
                request(company, users[user], change)
            })
            // A gateway never chooses the same id twice.
            .scan(BTreeSet::new(), |created, request| {
                let again = matches!(request.change, Change::Create(_)) && !created.insert(request.user);
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
        names: HashMap::new(),
    };

    let again = decided(&known, &[request(company, user, create("b"))]);

    assert!(matches!(again.outcomes[..], [Outcome::Refused(Refusal::IdTaken)]));
    assert!(again.inserts.is_empty() && again.updates.is_empty());
}
