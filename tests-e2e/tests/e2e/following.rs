//! Whoever follows the facts ends where SCIM is, whatever happens to it on the way.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Stdio},
};

use entra_emulator::{Generation, Tenant, changes::Turnover};
use serde_json::json;
use tests_e2e::{
    World,
    actors::{
        follower::{Follower, replayed},
        scim::id,
        suites::Suites,
    },
    eventually,
    eventually::when,
};
use tokio::task::block_in_place;

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
                eventually("it has read something", seen, |seen| when(*seen >= count)).await;
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
        assert_eq!(follower.snapshots(reason).await, Some(0.0), "{reason}");
    }
}

/// A process that ends with the scenario.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_guide_ends_the_sessions_of_whoever_loses_access() {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides");
    let example = guides.join("examples/end_sessions.py");
    let shown = fs::read_to_string(guides.join("consume-events.md")).unwrap();
    assert!(shown.contains(&fs::read_to_string(&example).unwrap()), "the guide shows another program");

    let world = World::shared();
    let python = block_in_place(Suites::install);
    let (url, password) = world.stack().subscriber_bus();
    let said = world.stack().workdir().join("end_sessions.txt");
    let mut command = python.python();
    command.arg(example).env("NATS_URL", url).env("NATS_PASSWORD", password);
    let output = File::create(&said).unwrap();
    command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
    let _running = Running(command.spawn().unwrap());

    let [leaver, stayer, gone] = ["leaver", "stayer", "gone"].map(|name| format!("{name}@sessions.example"));
    let leaver = id(&world.scim.create_user(&leaver).await);
    let stayer = id(&world.scim.create_user(&stayer).await);
    let gone = id(&world.scim.create_user(&gone).await);
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    world.scim.patch_user(&leaver, off).await.expect(200);
    world.scim.delete(&format!("/Users/{gone}")).await.expect(204);
    let ended = |user: &str| format!("ended the sessions of {user} in {}", world.company.id);
    let text = async || fs::read_to_string(&said).unwrap();
    eventually("two sessions are ended", text, |text| {
        when(text.contains(&ended(&leaver)) && text.contains(&ended(&gone)))
    })
    .await;
    assert!(!text().await.contains(&stayer));
}
