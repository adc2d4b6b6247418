//! Keys are rotated, retired and sealed anew, and nobody who should be let in is refused meanwhile.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bus_contract::{
    Message as _,
    audit::{Actor, Event, ListEvents, actor::Kind},
    subject::{
        LIST_SIGNING_KEY_EVENTS, LIST_SIGNING_KEYS, RETIRE_SIGNING_KEY, REVOKE_TOKEN, ROTATE_SIGNING_KEY,
        SEAL_SIGNING_KEYS,
    },
    token::{
        ListSigningKeys, RetireSigningKey, RevokeToken, RotateSigningKey, SealSigningKeys, SecretToken,
        SigningKey, Token,
        failure::Reason,
        reply::Result as Answer,
        signing_key::{Seal, State as KeyState},
        token::State,
    },
};
use token_protocol::Refusal;
use typed_ids::{CompanyId, TokenId};

use crate::harness::{NOW, SEALING_KEY, World, actor, eventually, failed, serve_with, url};

/// How old a key is when it begins to sign.
const LEAD: Duration = Duration::from_secs(60);

fn operator() -> Option<Actor> {
    Some(Actor { kind: Kind::Operator.into(), name: "olga".into(), address: String::new() })
}

fn keys(answer: Answer) -> Vec<SigningKey> {
    match answer {
        Answer::SigningKeys(list) => list.keys,
        other => panic!("no keys: {other:?}"),
    }
}

fn states(keys: &[SigningKey]) -> Vec<KeyState> {
    keys.iter().map(SigningKey::state).collect()
}

fn retire(key_id: &str) -> RetireSigningKey {
    RetireSigningKey { key_id: key_id.to_owned(), actor: operator() }
}

fn revoke(company: CompanyId, token_id: &str, actor: Option<Actor>) -> RevokeToken {
    RevokeToken { company_id: company.to_string(), token_id: token_id.to_owned(), actor, unrecorded: true }
}

impl World {
    async fn rotate_signing_key(&self) -> Vec<SigningKey> {
        keys(self.ask(ROTATE_SIGNING_KEY, RotateSigningKey { actor: operator() }).await)
    }

    async fn signing_keys(&self) -> Vec<SigningKey> {
        keys(self.ask(LIST_SIGNING_KEYS, ListSigningKeys {}).await)
    }

    async fn signing_key_events(&self) -> Vec<Event> {
        let ask = ListEvents { limit: 200, ..ListEvents::default() };
        match self.ask(LIST_SIGNING_KEY_EVENTS, ask).await {
            Answer::Events(reply) => reply.events,
            other => panic!("not events: {other:?}"),
        }
    }

    /// What a gateway says of this token.
    async fn verified(&self, token: &SecretToken) -> Result<CompanyId, Refusal> {
        let (keys, _revoked) = self.published().await.unwrap();
        keys.verify(&token.secret, self.clock.unix_seconds()).map(|principal| principal.company)
    }
}

fn recorded(token: &SecretToken) -> &Token {
    token.token.as_ref().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_signs_once_every_gateway_knows_it_and_the_old_one_still_verifies() {
    let world = World::start().await;
    let old = world.issue(None).await;
    let listed = world.rotate_signing_key().await;
    assert_eq!(states(&listed), [KeyState::Waiting, KeyState::Signing]);
    assert_eq!(world.published().await.unwrap().0.len(), 2, "known before it signs");
    let meanwhile = world.issue(None).await;
    assert_eq!(recorded(&meanwhile).key_id, recorded(&old).key_id);

    world.clock.advance(LEAD);
    let listed = world.signing_keys().await;
    assert_eq!(states(&listed), [KeyState::Signing, KeyState::Verifying]);
    let new = world.issue(None).await;
    assert_eq!(recorded(&new).key_id, listed[0].key_id);
    for token in [&old, &meanwhile, &new] {
        assert_eq!(world.verified(token).await, Ok(world.company));
    }
    let shown = world.reveal(&recorded(&old).token_id).await;
    assert_eq!(crate::harness::secret(shown).secret, old.secret, "by the key that signed it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_waits_has_no_successor_yet() {
    let world = World::start().await;
    world.rotate_signing_key().await;
    let again = world.ask(ROTATE_SIGNING_KEY, RotateSigningKey { actor: operator() }).await;
    assert_eq!(failed(again), Reason::Invalid);
    world.clock.advance(LEAD);
    assert_eq!(world.rotate_signing_key().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_retired_key_signed_is_refused_and_nothing_else() {
    let world = World::start().await;
    let old = world.issue(None).await;
    let first = recorded(&old).key_id.clone();
    assert_eq!(failed(world.ask(RETIRE_SIGNING_KEY, retire(&first)).await), Reason::Invalid, "it signs");
    assert_eq!(failed(world.ask(RETIRE_SIGNING_KEY, retire("nobody")).await), Reason::NotFound);
    world.rotate_signing_key().await;
    world.clock.advance(LEAD);
    let new = world.issue(None).await;

    let listed = keys(world.ask(RETIRE_SIGNING_KEY, retire(&first)).await);
    assert_eq!(states(&listed), [KeyState::Signing, KeyState::Retired]);
    assert_eq!(world.verified(&old).await, Err(Refusal::UnknownKey));
    assert_eq!(world.verified(&new).await, Ok(world.company));
    let tokens: Vec<_> =
        world.list().await.iter().map(|token| (token.key_id.clone(), token.state())).collect();
    assert_eq!(tokens, [(listed[0].key_id.clone(), State::Active), (first.clone(), State::Revoked)]);
    assert_eq!(failed(world.reveal(&recorded(&old).token_id).await), Reason::Invalid);
    // Twice is once.
    world.clock.advance(Duration::from_secs(5));
    let again = keys(world.ask(RETIRE_SIGNING_KEY, retire(&first)).await);
    assert_eq!(again[1].retired_at, listed[1].retired_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_on_keys_are_written_down_and_are_no_company_s() {
    let world = World::start().await;
    let nobody = world.ask(ROTATE_SIGNING_KEY, RotateSigningKey { actor: None }).await;
    assert_eq!(failed(nobody), Reason::Invalid, "an act without an actor");
    let listed = world.rotate_signing_key().await;
    world.clock.advance(LEAD);
    world.ask(RETIRE_SIGNING_KEY, retire(&listed[1].key_id)).await;
    let events = world.signing_key_events().await;
    let acts: Vec<_> = events.iter().map(|event| (event.act.as_str(), event.target.as_str())).collect();
    let (new, old) = (listed[0].key_id.as_str(), listed[1].key_id.as_str());
    assert_eq!(acts, [("signing_key.retired", old), ("signing_key.rotated", new)]);
    assert!(
        events.iter().all(|event| event.actor == operator() && event.company_id.is_empty()),
        "{events:?}"
    );
    assert!(world.events().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sealing_key_is_replaced_while_the_service_runs_with_both() {
    let world = World::start().await;
    let token = world.issue(None).await;
    world.process.tasks.stop().await;
    let new = STANDARD.encode([2; 32]);
    let start = |sealing_key: String, more: Vec<(&'static str, &'static str)>| {
        let http = std::net::SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
        let (nats, postgres, clock) =
            (world.nats.url(), url(&world.database, "service"), world.clock.clone());
        async move { serve_with(&nats, &postgres, http, &clock, &sealing_key, &more).await }
    };
    let both = start(new.clone(), vec![("TIMECLOCK_PREVIOUS_SEALING_KEY", SEALING_KEY)]).await;
    let listed = eventually("an answer of the one that has both", || async {
        let payload = ListSigningKeys {}.encode_to_vec();
        let answer = world.bus.ask(LIST_SIGNING_KEYS, payload, Duration::from_secs(1)).await.ok()?;
        let keys = keys(bus_contract::token::Reply::decode(answer).unwrap().result?);
        (keys[0].seal() == Seal::Previous).then_some(keys)
    })
    .await;
    assert_eq!(listed.len(), 1);
    let sealed = keys(world.ask(SEAL_SIGNING_KEYS, SealSigningKeys { actor: operator() }).await);
    assert_eq!(sealed[0].seal(), Seal::Present);
    both.tasks.stop().await;

    let after = start(new, Vec::new()).await;
    after.health.started();
    eventually("ready with the new one alone", || async {
        after.health.readiness().await.ready.then_some(())
    })
    .await;
    let shown = world.reveal(&recorded(&token).token_id).await;
    assert_eq!(crate::harness::secret(shown).secret, token.secret);
    assert_eq!(world.signing_key_events().await[0].act, "signing_key.sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_a_restored_database_does_not_know_is_ended_by_an_operator() {
    let world = World::start().await;
    let unknown = TokenId::mint().to_string();
    let by_administrator = world.ask(REVOKE_TOKEN, revoke(world.company, &unknown, actor())).await;
    assert_eq!(failed(by_administrator), Reason::NotFound);
    // Again, as whoever asks to whom the answer did not come.
    for _ in 0..2 {
        let answer = world.ask(REVOKE_TOKEN, revoke(world.company, &unknown, operator())).await;
        let Answer::Revoked(ended) = answer else { panic!("not ended") };
        assert_eq!(ended.state(), State::Revoked);
        assert_eq!(ended.ends_at.map(|at| at.seconds), Some(i64::try_from(NOW).unwrap()));
        assert_eq!(world.revocations().await, [(unknown.clone(), NOW.to_string())]);
        world.clock.advance(Duration::from_secs(1));
    }
    let targets: Vec<_> = world.events().await.into_iter().map(|event| event.target).collect();
    assert_eq!(targets, [unknown]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_company_s_token_is_not_ended_as_an_unrecorded_one() {
    let world = World::start().await;
    let live = recorded(&world.issue(None).await).token_id.clone();
    let ending = live.clone();
    world.rotate(Some(3600)).await;
    let another = recorded(&world.issue(None).await).token_id.clone();
    for token in [ending, another] {
        let answer = world.ask(REVOKE_TOKEN, revoke(CompanyId::mint(), &token, operator())).await;
        assert_eq!(failed(answer), Reason::NotFound, "{token}");
    }
    assert_eq!(world.revocations().await, [(live, (NOW + 3600).to_string())]);
}
