//! How a line of the log, a cycle and a company's health are shown.

use bus_contract::directory::{
    CompanyHealth, Concern, CredentialUse, Cycle, GetActivityReply, Health, LogEntry, concern::Kind,
    health::State,
};
use serde::Serialize;

use crate::{company::DIRECTORY, failure::Failure, output::Row, time::shown};

/// A line of the provisioning log.
#[derive(Serialize)]
pub(super) struct LogRow {
    request_id: String,
    at: String,
    verb: String,
    outcome: String,
    target: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group_id: String,
    credential_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    /// Paths alone: what the values were is between the customer and Entra.
    changed: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scim_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl LogRow {
    pub(super) fn new(entry: LogEntry) -> Result<Self, Failure> {
        let refusal = entry.refusal.unwrap_or_default();
        let mut changed: Vec<String> = entry.changes.into_iter().map(|change| change.path).collect();
        if entry.members_added + entry.members_removed > 0 {
            changed.push(format!("members +{} -{}", entry.members_added, entry.members_removed));
        }
        Ok(Self {
            at: shown(DIRECTORY, entry.accepted_at)?,
            request_id: entry.request_id,
            verb: entry.verb,
            outcome: entry.outcome,
            target: entry.target_name,
            user_id: entry.user_id,
            group_id: entry.group_id,
            credential_id: entry.credential_id,
            address: entry.address,
            changed,
            scim_type: refusal.scim_type,
            detail: refusal.detail,
        })
    }
}

impl Row for LogRow {
    const COLUMNS: &'static [&'static str] = &["AT", "REQUEST", "VERB", "OUTCOME", "WHOM", "DETAILS"];

    fn cells(&self) -> Vec<String> {
        let id = if self.user_id.is_empty() { &self.group_id } else { &self.user_id };
        let whom = if self.target.is_empty() { id } else { &self.target };
        let details = [self.changed.join(", "), self.scim_type.clone(), self.detail.clone()];
        let details: Vec<_> = details.into_iter().filter(|detail| !detail.is_empty()).collect();
        vec![
            self.at.clone(),
            self.request_id.clone(),
            self.verb.clone(),
            self.outcome.clone(),
            whom.clone(),
            details.join(" "),
        ]
    }
}

/// One of Entra's cycles.
#[derive(Serialize)]
pub(super) struct CycleRow {
    id: String,
    started_at: String,
    last_call_at: String,
    running: bool,
    initial: bool,
    calls: u64,
    checked: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    deactivated: u64,
    reactivated: u64,
    deleted: u64,
    refused: u64,
    failed: u64,
    causes: Vec<CauseRow>,
}

#[derive(Serialize)]
struct CauseRow {
    cause: String,
    count: u64,
}

impl CycleRow {
    pub(super) fn new(cycle: Cycle) -> Result<Self, Failure> {
        let causes = cycle.causes.into_iter();
        Ok(Self {
            id: cycle.cycle_id,
            started_at: shown(DIRECTORY, cycle.started_at)?,
            last_call_at: shown(DIRECTORY, cycle.last_call_at)?,
            running: cycle.is_running,
            initial: cycle.is_initial,
            calls: cycle.calls,
            checked: cycle.checked,
            created: cycle.created,
            updated: cycle.updated,
            unchanged: cycle.unchanged,
            deactivated: cycle.deactivated,
            reactivated: cycle.reactivated,
            deleted: cycle.deleted,
            refused: cycle.refused,
            failed: cycle.failed,
            causes: causes.map(|cause| CauseRow { cause: cause.cause, count: cause.count }).collect(),
        })
    }
}

impl Row for CycleRow {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "STARTED AT",
        "LAST CALL AT",
        "CALLS",
        "CREATED",
        "UPDATED",
        "UNCHANGED",
        "DISABLED",
        "DELETED",
        "REFUSED",
        "FAILED",
    ];

    fn cells(&self) -> Vec<String> {
        let counts = [
            self.calls,
            self.created,
            self.updated,
            self.unchanged,
            self.deactivated,
            self.deleted,
            self.refused,
            self.failed,
        ];
        let words = [self.id.clone(), self.started_at.clone(), self.last_call_at.clone()];
        words.into_iter().chain(counts.map(|count| count.to_string())).collect()
    }
}

/// How a company's provisioning is going.
#[derive(Serialize)]
pub(super) struct SummaryRow {
    state: &'static str,
    concerns: Vec<ConcernRow>,
    last_call_at: Option<String>,
    next_cycle_at: Option<String>,
    users: Option<u64>,
    active_users: Option<u64>,
    groups: Option<u64>,
    latest_cycle: Option<CycleRow>,
    credentials: Vec<CredentialRow>,
}

/// What was seen of a token or a client.
#[derive(Clone, Serialize)]
pub(super) struct CredentialRow {
    id: String,
    first_used_at: Option<String>,
    last_used_at: Option<String>,
    last_address: String,
    calls: u64,
    refused_calls: u64,
}

#[derive(Serialize)]
struct ConcernRow {
    kind: &'static str,
    critical: bool,
    count: u64,
    limit: u64,
}

impl SummaryRow {
    pub(super) fn new(activity: GetActivityReply) -> Result<Self, Failure> {
        let health = activity.health.unwrap_or_default();
        let size = activity.size.filter(|size| size.counted_at.is_some());
        Ok(Self {
            state: state(&health),
            concerns: health.concerns.iter().map(concern).collect(),
            last_call_at: health.last_call_at.map(|at| shown(DIRECTORY, Some(at))).transpose()?,
            next_cycle_at: health.next_cycle_at.map(|at| shown(DIRECTORY, Some(at))).transpose()?,
            users: size.as_ref().map(|size| size.users),
            active_users: size.as_ref().map(|size| size.active_users),
            groups: size.as_ref().map(|size| size.groups),
            latest_cycle: activity.latest.map(CycleRow::new).transpose()?,
            credentials: activity.uses.into_iter().map(CredentialRow::new).collect::<Result<_, _>>()?,
        })
    }

    /// Each credential that was ever used.
    pub(super) fn credentials(&self) -> &[CredentialRow] {
        &self.credentials
    }

    /// Whether Entra never called.
    pub(super) fn is_of_nothing(&self) -> bool {
        self.last_call_at.is_none() && self.credentials.is_empty()
    }
}

impl CredentialRow {
    fn new(seen: CredentialUse) -> Result<Self, Failure> {
        Ok(Self {
            id: seen.credential_id,
            first_used_at: seen.first_used_at.map(|at| shown(DIRECTORY, Some(at))).transpose()?,
            last_used_at: seen.last_used_at.map(|at| shown(DIRECTORY, Some(at))).transpose()?,
            last_address: seen.last_address,
            calls: seen.calls,
            refused_calls: seen.refused_calls,
        })
    }
}

impl Row for CredentialRow {
    const COLUMNS: &'static [&'static str] =
        &["CREDENTIAL", "LAST USED AT", "FROM", "CALLS", "REFUSED CALLS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.last_used_at.clone().unwrap_or_default(),
            self.last_address.clone(),
            self.calls.to_string(),
            self.refused_calls.to_string(),
        ]
    }
}

impl Row for SummaryRow {
    const COLUMNS: &'static [&'static str] =
        &["STATE", "CONCERNS", "LAST CALL AT", "NEXT CYCLE AT", "USERS", "ACTIVE", "GROUPS"];

    fn cells(&self) -> Vec<String> {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        vec![
            self.state.to_owned(),
            kinds(&self.concerns),
            self.last_call_at.clone().unwrap_or_default(),
            self.next_cycle_at.clone().unwrap_or_default(),
            number(self.users),
            number(self.active_users),
            number(self.groups),
        ]
    }
}

/// A company by its health.
#[derive(Serialize)]
pub(super) struct HealthRow {
    company_id: String,
    state: &'static str,
    concerns: Vec<ConcernRow>,
    last_call_at: Option<String>,
}

impl HealthRow {
    pub(super) fn new(company: CompanyHealth) -> Result<Self, Failure> {
        let health = company.health.unwrap_or_default();
        Ok(Self {
            company_id: company.company_id,
            state: state(&health),
            concerns: health.concerns.iter().map(concern).collect(),
            last_call_at: health.last_call_at.map(|at| shown(DIRECTORY, Some(at))).transpose()?,
        })
    }
}

impl Row for HealthRow {
    const COLUMNS: &'static [&'static str] = &["COMPANY", "STATE", "CONCERNS", "LAST CALL AT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.company_id.clone(),
            self.state.to_owned(),
            kinds(&self.concerns),
            self.last_call_at.clone().unwrap_or_default(),
        ]
    }
}

fn state(health: &Health) -> &'static str {
    match health.state() {
        State::NeverConnected | State::Unspecified => "never connected",
        State::Healthy => "healthy",
        State::Warning => "warning",
        State::Critical => "critical",
        State::Disconnected => "disconnected",
    }
}

fn concern(concern: &Concern) -> ConcernRow {
    let kind = match concern.kind() {
        Kind::Unauthenticated => "ended credential",
        Kind::Silent => "silent",
        Kind::Removals => "removals",
        Kind::FailureRatio => "failure ratio",
        Kind::FailureCount => "failures",
        Kind::ServerErrors => "server errors",
        Kind::Unspecified => "other",
    };
    ConcernRow { kind, critical: concern.is_critical, count: concern.count, limit: concern.limit }
}

fn kinds(concerns: &[ConcernRow]) -> String {
    concerns.iter().map(|concern| concern.kind).collect::<Vec<_>>().join(", ")
}
