//! NATS by itself: a server like the services' one, on its own, with the client library that they use.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use async_nats::{Client, jetstream};
use backing_servers::nats;
use bytes::Bytes;
use futures_util::StreamExt as _;
use local_stack::topology::NATS_COLLECTOR;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::load::{Outcome, closed_loop};

const SUBJECT: &str = "raw.question";
const STREAM: &str = "RAW";
const STREAM_SUBJECT: &str = "stream.raw";
/// About what one user is.
const PAYLOAD: [u8; 1024] = [b'x'; 1024];
const QUESTION: &[u8] = b"018900000000700080000000000000000189000000007000";

/// What is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// A short question, an answer of 1 KB.
    RequestReply,
    /// A message of 1 KB into a stream on disk, acknowledged.
    PublishAck,
}

/// A nats-server of its own with somebody who answers.
#[derive(Debug)]
pub(crate) struct RawBus<'a> {
    server: nats::Server,
    client: Client,
    stream: jetstream::Context,
    runtime: &'a Runtime,
    answering: JoinHandle<()>,
}

impl<'a> RawBus<'a> {
    /// Starts it; the stream's files go to `directory`.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(directory: &Path, runtime: &'a Runtime) -> Result<Self> {
        let (name, value) = NATS_COLLECTOR;
        let options = nats::Options {
            directory: Some(directory.join("raw-nats")),
            environment: vec![(name.to_owned(), value.to_owned())],
            ..nats::Options::default()
        };
        let server = nats::Server::start(options)?;
        let url = server.url();
        let (client, stream, answering) = runtime.block_on(async {
            let (client, answerer) = (connect(&url).await?, connect(&url).await?);
            let mut questions = answerer.subscribe(SUBJECT).await.context("cannot subscribe")?;
            answerer.flush().await.context("cannot subscribe")?;
            let answering = tokio::spawn(async move {
                while let Some(question) = questions.next().await {
                    let Some(inbox) = question.reply else { continue };
                    // Whoever asked notices.
                    drop(answerer.publish(inbox, Bytes::from_static(&PAYLOAD)).await);
                }
            });
            let stream = jetstream::new(client.clone());
            let subjects = vec![STREAM_SUBJECT.to_owned()];
            let config =
                jetstream::stream::Config { name: STREAM.to_owned(), subjects, ..Default::default() };
            stream.create_stream(config).await.context("cannot create the stream")?;
            anyhow::Ok((client, stream, answering))
        })?;
        Ok(Self { server, client, stream, runtime, answering })
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Exchanges messages, so many at a time, for this long.
    pub(crate) fn exchange(&self, what: Exchange, in_flight: usize, duration: Duration) -> Outcome {
        let mut callers = vec![(); in_flight];
        let call = async |(): &mut ()| match what {
            Exchange::RequestReply => {
                let answer = self.client.request(SUBJECT, Bytes::from_static(QUESTION)).await;
                answer.map(drop).context("no answer")
            }
            Exchange::PublishAck => {
                let sent = self.stream.publish(STREAM_SUBJECT, Bytes::from_static(&PAYLOAD)).await;
                sent.context("cannot publish")?.await.map(drop).context("no acknowledgement")
            }
        };
        self.runtime.block_on(closed_loop(&mut callers, duration, call))
    }
}

impl Drop for RawBus<'_> {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

async fn connect(url: &str) -> Result<Client> {
    #[expect(clippy::disallowed_methods, reason = "the bare client is what is measured")]
    async_nats::connect(url).await.context("cannot connect to NATS")
}
