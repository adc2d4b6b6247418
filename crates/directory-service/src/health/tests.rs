//! Each rule of health and its edges.

use crate::activity::count::{Cause, Counts};

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

/// A connection whose last call was refused; the one before it was let in.
fn refused(minutes_ago: i64) -> Connection {
    Connection {
        refused_since: Some(ago(minutes_ago + 300)),
        refused_last_at: Some(ago(minutes_ago)),
        ..called(minutes_ago + 400)
    }
}

fn never_let_in(minutes_ago: i64) -> Connection {
    Connection { last_call_at: None, ..refused(minutes_ago) }
}

fn called(minutes_ago: i64) -> Connection {
    Connection { last_call_at: Some(ago(minutes_ago)), ..Connection::default() }
}

fn cycle(counts: Counts, references: i64) -> Cycle {
    let causes = vec![Cause { cause: "400 invalidValue".to_owned(), count: references, is_reference: true }];
    Cycle { id: uuid::Uuid::nil(), started_at: ago(5), last_call_at: ago(1), counts, causes }
}

/// A cycle in which so many changes were made, were refused, and of those because of a reference.
fn changes(made: i64, refused: i64, references: i64) -> Cycle {
    let counts = Counts {
        calls: made + refused,
        updated: made,
        refused,
        failed_changes: refused,
        ..Counts::default()
    };
    cycle(counts, references)
}

/// The concerns in brief.
fn concerns(health: &Health) -> Vec<(Kind, bool, u64, u64)> {
    health
        .concerns
        .iter()
        .map(|concern| (concern.kind(), concern.is_critical, concern.count, concern.limit))
        .collect()
}

#[test]
fn a_company_that_nobody_called_for_was_never_connected() {
    let health = health(&Connection::default(), None, None, now());
    assert_eq!((health.state(), concerns(&health)), (State::NeverConnected, vec![]));
    assert_eq!((health.last_call_at, health.next_cycle_at), (None, None));
}

#[test]
fn bad_credentials_are_critical_at_once() {
    let refused = Connection {
        refused_since: Some(ago(3)),
        refused_last_at: Some(ago(1)),
        refused_calls: 2,
        ..called(50)
    };
    for connection in [refused.clone(), Connection { last_call_at: None, ..refused }] {
        let health = health(&connection, None, None, now());
        assert_eq!(health.state(), State::Critical);
        assert_eq!(concerns(&health), [(Kind::Unauthenticated, true, 2, 1)]);
        assert_eq!(health.concerns[0].since, Some(to_timestamp(ago(3))));
    }
}

#[test]
fn silence_is_worth_a_word_after_three_cycles_and_critical_beyond_a_day() {
    let day = 25 * 60;
    for (minutes, expected) in
        [(119, None), (120, Some((false, 3))), (day - 1, Some((false, 37))), (day, Some((true, 37)))]
    {
        let health = health(&called(minutes), None, None, now());
        let expected = expected.map(|(is_critical, cycles)| (Kind::Silent, is_critical, cycles, 3));
        assert_eq!(concerns(&health), expected.into_iter().collect::<Vec<_>>(), "{minutes}");
    }
    // Whoever is refused is not silent.
    let refused = Connection { refused_since: Some(ago(300)), refused_last_at: Some(ago(1)), ..called(500) };
    assert_eq!(concerns(&health(&refused, None, None, now())), [(Kind::Unauthenticated, true, 0, 1)]);
}

#[test]
fn a_company_that_nobody_has_called_for_in_two_weeks_is_connected_no_more_whatever_was_wrong_before() {
    let weeks = 14 * 24 * 60;
    let failing = changes(0, 50_000, 0);
    for connection in [called as fn(i64) -> Connection, refused, never_let_in] {
        let before = health(&connection(weeks - 1), Some(&failing), None, now());
        assert_eq!(before.state(), State::Critical);
        let after = health(&connection(weeks), Some(&failing), None, now());
        assert_eq!(after.state(), State::Disconnected);
        // Its administrators are told why all the same.
        assert!(concerns(&after).iter().any(|concern| matches!(concern, (Kind::Silent, true, 504, 3))));
    }
}

#[test]
fn the_share_of_failures_is_worth_a_word_early_and_critical_near_entras_rule() {
    for (made, refused, references, expected) in [
        // Too few to speak of.
        (10, 9, 0, None),
        (18, 2, 0, None),
        (17, 3, 0, Some((false, 15))),
        (0, 20, 0, Some((false, 100))),
        // References do not count, neither as failures nor as changes.
        (18, 20, 18, None),
        (0, 20, 20, None),
        // More than 40 % and half the failures that Entra wants to see.
        (3_750, 2_500, 0, Some((false, 40))),
        (3_749, 2_500, 0, Some((true, 40))),
        (100, 2_499, 0, Some((false, 96))),
        (100, 2_600, 101, Some((false, 96))),
    ] {
        let health = health(&called(1), Some(&changes(made, refused, references)), None, now());
        let ratio: Vec<_> =
            concerns(&health).into_iter().filter(|(kind, ..)| *kind == Kind::FailureRatio).collect();
        let expected =
            expected.map(|(is_critical, per_cent)| (Kind::FailureRatio, is_critical, per_cent, 40));
        assert_eq!(ratio, expected.into_iter().collect::<Vec<_>>(), "{made} {refused} {references}");
    }
}

#[test]
fn reads_that_fail_are_no_failed_changes() {
    let counts = Counts { calls: 60, updated: 20, refused: 40, failed_changes: 0, ..Counts::default() };
    let health = health(&called(1), Some(&cycle(counts, 0)), None, now());
    assert_eq!((health.state(), concerns(&health)), (State::Healthy, vec![]));
}

#[test]
fn the_number_of_failures_is_held_against_the_nearer_of_two_rules() {
    for (refused, references, expected) in [
        (19_999, 0, None),
        (20_000, 0, Some((false, 20_000, 40_000))),
        (35_999, 0, Some((false, 35_999, 40_000))),
        (36_000, 0, Some((true, 36_000, 40_000))),
        (29_999, 29_999, None),
        (30_000, 30_000, Some((false, 30_000, 60_000))),
        (53_999, 53_999, Some((false, 53_999, 60_000))),
        (54_000, 54_000, Some((true, 54_000, 60_000))),
        // 37,000 of 60,000 are further along than 21,000 of 40,000.
        (37_000, 16_000, Some((false, 37_000, 60_000))),
    ] {
        let health = health(&called(1), Some(&changes(1_000_000, refused, references)), None, now());
        let expected =
            expected.map(|(is_critical, count, limit)| (Kind::FailureCount, is_critical, count, limit));
        assert_eq!(concerns(&health), expected.into_iter().collect::<Vec<_>>(), "{refused} {references}");
    }
}

#[test]
fn calls_that_we_fail_to_answer_are_worth_a_word_and_critical_when_nothing_much_works() {
    for (failed, calls, expected) in
        [(9, 1_000, None), (10, 1_000, Some(false)), (8, 19, None), (8, 20, Some(true)), (7, 20, None)]
    {
        let counts = Counts { calls, failed, checked: calls - failed, ..Counts::default() };
        let health = health(&called(1), Some(&cycle(counts, 0)), None, now());
        let expected =
            expected.map(|is_critical| (Kind::ServerErrors, is_critical, failed.cast_unsigned(), 0));
        assert_eq!(concerns(&health), expected.into_iter().collect::<Vec<_>>(), "{failed} of {calls}");
    }
}

#[test]
fn the_next_cycle_is_expected_forty_minutes_after_the_last_beginning_that_was_seen() {
    let latest = Cycle { started_at: ago(100), ..changes(1, 0, 0) };
    let expected = |connection: &Connection| health(connection, Some(&latest), None, now()).next_cycle_at;
    // Overdue: the moment that has passed.
    assert_eq!(expected(&called(1)), Some(to_timestamp(ago(60))));
    let earlier = Connection { probed_at: Some(ago(140)), ..called(1) };
    assert_eq!(expected(&earlier), Some(to_timestamp(ago(60))));
    let later = Connection { probed_at: Some(ago(20)), ..called(1) };
    assert_eq!(expected(&later), Some(to_timestamp(now() + TimeDelta::minutes(20))));
}

#[test]
fn the_worst_concern_gives_the_state() {
    let warning = changes(17, 3, 0);
    assert_eq!(health(&called(1), Some(&warning), None, now()).state(), State::Warning);
    let refused = Connection { refused_since: Some(ago(1)), ..called(1) };
    let critical = health(&refused, Some(&warning), None, now());
    assert_eq!((critical.state(), critical.concerns.len()), (State::Critical, 2));
    assert_eq!(health(&called(1), Some(&changes(20, 0, 0)), None, now()).state(), State::Healthy);
}
