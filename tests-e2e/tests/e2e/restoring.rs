//! Machines are lost and come back from backups, or do not: what was backed up is there, what Entra knows comes again,
//! nothing is done twice, and whoever follows the facts ends where SCIM is.

use std::{fs, path::Path};

use entra_emulator::{Action, Generation, ObjectId, Tenant};
use serde_json::json;
use tests_e2e::{
    Entra, Load, World,
    actors::follower::Follower,
    eventually,
    eventually::when,
    fault::{Part, all_ready},
    observe,
};
use tokio::task::block_in_place;

/// A company with a tenant that was provisioned once, and somebody who follows.
struct Scene {
    world: World,
    entra: Entra,
    follower: Follower,
    /// Those to whom something happens.
    people: [ObjectId; 3],
}

const PEOPLE: usize = 24;

/// The accounts of people who left.
struct Left {
    disabled: String,
    deleted: String,
}

impl Scene {
    async fn begin(seed: u64) -> Self {
        let world = World::to_disturb().await;
        let domain = format!("restored{seed}.example");
        let generation = Generation { users: PEOPLE, groups: 3, seed, domain };
        let mut entra = world.entra(Tenant::generate(&generation), |_defaults| ());
        // In no group: a job that starts over does not know members who were disabled before.
        let people = [(); 3].map(|()| entra.tenant.hire());
        assert_eq!(entra.cycle().await.succeeded_users(Action::Create), PEOPLE + people.len());
        let follower = Follower::start(world.stack(), "seats", &world.company.id);
        follower.agrees_with(&world.scim).await;
        Self { world, entra, follower, people }
    }

    /// Somebody leaves, somebody changes, somebody comes and somebody is deleted; Entra has said so when this returns.
    /// Returns the accounts of who left.
    async fn life_goes_on(&mut self) -> Left {
        let [leaver, mover, gone] = self.people;
        let left = Left { disabled: self.entra.account_id(leaver), deleted: self.entra.account_id(gone) };
        self.entra.tenant.disable(leaver);
        self.entra.tenant.edit(mover, |person| person.job_title = Some("Chief".to_owned()));
        self.entra.tenant.delete(gone);
        self.entra.tenant.hire();
        self.entra.cycle().await;
        let seats = self.follower.agrees_with(&self.world.scim).await;
        assert!(!seats[&left.disabled].0 && !seats.contains_key(&left.deleted));
        left
    }

    /// Whoever left after the backup is back, and a job that starts over says nothing of them: somebody has to, as the
    /// guide says.
    async fn who_left_meanwhile_is_seen_to_by_hand(&self, left: &Left) {
        let scim = &self.world.scim;
        for account in [&left.disabled, &left.deleted] {
            assert_eq!(scim.get(&format!("/Users/{account}")).await.expect(200)["active"], true);
        }
        let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
        scim.patch_user(&left.disabled, off).await.expect(200);
        scim.delete(&format!("/Users/{}", left.deleted)).await.expect(204);
    }

    /// An operator restarts the provisioning in Entra, which then says everything anew.
    async fn entra_starts_over(&mut self) {
        self.entra.job.restart();
        self.entra.cycle().await;
        self.entra.has_nothing_left_to_say().await;
    }

    /// Everybody is there once, as Entra has them, and the follower knows.
    async fn everything_agrees(&self) {
        let seats = self.follower.agrees_with(&self.world.scim).await;
        assert_eq!(seats.len(), self.entra.tenant.people().count());
    }

    /// An ordinary change is applied, and its fact arrives without another snapshot.
    async fn life_goes_on_after_all(&mut self) {
        let reasons = ["place_lost", "another_history"];
        let snapshots = async |follower: &Follower| {
            [follower.snapshots(reasons[0]).await, follower.snapshots(reasons[1]).await]
        };
        let before = snapshots(&self.follower).await;
        self.entra.tenant.disable(self.people[1]);
        self.entra.cycle().await;
        self.everything_agrees().await;
        assert_eq!(snapshots(&self.follower).await, before);
    }

    /// Waits until this is how many histories have begun for this reason; partitions are taken over after readiness.
    async fn has_begun(&self, reason: &str, count: f64) {
        let begun = async || self.histories_begun(reason).await;
        eventually("a history begins", begun, |begun| when(*begun == count)).await;
    }

    async fn histories_begun(&self, reason: &str) -> f64 {
        let told = observe::told(self.world.stack(), "directory-service").await;
        let told = told.expect("the directory's metrics");
        told.sum("timeclock_directory_histories_begun_total", &[("reason", reason)]).expect("the series")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_lost_but_a_dump_and_the_next_full_cycle_makes_up_for_the_rest() {
    let mut scene = Scene::begin(31).await;
    let dump = scene.world.stack().workdir().join("everything.dump");
    block_in_place(|| scene.world.stack().back_up(&dump)).unwrap();
    let left = scene.life_goes_on().await;

    let stack = scene.world.stack();
    block_in_place(|| {
        stack.stop_services().unwrap();
        stack.lose_streams().unwrap();
        stack.lose_database().unwrap();
        stack.nats().restart().unwrap();
        stack.restore(&dump, true).unwrap();
        stack.start_services().unwrap();
    });
    all_ready(stack).await;
    scene.has_begun("bus_anew", 1.0).await;
    // The backup's state, which is all that there is until Entra speaks again.
    scene.follower.agrees_with(&scene.world.scim).await;
    scene.follower.takes_a_snapshot(&["place_lost", "another_history"]).await;
    scene.entra_starts_over().await;
    scene.who_left_meanwhile_is_seen_to_by_hand(&left).await;
    scene.everything_agrees().await;
    scene.life_goes_on_after_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_beside_a_bus_that_went_on_is_noticed_and_goes_on_from_there() {
    let mut scene = Scene::begin(32).await;
    let dump = scene.world.stack().workdir().join("before.dump");
    block_in_place(|| scene.world.stack().back_up(&dump)).unwrap();
    let left = scene.life_goes_on().await;

    let stack = scene.world.stack();
    block_in_place(|| {
        stack.stop_services().unwrap();
        stack.lose_database().unwrap();
        // Nobody begins a history by hand: the directory has to find out.
        stack.restore(&dump, false).unwrap();
        stack.start_services().unwrap();
    });
    all_ready(stack).await;
    scene.has_begun("database_older", 1.0).await;
    // The stream goes on at higher sequences than the database knows: what comes now is new, and is applied.
    scene.entra_starts_over().await;
    scene.who_left_meanwhile_is_seen_to_by_hand(&left).await;
    scene.follower.takes_a_snapshot(&["another_history"]).await;
    scene.everything_agrees().await;
    scene.life_goes_on_after_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_from_before_beside_a_database_that_went_on_is_noticed_and_loses_no_request() {
    let mut scene = Scene::begin(33).await;
    let stack = scene.world.stack();
    let copied = stack.workdir().join("streams-before");
    block_in_place(|| {
        stack.nats().stop().unwrap();
        copy(&stack.nats().streams_directory(), &copied);
        stack.nats().restart().unwrap();
    });
    all_ready(stack).await;
    drop(scene.life_goes_on().await);

    let stack = scene.world.stack();
    block_in_place(|| {
        stack.stop_services().unwrap();
        stack.lose_streams().unwrap();
        copy(&copied, &stack.nats().streams_directory());
        stack.nats().restart().unwrap();
        stack.start_services().unwrap();
    });
    all_ready(stack).await;
    scene.has_begun("bus_older", 1.0).await;
    // Nothing was lost with the bus but facts, so Entra has nothing to say, and what it says next is applied although
    // the stream counts again as it had counted before.
    scene.entra.has_nothing_left_to_say().await;
    scene.follower.takes_a_snapshot(&["place_lost", "another_history"]).await;
    scene.everything_agrees().await;
    scene.life_goes_on_after_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_is_lost_alone_is_made_anew_and_nothing_waits_for_an_operator() {
    let mut scene = Scene::begin(34).await;
    drop(scene.life_goes_on().await);
    let begun = scene.histories_begun("bus_anew").await;
    let stack = scene.world.stack();
    block_in_place(|| {
        stack.lose_streams().unwrap();
        stack.nats().restart().unwrap();
    });
    all_ready(stack).await;
    scene.has_begun("bus_anew", begun + 1.0).await;
    // What it knew before agrees as well, so that it agrees does not say that it has noticed.
    scene.follower.takes_a_snapshot(&["place_lost", "another_history"]).await;
    scene.entra.has_nothing_left_to_say().await;
    scene.everything_agrees().await;
    scene.life_goes_on_after_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_and_nats_that_die_at_once_lose_no_fact_and_begin_no_history() {
    let scene = Scene::begin(35).await;
    let stack = scene.world.stack();
    let reasons = ["bus_anew", "database_older", "bus_older"];
    let mut begun = Vec::new();
    for reason in reasons {
        begun.push(scene.histories_begun(reason).await);
    }
    let load = Load::start(&scene.world.scim).await;
    load.succeeds(40).await;
    for part in [Part::Postgres, Part::Nats] {
        part.kill(stack);
    }
    load.fails(4).await;
    for part in [Part::Nats, Part::Postgres] {
        part.start_again(stack);
    }
    load.succeeds(40).await;
    let ledger = load.stop().await;
    println!("both at once: {ledger}");
    ledger.verify().await;
    all_ready(stack).await;
    for (reason, begun) in reasons.into_iter().zip(begun) {
        assert_eq!(scene.histories_begun(reason).await, begun, "{reason}");
    }
    scene.follower.agrees_with(&scene.world.scim).await;
    for reason in ["place_lost", "another_history"] {
        assert_eq!(scene.follower.snapshots(reason).await, Some(0.0), "{reason}");
    }
}
