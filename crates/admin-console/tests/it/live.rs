//! The stream that tells open pages to look again.

use bus_contract::{Message as _, directory::ActivityChanged, subject};
use reqwest::Method;

use crate::{
    harness::{Browser, DEADLINE, World},
    sample,
};

/// An open stream, and what has come of it.
pub(crate) struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    pub(crate) async fn open(browser: &Browser) -> Self {
        let answer = browser.request(Method::GET, "/live").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, text: String::new() }
    }

    fn events(&self) -> usize {
        self.text.matches("event: activity").count()
    }

    /// Reads until there is nothing more.
    pub(crate) async fn end(&mut self) {
        let ended = async { while let Ok(Some(_)) = self.answer.chunk().await {} };
        tokio::time::timeout(DEADLINE, ended).await.expect("the stream never ended");
    }

    /// Reads until there are so many events.
    pub(crate) async fn until(&mut self, events: usize) {
        tokio::time::timeout(DEADLINE, async {
            while self.events() < events {
                let chunk = self.answer.chunk().await.unwrap().expect("the stream goes on");
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        })
        .await
        .expect("an event that never came");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_of_its_own_companys_changes_and_of_nothing_else() {
    let (world, ours) = World::start_signed_in().await;
    let theirs = world.administrator(&world.fabrikam.clone()).await;
    sample::lives(&world, "Diego Siciliani");
    let (mut ours, mut theirs) = (Stream::open(&ours).await, Stream::open(&theirs).await);
    // The first event asks the page to look at what it may have missed.
    ours.until(1).await;
    theirs.until(1).await;
    let changed = ActivityChanged {}.encode_to_vec();
    world.operator.publish(subject::activity(world.contoso.id), changed.clone()).await.unwrap();
    ours.until(2).await;
    world.operator.publish(subject::activity(world.fabrikam.id), changed).await.unwrap();
    theirs.until(2).await;
    assert_eq!((ours.events(), theirs.events()), (2, 2), "each was told once of its own");
    for text in [&ours.text, &theirs.text] {
        let data = text.lines().filter(|line| line.starts_with("data:"));
        assert!(data.into_iter().all(|line| line == "data:"), "nothing is in it: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_page_of_a_session_with_many_ends_the_oldest() {
    let (_world, browser) = World::start_signed_in().await;
    let mut oldest = Stream::open(&browser).await;
    oldest.until(1).await;
    let mut newer = Vec::new();
    for _ in 0..8 {
        newer.push(Stream::open(&browser).await);
    }
    oldest.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session_also_where_something_changes_all_the_time() {
    let (world, browser) = World::start_signed_in().await;
    let mut stream = Stream::open(&browser).await;
    stream.until(1).await;
    browser.post("/sign-out", &[]).await;
    world.clock.advance(std::time::Duration::from_secs(16));
    let changed = ActivityChanged {}.encode_to_vec();
    world.operator.publish(subject::activity(world.contoso.id), changed).await.unwrap();
    let next = tokio::time::timeout(DEADLINE, stream.answer.chunk()).await.unwrap().unwrap();
    assert_eq!(next, None, "told after signing out");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_without_a_session() {
    let (world, _browser) = World::start_signed_in().await;
    assert_eq!(world.browser().get("/live").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_the_process_stops() {
    let (world, browser) = World::start_signed_in().await;
    let mut stream = Stream::open(&browser).await;
    stream.until(1).await;
    let process = world.process.clone();
    let stopping = tokio::spawn(async move { process.tasks.stop().await });
    stream.end().await;
    stopping.await.unwrap();
}
