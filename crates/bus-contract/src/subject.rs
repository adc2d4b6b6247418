//! Every NATS subject in the system: built here, parsed here, listed here.

use std::fmt;

use typed_ids::{CompanyId, GroupId, RequestId, UserId};

use crate::partition::Partition;

/// What a request on the stream `PROVISIONING` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// A new resource.
    Create,
    /// A whole new set of attributes (PUT).
    Replace,
    /// A change of some attributes (PATCH).
    Update,
    /// A PATCH that turns `active` off. Named apart so that whoever guards access can follow just these.
    Deactivate,
    /// A PATCH that turns `active` on.
    Reactivate,
    /// The end of a resource.
    Delete,
    /// The return of a user whom a mass removal took away. The directory asks itself.
    Restore,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Replace,
        Self::Update,
        Self::Deactivate,
        Self::Reactivate,
        Self::Delete,
        Self::Restore,
    ];

    /// The subject token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Update => "update",
            Self::Deactivate => "deactivate",
            Self::Reactivate => "reactivate",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A user.
    User,
    /// A group, with who is in it.
    Group,
}

impl Resource {
    /// Every resource.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The subject token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    /// Whether it can be asked that of such a resource.
    #[must_use]
    pub const fn takes(self, verb: Verb) -> bool {
        matches!(
            (self, verb),
            (Self::User, _) | (_, Verb::Create | Verb::Replace | Verb::Update | Verb::Delete)
        )
    }
}

/// The subject of a request: `provisioning.v1.<partition>.<company>.<user|group>.<verb>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestSubject {
    /// Whose request.
    pub company: CompanyId,
    /// What it is about.
    pub resource: Resource,
    /// What it asks for.
    pub verb: Verb,
}

impl RequestSubject {
    /// Reads a subject; `None` when it is not one of ours, or names a partition that is not the company's.
    #[must_use]
    pub fn parse(subject: &str) -> Option<Self> {
        let mut tokens = subject.strip_prefix("provisioning.v1.")?.split('.');
        let partition: u16 = tokens.next()?.parse().ok()?;
        let company: CompanyId = tokens.next()?.parse().ok()?;
        let (resource, verb, None) = (tokens.next()?, tokens.next()?, tokens.next()) else { return None };
        let resource = Resource::ALL.into_iter().find(|known| known.as_str() == resource)?;
        let verb = Verb::ALL.into_iter().find(|known| known.as_str() == verb)?;
        (resource.takes(verb) && Partition::of(company).number() == partition).then_some(Self {
            company,
            resource,
            verb,
        })
    }
}

impl fmt::Display for RequestSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { company, resource, verb } = self;
        let partition = Partition::of(*company);
        write!(f, "provisioning.v1.{partition}.{company}.{}.{}", resource.as_str(), verb.as_str())
    }
}

/// Every request of one partition: the filter of its consumer.
#[must_use]
pub fn requests_of(partition: Partition) -> String {
    format!("provisioning.v1.{partition}.>")
}

/// Where one gateway process awaits acknowledgements and outcomes: `outcome.v1.<process>.<request>`.
#[must_use]
pub fn outcome_inbox(process: &str, request: RequestId) -> String {
    format!("outcome.v1.{process}.{request}")
}

/// Every inbox of one gateway process.
#[must_use]
pub fn outcome_inboxes(process: &str) -> String {
    format!("outcome.v1.{process}.*")
}

/// The request whose inbox this is.
#[must_use]
pub fn request_of_inbox(subject: &str) -> Option<RequestId> {
    subject.strip_prefix("outcome.v1.")?.split_once('.')?.1.parse().ok()
}

/// What a fact on the stream `DIRECTORY` says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A user or group exists.
    Created,
    /// Attributes of a user changed, `active` not among them; or those of a group.
    Updated,
    /// A user lost access.
    Deactivated,
    /// A user got access back.
    Reactivated,
    /// A user or group is gone.
    Deleted,
    /// A group has members more.
    MembersAdded,
    /// A group has members fewer.
    MembersRemoved,
}

impl Event {
    /// The subject token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deactivated => "deactivated",
            Self::Reactivated => "reactivated",
            Self::Deleted => "deleted",
            Self::MembersAdded => "members_added",
            Self::MembersRemoved => "members_removed",
        }
    }
}

/// The subject of a fact about a user: `facts.v1.<company>.user.<user>.<event>`.
#[must_use]
pub fn user_fact(company: CompanyId, user: UserId, event: Event) -> String {
    format!("facts.v1.{company}.user.{user}.{}", event.as_str())
}

/// The subject of a fact about a group: `facts.v1.<company>.group.<group>.<event>`.
#[must_use]
pub fn group_fact(company: CompanyId, group: GroupId, event: Event) -> String {
    format!("facts.v1.{company}.group.{group}.{}", event.as_str())
}

/// Every fact about a user: `facts.v1.*.user.*.*`.
pub const EVERY_USER_FACT: &str = "facts.v1.*.user.*.*";

/// What a request over the bus asks for: its subject without the service that answers it and the version.
#[must_use]
pub fn operation(subject: &str) -> &str {
    subject.split_once(".v1.").map_or(subject, |(_service, operation)| operation)
}

/// Questions to the directory. [`crate::directory::LookUpUser`] → [`crate::directory::Reply`].
pub const LOOK_UP_USER: &str = "directory.v1.query.user.look_up";
/// Questions to the directory. [`crate::directory::SearchUsers`] → [`crate::directory::Reply`].
pub const SEARCH_USERS: &str = "directory.v1.query.user.search";
/// Questions to the directory. [`crate::directory::LookUpGroup`] → [`crate::directory::Reply`].
pub const LOOK_UP_GROUP: &str = "directory.v1.query.group.look_up";
/// Questions to the directory. [`crate::directory::SearchGroups`] → [`crate::directory::Reply`].
pub const SEARCH_GROUPS: &str = "directory.v1.query.group.search";
/// Questions to the directory. [`crate::directory::ListMembers`] → [`crate::directory::Reply`].
pub const LIST_MEMBERS: &str = "directory.v1.query.group.members";
/// Operators to the directory. [`crate::directory::CreateCompany`] → [`crate::directory::Reply`].
pub const CREATE_COMPANY: &str = "directory.v1.company.create";
/// Operators and the token service to the directory. [`crate::directory::ListCompanies`] → [`crate::directory::Reply`].
pub const LIST_COMPANIES: &str = "directory.v1.company.list";
/// Operators to the directory. [`crate::directory::DeclareSchema`] → [`crate::directory::Reply`].
pub const DECLARE_SCHEMA: &str = "directory.v1.company.schema.declare";
/// Operators to the directory. [`crate::directory::ListSchemas`] → [`crate::directory::Reply`].
pub const LIST_SCHEMAS: &str = "directory.v1.company.schema.list";
/// Operators to the directory. [`crate::directory::RemoveSchema`] → [`crate::directory::Reply`].
pub const REMOVE_SCHEMA: &str = "directory.v1.company.schema.remove";
/// Operators and the console to the directory. [`crate::directory::ListBrakes`] → [`crate::directory::Reply`].
pub const LIST_BRAKES: &str = "directory.v1.company.brake.list";
/// Operators and the console to the directory. [`crate::directory::ListRemovals`] → [`crate::directory::Reply`].
pub const LIST_REMOVALS: &str = "directory.v1.company.brake.removals";
/// Operators and the console to the directory. [`crate::directory::DecideBrake`] → [`crate::directory::Reply`].
pub const DECIDE_BRAKE: &str = "directory.v1.company.brake.decide";
/// Operators and the console to the directory. [`crate::directory::SetBrakeRule`] → [`crate::directory::Reply`].
pub const SET_BRAKE_RULE: &str = "directory.v1.company.brake.rule";
/// Operators and the console to the directory. [`crate::audit::ListEvents`] → [`crate::directory::Reply`].
pub const LIST_COMPANY_EVENTS: &str = "directory.v1.company.events";
/// The console to the directory. [`crate::directory::ListLog`] → [`crate::directory::Reply`].
pub const LIST_LOG: &str = "directory.v1.activity.log";
/// The console to the directory. [`crate::directory::GetActivity`] → [`crate::directory::Reply`].
pub const GET_ACTIVITY: &str = "directory.v1.activity.get";
/// The console to the directory. [`crate::directory::ListCycles`] → [`crate::directory::Reply`].
pub const LIST_CYCLES: &str = "directory.v1.activity.cycles";
/// The console to the directory. [`crate::directory::ListHealth`] → [`crate::directory::Reply`].
pub const LIST_HEALTH: &str = "directory.v1.activity.health";
/// Operators and the console to the directory. [`crate::directory::BrowseUsers`] → [`crate::directory::Reply`].
pub const BROWSE_USERS: &str = "directory.v1.query.user.browse";
/// Operators and the console to the directory. [`crate::directory::BrowseGroups`] → [`crate::directory::Reply`].
pub const BROWSE_GROUPS: &str = "directory.v1.query.group.browse";
/// The queue group in which the directory's instances share its questions.
pub const DIRECTORY_QUEUE: &str = "directory";

/// Operators and the console to the token service. [`crate::token::IssueToken`] → [`crate::token::Reply`].
pub const ISSUE_TOKEN: &str = "tokens.v1.issue";
/// Operators and the console to the token service. [`crate::token::ListTokens`] → [`crate::token::Reply`].
pub const LIST_TOKENS: &str = "tokens.v1.list";
/// Operators and the console to the token service. [`crate::token::RevealToken`] → [`crate::token::Reply`].
pub const REVEAL_TOKEN: &str = "tokens.v1.reveal";
/// Operators and the console to the token service. [`crate::token::RotateToken`] → [`crate::token::Reply`].
pub const ROTATE_TOKEN: &str = "tokens.v1.rotate";
/// Operators and the console to the token service. [`crate::token::RevokeToken`] → [`crate::token::Reply`].
pub const REVOKE_TOKEN: &str = "tokens.v1.revoke";
/// Operators and the console to the token service. [`crate::token::CreateClient`] → [`crate::token::Reply`].
pub const CREATE_CLIENT: &str = "tokens.v1.client.create";
/// Operators and the console to the token service. [`crate::token::ListClients`] → [`crate::token::Reply`].
pub const LIST_CLIENTS: &str = "tokens.v1.client.list";
/// Operators and the console to the token service. [`crate::token::AddClientSecret`] → [`crate::token::Reply`].
pub const ADD_CLIENT_SECRET: &str = "tokens.v1.client.add_secret";
/// Operators and the console to the token service. [`crate::token::RevokeClientSecret`] → [`crate::token::Reply`].
pub const REVOKE_CLIENT_SECRET: &str = "tokens.v1.client.revoke_secret";
/// Operators and the console to the token service. [`crate::token::RevokeClient`] → [`crate::token::Reply`].
pub const REVOKE_CLIENT: &str = "tokens.v1.client.revoke";
/// Operators and the console to the token service. [`crate::audit::ListEvents`] → [`crate::token::Reply`].
pub const LIST_TOKEN_EVENTS: &str = "tokens.v1.events";
/// Operators to the token service. [`crate::token::ListSigningKeys`] → [`crate::token::Reply`].
///
/// Apart from what the console may ask as well: no company's administrator has to do with the keys of all companies.
pub const LIST_SIGNING_KEYS: &str = "signing.v1.key.list";
/// Operators to the token service. [`crate::token::RotateSigningKey`] → [`crate::token::Reply`].
pub const ROTATE_SIGNING_KEY: &str = "signing.v1.key.rotate";
/// Operators to the token service. [`crate::token::RetireSigningKey`] → [`crate::token::Reply`].
pub const RETIRE_SIGNING_KEY: &str = "signing.v1.key.retire";
/// Operators to the token service. [`crate::token::SealSigningKeys`] → [`crate::token::Reply`].
pub const SEAL_SIGNING_KEYS: &str = "signing.v1.key.seal";
/// Operators to the token service. [`crate::audit::ListEvents`] without a company → [`crate::token::Reply`].
pub const LIST_SIGNING_KEY_EVENTS: &str = "signing.v1.key.events";
/// The console to the token service. [`crate::token::SignAccessEnd`] → [`crate::token::Reply`].
///
/// Apart from what operators may ask as well: a receipt says what the console did, so nobody else has one signed.
pub const SIGN_ACCESS_END: &str = "receipts.v1.access_end.sign";
/// The queue group in which the token service's instances share its work.
pub const TOKEN_QUEUE: &str = "tokens";

/// Operators to the console. [`crate::console::InviteAdministrator`] → [`crate::console::Reply`].
pub const INVITE_ADMINISTRATOR: &str = "console.v1.administrator.invite";
/// Operators to the console. [`crate::console::ListAdministrators`] → [`crate::console::Reply`].
pub const LIST_ADMINISTRATORS: &str = "console.v1.administrator.list";
/// Operators to the console. [`crate::console::ChangeRole`] → [`crate::console::Reply`].
pub const CHANGE_ROLE: &str = "console.v1.administrator.change_role";
/// Operators to the console. [`crate::console::RemoveAdministrator`] → [`crate::console::Reply`].
pub const REMOVE_ADMINISTRATOR: &str = "console.v1.administrator.remove";
/// Operators to the console. [`crate::console::SignOutAdministrator`] → [`crate::console::Reply`].
pub const SIGN_OUT_ADMINISTRATOR: &str = "console.v1.administrator.sign_out";
/// Operators to the console. [`crate::console::SignOutPerson`] → [`crate::console::Reply`].
pub const SIGN_OUT_PERSON: &str = "console.v1.person.sign_out";
/// Operators to the console. [`crate::audit::ListEvents`] → [`crate::console::Reply`].
pub const LIST_CONSOLE_EVENTS: &str = "console.v1.events";
/// Operators to the console. [`crate::console::ShowSignIn`] → [`crate::console::Reply`].
pub const SHOW_SIGN_IN: &str = "console.v1.sign_in.show";
/// Operators to the console. [`crate::console::VouchForDomain`] → [`crate::console::Reply`].
pub const VOUCH_FOR_DOMAIN: &str = "console.v1.sign_in.vouch";
/// Operators to the console. [`crate::console::WithdrawDomain`] → [`crate::console::Reply`].
pub const WITHDRAW_DOMAIN: &str = "console.v1.sign_in.withdraw";
/// Operators to the console. [`crate::console::ReleaseSignIn`] → [`crate::console::Reply`].
pub const RELEASE_SIGN_IN: &str = "console.v1.sign_in.release";
/// The queue group in which the console's instances share what operators ask.
pub const CONSOLE_QUEUE: &str = "console";

/// An instance of the console to all of them: these sessions have ended. [`crate::console::SessionsEnded`]
pub const SESSIONS_ENDED: &str = "sessions.v1.ended";

/// Calls that a gateway answered, for the stream `CALLS`: `calls.v1.<company>`. [`crate::directory::CallBatch`]
#[must_use]
pub fn calls(company: CompanyId) -> String {
    format!("calls.v1.{company}")
}

/// The company whose calls these are.
#[must_use]
pub fn company_of_calls(subject: &str) -> Option<CompanyId> {
    subject.strip_prefix("calls.v1.")?.parse().ok()
}

/// Where the directory says that what it shows of a company's activity has changed: `activity.v1.<company>`.
/// [`crate::directory::ActivityChanged`]
#[must_use]
pub fn activity(company: CompanyId) -> String {
    format!("activity.v1.{company}")
}

/// Every company's: `activity.v1.*`.
pub const EVERY_ACTIVITY: &str = "activity.v1.*";

/// The company whose activity has changed.
#[must_use]
pub fn company_of_activity(subject: &str) -> Option<CompanyId> {
    subject.strip_prefix("activity.v1.")?.parse().ok()
}
