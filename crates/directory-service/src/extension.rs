//! Schemas that a company declares for its users: declared by an operator, kept in the database, published in the bucket
//! `SCHEMAS` for the gateways.
//!
//! The database is the truth: a batch and a search read a company's schemas with everything else. The bucket follows it,
//! after every change and from time to time, so that it also recovers from a NATS that lost its disk.

use std::{collections::BTreeMap, time::Duration};

use bus_contract::{
    Message,
    directory::{
        DeclareSchema, DeclareSchemaReply, ListSchemas, ListSchemasReply, RemoveSchema, RemoveSchemaReply,
        Reply, failure::Reason, reply,
    },
    stream::SCHEMAS,
};
use bus_jetstream::{Bus, Bytes};
use pg_pool::Pool;
use scim_protocol::{
    error::ScimError,
    schema::{
        self, Schema, SchemaSet,
        extension::{self, MAX_EXTENSIONS},
    },
};
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use crate::{
    audit,
    question::{answered, failed, failure, refused},
    store,
    time::now,
};

/// How often the bucket is compared without a reason. A bucket that somebody emptied is wrong for at most this long.
const INTERVAL: Duration = Duration::from_secs(15);
/// After a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How often a company's entry is written again because its schemas changed meanwhile.
const ATTEMPTS: usize = 4;

/// The schemas of a company's users: the standard ones and those of these documents, which were checked when they were
/// declared.
pub(crate) fn users_with<'d>(documents: impl IntoIterator<Item = &'d str>) -> SchemaSet {
    let declared = documents.into_iter().filter_map(|document| serde_json::from_str::<Schema>(document).ok());
    declared.fold(schema::users().clone(), |set, extension| set.with_extension(extension))
}

/// Why a schema is not declared or removed.
enum Refusal {
    NoSuchCompany,
    Invalid(ScimError),
}

impl Refusal {
    fn reply(self) -> Reply {
        match self {
            Self::NoSuchCompany => failure(Reason::Invalid, "", "there is no such company"),
            Self::Invalid(error) => refused(&error),
        }
    }
}

/// Declares a schema, or replaces one by another that every user still fits.
pub(crate) async fn declare(bus: &Bus, pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = DeclareSchema::decode(payload) else {
        return failure(Reason::Invalid, "", "the question is malformed");
    };
    let Ok(company) = question.company_id.parse::<CompanyId>() else { return Refusal::NoSuchCompany.reply() };
    let schema = match extension::declared(question.document_json.as_bytes()) {
        Ok(schema) => schema,
        Err(error) => return Refusal::Invalid(error).reply(),
    };
    // As it will be shown, without what the document says beside.
    let Ok(document) = serde_json::to_string(&schema) else {
        return failure(Reason::Invalid, "", "the document cannot be written again");
    };
    let actor = match audit::actor(question.actor) {
        Ok(actor) => actor,
        Err(reply) => return *reply,
    };
    let urn = schema.id.clone();
    let stored = pool
        .transaction("extensions.declare", move |conn| {
            store::open_companies(conn, &[company])?;
            if !store::extensions::lock(conn, company)? {
                return Ok(Err(Refusal::NoSuchCompany));
            }
            let present = store::extensions::of_company(conn, company)?;
            let present: Vec<Schema> =
                present.iter().filter_map(|document| serde_json::from_str(document).ok()).collect();
            let old = present.iter().find(|old| old.id.eq_ignore_ascii_case(&schema.id));
            if let Err(error) = may_declare(old, &schema, present.len()) {
                return Ok(Err(Refusal::Invalid(error)));
            }
            store::extensions::upsert(conn, company, &schema.id, &document, now())?;
            let act = if old.is_none() { "schema.declared" } else { "schema.replaced" };
            audit::record(conn, company, &actor, act, &schema.id, "")?;
            Ok(Ok(old.is_none()))
        })
        .await;
    match stored {
        Ok(Ok(created)) => {
            tell(bus, pool, company, reply::Result::DeclareSchema(DeclareSchemaReply { urn, created })).await
        }
        Ok(Err(refusal)) => refusal.reply(),
        Err(error) => failed("declare a schema", &error),
    }
}

fn may_declare(old: Option<&Schema>, new: &Schema, present: usize) -> Result<(), ScimError> {
    match old {
        // Users have its values under the URN as it is spelt.
        Some(old) if old.id != new.id => {
            Err(ScimError::mutability(format!("the schema is declared as '{}', in that spelling", old.id)))
        }
        Some(old) => extension::may_replace(old, new),
        None if present >= MAX_EXTENSIONS => {
            Err(ScimError::invalid_value(format!("a company declares at most {MAX_EXTENSIONS} schemas")))
        }
        None => Ok(()),
    }
}

/// Lists what a company has declared.
pub(crate) async fn list(pool: &Pool, payload: &[u8]) -> Reply {
    let company = ListSchemas::decode(payload).ok().and_then(|question| question.company_id.parse().ok());
    let Some(company) = company else { return Refusal::NoSuchCompany.reply() };
    match documents(pool, company).await {
        Ok(document_json) => answered(reply::Result::ListSchemas(ListSchemasReply { document_json })),
        Err(error) => failed("list schemas", &error),
    }
}

/// Removes a schema that no user has values of.
pub(crate) async fn remove(bus: &Bus, pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = RemoveSchema::decode(payload) else {
        return failure(Reason::Invalid, "", "the question is malformed");
    };
    let Ok(company) = question.company_id.parse::<CompanyId>() else { return Refusal::NoSuchCompany.reply() };
    let actor = match audit::actor(question.actor) {
        Ok(actor) => actor,
        Err(reply) => return *reply,
    };
    let urn = question.urn;
    let removed = pool
        .transaction("extensions.remove", move |conn| {
            store::open_companies(conn, &[company])?;
            if !store::extensions::lock(conn, company)? {
                return Ok(Err(Refusal::NoSuchCompany));
            }
            let present = store::extensions::of_company(conn, company)?;
            let mut present =
                present.iter().filter_map(|document| serde_json::from_str::<Schema>(document).ok());
            let Some(schema) = present.find(|schema| schema.id.eq_ignore_ascii_case(&urn)) else {
                return Ok(Ok(false));
            };
            if store::extensions::is_used(conn, company, &schema.id)? {
                return Ok(Err(Refusal::Invalid(ScimError::mutability(
                    "users have values of this schema; remove those first",
                ))));
            }
            store::extensions::delete(conn, company, &schema.id)?;
            audit::record(conn, company, &actor, "schema.removed", &schema.id, "")?;
            Ok(Ok(true))
        })
        .await;
    match removed {
        Ok(Ok(removed)) => {
            tell(bus, pool, company, reply::Result::RemoveSchema(RemoveSchemaReply { removed })).await
        }
        Ok(Err(refusal)) => refusal.reply(),
        Err(error) => failed("remove a schema", &error),
    }
}

/// Tells the gateways, then whoever asked.
async fn tell(bus: &Bus, pool: &Pool, company: CompanyId, result: reply::Result) -> Reply {
    match publish(bus, pool, company).await {
        Ok(()) => answered(result),
        Err(error) => {
            tracing::warn!(error = %format!("{error:#}"), "a schema is stored and not yet published");
            failure(
                Reason::Unavailable,
                "",
                "it is stored, and the gateways will know it as soon as NATS can be written again",
            )
        }
    }
}

async fn documents(pool: &Pool, company: CompanyId) -> Result<Vec<String>, pg_pool::Error> {
    pool.transaction("extensions.read", move |conn| {
        store::open_companies(conn, &[company])?;
        store::extensions::of_company(conn, company)
    })
    .await
}

/// Writes a company's entry, again if its schemas changed meanwhile: whoever writes last has read what is committed.
async fn publish(bus: &Bus, pool: &Pool, company: CompanyId) -> anyhow::Result<()> {
    bus.ensure_bucket(&SCHEMAS).await?;
    let mut known = documents(pool, company).await?;
    for _ in 0..ATTEMPTS {
        match entry(&known) {
            Some(entry) => drop(bus.put(&SCHEMAS, &company.to_string(), entry).await?),
            None => bus.delete(&SCHEMAS, &company.to_string()).await?,
        }
        let now = documents(pool, company).await?;
        if now == known {
            break;
        }
        known = now;
    }
    Ok(())
}

/// A JSON list of the documents; none where there are none.
fn entry(documents: &[String]) -> Option<Bytes> {
    (!documents.is_empty()).then(|| Bytes::from(format!("[{}]", documents.join(","))))
}

/// Keeps the bucket as the database says, until asked to stop.
pub(crate) async fn keep_published(bus: Bus, pool: Pool, stop: CancellationToken) -> anyhow::Result<()> {
    let (mut connection, mut complained, mut pause) = (0, false, Duration::ZERO);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            new = bus.connected_after(connection) => connection = new,
            () = tokio::time::sleep(pause) => {}
        }
        match reconcile(&bus, &pool).await {
            Ok(()) => {
                complained = false;
                pause = INTERVAL;
            }
            Err(error) => {
                if !std::mem::replace(&mut complained, true) {
                    tracing::warn!(error = %format!("{error:#}"), "schemas cannot be published yet");
                }
                pause = RETRY;
            }
        }
    }
}

async fn reconcile(bus: &Bus, pool: &Pool) -> anyhow::Result<()> {
    bus.ensure_bucket(&SCHEMAS).await?;
    let published = bus.entries(&SCHEMAS).await?;
    let mut wanted = BTreeMap::new();
    for company in pool.run("extensions.declaring", store::extensions::declaring).await? {
        wanted.insert(company.to_string(), (company, entry(&documents(pool, company).await?)));
    }
    for (key, (company, entry)) in &wanted {
        if published.get(key) != entry.as_ref() {
            publish(bus, pool, *company).await?;
        }
    }
    for company in published.keys().filter(|key| !wanted.contains_key(*key)) {
        match company.parse() {
            Ok(company) => publish(bus, pool, company).await?,
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "the bucket SCHEMAS holds something unknown")
            }
        }
    }
    Ok(())
}
