//! What operators ask about who signs in and how, over NATS: decode, do, reply, count.

use anyhow::Context as _;
use bus_contract::{
    Message,
    audit::{Actor, ListEvents, ListEventsReply, acting, actor},
    console::{
        self, Administrator, AdministratorList, ChangeRole, Failure, InviteAdministrator, Invited,
        ListAdministrators, ReleaseSignIn, RemoveAdministrator, Reply, ShowSignIn, SignIn,
        SignOutAdministrator, SignOutPerson, SignedOutPerson, VouchForDomain, WithdrawDomain,
        administrator::State, failure::Reason, reply,
    },
    subject::{
        CHANGE_ROLE, CONSOLE_QUEUE, INVITE_ADMINISTRATOR, LIST_ADMINISTRATORS, LIST_CONSOLE_EVENTS,
        RELEASE_SIGN_IN, REMOVE_ADMINISTRATOR, SHOW_SIGN_IN, SIGN_OUT_ADMINISTRATOR, SIGN_OUT_PERSON,
        VOUCH_FOR_DOMAIN, WITHDRAW_DOMAIN,
    },
};
use bus_jetstream::{
    Bytes,
    answering::{Answered, Answering, answer_each},
    metrics::Answers,
    request::Incoming,
};
use service_runtime::{Causes, tasks::Tasks};
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use crate::{
    administrators::{self, Refusal, Wanted},
    app::App,
    session,
    signed_in::Role,
    single_sign_on::claims,
    store::{
        self,
        administrators::AdministratorRow,
        audit::{self, timestamp},
    },
};

/// Everything that can be asked.
const SUBJECTS: [&str; 11] = [
    INVITE_ADMINISTRATOR,
    LIST_ADMINISTRATORS,
    CHANGE_ROLE,
    REMOVE_ADMINISTRATOR,
    SIGN_OUT_ADMINISTRATOR,
    SIGN_OUT_PERSON,
    LIST_CONSOLE_EVENTS,
    SHOW_SIGN_IN,
    VOUCH_FOR_DOMAIN,
    WITHDRAW_DOMAIN,
    RELEASE_SIGN_IN,
];
/// Requests that are worked on at once.
const CONCURRENT: usize = 4;
/// Events of one reply.
const EVENTS_MOST: u32 = 200;

/// Why a request was refused.
#[derive(Debug)]
enum Refused {
    Invalid(String),
    Administrators(Refusal),
    Claims(claims::Refusal),
}

impl From<claims::Refusal> for Refused {
    fn from(refusal: claims::Refusal) -> Self {
        Self::Claims(refusal)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Administrators(refusal)
    }
}

impl From<pg_pool::Error> for Refused {
    fn from(error: pg_pool::Error) -> Self {
        Self::Administrators(error.into())
    }
}

/// Answers until the process stops, then finishes what has begun; returns once requests arrive.
///
/// # Errors
/// When the bus has been closed.
pub(crate) async fn serve(app: App, answers: &Answers, tasks: &Tasks) -> anyhow::Result<()> {
    let serving = app.bus.serve_all(&SUBJECTS, CONSOLE_QUEUE, answers).await;
    let incoming = serving.context("cannot serve requests of operators")?;
    tasks.spawn("operators", |stop| async move {
        answer_each(incoming, CONCURRENT, stop, |answering, request| answer(&app, answering, request)).await;
        Ok(())
    });
    Ok(())
}

async fn answer(app: &App, answering: Answering, request: Incoming) {
    let operation = request.subject.rsplit('.').next().unwrap_or_default().to_owned();
    let (label, answered, result) =
        match perform(app, request.subject.as_str(), request.payload.clone()).await {
            Ok(result) => ("ok", Answered::Ok, result),
            Err(refused) => {
                let failure = failure(&operation, refused);
                let (label, answered) = match failure.reason() {
                    Reason::Invalid => ("invalid", Answered::Refused),
                    Reason::NotFound => ("not_found", Answered::Refused),
                    Reason::Unavailable | Reason::Unspecified => ("unavailable", Answered::Failed),
                };
                (label, answered, reply::Result::Failure(failure))
            }
        };
    app.metrics.operator_requests.with_label_values(&[operation.as_str(), label]).inc();
    let reply = Reply { result: Some(result) }.encode_to_vec();
    if let Err(error) = request.respond(&app.bus, reply).await {
        tracing::warn!(operation, error = %Causes(&error), "nobody got the answer");
    }
    answering.end(answered);
}

async fn perform(app: &App, subject: &str, payload: Bytes) -> Result<reply::Result, Refused> {
    match subject {
        INVITE_ADMINISTRATOR => invite(app, decode(payload)?).await.map(reply::Result::Invited),
        LIST_ADMINISTRATORS => list(app, decode(payload)?).await.map(reply::Result::AdministratorList),
        CHANGE_ROLE => change_role(app, decode(payload)?).await.map(reply::Result::Administrator),
        REMOVE_ADMINISTRATOR => remove(app, decode(payload)?).await.map(reply::Result::Administrator),
        SIGN_OUT_ADMINISTRATOR => sign_out(app, decode(payload)?).await.map(reply::Result::Administrator),
        SIGN_OUT_PERSON => sign_out_person(app, decode(payload)?).await.map(reply::Result::SignedOutPerson),
        LIST_CONSOLE_EVENTS => events(app, decode(payload)?).await.map(reply::Result::Events),
        SHOW_SIGN_IN => {
            let ask: ShowSignIn = decode(payload)?;
            sign_in(app, company(&ask.company_id)?).await.map(reply::Result::SignIn)
        }
        VOUCH_FOR_DOMAIN => vouch(app, decode(payload)?).await.map(reply::Result::SignIn),
        WITHDRAW_DOMAIN => withdraw(app, decode(payload)?).await.map(reply::Result::SignIn),
        RELEASE_SIGN_IN => release(app, decode(payload)?).await.map(reply::Result::SignIn),
        _ => Err(Refused::Invalid("no such operation".to_owned())),
    }
}

async fn invite(app: &App, ask: InviteAdministrator) -> Result<Invited, Refused> {
    let company = company(&ask.company_id)?;
    let role = role(ask.role())?;
    let actor = actor(ask.actor)?;
    let wanted = Wanted { email: ask.email, role, language: ask.language };
    let invited = administrators::invite(app, company, wanted, actor).await?;
    Ok(Invited {
        administrator: Some(shown(&invited.administrator)),
        link: invited.link,
        expires_at: Some(timestamp(invited.expires_at)),
        mailed: invited.mailed,
    })
}

async fn list(app: &App, ask: ListAdministrators) -> Result<AdministratorList, Refused> {
    let listed = administrators::list(app, company(&ask.company_id)?).await?;
    Ok(AdministratorList {
        administrators: listed.iter().map(|listed| shown(&listed.administrator)).collect(),
    })
}

async fn change_role(app: &App, ask: ChangeRole) -> Result<Administrator, Refused> {
    let (company, administrator) = (company(&ask.company_id)?, administrator(&ask.administrator_id)?);
    let role = role(ask.role())?;
    let row = administrators::change_role(app, company, administrator, role, actor(ask.actor)?).await?;
    Ok(shown(&row))
}

async fn remove(app: &App, ask: RemoveAdministrator) -> Result<Administrator, Refused> {
    let (company, administrator) = (company(&ask.company_id)?, administrator(&ask.administrator_id)?);
    let row = administrators::remove(app, company, administrator, actor(ask.actor)?).await?;
    Ok(shown(&row))
}

async fn sign_out(app: &App, ask: SignOutAdministrator) -> Result<Administrator, Refused> {
    let (company, administrator) = (company(&ask.company_id)?, administrator(&ask.administrator_id)?);
    let actor = actor(ask.actor)?;
    let (row, _ended) = administrators::sign_out_everywhere(app, company, administrator, None, actor).await?;
    Ok(shown(&row))
}

async fn sign_out_person(app: &App, ask: SignOutPerson) -> Result<SignedOutPerson, Refused> {
    let company = company(&ask.company_id)?;
    let person: UserId = ask.user_id.parse().map_err(|_not_a_uuid| {
        Refused::Invalid("the person's id must be a UUID, hyphenated and in lower case".to_owned())
    })?;
    let ended = session::end_of_person(app, company, person, actor(ask.actor)?).await?;
    Ok(SignedOutPerson { user_id: person.to_string(), sessions: u32::try_from(ended).unwrap_or(u32::MAX) })
}

async fn sign_in(app: &App, company: CompanyId) -> Result<SignIn, Refused> {
    let claims = claims::of_company(app, company).await?;
    Ok(SignIn {
        company_id: company.to_string(),
        way: claims.way().as_str().to_owned(),
        issuer: claims.issuer().to_owned(),
        passwords_off: claims.are_passwords_off(),
        domains: claims.domains,
        vouched_domains: claims.vouched_domains,
    })
}

async fn vouch(app: &App, ask: VouchForDomain) -> Result<SignIn, Refused> {
    let company = company(&ask.company_id)?;
    claims::vouch(app, company, &ask.domain, actor(ask.actor)?).await?;
    sign_in(app, company).await
}

async fn withdraw(app: &App, ask: WithdrawDomain) -> Result<SignIn, Refused> {
    let company = company(&ask.company_id)?;
    claims::withdraw(app, company, &ask.domain, actor(ask.actor)?).await?;
    sign_in(app, company).await
}

async fn release(app: &App, ask: ReleaseSignIn) -> Result<SignIn, Refused> {
    let company = company(&ask.company_id)?;
    claims::release(app, company, actor(ask.actor)?).await?;
    sign_in(app, company).await
}

async fn events(app: &App, ask: ListEvents) -> Result<ListEventsReply, Refused> {
    let company = company(&ask.company_id)?;
    let before = match ask.before_event_id.as_str() {
        "" => None,
        id => Some(uuid("event", id)?),
    };
    if !(1..=EVENTS_MOST).contains(&ask.limit) {
        return Err(Refused::Invalid(format!("the limit must be from 1 to {EVENTS_MOST}")));
    }
    let events = app
        .pool
        .transaction("operators.events", move |connection| {
            store::act_for(connection, company)?;
            audit::list(connection, company, before, ask.limit.into())
        })
        .await?;
    Ok(ListEventsReply { events })
}

fn decode<M: Message + Default>(payload: Bytes) -> Result<M, Refused> {
    M::decode(payload).map_err(|error| Refused::Invalid(format!("the request cannot be read: {error}")))
}

fn company(text: &str) -> Result<CompanyId, Refused> {
    text.parse().map_err(|_not_a_uuid| {
        Refused::Invalid("the company id must be a UUID, hyphenated and in lower case".to_owned())
    })
}

fn administrator(text: &str) -> Result<Uuid, Refused> {
    uuid("administrator", text)
}

fn uuid(what: &str, text: &str) -> Result<Uuid, Refused> {
    Uuid::try_parse(text).map_err(|_not_a_uuid| Refused::Invalid(format!("the {what} id must be a UUID")))
}

fn role(role: console::Role) -> Result<Role, Refused> {
    match role {
        console::Role::Administrator => Ok(Role::Administrator),
        console::Role::Auditor => Ok(Role::Auditor),
        console::Role::Unspecified => {
            Err(Refused::Invalid("the role must be administrator or auditor".to_owned()))
        }
    }
}

/// Every act has somebody who did it; here an operator, who cannot write an act down as an administrator's.
fn actor(actor: Option<Actor>) -> Result<Actor, Refused> {
    let operator = actor.map(|actor| Actor { kind: actor::Kind::Operator.into(), ..actor });
    acting(operator).map_err(|nobody| Refused::Invalid(nobody.to_string()))
}

fn shown(row: &AdministratorRow) -> Administrator {
    let role = match row.role() {
        Role::Administrator => console::Role::Administrator,
        Role::Auditor | Role::Member => console::Role::Auditor,
    };
    let state = if row.is_active { State::Active } else { State::Invited };
    Administrator {
        administrator_id: row.administrator_id.to_string(),
        company_id: row.company_id.to_string(),
        email: row.email.clone(),
        name: row.name.clone(),
        role: role.into(),
        state: state.into(),
        created_at: Some(timestamp(row.created_at)),
        last_signed_in_at: row.last_signed_in_at.map(timestamp),
    }
}

fn failure(operation: &str, refused: Refused) -> Failure {
    let (reason, detail) = match refused {
        Refused::Invalid(detail) => (Reason::Invalid, detail),
        Refused::Administrators(refusal) => match refusal {
            Refusal::NotFound | Refusal::NoCompany => (Reason::NotFound, refusal.to_string()),
            Refusal::Email
            | Refusal::Taken
            | Refusal::TooMany
            | Refusal::SingleSignOnOnly
            | Refusal::LastBreakGlass
            | Refusal::Last => (Reason::Invalid, refusal.to_string()),
            Refusal::Database(_) | Refusal::Company(_) => unavailable(operation, &refusal),
        },
        Refused::Claims(refusal) => match refusal {
            claims::Refusal::NoCompany | claims::Refusal::NoDomain | claims::Refusal::NotSetUp => {
                (Reason::NotFound, refusal.to_string())
            }
            claims::Refusal::Domain => (Reason::Invalid, refusal.to_string()),
            claims::Refusal::Company(_) | claims::Refusal::Database(_) => unavailable(operation, &refusal),
        },
    };
    Failure { reason: reason.into(), detail }
}

fn unavailable(operation: &str, cause: &(dyn std::error::Error + 'static)) -> (Reason, String) {
    tracing::error!(operation, error = %Causes(cause), "a request of an operator failed");
    (Reason::Unavailable, "that cannot be done at the moment; try again later".to_owned())
}
