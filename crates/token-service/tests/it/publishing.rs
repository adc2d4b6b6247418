//! The bucket that gateways follow agrees with the database, whatever happens to it.

use std::time::{Duration, Instant};

use bus_contract::stream::{REVOKED_PREFIX, TOKENS};
use bus_jetstream::watch::Change;

use typed_ids::TokenId;

use crate::{
    harness::{NOW, World, connect, eventually, url},
    isolation::sql_as,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_was_lost_with_its_disk_is_filled_again() {
    let world = World::start().await;
    let id = world.issue(None).await.token.unwrap().token_id;
    world.revoke(&id).await;
    world.lose_nats();
    world.nats.restart().unwrap();
    let (keys, revoked) = eventually("everything published again", || async {
        world.published().await.filter(|(keys, revoked)| !keys.is_empty() && !revoked.is_empty())
    })
    .await;
    assert_eq!(keys.len(), 1);
    assert_eq!(revoked, [(id, NOW.to_string())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meddled_bucket_is_put_right_by_the_next_comparison() {
    let world = World::start().await;
    let (dead, live) =
        (world.issue(None).await.token.unwrap().token_id, world.issue(None).await.token.unwrap());
    world.revoke(&dead).await;
    let meddler = connect(&world.nats.url(), "tokens").await;
    meddler.delete(&TOKENS, &format!("{REVOKED_PREFIX}{dead}")).await.unwrap();
    meddler.put(&TOKENS, &format!("{REVOKED_PREFIX}{}", live.token_id), "1").await.unwrap();
    eventually("the bucket put right", || async {
        (world.revocations().await == [(dead.clone(), NOW.to_string())]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_dropped_an_hour_after_its_token_has_expired() {
    let world = World::start().await;
    let short = world.issue(Some(60)).await.token.unwrap().token_id;
    let long = world.issue(None).await.token.unwrap().token_id;
    world.revoke(&short).await;
    assert_eq!(world.revocations().await.len(), 1);
    world.clock.advance(Duration::from_secs(60 + 3599));
    world.revoke(&long).await;
    assert_eq!(world.revocations().await.len(), 2, "a gateway's clock may be behind");
    world.clock.advance(Duration::from_secs(1));
    world.revoke(&long).await;
    assert_eq!(world.revocations().await, [(long, (NOW + 60 + 3599).to_string())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_reaches_a_watcher_by_itself() {
    let world = World::start().await;
    let mut watcher = world.gateway.watch(&TOKENS);
    assert!(matches!(watcher.next().await, Change::Snapshot(_)));
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let id = world.issue(None).await.token.unwrap().token_id;
        let asked = Instant::now();
        let (change, _) = tokio::join!(watcher.next(), world.revoke(&id));
        slowest = slowest.max(asked.elapsed());
        let key = format!("{REVOKED_PREFIX}{id}");
        assert!(matches!(&change, Change::Put { key: put, .. } if *put == key), "{change:?}");
    }
    println!("slowest of 10 revocations, from the request to the watcher and the answer: {slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_without_nats_is_refused_and_later_nothing_is_lost() {
    let world = World::start().await;
    let id = world.issue(None).await.token.unwrap().token_id;
    world.nats.kill_9().unwrap();
    eventually("not ready", || async { (!world.is_ready().await).then_some(()) }).await;
    world.nats.restart().unwrap();
    eventually("ready again", || async { world.is_ready().await.then_some(()) }).await;
    eventually("revoked", || async {
        let company_id = world.company.to_string();
        let ask = bus_contract::token::RevokeToken {
            company_id,
            token_id: id.clone(),
            actor: crate::harness::actor(),
            unrecorded: false,
        };
        let payload = bus_contract::Message::encode_to_vec(&ask);
        world.bus.ask(bus_contract::subject::REVOKE_TOKEN, payload, Duration::from_secs(10)).await.ok()
    })
    .await;
    assert_eq!(world.revocations().await, [(id, NOW.to_string())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_bucket_gets_its_revocations_before_its_keys() {
    let world = World::start().await;
    let (dead, other) =
        (world.issue(None).await.token.unwrap().token_id, world.issue(None).await.token.unwrap().token_id);
    world.revoke(&dead).await;
    let revoked = format!("{REVOKED_PREFIX}{dead}");
    let key = world.gateway.entries(&TOKENS).await.unwrap().into_keys().find(|key| *key != revoked).unwrap();
    let mut watcher = world.gateway.watch(&TOKENS);
    assert!(matches!(watcher.next().await, Change::Snapshot(_)));
    let meddler = connect(&world.nats.url(), "tokens").await;
    // In this order, a comparison in between puts the revocation first as well.
    meddler.delete(&TOKENS, &revoked).await.unwrap();
    meddler.delete(&TOKENS, &key).await.unwrap();
    world.revoke(&other).await;
    let mut put = Vec::new();
    while !put.contains(&key) {
        if let Change::Put { key, .. } = watcher.next().await {
            put.push(key);
        }
    }
    assert!(put.contains(&revoked), "{put:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sooner_end_that_another_instance_published_meanwhile_wins() {
    let world = World::start().await;
    let asked = world.issue(None).await.token.unwrap().token_id;
    // Revocations are put from the highest id down: five hundred, of which ours is the last.
    let ours = TokenId::from_uuid(uuid::Uuid::from_u128(0)).to_string();
    let later = NOW + 7200;
    let many = format!(
        "INSERT INTO revocations SELECT lpad(to_hex(n), 32, '0')::uuid, to_timestamp({later}), to_timestamp({later})
         FROM generate_series(0, 499) n"
    );
    let mut watcher = world.gateway.watch(&TOKENS);
    assert!(matches!(watcher.next().await, Change::Snapshot(_)));
    let other = connect(&world.nats.url(), "tokens").await;
    let owner = url(&world.database, "owner");
    sql_as(&owner, &many).unwrap();
    let meanwhile = async {
        assert!(matches!(watcher.next().await, Change::Put { .. }));
        let sooner =
            format!("UPDATE revocations SET ends_at = to_timestamp({NOW}) WHERE token_id = '{ours}'");
        sql_as(&owner, &sooner).unwrap();
        other.put(&TOKENS, &format!("{REVOKED_PREFIX}{ours}"), NOW.to_string()).await.unwrap();
    };
    tokio::join!(meanwhile, world.revoke(&asked));
    let revocations = world.revocations().await;
    assert_eq!(revocations.first(), Some(&(ours, NOW.to_string())));
}
