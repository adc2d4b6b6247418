//! How the subscriber is put together.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use bus_contract::stream;
use bus_jetstream::Bus;
use prometheus::Registry;
use serde_json::json;
use service_runtime::{Process, Service};
use tokio::sync::watch;

use crate::{
    follow::{self, Follower},
    keeper::Keeper,
    metrics::Metrics,
    model::Model,
    settings::{self, Settings},
};

/// The process, described.
#[must_use]
pub fn service() -> Service {
    Service::new(
        "fact-subscriber",
        "Follows the facts and keeps a list of seats: who is active in which company, and in which groups",
        SocketAddr::from((Ipv4Addr::LOCALHOST, 9084)),
    )
    .serve(Settings::read, serve)
    .command("replay", "Reads the whole stream into a new model, and ends", Settings::read, replay)
    .command("digest", "Prints what names the model's content, and how much it is", settings::model, digest)
    .command("seats", "Prints every user of the model, one JSON document a line", settings::model, seats)
}

fn open(path: &Path) -> anyhow::Result<Model> {
    Model::open(path).with_context(|| format!("open the model {}", path.display()))
}

fn open_to_read(path: &Path) -> anyhow::Result<Model> {
    let model = Model::open_to_read(path).with_context(|| format!("open the model {}", path.display()))?;
    model.with_context(|| {
        format!("there is no model of this version at {}: `serve` makes one", path.display())
    })
}

async fn follower(settings: &Settings, registry: &Registry) -> anyhow::Result<Follower> {
    Ok(Follower {
        bus: Bus::connect(&settings.bus).await.context("connect to NATS")?,
        keeper: Keeper::new(open(&settings.model)?),
        metrics: Arc::new(Metrics::register(registry)?),
        name: settings.name.as_str().into(),
        is_reading: watch::Sender::new(false),
    })
}

async fn serve(settings: Settings, process: Process) -> anyhow::Result<()> {
    let follower = follower(&settings, &process.metrics).await?;
    let bus = follower.bus.clone();
    process.health.register("nats", move || {
        let bus = bus.clone();
        async move {
            match bus.find_stream(&stream::DIRECTORY).await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("the stream DIRECTORY does not exist yet".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
    });
    let is_reading = follower.is_reading.subscribe();
    process.health.register("model", move || {
        let is_reading = *is_reading.borrow();
        let told = if is_reading { Ok(()) } else { Err("no stream is being followed yet".to_owned()) };
        std::future::ready(told)
    });
    let (keeper, clock) = (follower.keeper.clone(), process.clock.clone());
    process.tasks.spawn("forgetting", |stop| follow::forget(keeper, clock, stop));
    process.tasks.spawn("following", |stop| follow::run(follower, stop));
    Ok(())
}

async fn replay(settings: Settings) -> anyhow::Result<()> {
    let follower = follower(&settings, &Registry::new()).await?;
    follower.bus.connected_after(0).await;
    let first = follow::replay(&follower).await.context("replay the stream")?;
    if first > 1 {
        tracing::warn!(
            first_sequence = first,
            "the stream does not begin at its beginning any more: the model lacks what happened before; \
             what is complete is a snapshot, which `serve` takes"
        );
    }
    tracing::info!("the stream is replayed");
    Ok(())
}

async fn digest(path: PathBuf) -> anyhow::Result<()> {
    let mut model = open_to_read(&path)?;
    let digest = model.digest()?;
    print(&json!({
        "sha256": digest.sha256,
        "users": digest.users,
        "seats": digest.seats,
        "groups": digest.groups,
        "memberships": digest.memberships,
        "position": model.place()?.sequence,
    }));
    Ok(())
}

async fn seats(path: PathBuf) -> anyhow::Result<()> {
    open_to_read(&path)?.each_seat(|seat| {
        print(&json!({
            "company": seat.company, "user": seat.user, "active": seat.active, "groups": seat.groups,
        }));
        anyhow::Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "the answer to a command")]
fn print(document: &serde_json::Value) {
    println!("{document}");
}
