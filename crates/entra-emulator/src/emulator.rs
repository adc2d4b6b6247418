//! What does the provisioning job know between cycles? Its settings, the links it has made, and its escrow.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{SeedableRng, rngs::StdRng};
use secrecy::SecretString;

use crate::{
    client::{Client, ClientSettings, SetupError, lacks_access},
    credential::Credential,
    deserialise::{self, Expected, Resource},
    exchange::{Exchange, WireLog},
    mapping::Mapping,
    outcome::{Failure, Quarantine},
    people,
    tenant::{Delta, ObjectId},
    wire::{self, Dialect, ManagerRemoval, ManagerShape, Request, Wording},
};

/// The flag that an administrator appends to the tenant URL.
const FLAG: &str = "aadOptscim062020";

/// How the job behaves. [`Settings::new`] gives Entra's defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The SCIM base URL, as pasted into Entra; `?aadOptscim062020` at its end selects that dialect.
    pub tenant_url: String,
    /// How the job proves that it may provision.
    pub credential: Credential,
    /// How PATCH bodies are worded; `None` lets the tenant URL decide.
    pub dialect: Option<Dialect>,
    /// Which attributes flow.
    pub mapping: Mapping,
    /// The shape of manager references.
    pub manager_shape: ManagerShape,
    /// What is sent when a manager is removed.
    pub manager_removal: ManagerRemoval,
    /// Requests in flight at once, at least 1.
    pub concurrency: usize,
    /// Membership changes in one PATCH, at least 1.
    pub member_chunk: usize,
    /// The time limit of one request.
    pub time_limit: Duration,
    /// Whether each cycle begins with the Test Connection filter.
    pub probe: bool,
    /// Whether everything is read back and compared after each cycle.
    pub verify: bool,
    /// Whether the flag is sent as a query parameter of every request; nobody outside Microsoft knows.
    pub transmit_flag: bool,
    /// Whether a [`Cycle`](crate::Cycle) keeps all its exchanges, or only those of failures.
    pub keep_exchanges: bool,
    /// Where every exchange is written, one line of JSON each, without the token.
    pub wire_log: Option<PathBuf>,
    /// Makes the probe's GUIDs repeatable.
    pub seed: u64,
}

impl Settings {
    /// Entra's defaults: default dialect and mapping, bare-string managers, 4 requests at once, 100 members per
    /// PATCH, 30 s; and ours: verify, keep exchanges.
    pub fn new(tenant_url: impl Into<String>, secret_token: impl Into<SecretString>) -> Self {
        Self::with_credential(tenant_url, Credential::SecretToken(secret_token.into()))
    }

    /// The same with any kind of credential.
    pub fn with_credential(tenant_url: impl Into<String>, credential: Credential) -> Self {
        Self {
            tenant_url: tenant_url.into(),
            credential,
            dialect: None,
            mapping: Mapping::Default,
            manager_shape: ManagerShape::String,
            manager_removal: ManagerRemoval::NotSent,
            concurrency: 4,
            member_chunk: 100,
            time_limit: Duration::from_secs(30),
            probe: true,
            verify: true,
            transmit_flag: false,
            keep_exchanges: true,
            wire_log: None,
            seed: 1,
        }
    }
}

/// What a caller may show while a cycle runs.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// A phase begins.
    Phase {
        /// What it does, for example `users`.
        name: &'static str,
        /// To how many objects.
        objects: usize,
    },
    /// One object of the phase is done.
    Object,
}

/// Receives progress; called from within the cycle, so it must be quick.
pub type Observer = Box<dyn Fn(Progress) + Send + Sync>;

/// A person's counterpart in the target.
#[derive(Debug, Clone)]
pub(crate) struct UserLink {
    pub(crate) target_id: String,
    pub(crate) name: String,
    /// The manager that the target was last seen to have.
    pub(crate) manager: Option<String>,
}

/// A group's counterpart in the target, with the members that Entra believes it has: it never reads them.
#[derive(Debug, Clone)]
pub(crate) struct GroupLink {
    pub(crate) target_id: String,
    pub(crate) name: String,
    pub(crate) members: BTreeMap<ObjectId, String>,
}

/// Links of people; no two people share a target.
#[derive(Debug, Default)]
pub(crate) struct UserLinks {
    by_object: HashMap<ObjectId, UserLink>,
    owners: HashMap<String, ObjectId>,
}

impl UserLinks {
    pub(crate) fn get(&self, object: ObjectId) -> Option<&UserLink> {
        self.by_object.get(&object)
    }

    /// Links a person. Whoever was linked to that target before loses it: a re-hired person takes over the account
    /// of the former object, and the former object's purge must not delete it.
    pub(crate) fn set(&mut self, object: ObjectId, link: UserLink) {
        self.remove(object);
        if let Some(former) = self.owners.insert(link.target_id.clone(), object) {
            self.by_object.remove(&former);
        }
        self.by_object.insert(object, link);
    }

    pub(crate) fn remove(&mut self, object: ObjectId) -> Option<UserLink> {
        let link = self.by_object.remove(&object)?;
        self.owners.remove(&link.target_id);
        Some(link)
    }

    pub(crate) fn set_manager(&mut self, object: ObjectId, manager: Option<String>) {
        if let Some(link) = self.by_object.get_mut(&object) {
            link.manager = manager;
        }
    }
}

/// Entra's provisioning job against one SCIM server, for one tenant.
pub struct Emulator {
    pub(crate) client: Client,
    pub(crate) wording: Wording,
    pub(crate) settings: Settings,
    pub(crate) users: UserLinks,
    pub(crate) groups: HashMap<ObjectId, GroupLink>,
    /// What has to be done again in the next cycle.
    pub(crate) escrow: Delta,
    pub(crate) initial_done: bool,
    pub(crate) stopped: Mutex<Option<Quarantine>>,
    random: StdRng,
    observer: Option<Observer>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Emulator {
    /// A job that has not run yet. Nothing is sent.
    ///
    /// # Errors
    /// When the tenant URL, the credential or the wire log's path cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let (base, query) = settings.tenant_url.split_once('?').unwrap_or((&settings.tenant_url, ""));
        let flagged =
            query.split('&').any(|p| p.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case(FLAG)));
        let by_url = if flagged { Dialect::AadOptScim062020 } else { Dialect::Default };
        let dialect = settings.dialect.unwrap_or(by_url);
        let sends_flag = settings.transmit_flag && dialect == Dialect::AadOptScim062020;
        let wire_log =
            settings.wire_log.as_deref().map(WireLog::create).transpose().map_err(SetupError::WireLog)?;
        let client = Client::new(ClientSettings {
            base,
            query_suffix: sends_flag.then(|| FLAG.to_owned()),
            credential: settings.credential.clone(),
            time_limit: settings.time_limit,
            keep_exchanges: settings.keep_exchanges,
            wire_log,
        })?;
        let wording = Wording {
            dialect,
            mapping: settings.mapping,
            manager_shape: settings.manager_shape,
            manager_removal: settings.manager_removal,
        };
        let random = StdRng::seed_from_u64(settings.seed.wrapping_add(0x5c1ed));
        Ok(Self {
            client,
            wording,
            settings,
            users: UserLinks::default(),
            groups: HashMap::new(),
            escrow: Delta::default(),
            initial_done: false,
            stopped: Mutex::default(),
            random,
            observer: None,
        })
    }

    /// Shows progress to `observer` from now on.
    pub fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    /// The dialect that is spoken.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.wording.dialect
    }

    /// The target's id of a person, once linked.
    #[must_use]
    pub fn user_id(&self, person: ObjectId) -> Option<&str> {
        self.users.get(person).map(|link| link.target_id.as_str())
    }

    /// The target's id of a group, once linked.
    #[must_use]
    pub fn group_id(&self, group: ObjectId) -> Option<&str> {
        self.groups.get(&group).map(|link| link.target_id.as_str())
    }

    /// "Clear current state and restart": the next cycle is an initial one; links are found again by matching.
    pub fn restart(&mut self) {
        self.users = UserLinks::default();
        self.groups.clear();
        self.escrow = Delta::default();
        self.initial_done = false;
    }

    /// Test Connection: a filter for a GUID that nobody has must be answered by 200 and an empty list.
    ///
    /// # Errors
    /// What would put the job into quarantine.
    pub async fn test_connection(&mut self) -> Result<(), Quarantine> {
        let exchange = self.client.send(wire::probe_users(people::nobody(&mut self.random))).await;
        let message = match probe_result(&exchange, Expected::User) {
            Ok(()) => return Ok(()),
            Err(failure) => failure.reason,
        };
        let advice = match exchange.status() {
            None if lacks_access(&exchange) => "the credentials appear to be invalid",
            None => "the server cannot be reached",
            Some(401 | 403) => "the credentials appear to be invalid",
            Some(404) => "a filter without hits was answered 404 where 200 and an empty list are expected",
            Some(_) => "the server is not compliant with SCIM",
        };
        Err(Quarantine { message: format!("{advice}. {message}"), exchange })
    }

    /// The same for groups. A failure spares the users, unless the credentials are refused.
    pub(crate) async fn test_groups(&mut self) -> Result<(), Failure> {
        let probe = wire::probe_groups(people::nobody(&mut self.random));
        let exchange = self.must_succeed(probe).await?;
        probe_result(&exchange, Expected::Group)
    }

    /// Links a person. A user that was created anew is in no group, whatever was sent for the lost one.
    pub(crate) fn link_user(&mut self, person: ObjectId, link: UserLink) {
        if self.users.get(person).is_some_and(|former| former.target_id != link.target_id) {
            self.unlink_user(person);
        }
        self.users.set(person, link);
    }

    /// Forgets a user that is gone from the target, and with it from the groups there.
    pub(crate) fn unlink_user(&mut self, person: ObjectId) {
        self.users.remove(person);
        for group in self.groups.values_mut() {
            group.members.remove(&person);
        }
    }

    pub(crate) fn progress(&self, progress: Progress) {
        if let Some(observer) = &self.observer {
            observer(progress);
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Sends a request that must succeed. A 401 in the middle of a cycle stops the job, and so does an access token that
    /// is not to be had: every further request would get the same.
    pub(crate) async fn must_succeed(&self, request: Request) -> Result<Arc<Exchange>, Failure> {
        let exchange = self.client.send(request).await;
        match exchange.status() {
            Some(200..=299) => return Ok(exchange),
            status if status == Some(401) || lacks_access(&exchange) => {
                let message = "the credentials were refused in the middle of a cycle".to_owned();
                let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
                stopped.get_or_insert_with(|| Quarantine { message, exchange: Arc::clone(&exchange) });
            }
            _ => {}
        }
        Err(Failure::refused(&exchange))
    }

    /// Reads one resource; `None` when it does not exist.
    pub(crate) async fn read(
        &self,
        request: Request,
        expected: Expected,
    ) -> Result<Option<(Arc<Exchange>, Resource)>, Failure> {
        match self.must_succeed(request).await {
            Ok(exchange) => {
                let resource = readable(&exchange, deserialise::resource(&exchange, expected))?;
                Ok(Some((exchange, resource)))
            }
            Err(failure) if failure.status() == Some(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Runs a matching query; more than one hit is a failure.
    pub(crate) async fn find(&self, request: Request, expected: Expected) -> Result<Option<String>, Failure> {
        let exchange = self.must_succeed(request).await?;
        let mut found = readable(&exchange, deserialise::list(&exchange, expected))?;
        match found.len() {
            0 | 1 => Ok(found.pop().map(|resource| resource.id)),
            count => Err(Failure::several(&exchange, count)),
        }
    }
}

/// A result of the deserialiser as a failure of the object.
pub(crate) fn readable<T>(
    exchange: &Arc<Exchange>,
    result: Result<T, deserialise::Unreadable>,
) -> Result<T, Failure> {
    result.map_err(|why| Failure::unreadable(exchange, &why))
}

fn probe_result(exchange: &Arc<Exchange>, expected: Expected) -> Result<(), Failure> {
    if exchange.status() != Some(200) {
        return Err(Failure::refused(exchange));
    }
    match readable(exchange, deserialise::list(exchange, expected))?.len() {
        0 => Ok(()),
        count => Err(Failure {
            code: "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering",
            reason: format!(
                "the filter for a random GUID returned {count} objects: the server ignores filters"
            ),
            exchange: Some(Arc::clone(exchange)),
        }),
    }
}
