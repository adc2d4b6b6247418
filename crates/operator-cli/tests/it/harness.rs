//! The program, a NATS server and stand-ins for the services.

use std::process::{Command, Output};

use backing_servers::nats::Server;
use bus_contract::Message;
use bus_jetstream::{Bus, Bytes, Settings};
use futures_util::StreamExt as _;

/// Runs the program with these arguments against the server at `url`.
pub(crate) fn operator(url: &str, arguments: &[&str]) -> Output {
    command(arguments)
        .env("TIMECLOCK_NATS_URL", url)
        .env("TIMECLOCK_NATS_PASSWORD", "secret")
        .output()
        .unwrap()
}

/// The program with nothing but its arguments; no variable of the test's own environment reaches it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_timeclock-operator"));
    command.env_clear().args(arguments);
    command
}

/// A server where somebody answers each question to `subject` by `answer`.
pub(crate) async fn service<R: Message>(
    server: &Server,
    subject: &'static str,
    answer: impl Fn(Bytes) -> R + Send + 'static,
) {
    let settings = Settings {
        url: server.url(),
        user: "service".into(),
        password: "secret".into(),
        connection_name: "stand-in".into(),
    };
    let bus = Bus::connect(&settings).await.unwrap();
    bus.connected_after(0).await;
    let mut questions = bus.serve(subject, "stand-in").await.unwrap();
    // Answered on the same connection, so the subscription is known to the server.
    bus.ping().await.unwrap();
    tokio::spawn(async move {
        while let Some(asked) = questions.next().await {
            asked.respond(&bus, answer(asked.payload.clone()).encode_to_vec()).await.unwrap();
        }
    });
}

pub(crate) fn server() -> Server {
    Server::start(Default::default()).unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
