//! Many people removed at once: access ends, and what cannot be undone waits for a human.

use std::collections::BTreeMap;

use bus_contract::{
    Message,
    audit::{Actor, actor::Kind},
    directory::{
        Brake, BrakeRule, DecideBrake, Fact, ListBrakes, ListBrakesReply, ListRemovals, ListRemovalsReply,
        SetBrakeRule, UserRecord, brake::State, concern, decide_brake::Decision, fact::Event,
        failure::Reason, health, look_up_user::Key, reply,
    },
    provisioning::patch_operation::Op,
    subject::{self, Verb},
};
use bus_jetstream::request::Subscription;
use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use typed_ids::{CompanyId, UserId};

use crate::{
    console::Console,
    harness::{
        Caller, DEADLINE, Directory, World, applied, attributes, create, eventually, patch, refusal, url,
    },
};

fn anna() -> Option<Actor> {
    let name = "anna@contoso.com".to_owned();
    Some(Actor { kind: Kind::Administrator.into(), name, address: "192.0.2.1".to_owned() })
}

/// A company with so many people, a group of all of them, and one who asks about it.
struct Scene {
    caller: Caller,
    console: Console,
    people: Vec<UserRecord>,
    group: String,
}

impl Scene {
    async fn new(world: &World, size: usize) -> Self {
        let mut caller = world.caller().await;
        world.sql(&format!(
            "insert into companies (company_id, name, created_at) values ('{}', 'Contoso', now())",
            caller.company
        ));
        for number in 0..size {
            let person = json!({
                "userName": format!("person-{number}@contoso.com"),
                "externalId": format!("object-{number}"),
                "displayName": format!("Person {number}"),
                "active": true,
            });
            caller.send(Verb::Create, create(&person)).await;
        }
        let mut people = Vec::new();
        for _ in 0..size {
            people.push(applied(caller.outcome().await));
        }
        people.sort_by(|one, other| one.user_id.cmp(&other.user_id));
        let ids: Vec<&str> = people.iter().map(|person| person.user_id.as_str()).collect();
        let group = caller.form("Everybody", &ids).await.group_id;
        Self { caller, console: Console::new(world).await, people, group }
    }

    async fn delete(&mut self, people: std::ops::Range<usize>) {
        for place in people {
            let gone = self.caller.delete(&self.people[place].user_id.clone()).await;
            assert!(matches!(gone.result, Some(bus_contract::provisioning::outcome::Result::Applied(_))));
        }
    }

    async fn switch(&mut self, people: std::ops::Range<usize>, is_active: bool) {
        let verb = if is_active { Verb::Reactivate } else { Verb::Deactivate };
        for place in people {
            let change = patch(&self.people[place].user_id, &[(Op::Replace, "active", json!(is_active))]);
            applied(self.caller.ask(verb, change).await);
        }
    }

    async fn list(&self) -> ListBrakesReply {
        let company_id = self.caller.company.to_string();
        match self.console.ask(subject::LIST_BRAKES, ListBrakes { company_id }).await {
            Ok(reply::Result::ListBrakes(list)) => list,
            other => panic!("not a list: {other:?}"),
        }
    }

    /// The only mass removal.
    async fn brake(&self) -> Brake {
        let mut brakes = self.list().await.brakes;
        assert_eq!(brakes.len(), 1, "{brakes:?}");
        brakes.remove(0)
    }

    async fn decide(&self, brake: &Brake, decision: Decision) -> Result<Brake, Reason> {
        let act = DecideBrake {
            company_id: self.caller.company.to_string(),
            brake_id: brake.brake_id.clone(),
            decision: decision.into(),
            actor: anna(),
            removed: brake.removed,
        };
        match self.console.ask(subject::DECIDE_BRAKE, act).await {
            Ok(reply::Result::DecideBrake(decided)) => Ok(decided.brake.unwrap()),
            Err(failure) => Err(failure.reason()),
            other => panic!("not decided: {other:?}"),
        }
    }

    async fn undone(&self) -> Brake {
        eventually("the undo is done", async || self.brake().await.state() == State::Undone).await;
        self.brake().await
    }

    /// Everybody who can be found, with what there is of them but what counts changes, and the group's members.
    async fn seen(&self) -> (BTreeMap<String, Value>, Vec<String>) {
        let mut seen = BTreeMap::new();
        for person in &self.people {
            for found in self.caller.look_up(Key::UserId(person.user_id.clone())).await {
                let groups: Vec<_> = found.groups.iter().map(|group| group.display_name.clone()).collect();
                seen.insert(
                    found.user_id.clone(),
                    json!({"attributes": attributes(&found), "created": found.created_at.unwrap().seconds, "groups": groups}),
                );
            }
        }
        (seen, self.caller.member_ids(&self.group).await)
    }
}

/// People who were removed and are no part of a mass removal.
fn alone(world: &World) -> String {
    world.sql("select count(*) from removals where brake_id is null").trim().to_owned()
}

/// How many mass removals an operator was told of, by the metric and by the log.
async fn announced(directory: &Directory) -> (usize, usize) {
    let metrics = directory.metrics().await;
    let count = metrics.lines().find_map(|line| line.strip_prefix("timeclock_directory_brakes_total "));
    let log = std::fs::read_to_string(directory.process.log()).unwrap();
    (count.unwrap().parse().unwrap(), log.matches("\"a mass removal: access has ended").count())
}

async fn facts(world: &World, company: CompanyId) -> Subscription {
    let follower = world.bus("follower").await;
    let facts = follower.subscribe(format!("facts.v1.{company}.>")).await.unwrap();
    follower.ping().await.unwrap();
    facts
}

async fn next(facts: &mut Subscription) -> Event {
    let message = tokio::time::timeout(DEADLINE, facts.next()).await.expect("a fact in time").unwrap();
    Fact::decode(message.payload).unwrap().event.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_removal_ends_access_at_once_and_one_click_undoes_it() {
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, 20).await;
    let before = scene.seen().await;
    scene.delete(0..8).await;
    scene.switch(8..10, false).await;
    assert_eq!(scene.list().await.brakes, [], "ten are not more than ten");
    scene.switch(10..14, false).await;

    // Nothing is kept that a SCIM client could see.
    let (seen, members) = scene.seen().await;
    assert_eq!((seen.len(), members.len()), (12, 12));
    assert_eq!(scene.caller.search("active eq true", 0, 100).await.0, 6);
    let brake = scene.brake().await;
    let counts =
        (brake.state(), brake.removed, brake.had_access, brake.people, brake.waiting, brake.waiting_deleted);
    assert_eq!(counts, (State::On, 14, 14, 20, 14, 8));
    let page = ListRemovals {
        company_id: scene.caller.company.to_string(),
        brake_id: brake.brake_id.clone(),
        after_user_id: scene.people[3].user_id.clone(),
        limit: 6,
    };
    let Ok(reply::Result::ListRemovals(ListRemovalsReply { removals, has_more, .. })) =
        scene.console.ask(subject::LIST_REMOVALS, page).await
    else {
        panic!("no page");
    };
    let shown: Vec<_> = removals.iter().map(|it| (it.user_id.as_str(), it.is_deleted, it.groups)).collect();
    let place = |place: usize| scene.people[place].user_id.as_str();
    let deleted = (4..8).map(|it| (place(it), true, 1));
    assert_eq!(shown, deleted.chain((8..10).map(|it| (place(it), false, 0))).collect::<Vec<_>>());
    assert!(has_more);
    assert!(directory.metrics().await.contains("timeclock_directory_brakes_total 1\n"));

    let undoing = scene.decide(&brake, Decision::Undo).await.unwrap();
    assert_eq!((undoing.state(), undoing.decided_by.as_str()), (State::Undoing, "anna@contoso.com"));
    assert_eq!(undoing.decided_by_kind(), Kind::Administrator);
    let undone = scene.undone().await;
    assert_eq!((undone.restored, undone.superseded, undone.returned, undone.waiting), (14, 0, 0, 0));
    assert_eq!(scene.seen().await, before);
    assert_eq!(world.sql("select count(*) from removals").trim(), "0");
    // Whoever decides the same again is told that it is so.
    assert_eq!(scene.decide(&brake, Decision::Undo).await.unwrap().state(), State::Undone);
    assert_eq!(scene.decide(&brake, Decision::Release).await, Err(Reason::Conflict));
    let acts = scene.console.events(scene.caller.company, "", 10).await.events;
    assert_eq!(acts[0].act, "brake.undone");
    assert_eq!(
        (acts[0].target.as_str(), acts[0].note.as_str()),
        (brake.brake_id.as_str(), "14 people; 14 of 20 with access were removed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_hear_of_the_end_at_once_and_of_the_return_with_later_versions() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    let mut facts = facts(&world, scene.caller.company).await;
    scene.delete(0..11).await;
    let (mut group_version, mut deleted) = (0, BTreeMap::new());
    for _ in 0..22 {
        match next(&mut facts).await {
            Event::UserDeleted(fact) => {
                deleted.insert(fact.user_id, fact.version);
            }
            Event::MembersRemoved(fact) => group_version = fact.version,
            other => panic!("{other:?}"),
        }
    }
    scene.decide(&scene.brake().await, Decision::Undo).await.unwrap();
    scene.undone().await;
    for _ in 0..22 {
        match next(&mut facts).await {
            Event::UserCreated(fact) => {
                let user = fact.user.unwrap();
                let last = deleted.remove(&user.user_id).expect("everybody once");
                assert!(user.version > last, "{} after {last}", user.version);
                assert_eq!(user.groups.len(), 1);
            }
            Event::MembersAdded(fact) => {
                assert!(fact.version > group_version);
                group_version = fact.version;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(deleted.is_empty());
    // A version is the newest for whoever reads too.
    let found = scene.caller.look_up(Key::UserId(scene.people[0].user_id.clone())).await;
    assert_eq!(found[0].version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_rule_nobody_is_asked_and_nothing_is_kept_for_long() {
    let world = World::new();
    let _directory = world.directory_with(&[("TIMECLOCK_BRAKE_WINDOW_MS", "3000")]).await;
    let mut scene = Scene::new(&world, 12).await;
    scene.delete(0..3).await;
    eventually("what was kept is destroyed", async || {
        world.sql("select count(*) from removals").trim() == "0"
    })
    .await;
    eventually("nobody looks any more", async || {
        world.sql("select count(*) from companies where removals_due_at is not null").trim() == "0"
    })
    .await;
    assert_eq!(scene.list().await.brakes, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_really_left_are_destroyed_at_once() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 30).await;
    scene.delete(0..12).await;
    let brake = scene.brake().await;
    assert_eq!(world.sql("select count(*) from removals where attributes is not null").trim(), "12");
    // Somebody joins while a human looks at the others.
    scene.delete(12..13).await;
    assert_eq!(scene.decide(&brake, Decision::Release).await, Err(Reason::Conflict));
    assert_eq!(world.sql("select count(*) from removals where attributes is not null").trim(), "13");
    let brake = scene.brake().await;
    assert_eq!((brake.state(), brake.removed), (State::On, 13));
    let released = scene.decide(&brake, Decision::Release).await.unwrap();
    assert_eq!((released.state(), released.waiting), (State::Released, 0));
    assert_eq!(world.sql("select count(*) from removals").trim(), "0");
    assert_eq!(scene.decide(&brake, Decision::Undo).await, Err(Reason::Conflict));
    assert_eq!(scene.decide(&brake, Decision::Release).await.unwrap().state(), State::Released);
    assert_eq!(scene.seen().await.0.len(), 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_decision_waits_for_one_of_its_own_from_the_first_person_on() {
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, 30).await;
    scene.delete(0..11).await;
    scene.decide(&scene.brake().await, Decision::Release).await.unwrap();
    // The same cycle of Entra's goes on.
    scene.delete(11..13).await;
    let brakes = scene.list().await.brakes;
    let counts: Vec<_> = brakes.iter().map(|it| (it.state(), it.removed, it.waiting_deleted)).collect();
    assert_eq!(counts, [(State::On, 2, 2), (State::Released, 11, 0)]);
    scene.decide(&brakes[0], Decision::Release).await.unwrap();
    // Beyond the hour those two are no mass removal that anybody could follow.
    world.sql("update brakes set last_at = last_at - interval '2 hours' where removed = 11");
    scene.delete(13..15).await;
    assert_eq!(scene.list().await.brakes.len(), 2);
    assert_eq!(alone(&world), "2");
    assert_eq!(announced(&directory).await, (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_long_after_a_mass_removal_is_no_part_of_it_though_it_waits() {
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, 20).await;
    scene.delete(0..12).await;
    world.sql("update brakes set last_at = last_at - interval '2 hours'");
    let before = scene.brake().await;
    scene.delete(12..13).await;
    assert_eq!(scene.brake().await, before);
    assert_eq!(alone(&world), "1");
    assert_eq!(announced(&directory).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_mass_removal_is_told_while_the_first_one_waits() {
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, 40).await;
    scene.delete(0..12).await;
    world.sql(
        "update brakes set began_at = began_at - interval '2 hours', last_at = last_at - interval '2 hours'",
    );
    scene.delete(12..25).await;
    let brakes = scene.list().await.brakes;
    let counts: Vec<_> = brakes.iter().map(|it| (it.state(), it.removed, it.waiting_deleted)).collect();
    assert_eq!(counts, [(State::On, 13, 13), (State::On, 12, 12)]);
    assert_eq!(announced(&directory).await, (2, 2));
    // By its beginning the console knows that it has mailed nobody about this one.
    let since = async |scene: &Scene| {
        let health = scene.console.activity(scene.caller.company).await.health.unwrap();
        health.concerns[0].since
    };
    assert_eq!(since(&scene).await, brakes[0].began_at);
    assert_ne!(brakes[0].began_at, brakes[1].began_at);
    scene.decide(&brakes[0], Decision::Release).await.unwrap();
    assert_eq!(since(&scene).await, brakes[1].began_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_removal_ends_though_people_leave_every_hour() {
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, 20).await;
    scene.switch(0..12, false).await;
    world.sql("update brakes set began_at = now() - interval '31 days', ends_at = now() + interval '1 day'");
    let first = scene.brake().await;
    // Whom Entra has disabled and deletes now, and somebody who had access.
    scene.delete(11..13).await;
    let brakes = scene.list().await.brakes;
    let counts: Vec<_> = brakes.iter().map(|it| (it.state(), it.removed, it.waiting_deleted)).collect();
    assert_eq!(counts, [(State::On, 2, 2), (State::On, 11, 0)]);
    assert_eq!(brakes[1].ends_at, first.ends_at);
    assert_eq!(announced(&directory).await, (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_entra_has_created_anew_keeps_the_new_account() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    scene.delete(0..12).await;
    let same_name = scene.caller.hire(json!({"userName": "PERSON-0@contoso.com"})).await;
    let same_object =
        scene.caller.hire(json!({"userName": "renamed@contoso.com", "externalId": "object-1"})).await;
    scene.decide(&scene.brake().await, Decision::Undo).await.unwrap();
    let undone = scene.undone().await;
    assert_eq!((undone.restored, undone.superseded), (10, 2));
    for (key, expected) in [
        (Key::UserName("person-0@contoso.com".to_owned()), &same_name),
        (Key::ExternalId("object-1".to_owned()), &same_object),
    ] {
        assert_eq!(scene.caller.look_up(key).await.as_slice(), std::slice::from_ref(expected));
    }
    assert_eq!(scene.caller.member_ids(&scene.group).await.len(), 10);
    let lines =
        world.sql("select count(*) from provisioning_log where verb = 'restore' and outcome = 'refused'");
    assert_eq!(lines.trim(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_goes_on_where_it_was_when_its_directory_is_killed() {
    const PEOPLE: usize = 300;
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, PEOPLE).await;
    let before = scene.seen().await;
    for person in &scene.people {
        let change =
            bus_contract::provisioning::DeleteUser { user_id: person.user_id.clone(), condition: None };
        let change = bus_contract::provisioning::request::Change::DeleteUser(change);
        scene.caller.send(Verb::Delete, change).await;
    }
    for _ in 0..PEOPLE {
        scene.caller.outcome().await;
    }
    assert_eq!(scene.brake().await.waiting, PEOPLE as u64);

    // Whoever has the highest id is asked for last, and cannot be brought back while somebody holds the row.
    let last = scene.people[PEOPLE - 1].user_id.clone();
    let mut holder = PgConnection::establish(&url(&world.database, "directory_service")).unwrap();
    let hold = format!(
        "begin; set local timeclock.companies = '{{{}}}'; select 1 from removals where user_id = '{last}' for update",
        scene.caller.company
    );
    holder.batch_execute(&hold).unwrap();
    scene.decide(&scene.brake().await, Decision::Undo).await.unwrap();
    eventually("some are back", async || scene.brake().await.restored > 0).await;
    directory.kill_9();
    holder.batch_execute("rollback").unwrap();
    let restored: usize =
        world.sql("select restored from brakes").trim().parse().expect("a number of people");
    assert!((1..PEOPLE).contains(&restored), "{restored} were back in the middle");

    let _directory = world.directory().await;
    assert_eq!(scene.undone().await.restored, PEOPLE as u64);
    assert_eq!(scene.seen().await, before);
    // Everybody came back once.
    assert_eq!(world.sql("select distinct version from users").trim(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deleted_while_an_undo_is_on_its_way_stays_deleted_and_is_weighed_anew() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 20).await;
    scene.switch(0..12, false).await;
    // Somebody has decided, and the owner of the partition has not yet looked.
    world.sql("update brakes set state = 'undoing', decided_at = now()");
    scene.delete(3..4).await;
    let kept = world.sql("select count(*) from removals where attributes is not null and was_active");
    assert_eq!(kept.trim(), "1", "what was deleted is held");
    world.sql("update companies set removals_due_at = now()");
    let is_undone = async || scene.list().await.brakes.iter().any(|brake| brake.state() == State::Undone);
    eventually("the undo is done", is_undone).await;
    let brakes = scene.list().await.brakes;
    assert_eq!((brakes[0].state(), brakes[0].waiting_deleted), (State::On, 1));
    let undone = brakes.last().unwrap();
    assert_eq!((undone.removed, undone.restored, undone.waiting), (11, 11, 0));
    let (seen, members) = scene.seen().await;
    assert_eq!((seen.len(), members.len()), (19, 19));
    assert!(!seen.contains_key(&scene.people[3].user_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_comes_to_no_end_holds_up_nobody_else_of_its_partition() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    scene.switch(0..12, false).await;
    // Somebody of whom there is nothing to bring back.
    world.sql(
        "insert into removals (company_id, user_id, removed_at, brake_id, user_name, was_active) \
         select company_id, gen_random_uuid(), now(), brake_id, 'nobody', true from brakes",
    );
    scene.decide(&scene.brake().await, Decision::Undo).await.unwrap();
    eventually("the others are back", async || scene.brake().await.restored == 12).await;
    // A neighbour of the same partition, which its last two bytes say.
    let company = scene.caller.company.to_string();
    let neighbour = format!("00000000{}", company.get(8..).unwrap());
    world.sql(&format!(
        "insert into companies (company_id, name, created_at, removals_due_at) \
           values ('{neighbour}', 'Fabrikam', now(), now()); \
         insert into removals (company_id, user_id, removed_at, user_name, was_active) \
           values ('{neighbour}', gen_random_uuid(), now() - interval '2 hours', 'old', true)"
    ));
    let left = format!("select count(*) from removals where company_id = '{neighbour}'");
    eventually("the neighbour's are forgotten", async || world.sql(&left).trim() == "0").await;
    assert_eq!(scene.brake().await.state(), State::Undoing);
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_may_give_access_back_by_itself_and_then_nobody_has_to_decide() {
    let world = World::new();
    let _directory = world.directory_with(&[("TIMECLOCK_BRAKE_WINDOW_MS", "10000")]).await;
    let mut scene = Scene::new(&world, 12).await;
    scene.switch(0..12, false).await;
    assert_eq!(scene.brake().await.waiting, 12);
    scene.switch(0..12, true).await;
    let undone = scene.undone().await;
    assert_eq!((undone.returned, undone.restored, undone.decided_by.as_str()), (12, 0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_disabled_and_then_deleted_counts_once_and_comes_back_as_before() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    let before = scene.seen().await;
    scene.switch(0..10, false).await;
    scene.delete(0..10).await;
    assert_eq!(scene.list().await.brakes, [], "ten people, whatever was done to them");
    scene.switch(10..11, false).await;
    let brake = scene.brake().await;
    assert_eq!((brake.removed, brake.waiting_deleted), (11, 10));
    // What follows within the hour belongs to it; and who is deleted days later was part of it before.
    scene.delete(10..12).await;
    let brake = scene.brake().await;
    assert_eq!((brake.removed, brake.waiting_deleted), (12, 12));
    scene.decide(&brake, Decision::Undo).await.unwrap();
    scene.undone().await;
    assert_eq!(scene.seen().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deleted_last_waits_as_long_as_whoever_was_first() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 20).await;
    let nearly_over = "update brakes set ends_at = now() + interval '1 hour'";
    let days = || {
        world.sql("select round(extract(epoch from ends_at - now()) / 86400) from brakes").trim().to_owned()
    };
    scene.switch(0..12, false).await;
    assert_eq!(days(), "30");
    world.sql(nearly_over);
    // Nothing of those who are disabled is lost when the time is over.
    scene.switch(12..13, false).await;
    assert_eq!(days(), "0");
    // Entra deletes whom it has disabled, and somebody who had access.
    scene.delete(0..1).await;
    assert_eq!(days(), "30");
    world.sql(nearly_over);
    scene.delete(13..14).await;
    assert_eq!(days(), "30");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_people_of_a_company_are_kept_than_may_be() {
    let world = World::new();
    let directory = world.directory().await;
    let mut scene = Scene::new(&world, 20).await;
    scene.delete(0..12).await;
    world.sql("update brakes set removed = 100000");
    scene.delete(12..14).await;
    scene.switch(14..15, false).await;
    let brake = scene.brake().await;
    assert_eq!((brake.removed, brake.had_access, brake.not_held, brake.waiting), (100_003, 15, 2, 100_001));
    // Whoever is disabled can be lost to nobody, and stays.
    assert_eq!(world.sql("select count(*) from removals").trim(), "13");
    assert!(directory.metrics().await.contains("timeclock_directory_users_not_held_total 2\n"));
    scene.decide(&brake, Decision::Undo).await.unwrap();
    assert_eq!(scene.undone().await.restored, 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_decides_about_ends_by_itself() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    scene.delete(0..12).await;
    let brake = scene.brake().await;
    assert!(brake.ends_at.is_some());
    world.sql("update brakes set ends_at = now() - interval '1 second'");
    // Also before anybody has looked.
    assert_eq!(scene.decide(&brake, Decision::Undo).await, Err(Reason::Conflict));
    assert_eq!(scene.brake().await.state(), State::Expired);
    eventually("what was kept is destroyed", async || {
        world.sql("select count(*) from removals").trim() == "0"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deleted_long_after_they_were_disabled_loses_no_access() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 15).await;
    scene.switch(0..10, false).await;
    // A month goes by, and what is kept for an hour with it.
    world.sql("delete from removals");
    scene.delete(0..10).await;
    scene.switch(10..11, false).await;
    let brake = scene.brake().await;
    assert_eq!((brake.removed, brake.had_access, brake.people), (11, 1, 5));
    let health = scene.console.activity(scene.caller.company).await.health.unwrap();
    let [concern] = health.concerns.as_slice() else { panic!("{health:?}") };
    assert_eq!((concern.count, concern.had_access, concern.limit), (11, 1, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_sets_its_own_rule() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    assert_eq!(scene.list().await.rule, Some(BrakeRule { more_than: 10, percent: 10 }));
    let set = async |rule| {
        let company_id = scene.caller.company.to_string();
        let act = SetBrakeRule { company_id, rule, actor: anna() };
        scene.console.ask(subject::SET_BRAKE_RULE, act).await.map_err(|failure| failure.reason())
    };
    for (more_than, percent) in [(0, 10), (10, 0), (10, 101), (50_001, 10)] {
        assert_eq!(set(Some(BrakeRule { more_than, percent })).await, Err(Reason::Invalid));
    }
    assert_eq!(set(None).await, Err(Reason::Invalid));
    assert!(set(Some(BrakeRule { more_than: 2, percent: 20 })).await.is_ok());
    assert_eq!(scene.list().await.rule, Some(BrakeRule { more_than: 2, percent: 20 }));
    scene.switch(0..2, false).await;
    assert_eq!(scene.list().await.brakes, []);
    scene.switch(2..3, false).await;
    assert_eq!(scene.brake().await.removed, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_company_sees_nothing_of_it_and_can_decide_nothing() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = Scene::new(&world, 12).await;
    let mut fabrikam = Scene::new(&world, 12).await;
    let before = fabrikam.seen().await;
    contoso.delete(0..12).await;
    fabrikam.switch(0..3, false).await;
    let brake = contoso.brake().await;
    assert_eq!(fabrikam.list().await.brakes, []);
    assert_eq!(fabrikam.decide(&brake, Decision::Undo).await, Err(Reason::Invalid));
    assert_eq!(fabrikam.decide(&brake, Decision::Release).await, Err(Reason::Invalid));
    let question = ListRemovals {
        company_id: fabrikam.caller.company.to_string(),
        brake_id: brake.brake_id.clone(),
        limit: 10,
        ..ListRemovals::default()
    };
    let Ok(reply::Result::ListRemovals(page)) = fabrikam.console.ask(subject::LIST_REMOVALS, question).await
    else {
        panic!("no page");
    };
    assert_eq!((page.brake, page.removals), (None, vec![]));
    contoso.decide(&brake, Decision::Undo).await.unwrap();
    contoso.undone().await;
    fabrikam.switch(0..3, true).await;
    assert_eq!(fabrikam.seen().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_said_to_go_back_to_a_group_that_is_gone() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    scene.caller.form("Staff", &[scene.people[0].user_id.as_str()]).await;
    scene.delete(0..12).await;
    scene.caller.delete_group(&scene.group.clone()).await;
    let question = ListRemovals {
        company_id: scene.caller.company.to_string(),
        brake_id: scene.brake().await.brake_id,
        limit: 12,
        ..ListRemovals::default()
    };
    let Ok(reply::Result::ListRemovals(page)) = scene.console.ask(subject::LIST_REMOVALS, question).await
    else {
        panic!("no page");
    };
    let groups: Vec<u32> = page.removals.iter().map(|removal| removal.groups).collect();
    assert_eq!(groups, [[1].as_slice(), &[0; 11]].concat());
    scene.decide(&scene.brake().await, Decision::Undo).await.unwrap();
    assert_eq!(scene.undone().await.restored, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_undo_brings_somebody_back() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    scene.delete(0..12).await;
    // The bus lets no other user ask; this is the directory's own, which has made a mistake.
    let _gateway = std::mem::replace(&mut scene.caller.bus, world.bus("directory").await);
    for brake_id in [UserId::mint().to_string(), scene.brake().await.brake_id] {
        let user_id = scene.people[0].user_id.clone();
        let restore = bus_contract::provisioning::RestoreUser { user_id, brake_id };
        let change = bus_contract::provisioning::request::Change::RestoreUser(restore);
        let refused = refusal(scene.caller.ask(Verb::Restore, change).await);
        assert_eq!(refused.0, bus_contract::provisioning::refused::Reason::NotFound);
    }
    assert_eq!(scene.brake().await.waiting, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecided_mass_removal_is_the_first_concern_and_endangers_no_job() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut scene = Scene::new(&world, 12).await;
    scene.delete(0..12).await;
    let health = scene.console.activity(scene.caller.company).await.health.unwrap();
    let [concern] = health.concerns.as_slice() else { panic!("{health:?}") };
    assert_eq!((concern.kind(), concern.count, concern.limit), (concern::Kind::Removals, 12, 12));
    assert_ne!(health.state(), health::State::Critical);
    assert!(concern.until.unwrap().seconds >= concern.since.unwrap().seconds);
    scene.decide(&scene.brake().await, Decision::Release).await.unwrap();
    let health = scene.console.activity(scene.caller.company).await.health.unwrap();
    assert_eq!(health.concerns, []);
}
