//! A gateway in this process, on a port of its own, with a NATS server of its own.

use std::{net::SocketAddr, time::Duration};

use backing_servers::nats::{Options, Server};
use bus_contract::stream::{CALLS, PROVISIONING, REVOKED_PREFIX, SCHEMAS, TOKENS};
use bus_jetstream::Bus;
use reqwest::{Method, RequestBuilder, Response};
use scim_gateway::Settings;
use serde_json::Value;
use service_runtime::{Process, clock::Clock, http::Listener, settings::Reader};
use typed_ids::{CompanyId, CredentialId, TokenId};

use crate::{directory::Directory, tokens::Signer};

/// Where the tests' clock stands at first.
pub(crate) const NOW: u64 = 1_800_000_000;
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) nats: Server,
    pub(crate) bus: Bus,
    pub(crate) directory: Directory,
    pub(crate) clock: Clock,
    pub(crate) signer: Signer,
    pub(crate) process: Process,
    pub(crate) company: CompanyId,
    pub(crate) token: String,
    pub(crate) address: SocketAddr,
    client: reqwest::Client,
}

/// What differs from a world in which all is well.
#[derive(Default)]
pub(crate) struct Oddities {
    pub(crate) settings: &'static [(&'static str, &'static str)],
    /// The token service has never published a key.
    pub(crate) no_keys: bool,
    /// The directory has never published what companies have declared.
    pub(crate) no_schemas: bool,
    /// The stream of requests does not exist.
    pub(crate) no_stream: bool,
    /// The stream of calls exists.
    pub(crate) calls: bool,
    /// NATS lets each process do what `deploy/nats/nats-server.conf` lets it do, and nothing else.
    pub(crate) deployed: bool,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Oddities::default()).await
    }

    pub(crate) async fn with(oddities: Oddities) -> Self {
        let nats = Server::start(if oddities.deployed { deployed() } else { Options::default() }).unwrap();
        let (bus, directory) = (connect(&nats, "tokens").await, connect(&nats, "directory").await);
        if !oddities.no_stream {
            directory.ensure_stream(&PROVISIONING).await.unwrap();
        }
        if oddities.calls {
            directory.ensure_stream(&CALLS).await.unwrap();
        }
        if !oddities.no_schemas {
            directory.ensure_bucket(&SCHEMAS).await.unwrap();
        }
        bus.ensure_bucket(&TOKENS).await.unwrap();
        let signer = Signer::new();
        if !oddities.no_keys {
            signer.publish(&bus).await;
        }
        let directory = Directory::start(&directory).await;

        let clock = Clock::manual(NOW);
        let process = Process::new(clock.clone());
        let listener = Listener::bind(&process, "scim", LOCAL).unwrap();
        let address = listener.address();
        scim_gateway::start_on(listener, settings(&nats, oddities.settings), process.clone()).await.unwrap();
        process.health.started();

        let company = CompanyId::mint();
        let token = signer.token(company, TokenId::mint(), NOW + 3_600);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let world = Self { nats, bus, directory, clock, signer, process, company, token, address, client };
        if !(oddities.no_keys || oddities.no_schemas) {
            world.until_ready().await;
        }
        world
    }

    /// Where another gateway of the same world serves.
    pub(crate) async fn another_gateway(&self, more: &[(&str, &str)]) -> SocketAddr {
        let process = Process::new(self.clock.clone());
        let listener = Listener::bind(&process, "scim", LOCAL).unwrap();
        let address = listener.address();
        scim_gateway::start_on(listener, settings(&self.nats, more), process.clone()).await.unwrap();
        process.health.started();
        eventually("the other gateway is ready", async || process.health.readiness().await.ready).await;
        address
    }

    pub(crate) async fn get_from(&self, address: SocketAddr, path: &str) -> Answer {
        Answer::of(self.client.get(format!("http://{address}{path}")).bearer_auth(&self.token)).await
    }

    pub(crate) async fn until_ready(&self) {
        eventually("the gateway is ready", async || self.process.health.readiness().await.ready).await;
    }

    /// A request with the world's own token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    /// A request without a token.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: impl ToString) -> Answer {
        let body = body.to_string();
        Answer::of(
            self.request(method, path)
                .header("content-type", "application/scim+json; charset=utf-8")
                .body(body),
        )
        .await
    }

    /// A user of this name, made through the gateway.
    pub(crate) async fn user(&self, user_name: &str) -> String {
        let body = serde_json::json!({ "userName": user_name, "externalId": format!("ext-{user_name}"), "active": true });
        let answer = self.send(Method::POST, "/scim/Users", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Refuses a credential from this second on, as the token service would.
    pub(crate) async fn revoke(&self, credential: impl Into<CredentialId>, from: u64) {
        let entry = format!("{REVOKED_PREFIX}{}", credential.into());
        self.bus.put(&TOKENS, &entry, from.to_string()).await.unwrap();
    }

    /// The value of a metric's sample, named with its labels as Prometheus prints it; 0 when there is none.
    pub(crate) fn metric(&self, sample: &str) -> f64 {
        let text = service_runtime::metrics::text(&self.process.metrics).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    /// The body as JSON; null when it is none.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// That this is a SCIM error with this status, and worded as RFC 7644 §3.12 demands.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/scim+json"), "{self:?}");
        assert_eq!(
            self.body["schemas"],
            serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
            "{self:?}"
        );
        assert_eq!(self.body["status"], status.to_string(), "{self:?}");
        assert!(!self.detail().is_empty(), "{self:?}");
        if status == 503 {
            assert!(
                self.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()),
                "{self:?}"
            );
        }
    }
}

/// Waits for a condition, for as long as a slow machine may need.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let polled = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, polled).await.is_ok(), "not in time: {what}");
}

fn settings(nats: &Server, more: &[(&str, &str)]) -> Settings {
    let url = nats.url();
    let needed = [
        ("TIMECLOCK_NATS_URL", url.as_str()),
        ("TIMECLOCK_NATS_USER", "gateway"),
        ("TIMECLOCK_NATS_PASSWORD", PASSWORD),
        ("TIMECLOCK_HTTP_WORKERS", "2"),
        // The clock stands still, and a bucket of calls would never fill again.
        ("TIMECLOCK_COMPANY_REQUESTS_PER_SECOND", "1000000"),
    ];
    let mut reader = Reader::new(needed.into_iter().chain(more.iter().copied()).collect());
    let settings = Settings::read(&mut reader);
    reader.finish().unwrap();
    settings
}

/// nats-server reads a password as configuration: letters first.
const PASSWORD: &str = "secret";

fn deployed() -> Options {
    let passwords = ["GATEWAY", "DIRECTORY", "TOKENS", "CONSOLE", "OPERATOR", "SUBSCRIBER"];
    let environment = passwords.map(|user| (format!("TIMECLOCK_NATS_{user}_PASSWORD"), PASSWORD.to_owned()));
    let config = include_str!("../../../../deploy/nats/nats-server.conf").to_owned();
    Options { config: Some(config), environment: environment.into(), ..Options::default() }
}

async fn connect(nats: &Server, user: &str) -> Bus {
    let settings = bus_jetstream::Settings {
        url: nats.url(),
        user: user.to_owned(),
        password: PASSWORD.to_owned().into(),
        connection_name: "test".to_owned(),
    };
    let bus = Bus::connect(&settings).await.unwrap();
    eventually("NATS is connected", async || bus.is_connected()).await;
    bus
}
