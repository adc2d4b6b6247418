//! The rules of counting, one by one.

use typed_ids::{GroupId, UserId};

use super::*;

const PAUSE: TimeDelta = TimeDelta::minutes(10);

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn call(minutes: i64, verb: Verb, answer: Answer) -> Call {
    Call {
        request: None,
        at: at(minutes),
        credential: None,
        address: None,
        verb,
        answer,
        status: 200,
        scim_type: String::new(),
        detail: String::new(),
        user: None,
        group: None,
        target_name: None,
        is_decided: false,
    }
}

fn counted(calls: &[Call]) -> Activity {
    let mut activity = Activity::default();
    for call in calls {
        activity.count(call, false, PAUSE);
    }
    activity
}

#[test]
fn a_pause_longer_than_allowed_parts_two_cycles_and_a_shorter_one_does_not() {
    let found = |minutes| call(minutes, Verb::Search, Answer::Found);
    let activity = counted(&[found(0), found(10), found(15), found(26)]);
    let cycles: Vec<_> = activity
        .cycles
        .iter()
        .map(|cycle| (cycle.started_at, cycle.last_call_at, cycle.counts.calls))
        .collect();
    assert_eq!(cycles, [(at(0), at(15), 3), (at(26), at(26), 1)]);
    assert!(activity.cycles[0].id < activity.cycles[1].id);
}

#[test]
fn a_late_call_belongs_to_the_cycle_that_runs() {
    let found = |minutes| call(minutes, Verb::Search, Answer::Found);
    let activity = counted(&[found(100), found(95)]);
    assert_eq!((activity.cycles.len(), activity.cycles[0].last_call_at), (1, at(100)));
    assert_eq!(activity.connection.last_call_at, Some(at(100)));
}

#[test]
fn tests_alone_are_contact_and_no_cycle() {
    let test = |minutes| call(minutes, Verb::Test, Answer::NothingFound);
    let mut activity = counted(&[test(0), test(1)]);
    assert_eq!(activity.cycles, []);
    assert_eq!(activity.connection.first_test_at, Some(at(0)));
    assert_eq!(activity.connection.last_call_at, Some(at(1)));
    assert_eq!(activity.connection.probed_at, Some(at(1)));
    // One within a cycle is one of its calls.
    activity.count(&call(2, Verb::Search, Answer::Found), false, PAUSE);
    activity.count(&test(3), false, PAUSE);
    assert_eq!(activity.cycles[0].counts, Counts { calls: 2, checked: 1, ..Counts::default() });
    assert_eq!(activity.connection.probed_at, Some(at(1)));
}

#[test]
fn each_answer_has_its_count() {
    let activity = counted(&[
        call(0, Verb::Search, Answer::NothingFound),
        call(0, Verb::Read, Answer::Found),
        call(0, Verb::Discover, Answer::Found),
        call(0, Verb::Change(Change::Create), Answer::Created),
        call(0, Verb::Change(Change::Update), Answer::Updated),
        call(0, Verb::Change(Change::Replace), Answer::Unchanged),
        call(0, Verb::Change(Change::Deactivate), Answer::Updated),
        call(0, Verb::Change(Change::Deactivate), Answer::Unchanged),
        call(0, Verb::Change(Change::Reactivate), Answer::Updated),
        call(0, Verb::Change(Change::Delete), Answer::Deleted),
        call(0, Verb::Change(Change::Create), Answer::Refused),
        call(0, Verb::Read, Answer::Refused),
        call(0, Verb::Change(Change::Update), Answer::Failed),
        call(0, Verb::Search, Answer::Unauthenticated),
    ]);
    let expected = Counts {
        calls: 14,
        checked: 2,
        created: 1,
        updated: 1,
        unchanged: 2,
        deactivated: 1,
        reactivated: 1,
        deleted: 1,
        refused: 3,
        failed: 1,
        failed_changes: 2,
    };
    assert_eq!(activity.cycles[0].counts, expected);
    assert_eq!(activity.slots.values().copied().collect::<Vec<_>>(), [Slot { calls: 14, failures: 4 }]);
}

#[test]
fn the_initial_cycle_is_the_first_that_created_something() {
    let mut activity = counted(&[
        call(0, Verb::Search, Answer::Found),
        call(40, Verb::Change(Change::Create), Answer::Created),
        call(80, Verb::Change(Change::Create), Answer::Created),
    ]);
    assert_eq!(activity.connection.initial_cycle, Some(activity.cycles[1].id));
    assert_eq!((activity.connection.first_user_at, activity.connection.first_group_at), (None, None));
    activity.count(
        &Call { user: Some(UserId::mint()), ..call(81, Verb::Change(Change::Create), Answer::Created) },
        false,
        PAUSE,
    );
    activity.count(
        &Call { group: Some(GroupId::mint()), ..call(82, Verb::Change(Change::Create), Answer::Created) },
        false,
        PAUSE,
    );
    assert_eq!(activity.connection.first_user_at, Some(at(81)));
    assert_eq!(activity.connection.first_group_at, Some(at(82)));
}

#[test]
fn refused_credentials_are_counted_until_one_is_let_in() {
    let refused = |minutes| call(minutes, Verb::Test, Answer::Unauthenticated);
    let mut activity = counted(&[call(0, Verb::Test, Answer::Found), refused(40), refused(80)]);
    // It was let in before, and reported late.
    activity.count(&call(50, Verb::Search, Answer::Found), false, PAUSE);
    let connection = &activity.connection;
    assert_eq!(connection.last_call_at, Some(at(50)));
    assert_eq!((connection.refused_since, connection.refused_calls), (Some(at(40)), 2));
    activity.count(&call(90, Verb::Test, Answer::Found), false, PAUSE);
    assert_eq!((activity.connection.refused_since, activity.connection.refused_calls), (None, 0));
    // It was under way before.
    activity.count(&refused(89), false, PAUSE);
    assert_eq!(activity.connection.refused_since, None);
}

#[test]
fn a_credential_remembers_its_first_and_last_use_and_what_came_after_its_end() {
    let credential = TokenId::mint();
    let used = |minutes, address: Option<&str>, answer| Call {
        credential: Some(credential),
        address: address.map(str::to_owned),
        ..call(minutes, Verb::Search, answer)
    };
    let activity = counted(&[
        used(5, Some("192.0.2.1"), Answer::Found),
        used(9, Some("192.0.2.2"), Answer::Found),
        used(7, Some("192.0.2.3"), Answer::Found),
        used(10, None, Answer::Found),
        used(20, Some("192.0.2.9"), Answer::Unauthenticated),
    ]);
    let expected = Use {
        first_at: Some(at(5)),
        last_at: Some(at(10)),
        last_worked_at: Some(at(10)),
        last_address: Some("192.0.2.2".to_owned()),
        calls: 4,
        refused_calls: 1,
    };
    assert_eq!(activity.uses[&credential], expected);
}

#[test]
fn a_test_is_a_use_and_no_work() {
    let credential = TokenId::mint();
    let used = |minutes, verb| Call { credential: Some(credential), ..call(minutes, verb, Answer::Found) };
    let mut activity = counted(&[used(1, Verb::Test), used(2, Verb::Discover)]);
    let seen = activity.uses[&credential].clone();
    assert_eq!((seen.calls, seen.last_at, seen.last_worked_at), (2, Some(at(2)), None));
    activity.count(&used(40, Verb::Search), false, PAUSE);
    activity.count(&used(50, Verb::Test), false, PAUSE);
    assert_eq!(activity.uses[&credential].last_worked_at, Some(at(40)));
}

#[test]
fn causes_are_told_apart_up_to_a_number_and_references_are_marked() {
    let refused = |status, scim_type: &str| Call {
        status,
        scim_type: scim_type.to_owned(),
        ..call(0, Verb::Change(Change::Update), Answer::Refused)
    };
    let mut activity =
        counted(&[refused(409, "uniqueness"), refused(409, "uniqueness"), refused(400, "invalidValue")]);
    activity.count(&refused(400, "invalidValue"), true, PAUSE);
    let cause = |cause: &str, count, is_reference| Cause { cause: cause.to_owned(), count, is_reference };
    let expected = [
        cause("409 uniqueness", 2, false),
        cause("400 invalidValue", 1, false),
        cause("400 invalidValue", 1, true),
    ];
    assert_eq!(activity.cycles[0].causes, expected);
    assert_eq!(activity.cycles[0].reference_failures(), 1);

    for status in 410..450 {
        activity.count(&refused(status, ""), false, PAUSE);
    }
    assert_eq!(activity.cycles[0].causes.len(), MAX_CAUSES);
    assert_eq!(activity.cycles[0].causes[3].cause, "410");
    assert_eq!(activity.cycles[0].counts.refused, 44);
}
