//! The registry of companies, for operators.

use bus_contract::{
    Message,
    directory::{
        Company, CreateCompany, CreateCompanyReply, ListCompanies, ListCompaniesReply, Reply,
        failure::Reason, reply,
    },
};
use chrono::SecondsFormat;
use pg_pool::Pool;
use typed_ids::CompanyId;

use crate::{
    audit,
    prefix::that_fits,
    question::{MAX_REPLY_BYTES, answered, failed, failure},
    store::{
        self,
        companies::{self, CompanyRow, MAX_LISTED},
        open_companies,
    },
    time::now,
};

/// Longest name, in characters; the table says the same.
const MAX_NAME: usize = 200;

/// Creates a company. Asking again with the same id is no error: it says that it was there.
pub(crate) async fn create(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = CreateCompany::decode(payload) else {
        return failure(Reason::Invalid, "", "the question is malformed");
    };
    let id = match question.company_id.as_str() {
        "" => CompanyId::mint(),
        text => match text.parse::<CompanyId>() {
            Ok(id) => id,
            Err(error) => return failure(Reason::Invalid, "", &error.to_string()),
        },
    };
    let name = question.name.trim().to_owned();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.contains('\0') {
        return failure(Reason::Invalid, "", "a company's name has 1 to 200 characters");
    }
    let actor = match audit::actor(question.actor) {
        Ok(actor) => actor,
        Err(reply) => return *reply,
    };
    let created_at = now();
    let stored = pool
        .transaction("companies.create", move |conn| {
            let inserted = companies::insert(conn, id, &name, created_at)?;
            let created = inserted.is_some();
            if created {
                open_companies(conn, &[id])?;
                audit::record(conn, id, &actor, "company.created", &id.to_string(), &name)?;
            }
            Ok((inserted.into_iter().chain(companies::by_ids(conn, &[id])?).next(), created))
        })
        .await;
    match stored {
        Ok((Some(row), created)) => {
            let company = Some(to_wire(row));
            answered(reply::Result::CreateCompany(CreateCompanyReply { company, created }))
        }
        Ok((None, _)) => failure(Reason::Unavailable, "", "the company vanished while it was created"),
        Err(error) => failed("create a company", &error),
    }
}

/// Lists every company, or the one that is named.
pub(crate) async fn list(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = ListCompanies::decode(payload) else {
        return failure(Reason::Invalid, "", "the question is malformed");
    };
    let one = match question.company_id.as_str() {
        "" => None,
        text => match text.parse() {
            Ok(id) => Some(id),
            Err(_not_an_id) => return answered(reply::Result::ListCompanies(ListCompaniesReply::default())),
        },
    };
    let after = match question.after_company_id.as_str() {
        "" => Ok(CompanyId::from_uuid(uuid::Uuid::nil())),
        text => text.parse(),
    };
    let Ok(after) = after else {
        return failure(Reason::Invalid, "", "the page begins behind something that is no company's id");
    };
    let limit = match i64::from(question.limit) {
        0 => MAX_LISTED,
        limit => limit.min(MAX_LISTED),
    };
    let rows = pool
        .transaction("companies.list", move |conn| {
            let rows = match one {
                Some(id) => companies::by_ids(conn, &[id]),
                None => companies::listed(conn, after, limit),
            };
            Ok((rows?, store::history::present(conn)?))
        })
        .await;
    match rows {
        Ok((rows, history)) => answered(reply::Result::ListCompanies(ListCompaniesReply {
            companies: that_fits(rows.into_iter().map(to_wire), MAX_REPLY_BYTES),
            history_id: history.to_string(),
        })),
        Err(error) => failed("list companies", &error),
    }
}

fn to_wire(row: CompanyRow) -> Company {
    Company {
        company_id: CompanyId::from_uuid(row.company_id).to_string(),
        name: row.name,
        created_at: row.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
    }
}
