//! Publishing, asking and answering.

use std::time::Duration;

use bus_contract::headers::{MESSAGE_ID, OUTCOME_INBOX};
use bus_jetstream::{publish::PublishError, request::AskError};
use futures_util::StreamExt as _;
use service_runtime::tasks::Tasks;

use crate::harness::{Own, connect, eventually, shared, soon, work_queue};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_request_s_acknowledgement_arrives_at_its_inbox() {
    let bus = shared().await;
    let stream = work_queue("REQUESTS");
    bus.ensure_stream(&stream).await.unwrap();
    let mut inbox = bus.subscribe("outcomes.me.*").await.unwrap();
    bus.publish_request("REQUESTS.a", "id-1", "outcomes.me.1", "body").await.unwrap();
    let ack = soon("the acknowledgement", inbox.next()).await.unwrap();
    assert_eq!(ack.subject.as_str(), "outcomes.me.1");
    assert!(ack.payload.starts_with(b"{\"stream\":\"REQUESTS\""), "{:?}", ack.payload);
    let mut pull = bus.open_pull(&stream, "p-", "REQUESTS.>").await.unwrap();
    let delivery = soon("the request", pull.next_batch(1)).await.unwrap().remove(0);
    assert_eq!(delivery.headers.get(OUTCOME_INBOX), Some("outcomes.me.1"));
    assert_eq!(delivery.headers.get(MESSAGE_ID), Some("id-1"));
    assert_eq!(delivery.payload, "body");
}

#[tokio::test]
async fn a_request_that_no_stream_keeps_is_reported_to_its_inbox() {
    let bus = shared().await;
    let mut inbox = bus.subscribe("outcomes.none.*").await.unwrap();
    bus.publish_request("nobody.keeps.this", "id-1", "outcomes.none.1", "body").await.unwrap();
    let answer = soon("the refusal", inbox.next()).await.unwrap();
    assert!(answer.is_no_responders, "{answer:?}");
}

#[tokio::test]
async fn a_question_is_answered_by_one_member_of_the_queue() {
    let bus = shared().await;
    let mut first = bus.serve("talking.question", "q").await.unwrap();
    let mut second = bus.serve("talking.question", "q").await.unwrap();
    let answering = async {
        loop {
            let asked = tokio::select! {
                asked = first.next() => asked.unwrap(),
                asked = second.next() => asked.unwrap(),
            };
            asked.respond(&bus, [&asked.payload[..], b"!"].concat()).await.unwrap();
        }
    };
    let asking = async {
        for number in 0..20 {
            let answer = bus.ask("talking.question", format!("{number}"), PATIENCE).await.unwrap();
            assert_eq!(answer, format!("{number}!"));
        }
    };
    soon("the answers", async {
        tokio::select! {
            () = answering => {}
            () = asking => {}
        }
    })
    .await;
}

#[tokio::test]
async fn a_question_nobody_serves_fails_at_once() {
    let bus = shared().await;
    let error = bus.ask("talking.nobody", "?", PATIENCE).await.unwrap_err();
    assert!(matches!(error, AskError::NoResponders), "{error:?}");
}

#[tokio::test]
async fn a_question_that_is_not_answered_ends_with_its_timeout() {
    let bus = shared().await;
    let _silent = bus.subscribe("talking.silent").await.unwrap();
    let error = bus.ask("talking.silent", "?", Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, AskError::TimedOut), "{error:?}");
}

#[tokio::test]
async fn confirmations_come_in_the_order_of_publication_and_tell_duplicates() {
    let bus = shared().await;
    bus.ensure_stream(&work_queue("FACTS")).await.unwrap();
    let mut confirmations = Vec::new();
    for id in ["a", "b", "a"] {
        confirmations.push(bus.publish_durable("FACTS.x", id, None, id).await.unwrap());
    }
    let mut stored = Vec::new();
    for confirmation in confirmations {
        stored.push(confirmation.await.unwrap());
    }
    assert_eq!(
        stored.iter().map(|s| (s.sequence, s.duplicate)).collect::<Vec<_>>(),
        [(1, false), (2, false), (1, true)]
    );
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_apart() {
    let bus = shared().await;
    let huge = vec![0; (1 << 20) + 1];
    assert!(matches!(bus.publish("talking.huge", huge.clone()).await, Err(PublishError::TooLarge)));
    assert!(matches!(bus.publish_request("talking.huge", "1", "i", huge).await, Err(PublishError::TooLarge)));
}

#[tokio::test]
async fn a_stream_that_does_not_exist_refuses() {
    let bus = shared().await;
    let refused = bus.publish_durable("nobody.keeps.that", "1", None, "x").await.unwrap().await;
    assert!(matches!(refused, Err(PublishError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn without_a_server_everything_fails_at_once_and_later_works_by_itself() {
    let own = Own::start();
    let bus = connect(&own.server.url()).await;
    let other = connect(&own.server.url()).await;
    let mut served = bus.serve("talking.service", "q").await.unwrap();
    own.server.kill_9().unwrap();
    eventually("the loss noticed", || async { (!other.is_connected()).then_some(()) }).await;
    let asked = other.ask("talking.service", "?", PATIENCE).await;
    assert!(matches!(asked, Err(AskError::Unavailable(_))), "{asked:?}");
    let sent = other.publish_request("talking.service", "1", "i", "x").await;
    assert!(matches!(sent, Err(PublishError::Unavailable(_))), "{sent:?}");
    assert!(other.ping().await.is_err());
    own.server.restart().unwrap();
    let answering = async {
        loop {
            let asked = served.next().await.unwrap();
            drop(asked.respond(&bus, "here").await);
        }
    };
    let asking = eventually("an answer after the restart", || async {
        other.ask("talking.service", "?", PATIENCE).await.ok()
    });
    let answer = tokio::select! {
        () = answering => None,
        answer = asking => Some(answer),
    };
    assert_eq!(answer.unwrap(), "here");
}

#[tokio::test]
async fn an_answer_under_way_is_given_up_when_the_server_dies() {
    let own = Own::start();
    let bus = connect(&own.server.url()).await;
    let mut silent = bus.subscribe("talking.silent").await.unwrap();
    let asking = bus.ask("talking.silent", "?", Duration::from_secs(3600));
    let killing = async {
        silent.next().await.unwrap();
        own.server.kill_9().unwrap();
    };
    let (answer, ()) = soon("the end of the question", async { tokio::join!(asking, killing) }).await;
    assert!(matches!(answer, Err(AskError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn what_a_process_says_last_is_heard() {
    const WORDS: usize = 200;
    let listener = shared().await;
    let mut hearing = listener.subscribe("talking.last").await.unwrap();
    // A round trip, so that the server knows of the subscription.
    listener.ping().await.unwrap();
    // The runtime of a process of its own, which takes everything with it that has not been written.
    let ended = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bus = shared().await;
            let tasks = Tasks::default();
            bus.flush_at_the_end(&tasks);
            tasks.spawn("speaker", |stop| async move {
                stop.cancelled().await;
                for number in 0..WORDS {
                    bus.publish("talking.last", number.to_string()).await?;
                }
                Ok(())
            });
            tasks.stop().await;
        });
    });
    soon("the last word", async {
        for number in 0..WORDS {
            assert_eq!(hearing.next().await.unwrap().payload, number.to_string());
        }
    })
    .await;
    ended.join().unwrap();
}
