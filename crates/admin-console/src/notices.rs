//! Mails that nobody asked for at this moment: before a credential expires, and when provisioning is about to break or
//! works again. Each is sent once, by whichever instance claims it first.

mod mails;

use std::{collections::HashMap, time::Duration};

use bus_contract::{
    Timestamp,
    directory::{
        self, CompanyHealth, Concern, Health, ListHealth, concern::Kind, health::State as HealthState,
    },
    subject::{LIST_CLIENTS, LIST_HEALTH, LIST_TOKENS},
    token::{self, ListClients, ListTokens, token::State as TokenState},
};
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use crate::{
    app::App,
    mail::Mailer,
    outlook::credential::Credentials,
    question::{Unanswered, ask},
    single_sign_on::{self, Way},
    store::{
        self,
        administrators::{self, AdministratorRow},
        notices,
    },
};

/// Days before the end of a credential on which its administrators hear of it.
const DAYS: [i64; 4] = [1, 7, 14, 30];
/// Credentials are looked at no more often than this: days pass slowly.
const CREDENTIALS_EVERY: Duration = Duration::from_secs(3600);
/// Companies of one answer about health.
const HEALTH_PAGE: u32 = 1_000;
const DAY_SECONDS: i64 = 86_400;

const EXPIRY: &str = "expiry";
const HEALTH: &str = "health";
const REMOVALS: &str = "removals";

/// What an administrator hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// In so many days Entra is refused.
    Expiring {
        days: u64,
    },
    /// No credential lets Entra in any more.
    Ended,
    /// In so many days nobody can sign in with single sign-on.
    CertificateExpiring {
        days: u64,
    },
    Warning,
    Critical,
    /// Entra calls with a credential that has ended.
    Refused,
    Silent,
    /// Many people lost access at once.
    Removals,
    Recovered,
}

impl Notice {
    /// The metric label; one of [`KINDS`].
    const fn kind(self) -> &'static str {
        match self {
            Self::Expiring { .. } => "expiring",
            Self::Ended => "ended",
            Self::CertificateExpiring { .. } => "certificate_expiring",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Removals => "removals",
            Self::Recovered => "recovered",
        }
    }
}

/// Every metric label.
pub(crate) const KINDS: [&str; 9] = [
    "expiring",
    "ended",
    "certificate_expiring",
    "warning",
    "critical",
    "refused",
    "silent",
    "removals",
    "recovered",
];

/// Why a round was cut short; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("a service does not say how things are")]
    Question(#[from] Unanswered),
    #[error("notices cannot be claimed")]
    Database(#[from] pg_pool::Error),
}

/// Sends notices until asked to stop, a round each `interval`.
pub(crate) async fn run(
    app: App,
    mailer: Mailer,
    interval: Duration,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut rounds = Rounds {
        app,
        mailer,
        credentials_seen_at: None,
        said: HashMap::new(),
        removals_told: HashMap::new(),
    };
    let mut complained = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(interval) => {}
        }
        match rounds.one().await {
            Ok(()) => complained = false,
            Err(trouble) => {
                if !std::mem::replace(&mut complained, true) {
                    tracing::warn!(error = %Causes(&trouble), "notices have to wait");
                }
            }
        }
    }
}

struct Rounds {
    app: App,
    mailer: Mailer,
    credentials_seen_at: Option<Duration>,
    /// What was found of each company when it was last looked into: while that stays, there is nothing to do.
    said: HashMap<CompanyId, Option<Notice>>,
    /// When the mass removal began of which each company was told last.
    removals_told: HashMap<CompanyId, i64>,
}

impl Rounds {
    async fn one(&mut self) -> Result<(), Trouble> {
        let now = self.app.clock.since_epoch();
        let is_due =
            self.credentials_seen_at.is_none_or(|seen| now.saturating_sub(seen) >= CREDENTIALS_EVERY);
        if is_due {
            self.credentials().await?;
            self.credentials_seen_at = Some(now);
        }
        self.health().await
    }

    /// Every company's credentials.
    async fn credentials(&self) -> Result<(), Trouble> {
        for company in self.app.companies.all().await? {
            let Ok(id) = company.company_id.parse::<CompanyId>() else { continue };
            let recipients = self.recipients(id).await?;
            // A company without a reader is asked nothing.
            if !recipients.is_empty() {
                self.credentials_of(id, &company.name, &recipients).await?;
            }
        }
        Ok(())
    }

    async fn credentials_of(
        &self,
        company: CompanyId,
        name: &str,
        recipients: &[AdministratorRow],
    ) -> Result<(), Trouble> {
        let now = self.app.now().timestamp();
        let certificates = certificate_end(&self.app, company).await?;
        let certificates = certificates.into_iter().map(|(id, end)| (id, end, true));
        let Ends { coming, last } = ends(&self.app, company).await?;
        if let Some(last) = last {
            let key = vec![format!("{last} ended")];
            if self.claim(company, EXPIRY, key.clone()).await? {
                let sent = self.send(Notice::Ended, name, recipients).await;
                self.keep_or_release(company, EXPIRY, &key, sent).await?;
            }
        }
        let credentials = coming.into_iter().map(|(id, ends_at)| (id, ends_at.seconds, false));
        for (credential, end, is_certificate) in credentials.chain(certificates) {
            let left = end - now;
            let Some(days) = DAYS.into_iter().find(|days| (1..=days * DAY_SECONDS).contains(&left)) else {
                continue;
            };
            // Somebody who was told of fourteen days need not be told of thirty.
            let passed = DAYS.into_iter().filter(|passed| *passed >= days);
            let keys: Vec<_> = passed.map(|days| format!("{credential} {days}")).collect();
            if self.claim(company, EXPIRY, keys.clone()).await? {
                let days = u64::try_from((left + DAY_SECONDS - 1) / DAY_SECONDS).unwrap_or_default();
                let notice = if is_certificate {
                    Notice::CertificateExpiring { days }
                } else {
                    Notice::Expiring { days }
                };
                let sent = self.send(notice, name, recipients).await;
                self.keep_or_release(company, EXPIRY, &keys, sent).await?;
            }
        }
        Ok(())
    }

    /// How every company's provisioning goes.
    async fn health(&mut self) -> Result<(), Trouble> {
        let mut after = String::new();
        loop {
            let question = ListHealth { after_company_id: after.clone(), limit: HEALTH_PAGE };
            let reply: directory::Reply = ask(&self.app.bus, LIST_HEALTH, &question).await?;
            let page = match reply.result {
                Some(directory::reply::Result::ListHealth(page)) => page,
                Some(directory::reply::Result::Failure(failure)) => {
                    return Err(Unanswered::Unavailable(failure.detail).into());
                }
                _ => return Err(Unanswered::Unintelligible.into()),
            };
            let is_last = page.companies.len() < usize::try_from(HEALTH_PAGE).unwrap_or(usize::MAX);
            for CompanyHealth { company_id, health } in page.companies {
                if let (Ok(company), Some(health)) = (company_id.parse(), health) {
                    self.removals_of(company, &health).await?;
                    self.health_of(company, &health).await?;
                }
                after = company_id;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Each mass removal is told once, whatever else is wrong.
    async fn removals_of(&mut self, company: CompanyId, health: &Health) -> Result<(), Trouble> {
        let removals = health.concerns.iter().find(|concern| concern.kind() == Kind::Removals);
        let Some(began) = removals.and_then(|concern| concern.since).map(|since| since.seconds) else {
            return Ok(());
        };
        if self.removals_told.get(&company) == Some(&began) {
            return Ok(());
        }
        let recipients = self.recipients(company).await?;
        let key = vec![began.to_string()];
        let mut is_told = true;
        if self.claim(company, REMOVALS, key.clone()).await? {
            let name = self.app.companies.name(company).await;
            is_told = self.send(Notice::Removals, &name, &recipients).await;
            self.keep_or_release(company, REMOVALS, &key, is_told).await?;
        }
        if is_told {
            self.removals_told.insert(company, began);
        }
        Ok(())
    }

    async fn health_of(&mut self, company: CompanyId, health: &Health) -> Result<(), Trouble> {
        let trouble = trouble_of(health);
        if self.said.get(&company) == Some(&trouble) {
            return Ok(());
        }
        // Asked for before anything is claimed, so that nothing is claimed that cannot be sent.
        let recipients = self.recipients(company).await?;
        let notice = match trouble {
            Some(notice) if self.claim(company, HEALTH, vec![notice.kind().to_owned()]).await? => notice,
            None if health.state() == HealthState::Healthy && self.is_over(company).await? => {
                Notice::Recovered
            }
            _ => {
                self.said.insert(company, trouble);
                return Ok(());
            }
        };
        let sent = self.send(notice, &self.app.companies.name(company).await, &recipients).await;
        if notice != Notice::Recovered {
            self.keep_or_release(company, HEALTH, &[notice.kind().to_owned()], sent).await?;
        }
        if sent {
            self.said.insert(company, trouble);
        }
        Ok(())
    }

    /// Whoever wants to hear of their company.
    async fn recipients(&self, company: CompanyId) -> Result<Vec<AdministratorRow>, pg_pool::Error> {
        let mut all = self
            .app
            .pool
            .transaction("notices.recipients", move |connection| {
                store::act_for(connection, company)?;
                administrators::of_company(connection, company)
            })
            .await?;
        all.retain(|row| row.is_active && row.wants_notices);
        Ok(all)
    }

    /// Whether the first of these keys is ours to send; the others are done with it.
    async fn claim(
        &self,
        company: CompanyId,
        kind: &'static str,
        keys: Vec<String>,
    ) -> Result<bool, pg_pool::Error> {
        let now = self.app.now();
        self.app
            .pool
            .transaction("notices.claim", move |connection| {
                store::act_for(connection, company)?;
                let mut is_ours = false;
                for (place, key) in keys.iter().enumerate() {
                    let claimed = notices::claim(connection, company, kind, key, now)?;
                    is_ours |= claimed && place == 0;
                }
                Ok(is_ours)
            })
            .await
    }

    /// Forgets that a company was in trouble; whether it was, and nobody else did.
    async fn is_over(&self, company: CompanyId) -> Result<bool, pg_pool::Error> {
        self.app
            .pool
            .transaction("notices.is_over", move |connection| {
                store::act_for(connection, company)?;
                let mut was_in_trouble = false;
                for key in notices::claimed(connection, company, HEALTH)? {
                    was_in_trouble |= notices::release(connection, company, HEALTH, &key)?;
                }
                Ok(was_in_trouble)
            })
            .await
    }

    /// What nobody got is tried again in the next round.
    async fn keep_or_release(
        &self,
        company: CompanyId,
        kind: &'static str,
        keys: &[String],
        sent: bool,
    ) -> Result<(), pg_pool::Error> {
        let (false, Some(key)) = (sent, keys.first().cloned()) else { return Ok(()) };
        self.app
            .pool
            .transaction("notices.release", move |connection| {
                store::act_for(connection, company)?;
                notices::release(connection, company, kind, &key).map(drop)
            })
            .await
    }

    /// Tells everybody; whether somebody got it, or there is nobody.
    async fn send(&self, notice: Notice, company: &str, recipients: &[AdministratorRow]) -> bool {
        let mut sent = recipients.is_empty();
        for recipient in recipients {
            let mail = mails::mail(notice, company, recipient, &self.app.console_url);
            sent |= self.mailer.send(&mail).await;
        }
        if sent && !recipients.is_empty() {
            self.app.metrics.notices.with_label_values(&[notice.kind()]).inc();
        }
        sent
    }
}

/// The worst of what an administrator should know, by what there is to do about it.
fn trouble_of(health: &Health) -> Option<Notice> {
    let is_critical = match health.state() {
        // Who was told of the trouble is told nothing new when it has lasted for two weeks.
        HealthState::Critical | HealthState::Disconnected => true,
        HealthState::Warning => false,
        HealthState::Healthy | HealthState::NeverConnected | HealthState::Unspecified => return None,
    };
    let is_other = |concern: &&Concern| concern.kind() != Kind::Removals;
    if !health.concerns.is_empty() && !health.concerns.iter().any(|concern| is_other(&concern)) {
        return None;
    }
    let mut others = health.concerns.iter().filter(is_other);
    let worst = others.find(|concern| concern.is_critical == is_critical);
    Some(match worst.map(Concern::kind) {
        Some(Kind::Unauthenticated) => Notice::Refused,
        Some(Kind::Silent) => Notice::Silent,
        _ if is_critical => Notice::Critical,
        _ => Notice::Warning,
    })
}

/// When the last of the certificates ends with which a company's identity provider signs.
async fn certificate_end(app: &App, company: CompanyId) -> Result<Option<(String, i64)>, pg_pool::Error> {
    let configuration = single_sign_on::of_company(app, company).await?;
    let configuration = configuration.filter(|configuration| configuration.way() != Way::Password);
    let certificates = configuration.map(|known| known.provider.certificates()).unwrap_or_default();
    let last = certificates.into_iter().max_by_key(|certificate| certificate.not_after);
    Ok(last.map(|certificate| (certificate.fingerprint_sha256, certificate.not_after.timestamp())))
}

/// The ends of a company's credentials.
struct Ends {
    /// Of each that nobody has replaced or revoked.
    coming: Vec<(String, Timestamp)>,
    /// The newest of all, when none works any more.
    last: Option<String>,
}

async fn ends(app: &App, company: CompanyId) -> Result<Ends, Unanswered> {
    let company_id = company.to_string();
    let question = ListTokens { company_id: company_id.clone() };
    let reply: token::Reply = ask(&app.bus, LIST_TOKENS, &question).await?;
    let Some(token::reply::Result::TokenList(tokens)) = reply.result else {
        return Err(Unanswered::Unintelligible);
    };
    let reply: token::Reply = ask(&app.bus, LIST_CLIENTS, &ListClients { company_id }).await?;
    let Some(token::reply::Result::ClientList(clients)) = reply.result else {
        return Err(Unanswered::Unintelligible);
    };
    let (tokens, clients) = (tokens.tokens, clients.clients);
    let known = Credentials { tokens: &tokens, clients: &clients, uses: &[] };
    let now = jiff::Timestamp::try_from(app.clock.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let ids = tokens.iter().map(|token| &token.token_id);
    let ids = ids.chain(clients.iter().map(|client| &client.client_id));
    let last = if known.is_any_live(now) { None } else { ids.max().cloned() };
    let tokens = tokens.into_iter().filter(|token| token.state() == TokenState::Active);
    let tokens = tokens.map(|token| (token.token_id, token.expires_at));
    let clients = clients.into_iter().filter(|client| client.revoked_at.is_none());
    let secrets = clients.flat_map(|client| {
        // The longest-lived one counts: the others have been replaced by it.
        let live = client.secrets.into_iter().filter(|secret| secret.revoked_at.is_none());
        live.max_by_key(|secret| secret.expires_at.map(|at| at.seconds))
    });
    let secrets = secrets.map(|secret| (secret.secret_id, secret.expires_at));
    let coming = tokens.chain(secrets).filter_map(|(id, ends_at)| Some((id, ends_at?))).collect();
    Ok(Ends { coming, last })
}
