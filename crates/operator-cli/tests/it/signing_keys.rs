//! The keys that sign tokens.

use bus_contract::{
    Message as _, Timestamp,
    audit::actor::Kind,
    subject::{LIST_SIGNING_KEYS, RETIRE_SIGNING_KEY},
    token::{
        Reply, RetireSigningKey, SigningKey, SigningKeyList,
        reply::Result as Answer,
        signing_key::{Seal, State},
    },
};
use serde_json::{Value, json};

use crate::harness::{operator, server, service, stdout};

fn key(id: &str, state: State, seal: Seal) -> SigningKey {
    SigningKey {
        key_id: id.to_owned(),
        created_at: Some(Timestamp { seconds: 0, nanos: 0 }),
        state: state.into(),
        retired_at: (state == State::Retired).then_some(Timestamp { seconds: 3_600, nanos: 0 }),
        seal: seal.into(),
    }
}

fn answered(keys: Vec<SigningKey>) -> Reply {
    Reply { result: Some(Answer::SigningKeys(SigningKeyList { keys })) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_listed_with_what_they_do_and_what_seals_them() {
    let server = server();
    service(&server, LIST_SIGNING_KEYS, |_question| {
        answered(vec![key("k2", State::Signing, Seal::Present), key("k1", State::Verifying, Seal::Previous)])
    })
    .await;
    let table = stdout(&operator(&server.url(), &["signing-key", "list"]));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].contains("k2") && lines[1].contains("signing"), "{table}");
    assert!(lines[2].contains("the previous sealing key"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_retired_by_its_id() {
    let server = server();
    service(&server, RETIRE_SIGNING_KEY, |asked| {
        let ask = RetireSigningKey::decode(asked).unwrap();
        assert_eq!(ask.actor.unwrap().kind(), Kind::Operator);
        answered(vec![key(&ask.key_id, State::Retired, Seal::Present)])
    })
    .await;
    let printed = stdout(&operator(&server.url(), &["--json", "signing-key", "retire", "--key", "k1"]));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let expected = json!([{
        "id": "k1", "state": "retired", "created_at": "1970-01-01T00:00:00Z",
        "retired_at": "1970-01-01T01:00:00Z", "sealed_with": "the present sealing key"
    }]);
    assert_eq!(printed, expected);
}
