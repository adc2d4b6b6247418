//! A gateway that is asked to end finishes what it has begun.

use futures_util::future::join_all;
use tests_e2e::{Load, World, actors::scim::user, eventually, eventually::when, fault::all_ready, observe};
use tokio::{net::TcpStream, task::block_in_place};

const GATEWAY: &str = "scim-gateway";
const DIRECTORY: &str = "directory-service";

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_asked_to_end_answers_what_it_has_accepted() {
    const REQUESTS: usize = 16;
    let world = World::to_disturb().await;
    let stack = world.stack();
    let url = stack.endpoints().scim_url;
    let address = url.trim_start_matches("http://").trim_end_matches("/scim");
    // Nobody decides while the directory stands still, so all requests are surely under way when the signal comes.
    stack.pause(DIRECTORY).unwrap();
    let requests: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let scim = world.scim.clone();
            tokio::spawn(
                async move { scim.post("/Users", &user(&format!("{number}@shutdown.example"))).await },
            )
        })
        .collect();
    let waiting = async || observe::metric(stack, GATEWAY, "timeclock_gateway_outcomes_waiting").await;
    eventually("all requests are under way", waiting, |waiting| when(*waiting == Some(16.0))).await;

    stack.ask_to_finish(GATEWAY).unwrap();
    let connect = async || TcpStream::connect(address).await.is_ok();
    eventually("the gateway takes no more callers", connect, |connected| when(!connected)).await;
    stack.resume(DIRECTORY).unwrap();
    let answers = join_all(requests).await;
    let statuses: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().status).collect();
    assert_eq!(statuses, [201; REQUESTS]);
    let ended = block_in_place(|| stack.stop_service(GATEWAY)).unwrap();
    assert_eq!(ended.code(), Some(0), "{ended}");

    block_in_place(|| stack.restart(GATEWAY)).unwrap();
    assert_eq!(world.scim.find("userName ew \"@shutdown.example\"").await.len(), REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_service_ends_well_and_nothing_is_lost() {
    let world = World::to_disturb().await;
    for service in tests_e2e::fault::SERVICES {
        let load = Load::start(&world.neighbour()).await;
        load.succeeds(50).await;
        let ended = block_in_place(|| world.stack().stop_service(service)).unwrap();
        assert_eq!(ended.code(), Some(0), "{service}: {ended}");
        block_in_place(|| world.stack().restart(service)).unwrap();
        all_ready(world.stack()).await;
        load.succeeds(50).await;
        load.stop().await.verify().await;
    }
}
