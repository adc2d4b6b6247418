//! Requests in every shape that Entra is known to send, byte for byte, get the answers that it can read.
//!
//! The conversations are in `testdata/wire`; README tells their format. Each runs in a company of its own.

mod hostile;

use tests_e2e::World;

use crate::conversation;

/// Runs the conversations of a file, and reports all that went wrong rather than the first.
async fn hold(file: &str) {
    let mut failures = Vec::new();
    for conversation in conversation::read(&format!("wire/{file}")) {
        let world = World::shared();
        if let Err(failure) = conversation.hold(&world).await {
            failures.push(format!("{}: {failure}", conversation.name));
        }
    }
    assert!(failures.is_empty(), "{file}:\n{}", failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_and_matching_entra_wire_1_1_to_1_4() {
    hold("connecting.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_entra_wire_1_5() {
    hold("creating.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_entra_wire_1_6_and_1_13() {
    hold("reading.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updating_entra_wire_1_7() {
    hold("updating.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_entra_wire_1_8() {
    hold("managers.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn multi_valued_attributes_entra_wire_1_9() {
    hold("multi_valued.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_and_returning_entra_wire_1_10() {
    hold("leaving.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_entra_wire_1_15() {
    hold("refusals.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery() {
    hold("discovery.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filtering_rfc_7644_3_4_2_2() {
    hold("filtering.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patching_rfc_7644_3_5_2() {
    hold("patching.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searching_sorting_and_cursors_rfc_7644_3_4_and_9865() {
    hold("searching.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_rfc_7644_3_7() {
    hold("bulk.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_rfc_7643_3_and_4() {
    hold("resources.json").await;
}
