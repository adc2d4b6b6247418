//! Machines fail under load; what was answered holds, what was promised happens once, and everything recovers by itself.

use std::time::Instant;

use entra_emulator::{Action, Generation, Tenant};
use tests_e2e::{
    Load, World,
    fault::{Part, all_ready},
};
use tokio::task::block_in_place;

/// Requests that must succeed before a fault, and again after it.
const ENOUGH: usize = 60;

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
