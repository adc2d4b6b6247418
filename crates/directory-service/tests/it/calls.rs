//! Calls are counted once, by one instance, whoever dies; and what gateways answered by themselves is logged.

use bus_contract::{
    Message as _,
    directory::{Call, CallBatch, FailureCause, call::Answer, health::State},
    provisioning::refused::Reason,
    subject::{self, Verb},
};
use chrono::{TimeDelta, Utc};
use futures_util::StreamExt as _;
use serde_json::json;
use typed_ids::{CompanyId, RequestId, TokenId, UserId};

use crate::{
    console::{Console, call, lines_of, timestamp},
    harness::{Directory, World, create, eventually},
};

async fn metric(directory: &Directory, name: &str) -> u64 {
    let metrics = directory.metrics().await;
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_entra_does_is_counted_and_shown() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    assert_eq!(console.activity(company).await.health.unwrap().state(), State::NeverConnected);

    let credential = TokenId::mint().to_string();
    let of = |call: Call| Call { credential_id: credential.clone(), address: "192.0.2.7".to_owned(), ..call };
    let created = Call {
        user_id: UserId::mint().to_string(),
        is_decided: true,
        ..call("create", Answer::Created, 201)
    };
    let refused = Call { scim_type: "uniqueness".to_owned(), ..call("create", Answer::Refused, 409) };
    let calls = vec![
        of(call("test", Answer::NothingFound, 200)),
        of(call("search", Answer::NothingFound, 200)),
        of(created),
        of(refused),
    ];
    console.report(company, calls).await;
    eventually("the calls are counted", async || console.counted(company).await == 3).await;

    let activity = console.activity(company).await;
    let health = activity.health.unwrap();
    assert_eq!((health.state(), health.concerns.len()), (State::Healthy, 0));
    let cycle = activity.latest.unwrap();
    assert_eq!((cycle.calls, cycle.checked, cycle.created, cycle.refused, cycle.failed), (3, 1, 1, 1, 0));
    assert!(cycle.is_running && cycle.is_initial);
    let expected = FailureCause { cause: "409 uniqueness".to_owned(), count: 1, is_reference: false };
    assert_eq!(cycle.causes, [expected]);
    let next = health.next_cycle_at.unwrap().seconds - cycle.started_at.unwrap().seconds;
    assert_eq!((next, activity.previous), (40 * 60, None));
    assert_eq!(activity.slots.len(), 48);
    assert!(
        activity.slots.windows(2).all(|pair| {
            pair[1].begins_at.unwrap().seconds - pair[0].begins_at.unwrap().seconds == 30 * 60
        })
    );
    let sums = activity.slots.iter().fold((0, 0), |sum, slot| (sum.0 + slot.calls, sum.1 + slot.failures));
    assert_eq!(sums, (4, 1));
    let uses = &activity.uses[0];
    assert_eq!((&uses.credential_id, uses.calls, uses.refused_calls), (&credential, 4, 0));
    assert_eq!(uses.last_address, "192.0.2.7");
    assert!(uses.last_worked_at.is_some(), "it was more than tested");
    assert!(activity.first_test_at.is_some() && activity.first_user_at.is_some());
    assert_eq!(activity.first_group_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_a_cycle_and_cycles_are_listed_from_the_newest() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    for minutes in [200, 160, 120, 80] {
        let at = timestamp(Utc::now() - TimeDelta::minutes(minutes));
        let call = Call { answered_at: Some(at), ..call("create", Answer::Created, 201) };
        console.report(company, vec![call.clone(), call]).await;
    }
    eventually("the calls are counted", async || console.counted(company).await == 8).await;

    let all = console.cycles(company, "", 100).await;
    let initial: Vec<_> = all.cycles.iter().map(|cycle| (cycle.calls, cycle.is_initial)).collect();
    assert_eq!(initial, [(2, false), (2, false), (2, false), (2, true)]);
    assert!(!all.has_more && all.cycles.iter().all(|cycle| !cycle.is_running));
    // Page by page they are the same.
    let (mut before, mut paged) = (String::new(), vec![]);
    loop {
        let page = console.cycles(company, &before, 3).await;
        before = page.cycles.last().unwrap().cycle_id.clone();
        paged.extend(page.cycles);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(paged, all.cycles);
    let activity = console.activity(company).await;
    assert_eq!(
        (activity.latest.as_ref(), activity.previous.as_ref()),
        (all.cycles.first(), all.cycles.get(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pause_between_cycles_is_a_setting() {
    let world = World::new();
    let _directory = world.directory_with(&[("TIMECLOCK_CYCLE_PAUSE_MS", "1000")]).await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    for seconds in [10, 9, 5] {
        let at = timestamp(Utc::now() - TimeDelta::seconds(seconds));
        console
            .report(company, vec![Call { answered_at: Some(at), ..call("search", Answer::Found, 200) }])
            .await;
    }
    // The first two are a second and the time to publish apart, so they may be one cycle or two.
    eventually("there is a cycle of its own for the last", async || {
        console.latest(company).await.calls == 1 && console.counted(company).await == 3
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_with_a_credential_that_has_ended_are_critical_until_one_is_let_in() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    let state = async || console.activity(company).await.health.unwrap().state();
    console.report(company, vec![call("search", Answer::Unauthenticated, 401)]).await;
    eventually("it is critical", async || state().await == State::Critical).await;
    console.report(company, vec![call("test", Answer::NothingFound, 200)]).await;
    eventually("it is well again", async || state().await == State::Healthy).await;
    let lines = console.log(lines_of(company)).await.entries;
    let words: Vec<_> = lines.iter().map(|line| (line.verb.as_str(), line.outcome.as_str())).collect();
    assert_eq!(words, [("test", "nothing_found"), ("search", "unauthenticated")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_or_counted_twice_when_the_reader_dies() {
    const BATCHES: u64 = 120;
    let world = World::new();
    let mut directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    for number in 0..BATCHES {
        let name = |part| format!("user-{number}-{part}@contoso.com");
        let seen = |part| Call { target_name: name(part), ..call("search", Answer::NothingFound, 200) };
        console.report(company, vec![seen(1), seen(2), seen(3)]).await;
        if number % 40 == 20 {
            directory.kill_9();
            directory = world.directory().await;
        }
    }
    eventually("every call is counted", async || console.counted(company).await >= 3 * BATCHES).await;
    assert_eq!(console.counted(company).await, 3 * BATCHES);
    let lines = world.sql("select count(*), count(distinct target_key) from provisioning_log");
    assert_eq!(lines.trim(), format!("{0}|{0}", 3 * BATCHES));
    assert_eq!(world.sql("select sum(calls) from call_slots").trim(), (3 * BATCHES).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivered_batch_of_calls_changes_nothing() {
    let world = World::new();
    let directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    let found = || call("search", Answer::Found, 200);
    console.report(company, vec![found()]).await;
    eventually("the first is counted", async || console.counted(company).await == 1).await;
    directory.kill_9();
    console.report(company, vec![found(); 10]).await;
    console.report(company, vec![found(); 100]).await;
    // As if an earlier reader had committed the ten and died before it acknowledged.
    world.sql("update calls_reader set applied_sequence = applied_sequence + 1");

    let _directory = world.directory().await;
    eventually("the last is counted", async || console.counted(company).await >= 101).await;
    assert_eq!(console.counted(company).await, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_made_anew_is_counted_from_its_beginning() {
    let world = World::new();
    let directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    eventually("the first is counted", async || console.counted(company).await == 1).await;
    directory.kill_9();
    // As if what was counted had been another stream, which has come far.
    world.sql("update calls_reader set stream_created_unix_nanos = 1, applied_sequence = 1000000");
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    let _directory = world.directory().await;
    // The first is counted again if it had not been acknowledged yet: of another stream it would be another call.
    eventually("the second is counted", async || console.counted(company).await >= 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_counts_and_another_takes_over_when_it_dies() {
    let world = World::new();
    let first = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    let counted = "timeclock_directory_calls_counted_total";
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    eventually("the first counts", async || metric(&first, counted).await == 1).await;
    let second = world.directory().await;
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    eventually("the first still counts", async || metric(&first, counted).await == 2).await;
    assert_eq!(metric(&second, counted).await, 0);
    first.kill_9();
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    eventually("the second took over", async || metric(&second, counted).await == 1).await;
    assert_eq!(console.counted(company).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_can_read_does_not_hold_up_the_others() {
    let world = World::new();
    let directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    console.publish(subject::calls(company), b"\xff\xff not protobuf".to_vec()).await;
    let foreign = CallBatch {
        company_id: CompanyId::mint().to_string(),
        calls: vec![call("search", Answer::Found, 200)],
        ..CallBatch::default()
    };
    console.publish(subject::calls(company), foreign.encode_to_vec()).await;
    console.publish("calls.v1.nonsense".to_owned(), vec![]).await;
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    eventually("the good one is counted", async || console.counted(company).await == 1).await;
    assert_eq!(metric(&directory, "timeclock_directory_calls_dead_total").await, 3);
    assert_eq!(world.sql("select count(*) from cycles").trim(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_postgres_refuses_is_passed_over_and_its_neighbours_are_counted() {
    let world = World::new();
    let directory = world.directory().await;
    let console = Console::new(&world).await;
    let (good, bad) = (CompanyId::mint(), CompanyId::mint());
    console.report(good, vec![call("search", Answer::Found, 200)]).await;
    eventually("the first is counted", async || console.counted(good).await == 1).await;
    directory.kill_9();
    world.sql(&format!("alter table cycles add constraint refused check (company_id <> '{bad}')"));
    for company in [good, bad, good] {
        console.report(company, vec![call("search", Answer::Found, 200)]).await;
    }
    let directory = world.directory().await;
    eventually("the good ones are counted", async || console.counted(good).await == 3).await;
    assert_eq!(
        (metric(&directory, "timeclock_directory_calls_dead_total").await, console.counted(bad).await),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_answered_by_itself_is_a_line_of_the_log() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    let credential = TokenId::mint().to_string();
    let refused = Call {
        credential_id: credential.clone(),
        address: "2001:db8::7".to_owned(),
        scim_type: "invalidValue".to_owned(),
        detail: "userName is missing".to_owned(),
        target_name: "Anna@Contoso.com".to_owned(),
        ..call("create", Answer::Refused, 400)
    };
    let decided = Call { is_decided: true, ..refused.clone() };
    let decided = Call { request_id: RequestId::mint().to_string(), ..decided };
    let quiet = call("search", Answer::Found, 200);
    console.report(company, vec![refused.clone(), decided, quiet]).await;
    eventually("the calls are counted", async || console.counted(company).await == 3).await;

    let lines = console.log(lines_of(company)).await.entries;
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!((&line.request_id, &line.credential_id), (&refused.request_id, &credential));
    assert_eq!((line.verb.as_str(), line.outcome.as_str(), line.status), ("create", "refused", 400));
    assert_eq!((line.address.as_str(), line.target_name.as_str()), ("2001:db8::7", "Anna@Contoso.com"));
    let refusal = line.refusal.as_ref().unwrap();
    assert_eq!((refusal.reason(), refusal.detail.as_str()), (Reason::Invalid, "userName is missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_to_somebody_who_is_not_there_is_counted_apart() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let group = caller.form("Payroll", &[]).await.group_id;
    // What a gateway reports of a change that the directory refused: not its words.
    let reported = |request_id: String| Call {
        request_id,
        scim_type: "invalidValue".to_owned(),
        is_decided: true,
        ..call("update", Answer::Refused, 400)
    };
    let nobody = UserId::mint().to_string();
    let missing = caller.patch_members(&group, &[&nobody], &[]).await.request_id;
    let itself = caller.patch_members(&group, &[&group], &[]).await.request_id;
    console.report(caller.company, vec![reported(missing), reported(itself)]).await;
    eventually("the calls are counted", async || console.counted(caller.company).await == 2).await;
    let cause = |is_reference| FailureCause { cause: "400 invalidValue".to_owned(), count: 1, is_reference };
    assert_eq!(console.latest(caller.company).await.causes, [cause(true), cause(false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_given_up_and_applied_later_has_both_lines() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    caller.hire(json!({"userName": "before@contoso.com"})).await;
    // There is a stream to report to from here on.
    console.report(caller.company, vec![]).await;
    directory.kill_9();
    // The gateway gave up, and the request lies in the stream.
    let request = caller.send(Verb::Create, create(&json!({"userName": "late@contoso.com"}))).await;
    let failed = Call {
        request_id: request.to_string(),
        target_name: "late@contoso.com".to_owned(),
        ..call("create", Answer::Failed, 503)
    };
    console.report(caller.company, vec![failed]).await;

    let _directory = world.directory().await;
    crate::harness::applied(caller.outcome().await);
    let of = bus_contract::directory::ListLog { request_id: request.to_string(), ..lines_of(caller.company) };
    eventually("both are logged", async || console.log(of.clone()).await.entries.len() == 2).await;
    let mut outcomes: Vec<_> =
        console.log(of).await.entries.into_iter().map(|line| (line.outcome, line.status)).collect();
    outcomes.sort();
    assert_eq!(outcomes, [("created".to_owned(), 0), ("failed".to_owned(), 503)]);
    assert_eq!(world.sql("select count(*) from dead_letters").trim(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_activity_is_told_of_a_change_after_it_can_be_read() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    let mut told = console.bus.subscribe(subject::EVERY_ACTIVITY).await.unwrap();
    console.report(company, vec![call("search", Answer::Found, 200)]).await;
    let message = tokio::time::timeout(crate::harness::DEADLINE, told.next()).await.unwrap().unwrap();
    assert_eq!(subject::company_of_activity(&message.subject), Some(company));
    assert_eq!(console.counted(company).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_groups_are_counted_after_a_change() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    caller.hire(json!({"userName": "anna@contoso.com"})).await;
    caller.hire(json!({"userName": "ben@contoso.com", "active": false})).await;
    caller.form("Payroll", &[]).await;
    assert_eq!(console.activity(caller.company).await.size.unwrap().counted_at, None);
    console.report(caller.company, vec![call("search", Answer::Found, 200)]).await;
    eventually("the size is counted", async || {
        console.activity(caller.company).await.size.unwrap().counted_at.is_some()
    })
    .await;
    let size = console.activity(caller.company).await.size.unwrap();
    assert_eq!((size.users, size.active_users, size.groups), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_every_connected_company_by_its_health() {
    let world = World::new();
    let directory = world.directory().await;
    let console = Console::new(&world).await;
    let companies: Vec<CompanyId> = (0..3).map(|_| CompanyId::mint()).collect();
    for company in &companies {
        world.sql(&format!("insert into companies values ('{company}', 'A company', now())"));
    }
    console.report(companies[0], vec![call("search", Answer::Found, 200)]).await;
    console.report(companies[1], vec![call("search", Answer::Unauthenticated, 401)]).await;
    let states = async |after: &str, limit| -> Vec<(String, State)> {
        let found = console.health(after, limit).await.companies;
        found.into_iter().map(|of| (of.company_id, of.health.unwrap().state())).collect()
    };
    eventually("both are connected", async || states("", 1_000).await.len() == 2).await;
    let mut expected =
        [(companies[0].to_string(), State::Healthy), (companies[1].to_string(), State::Critical)];
    assert_eq!(states("", 1_000).await, expected);
    assert_eq!(states("", 1).await, expected[..1]);
    assert_eq!(states(&expected[0].0, 1).await, expected[1..]);
    assert_eq!(states(&expected[1].0, 1).await, []);
    // The gauge is told once a minute and by whoever takes over.
    let gauges = async |directory: Directory, expected: [&str; 2]| {
        directory.kill_9();
        let directory = world.directory().await;
        for gauge in expected {
            let line = format!("timeclock_directory_companies{gauge}\n");
            eventually(&line, async || directory.metrics().await.contains(&line)).await;
        }
        directory
    };
    let directory = gauges(directory, [r#"{health="critical"} 1"#, r#"{health="healthy"} 1"#]).await;
    // The second one leaves, and operators have nothing to do any more.
    world.sql("update connections set refused_last_at = now() - interval '14 days' where refused_calls > 0");
    expected[1].1 = State::Disconnected;
    assert_eq!(states("", 1_000).await, expected);
    let directory = gauges(directory, [r#"{health="critical"} 0"#, r#"{health="disconnected"} 1"#]).await;
    assert!(directory.metrics().await.contains("timeclock_directory_companies_silent 0\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_cycles_are_forgotten_when_they_are_older_than_the_retention() {
    let world = World::new();
    let company = CompanyId::mint();
    let (old, young) = (Utc::now() - TimeDelta::hours(25), Utc::now() - TimeDelta::hours(23));
    world.sql(&format!("insert into companies values ('{company}', 'A company', now())"));
    for (count, at) in [(2_500, old), (7, young)] {
        // UUIDv7: the time in milliseconds, then what tells them apart.
        world.sql(&format!(
            "insert into provisioning_log (company_id, request_id, verb, accepted_at, applied_at, outcome) \
             select '{company}', (lpad(to_hex({at}), 12, '0') || '7000' || lpad(to_hex(n), 16, '8000'))::uuid, \
               'update', now(), now(), 'unchanged' from generate_series(1, {count}) n; \
             insert into cycles select '{company}', (lpad(to_hex({at}), 12, '0') || '70008000000000000000')::uuid, \
               now(), now(), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]'",
            at = at.timestamp_millis()
        ));
    }
    let _directory = world.directory_with(&[("TIMECLOCK_LOG_RETENTION_DAYS", "1")]).await;
    let counts = "select (select count(*) from provisioning_log), (select count(*) from cycles)";
    eventually("the old ones are gone", async || world.sql(counts).trim() == "7|1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_beyond_the_bounds_say_what_to_do() {
    use bus_contract::directory::{GetActivity, ListCycles, ListHealth, failure};
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company_id = CompanyId::mint().to_string();
    let cycles = ListCycles { company_id: company_id.clone(), limit: 101, ..ListCycles::default() };
    let lines = lines_of(CompanyId::mint());
    let answers = [
        console.ask(subject::LIST_CYCLES, cycles.clone()).await,
        console.ask(subject::LIST_CYCLES, ListCycles { limit: 0, ..cycles }).await,
        console.ask(subject::LIST_HEALTH, ListHealth { limit: 1_001, ..ListHealth::default() }).await,
        console.ask(subject::LIST_LOG, bus_contract::directory::ListLog { limit: 501, ..lines }).await,
    ];
    for answer in answers {
        let failure = answer.unwrap_err();
        assert_eq!(failure.reason(), failure::Reason::Invalid);
        assert!(failure.detail.starts_with("limit is 1 to "), "{}", failure.detail);
    }
    let nobody = console.ask(subject::GET_ACTIVITY, GetActivity::default()).await.unwrap_err();
    assert_eq!(nobody.detail, "the question names no company");
}
