//! One origin in front of two of everything: who is asked what, and that nobody notices when all of it is restarted.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use entra_emulator::{Action, Tenant};
use reqwest::Client;
use serde_json::Value;
use tests_e2e::{
    Entra, Load, World,
    actors::{raw, visitor::Visitor},
    fault::{SERVICES, all_ready},
};
use tokio::task::block_in_place;

/// Requests that must succeed before a restart, and again after it.
const ENOUGH: usize = 60;
/// Who stay, of those whom Entra hires in one turn; as many leave.
const PEOPLE: usize = 10;

/// Something done again and again until all restarts are over.
#[derive(Default)]
struct Round {
    over: AtomicBool,
    times: AtomicUsize,
}

impl Round {
    async fn and_round(&self, mut turn: impl AsyncFnMut(usize)) {
        while !self.over.load(Relaxed) {
            turn(self.times.load(Relaxed)).await;
            self.times.fetch_add(1, Relaxed);
        }
    }
}

/// Ends one instance after the other as an orchestrator does, and starts it again.
async fn restart_everything(world: &World, load: &Load, round: &Round) {
    let stack = world.stack();
    for service in SERVICES {
        for instance in [service.to_owned(), format!("{service}-2")] {
            load.succeeds(ENOUGH).await;
            let ended = block_in_place(|| stack.stop_service(&instance)).unwrap();
            assert_eq!(ended.code(), Some(0), "{instance}: {ended}");
            assert_eq!(load.failed(), 0, "while {instance} ended");
            block_in_place(|| stack.restart(&instance)).unwrap();
            load.succeeds(ENOUGH).await;
            assert_eq!(load.failed(), 0, "when {instance} was back");
        }
    }
    round.over.store(true, Relaxed);
}

/// Entra provisions a tenant, cycle after cycle: in each of them a team is hired, and others who leave again.
async fn provision(entra: &mut Entra, number: usize) {
    let mut hire = |who: &str| -> BTreeSet<_> {
        let names = (0..PEOPLE).map(|person| format!("{who}{number}.{person}"));
        names.map(|name| entra.tenant.hire_named("Anna", "Berg", &name)).collect()
    };
    let (team, others) = (hire("stays"), hire("leaves"));
    entra.tenant.create_group(&format!("Team {number}"), team);
    let cycle = entra.cycle().await;
    assert_eq!((cycle.succeeded_users(Action::Create), cycle.repeats), (2 * PEOPLE, 0));
    for person in others {
        entra.tenant.disable(person);
    }
    let cycle = entra.cycle().await;
    assert_eq!((cycle.succeeded_users(Action::Disable), cycle.repeats), (PEOPLE, 0));
}

async fn access_token(origin: &str, client: &Value) -> u16 {
    let [id, secret] = ["id", "secret"].map(|key| client[key].as_str().unwrap());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = Client::new().post(format!("{origin}/oauth2/token"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(form).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_restarted_under_load_and_no_request_fails() {
    let world = World::behind_the_edge().await;
    let origin = world.console_url();
    let visitor = Visitor::signed_in(&origin, &world.company).await;
    let client = world.operator().create_client(&[]);
    let of_entra = world.company_with_administrator().scim_token;
    let scim_url = world.stack().endpoints().scim_url;
    let mut entra = Entra::new(&scim_url, &of_entra, Tenant::empty("rolling.example", 5), |_defaults| ());
    let load = Load::start(&world.scim).await;
    let round = Round::default();
    let (pages, grants) = (Round::default(), Round::default());

    tokio::join!(
        async {
            restart_everything(&world, &load, &round).await;
            pages.over.store(true, Relaxed);
            grants.over.store(true, Relaxed);
        },
        round.and_round(async |number| provision(&mut entra, number).await),
        pages.and_round(async |_| {
            for path in ["/", "/people", "/provisioning"] {
                let page = visitor.get(path).await;
                assert_eq!(page.status, 200, "{path}: {}", page.body);
            }
        }),
        grants.and_round(async |_| {
            assert_eq!(access_token(&origin, &client).await, 200);
            // So that the client stays below the rate that it is allowed.
            load.succeeds(4 * ENOUGH).await;
        }),
    );

    all_ready(world.stack()).await;
    let ledger = load.stop().await;
    println!(
        "restarted one after the other: {ledger}, {} cycles of Entra, {} rounds of pages, {} access tokens",
        2 * round.times.into_inner(),
        pages.times.into_inner(),
        grants.times.into_inner()
    );
    assert_eq!(ledger.failed, 0);
    ledger.verify().await;
    entra.has_nothing_left_to_say().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_origin_leads_to_each_service_and_every_answer_names_its_request() {
    let world = World::behind_the_edge().await;
    let origin = world.console_url();
    let address = origin.trim_start_matches("http://");
    let token = Some(world.company.scim_token.as_str());
    for (target, token, status, content_type) in [
        ("/scim/Users", token, 200, "application/scim+json"),
        ("/scim", token, 404, "application/scim+json"),
        ("/scim/v2/Schemas/", token, 200, "application/scim+json"),
        // As Entra sends it: neither quotation marks nor letters beyond ASCII are encoded.
        ("/scim/Users?filter=userName+eq+\"zoë@example.com\"", token, 200, "application/scim+json"),
        ("/oauth2/token", None, 405, "application/json"),
        ("/.well-known/oauth-authorization-server", None, 200, "application/json"),
        ("/.well-known/jwks.json", None, 200, "application/jwk-set+json"),
        ("/sign-in", None, 200, "text/html"),
        ("/login", None, 200, "text/html"),
        // Where identity providers and their administrators come.
        ("/saml/metadata", None, 200, "application/samlmetadata+xml"),
        ("/oidc/certificate", None, 200, "application/x-pem-file"),
        ("/scimitar", None, 404, "text/html"),
    ] {
        let answer = raw::exchange(address, &raw::request("GET", target, token, &[], b"")).await;
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        let given = answer.header("content-type").unwrap_or_default();
        assert!(given.starts_with(content_type), "{target}: {given}");
        assert_eq!(answer.header("x-request-id").map(str::len), Some(36), "{target}: {answer:?}");
        let named = raw::request("GET", target, token, &[("X-Request-Id", "call-4711")], b"");
        let answer = raw::exchange(address, &named).await;
        assert_eq!(answer.header("x-request-id"), Some("call-4711"), "{target}");
    }
}
