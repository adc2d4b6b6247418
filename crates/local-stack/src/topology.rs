//! The one table of processes, ports, environment and readiness.
//!
//! `docker-compose.yml` describes the same system for operators; a test of this crate compares the two.

use crate::secrets::Secrets;

/// What the NATS server is told: users and their permissions, with a password per user from the environment.
pub const NATS_CONFIG: &str = include_str!("../../../deploy/nats/nats-server.conf");
/// Lets the NATS server's heap grow to five times what is alive before it is collected, instead of to twice: the heap is
/// small, and collecting it is about a fifth of what the server does.
pub const NATS_COLLECTOR: (&str, &str) = ("GOGC", "400");
/// What Postgres is told: roles and schemas, with a password per role from the environment.
pub const POSTGRES_INIT: &str = include_str!("../../../deploy/postgres/init.sql");
/// The database that the services share, each in its own schema.
pub const DATABASE: &str = "timeclock";
/// The path of a service's second listener that answers 200 when it and its dependencies are ready.
pub const READY_PATH: &str = "/readyz";
/// The bus user of `timeclock-operator`.
pub const OPERATOR_BUS_USER: &str = "operator";
/// The bus user of `fact-subscriber`, which stands for everything in TimeClock 365 that follows the facts.
pub const SUBSCRIBER_BUS_USER: &str = "subscriber";
/// Seals the token service's signing keys at rest: 32 bytes, base64.
pub const SEALING_KEY: &str = "TIMECLOCK_SEALING_KEY";
/// Seals the gateway's cursors, the same for all gateways: 32 bytes, base64.
pub const CURSOR_KEY: &str = "TIMECLOCK_CURSOR_KEY";
/// Proves the console to companies' identity providers, the same for all consoles: an RSA key and its certificate, in PEM.
pub const SIGN_IN_SIGNING_KEY: &str = "TIMECLOCK_SIGN_IN_SIGNING_KEY";

/// What services are told here and nowhere else (service, variable, value).
///
/// Emulators and benchmarks call as often as they can, which Entra never does, and an identity provider to try things out
/// with is on this machine.
pub const LOCAL: [(&str, &str, &str); 2] = [
    ("scim-gateway", "TIMECLOCK_COMPANY_REQUESTS_PER_SECOND", "1000000"),
    ("admin-console", "TIMECLOCK_PRIVATE_METADATA", "true"),
];

/// The variable that says where the console's mails go; it may hold a password, so it counts as a secret.
pub const MAIL_URL: &str = "TIMECLOCK_MAIL_URL";

/// What people, browsers and Entra call our services: said in links, on pages and in mails.
#[derive(Debug, Clone)]
pub struct PublicUrls {
    /// The gateway's tenant URL.
    pub scim: String,
    /// The token service.
    pub tokens: String,
    /// The console.
    pub console: String,
    /// Where mails go.
    pub mail: String,
}

impl PublicUrls {
    fn variable(&self, name: &str) -> (String, String) {
        let value = match name {
            "TIMECLOCK_SCIM_BASE_URL" => &self.scim,
            "TIMECLOCK_TOKEN_URL" => &self.tokens,
            "TIMECLOCK_CONSOLE_URL" => &self.console,
            _ => &self.mail,
        };
        variable(name, value)
    }
}

/// A process of ours that serves.
#[derive(Debug)]
pub struct Service {
    /// Its name everywhere: binary, key of `endpoints.json`, service of the compose file, log file.
    pub name: &'static str,
    /// The port for callers, where it has any.
    pub http_port: Option<u16>,
    /// The port of its second listener: `/healthz`, `/readyz`, `/metrics`.
    pub observe_port: u16,
    /// Its user on the bus.
    pub bus_user: &'static str,
    /// Its roles in Postgres, when it has tables.
    pub roles: Option<Roles>,
    /// Keys it receives by the name they have in the environment.
    pub secrets: &'static [&'static str],
    /// The variables by which it learns what [`PublicUrls`] says.
    pub urls: &'static [&'static str],
}

/// Who changes a service's tables, and who uses them.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// Runs `migrate`.
    pub owner: &'static str,
    /// Runs `serve`.
    pub service: &'static str,
}

/// Every service, in the order in which they start; they stop in the opposite one, so that the one that accepts work
/// goes first and those that finish it last.
pub const SERVICES: [Service; 4] = [
    Service {
        name: "directory-service",
        http_port: None,
        observe_port: 9083,
        bus_user: "directory",
        roles: Some(Roles { owner: "directory_owner", service: "directory_service" }),
        secrets: &[],
        urls: &[],
    },
    Service {
        name: "token-service",
        http_port: Some(8082),
        observe_port: 9082,
        bus_user: "tokens",
        roles: Some(Roles { owner: "token_owner", service: "token_service" }),
        secrets: &[SEALING_KEY],
        urls: &["TIMECLOCK_TOKEN_URL"],
    },
    Service {
        name: "scim-gateway",
        http_port: Some(8080),
        observe_port: 9080,
        bus_user: "gateway",
        roles: None,
        secrets: &[CURSOR_KEY],
        urls: &[],
    },
    Service {
        name: "admin-console",
        http_port: Some(8081),
        observe_port: 9081,
        bus_user: "console",
        roles: Some(Roles { owner: "console_owner", service: "console_service" }),
        secrets: &[SIGN_IN_SIGNING_KEY],
        urls: &["TIMECLOCK_CONSOLE_URL", "TIMECLOCK_SCIM_BASE_URL", MAIL_URL],
    },
];

/// The variable that holds a bus user's password, in the NATS server's environment.
#[must_use]
pub fn bus_password_variable(user: &str) -> String {
    format!("TIMECLOCK_NATS_{}_PASSWORD", user.to_uppercase())
}

/// The variable that holds a role's password, in the environment of `init.sql`.
#[must_use]
pub fn role_password_variable(role: &str) -> String {
    format!("TIMECLOCK_POSTGRES_{}_PASSWORD", role.to_uppercase())
}

/// The users of the bus.
pub fn bus_users() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|service| service.bus_user).chain([OPERATOR_BUS_USER, SUBSCRIBER_BUS_USER])
}

/// The roles in Postgres.
pub fn roles() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().filter_map(|service| service.roles).flat_map(|roles| [roles.owner, roles.service])
}

/// Environment variables of one process.
pub type Environment = Vec<(String, String)>;

/// Where the backing servers are, from a service's point of view.
#[derive(Debug, Clone)]
pub struct Backing {
    /// `nats://host:port`
    pub nats_url: String,
    /// `host:port`
    pub postgres_address: String,
}

impl Backing {
    /// How a role connects.
    #[must_use]
    pub fn postgres_url(&self, role: &str, secrets: &Secrets) -> String {
        let password = secrets.get(&role_password_variable(role));
        format!("postgres://{role}:{password}@{}/{DATABASE}", self.postgres_address)
    }

    /// How a user of the bus connects.
    #[must_use]
    pub fn bus_environment(&self, user: &str, secrets: &Secrets) -> Environment {
        vec![
            variable("TIMECLOCK_NATS_URL", &self.nats_url),
            variable("TIMECLOCK_NATS_USER", user),
            variable("TIMECLOCK_NATS_PASSWORD", secrets.get(&bus_password_variable(user))),
        ]
    }
}

impl Service {
    /// The environment of `serve`, listening on these addresses.
    #[must_use]
    pub fn environment(
        &self,
        backing: &Backing,
        secrets: &Secrets,
        urls: &PublicUrls,
        http: Option<&str>,
        observe: &str,
    ) -> Environment {
        let mut environment = backing.bus_environment(self.bus_user, secrets);
        environment.push(variable("TIMECLOCK_OBSERVE_ADDR", observe));
        environment.extend(http.map(|address| variable("TIMECLOCK_HTTP_ADDR", address)));
        environment.extend(self.roles.map(|roles| postgres_variable(backing, roles.service, secrets)));
        environment.extend(self.urls.iter().map(|name| urls.variable(name)));
        environment.extend(self.secrets.iter().map(|name| variable(name, secrets.get(name))));
        environment
    }

    /// The environment of `migrate`, for a service that has tables.
    #[must_use]
    pub fn migration_environment(&self, backing: &Backing, secrets: &Secrets) -> Option<Environment> {
        self.roles.map(|roles| vec![postgres_variable(backing, roles.owner, secrets)])
    }
}

fn postgres_variable(backing: &Backing, role: &str, secrets: &Secrets) -> (String, String) {
    variable("TIMECLOCK_POSTGRES_URL", &backing.postgres_url(role, secrets))
}

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
