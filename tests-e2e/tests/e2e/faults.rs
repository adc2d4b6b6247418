//! Machines fail under load; what was answered holds, what was promised happens once, and everything recovers by itself.

use std::time::Instant;

use entra_emulator::{Action, Generation, Tenant};
use tests_e2e::{
    Load, World, eventually,
    eventually::when,
    fault::{Part, all_ready},
    observe,
};
use tokio::task::block_in_place;

/// Requests that must succeed before a fault, and again after it.
const ENOUGH: usize = 60;

/// The services first, so that they come back before what they depend on.
const EVERYTHING: [Part; 5] = [
    Part::Service("scim-gateway"),
    Part::Service("directory-service"),
    Part::Service("token-service"),
    Part::Nats,
    Part::Postgres,
];

/// Kills a part under load and starts it again; the load is the judge.
async fn survives(part: Part) {
    let world = World::to_disturb().await;
    let load = Load::start(&world.scim).await;
    load.succeeds(ENOUGH).await;

    part.kill(world.stack());
    load.fails(4).await;
    part.start_again(world.stack());
    let back = Instant::now();
    let answering = load.succeeds(1).await;
    all_ready(world.stack()).await;
    println!(
        "{part:?}: first success {answering:?} after its return, all services ready {:?} after",
        back.elapsed()
    );
    load.succeeds(ENOUGH).await;

    let ledger = load.stop().await;
    println!("{part:?}: {ledger}");
    ledger.verify().await;
    a_cycle_succeeds(&world).await;
}

async fn a_cycle_succeeds(world: &World) {
    let generation = Generation { users: 8, groups: 0, seed: 11, domain: "afterwards.example".to_owned() };
    let mut entra = world.entra(Tenant::generate(&generation), |_defaults| ());
    assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 8);
    entra.has_nothing_left_to_say().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_killed_under_load_comes_back_and_applies_what_was_promised() {
    survives(Part::Service("directory-service")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_killed_under_load_comes_back_and_nothing_is_lost_or_doubled() {
    survives(Part::Nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_under_load_comes_back_and_nothing_is_lost_or_doubled() {
    survives(Part::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_under_load_comes_back_and_nothing_is_lost_or_doubled() {
    survives(Part::Service("scim-gateway")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_may_die_one_after_the_other_under_one_load() {
    let world = World::to_disturb().await;
    let load = Load::start(&world.scim).await;
    for part in EVERYTHING {
        load.succeeds(ENOUGH).await;
        part.kill(world.stack());
        part.start_again(world.stack());
    }
    load.succeeds(ENOUGH).await;
    all_ready(world.stack()).await;
    let ledger = load.stop().await;
    println!("one after the other: {ledger}");
    ledger.verify().await;
    a_cycle_succeeds(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_loses_power_with_everything_on_it_recovers() {
    let world = World::to_disturb().await;
    let load = Load::start(&world.scim).await;
    load.succeeds(ENOUGH).await;
    for part in EVERYTHING {
        part.kill(world.stack());
    }
    load.fails(4).await;
    for part in EVERYTHING {
        part.start_again(world.stack());
    }
    let answering = load.succeeds(1).await;
    println!("everything: first success {answering:?} after its return");
    load.succeeds(ENOUGH).await;
    let ledger = load.stop().await;
    println!("everything at once: {ledger}");
    ledger.verify().await;
    a_cycle_succeeds(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_during_which_the_directory_dies_is_made_up_for_by_the_next() {
    let world = World::to_disturb().await;
    let stack = world.stack();
    let people = Generation { users: 60, groups: 0, seed: 13, domain: "interrupted.example".to_owned() };
    let mut entra = world.entra(Tenant::generate(&people), |_defaults| ());
    let ((), interrupted) = tokio::join!(
        async {
            let count = async || world.scim.get("/Users?count=0").await.json()["totalResults"].as_u64();
            eventually("some people exist", count, |count| count.filter(|&count| count >= 10)).await;
            // Whatever the cycle asks when the directory is gone, a look-up or a change, is answered 503.
            let unavailable = async || observe::answers_with(stack, 503).await;
            let before = unavailable().await.unwrap_or_default();
            Part::Service("directory-service").kill(stack);
            let more = |now: &Option<f64>| when(now.unwrap_or_default() > before);
            eventually("the cycle meets the outage", unavailable, more).await;
            Part::Service("directory-service").start_again(stack);
        },
        entra.job.run_cycle(&mut entra.tenant)
    );
    let failures = interrupted.failures().count();
    println!("the interrupted cycle had {failures} failures");
    assert!(failures > 0 || interrupted.repeats > 0, "it was not interrupted");
    entra.cycle().await;
    entra.has_nothing_left_to_say().await;
    assert_eq!(world.scim.get("/Users?count=0").await.json()["totalResults"], 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_directories_one_may_die_and_the_other_goes_on() {
    let world = World::to_disturb().await;
    let stack = world.stack();
    let second = block_in_place(|| stack.start_another("directory-service")).unwrap();
    let load = Load::start(&world.scim).await;
    load.succeeds(ENOUGH).await;

    // The first has been there longer and holds the partitions, or most of them.
    block_in_place(|| stack.kill_9("directory-service")).unwrap();
    let taken_over = load.succeeds(ENOUGH).await;
    println!(
        "the second directory had answered {ENOUGH} requests {taken_over:?} after the first one's death"
    );
    block_in_place(|| stack.restart("directory-service")).unwrap();
    load.succeeds(ENOUGH).await;
    block_in_place(|| stack.kill_9(&second)).unwrap();
    load.succeeds(ENOUGH).await;

    let ledger = load.stop().await;
    println!("two directories: {ledger}");
    ledger.verify().await;
    a_cycle_succeeds(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_service_that_is_away_stops_nobody() {
    let world = World::to_disturb().await;
    let load = Load::start(&world.scim).await;
    load.succeeds(ENOUGH).await;
    block_in_place(|| world.stack().kill_9("token-service")).unwrap();
    load.succeeds(4 * ENOUGH).await;
    assert_eq!(load.failed(), 0);
    block_in_place(|| world.stack().restart("token-service")).unwrap();
    load.succeeds(ENOUGH).await;
    let ledger = load.stop().await;
    assert_eq!(ledger.failed, 0);
    ledger.verify().await;
    // And it is the same one: a token that it issues now is known to the gateway.
    let fresh = world.scim.with_token(&world.operator().issue("1d").secret);
    assert_eq!(fresh.get("/Users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_directory_delays_requests_and_loses_none() {
    let world = World::to_disturb().await;
    let load = Load::start(&world.scim).await;
    load.succeeds(ENOUGH).await;
    world.stack().pause("directory-service").unwrap();
    load.fails(8).await;
    world.stack().resume("directory-service").unwrap();
    load.succeeds(ENOUGH).await;
    let ledger = load.stop().await;
    println!("stalled directory: {ledger}");
    ledger.verify().await;
}
