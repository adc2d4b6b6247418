//! Whoever follows the facts ends where SCIM is, whatever happens to it on the way.

use entra_emulator::{Generation, Tenant, changes::Turnover};
use tests_e2e::{
    World,
    actors::{
        follower::{Follower, replayed},
        scim::id,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_killed_in_the_middle_of_three_cycles_says_what_scim_says_and_so_does_a_replay() {
    let world = World::shared();
    let mut follower = Follower::start(world.stack(), "seats", &world.company.id);
    let people = Generation { users: 60, groups: 6, seed: 21, domain: "followed.example".to_owned() };
    let mut entra = world.entra(Tenant::generate(&people), |_defaults| ());
    let mut turnover = Turnover::new(21, 60);
    for _cycle in 0..3 {
        let scim = &world.scim;
        let crashes = async {
            // Whenever there is something new to see, it is killed over it.
            for count in [5, 15, 30] {
                let seen = async || follower.seats().len();
                tests_e2e::eventually("it has read something", seen, |seen| (*seen >= count).then_some(()))
                    .await;
                follower.crash();
            }
        };
        let ((), cycle) = tokio::join!(crashes, entra.cycle());
        drop(cycle);
        follower.agrees_with(scim).await;
        turnover.round(&mut entra.tenant);
    }
    entra.cycle().await;
    let gone = world.scim.create_user("gone@followed.example").await;
    world.scim.delete(&format!("/Users/{}", id(&gone))).await.expect(204);
    follower.crash();
    let seats = follower.agrees_with(&world.scim).await;
    assert!(!seats.contains_key(&id(&gone)));
    assert!(seats.values().any(|(_, groups)| !groups.is_empty()), "nobody is in a group: {seats:?}");
    assert_eq!(replayed(world.stack(), "seats", &world.company.id), seats);
    for reason in ["place_lost", "another_history"] {
        assert_eq!(follower.snapshots(reason).await, 0, "{reason}");
    }
}
