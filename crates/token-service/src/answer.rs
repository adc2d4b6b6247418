//! Requests from operators and the console, over NATS: decode, do, reply, count. The only place that chooses a reply.

use anyhow::Context as _;
use bus_contract::{
    Message,
    subject::{
        ADD_CLIENT_SECRET, CREATE_CLIENT, ISSUE_TOKEN, LIST_CLIENTS, LIST_SIGNING_KEY_EVENTS,
        LIST_SIGNING_KEYS, LIST_TOKEN_EVENTS, LIST_TOKENS, RETIRE_SIGNING_KEY, REVEAL_TOKEN, REVOKE_CLIENT,
        REVOKE_CLIENT_SECRET, REVOKE_TOKEN, ROTATE_SIGNING_KEY, ROTATE_TOKEN, SEAL_SIGNING_KEYS,
        SIGN_ACCESS_END, TOKEN_QUEUE, operation,
    },
    token::{Failure, ListSigningKeys, Reply, failure::Reason, reply},
};
use bus_jetstream::{
    Bytes,
    answering::{Answered, Answering, answer_each},
    metrics::Answers,
    request::Incoming,
};
use service_runtime::{Causes, tasks::Tasks};

use crate::{app::App, ask::Refusal, audit, clients, lifecycle, receipts, signing_keys};

/// Requests that are worked on at once.
const CONCURRENT: usize = 8;

/// Everything that can be asked.
const SUBJECTS: [&str; 17] = [
    ISSUE_TOKEN,
    LIST_TOKENS,
    REVEAL_TOKEN,
    ROTATE_TOKEN,
    REVOKE_TOKEN,
    CREATE_CLIENT,
    LIST_CLIENTS,
    ADD_CLIENT_SECRET,
    REVOKE_CLIENT_SECRET,
    REVOKE_CLIENT,
    LIST_TOKEN_EVENTS,
    LIST_SIGNING_KEYS,
    ROTATE_SIGNING_KEY,
    RETIRE_SIGNING_KEY,
    SEAL_SIGNING_KEYS,
    LIST_SIGNING_KEY_EVENTS,
    SIGN_ACCESS_END,
];

/// Answers until the process stops, then finishes what has begun; returns once requests arrive.
///
/// # Errors
/// When the bus has been closed.
pub(crate) async fn serve(app: App, answers: &Answers, tasks: &Tasks) -> anyhow::Result<()> {
    let serving = app.bus.serve_all(&SUBJECTS, TOKEN_QUEUE, answers).await;
    let incoming = serving.context("cannot serve requests about tokens")?;
    tasks.spawn("requests", |stop| async move {
        answer_each(incoming, CONCURRENT, stop, |answering, request| answer(&app, answering, request)).await;
        Ok(())
    });
    Ok(())
}

async fn answer(app: &App, answering: Answering, request: Incoming) {
    let operation = operation(&request.subject).to_owned();
    let result = perform(app, request.subject.as_str(), request.payload.clone()).await;
    let (label, answered) = match &result {
        Ok(_) => ("ok", Answered::Ok),
        Err(refusal @ Refusal::Unavailable(_)) => (refusal.label(), Answered::Failed),
        Err(refusal) => (refusal.label(), Answered::Refused),
    };
    app.metrics.requests.with_label_values(&[operation.as_str(), label]).inc();
    let result = result.unwrap_or_else(|refusal| reply::Result::Failure(failure(&operation, refusal)));
    let reply = Reply { result: Some(result) }.encode_to_vec();
    if let Err(error) = request.respond(&app.bus, reply).await {
        tracing::warn!(operation, error = %Causes(&error), "nobody got the answer");
    }
    answering.end(answered);
}

async fn perform(app: &App, subject: &str, payload: Bytes) -> Result<reply::Result, Refusal> {
    Ok(match subject {
        ISSUE_TOKEN => reply::Result::SecretToken(lifecycle::issue(app, decode(payload)?).await?),
        LIST_TOKENS => reply::Result::TokenList(lifecycle::list(app, decode(payload)?).await?),
        REVEAL_TOKEN => reply::Result::SecretToken(lifecycle::reveal(app, decode(payload)?).await?),
        ROTATE_TOKEN => reply::Result::SecretToken(lifecycle::rotate(app, decode(payload)?).await?),
        REVOKE_TOKEN => reply::Result::Revoked(lifecycle::revoke(app, decode(payload)?).await?),
        CREATE_CLIENT => reply::Result::SecretClient(clients::create(app, decode(payload)?).await?),
        LIST_CLIENTS => reply::Result::ClientList(clients::list(app, decode(payload)?).await?),
        ADD_CLIENT_SECRET => reply::Result::SecretClient(clients::add_secret(app, decode(payload)?).await?),
        REVOKE_CLIENT_SECRET => reply::Result::Client(clients::revoke_secret(app, decode(payload)?).await?),
        REVOKE_CLIENT => reply::Result::Client(clients::revoke(app, decode(payload)?).await?),
        LIST_TOKEN_EVENTS => reply::Result::Events(audit::list(app, decode(payload)?).await?),
        LIST_SIGNING_KEYS => {
            let ListSigningKeys {} = decode(payload)?;
            reply::Result::SigningKeys(signing_keys::list(app).await?)
        }
        ROTATE_SIGNING_KEY => reply::Result::SigningKeys(signing_keys::rotate(app, decode(payload)?).await?),
        RETIRE_SIGNING_KEY => reply::Result::SigningKeys(signing_keys::retire(app, decode(payload)?).await?),
        SEAL_SIGNING_KEYS => {
            reply::Result::SigningKeys(signing_keys::seal_anew(app, decode(payload)?).await?)
        }
        LIST_SIGNING_KEY_EVENTS => {
            reply::Result::Events(audit::of_signing_keys(app, decode(payload)?).await?)
        }
        SIGN_ACCESS_END => reply::Result::Receipt(receipts::sign(app, decode(payload)?).await?),
        _ => return Err(Refusal::Invalid("no such operation".to_owned())),
    })
}

fn decode<M: Message + Default>(payload: Bytes) -> Result<M, Refusal> {
    M::decode(payload).map_err(|error| Refusal::Invalid(format!("the request cannot be read: {error}")))
}

fn failure(operation: &str, refusal: Refusal) -> Failure {
    let (reason, detail) = match refusal {
        Refusal::Invalid(detail) => (Reason::Invalid, detail),
        Refusal::NotFound(what) => (Reason::NotFound, format!("there is no such {what}")),
        Refusal::Unavailable(error) => {
            tracing::error!(operation, error = %Causes(error.as_ref()), "a request about tokens failed");
            (Reason::Unavailable, error.to_string())
        }
    };
    Failure { reason: reason.into(), detail }
}
