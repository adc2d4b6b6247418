//! Answers what the provisioning log says, page by page.

use bus_contract::{
    Message as _,
    call::OUTCOMES,
    directory::{AttributeChange, ListLog, ListLogReply, LogEntry, Reply, failure::Reason, reply},
    provisioning::Refused,
};
use pg_pool::Pool;
use typed_ids::{CompanyId, GroupId, RequestId, TokenId, UserId};
use uuid::Uuid;

use crate::{
    activity::{call::VERBS, line::attempt},
    apply::changes,
    prefix::that_fits,
    question::{MAX_REPLY_BYTES, answered, failed, failure},
    search_keys,
    store::{
        self,
        log_pages::{About, LineRow, Outcomes, Wanted},
    },
    time::{first_id_from, from_timestamp, to_timestamp},
};

/// The most lines of a page.
const MAX_LINES: u32 = 500;
/// The longest beginning of a name that is looked for, in characters.
const MAX_PREFIX: usize = 200;

/// What a question asks for.
enum Question {
    Page(Wanted),
    /// One request, and the attempts to make it that failed.
    Request(CompanyId, RequestId, Option<Outcomes>),
}

/// Answers one page.
pub(crate) async fn list(pool: &Pool, payload: &[u8]) -> Reply {
    let question = match ListLog::decode(payload) {
        Ok(question) => read(&question),
        Err(_not_protobuf) => Err("the question is malformed".to_owned()),
    };
    let question = match question {
        Ok(question) => question,
        Err(detail) => return failure(Reason::Invalid, "", &detail),
    };
    let limit = match &question {
        Question::Page(wanted) => usize::try_from(wanted.limit).unwrap_or(usize::MAX),
        Question::Request(..) => usize::MAX,
    };
    let rows = pool.transaction("provisioning_log.page", move |conn| match &question {
        Question::Page(wanted) => {
            store::open_companies(conn, &[wanted.company])?;
            // One more tells whether there are more.
            let wanted = Wanted { limit: wanted.limit + 1, ..wanted.clone() };
            store::log_pages::newest(conn, &wanted)
        }
        Question::Request(company, request, outcomes) => {
            store::open_companies(conn, &[*company])?;
            let ids = [request.as_uuid(), attempt(*request).as_uuid()];
            let mut rows = store::log_pages::by_ids(conn, *company, &ids)?;
            rows.retain(|row| outcomes.as_ref().is_none_or(|wanted| wanted.hold(row)));
            Ok(rows)
        }
    });
    match rows.await {
        Ok(rows) => {
            let count = rows.len();
            let entries = that_fits(rows.into_iter().take(limit).map(entry), MAX_REPLY_BYTES);
            let has_more = entries.len() < count;
            answered(reply::Result::ListLog(ListLogReply { entries, has_more }))
        }
        Err(error) => failed("list the provisioning log", &error),
    }
}

fn read(question: &ListLog) -> Result<Question, String> {
    let company: CompanyId =
        question.company_id.parse().map_err(|_not_an_id| "the question names no company".to_owned())?;
    if !(1..=MAX_LINES).contains(&question.limit) {
        return Err(format!("limit is 1 to {MAX_LINES}"));
    }
    let outcomes = outcomes(question)?;
    let keys = [&question.user_id, &question.group_id, &question.name_prefix, &question.request_id];
    if keys.iter().filter(|key| !key.is_empty()).count() > 1 {
        return Err("ask by one of user_id, group_id, name_prefix and request_id at most".to_owned());
    }
    let about = if !question.request_id.is_empty() {
        let request = id("request_id", &question.request_id)?;
        return Ok(Question::Request(company, RequestId::from_uuid(request), outcomes));
    } else if !question.user_id.is_empty() {
        About::User(UserId::from_uuid(id("user_id", &question.user_id)?))
    } else if !question.group_id.is_empty() {
        About::Group(GroupId::from_uuid(id("group_id", &question.group_id)?))
    } else if !question.name_prefix.is_empty() {
        if question.name_prefix.chars().count() > MAX_PREFIX {
            return Err(format!("name_prefix has at most {MAX_PREFIX} characters"));
        }
        let prefix = &question.name_prefix;
        About::Name(store::log::target_key(prefix), search_keys::beginnings(prefix))
    } else {
        About::Anybody
    };
    let moment = |name, at: &Option<_>| match at.as_ref().map(from_timestamp) {
        None => Ok(None),
        Some(Some(at)) => Ok(Some(first_id_from(at))),
        Some(None) => Err(format!("{name} is no moment")),
    };
    let from = moment("from", &question.from)?.unwrap_or(Uuid::nil());
    let until = moment("until", &question.until)?.unwrap_or(Uuid::max());
    let before = match question.before_request_id.as_str() {
        "" => until,
        text => until.min(id("before_request_id", text)?),
    };
    let limit = i64::from(question.limit);
    Ok(Question::Page(Wanted { company, about, outcomes, from, before, limit }))
}

fn id(name: &str, text: &str) -> Result<Uuid, String> {
    text.parse::<RequestId>().map(RequestId::as_uuid).map_err(|_not_an_id| format!("{name} is no id"))
}

/// The verbs and outcomes that are asked for; every one where none of a kind is named.
fn outcomes(question: &ListLog) -> Result<Option<Outcomes>, String> {
    let words = |name, asked: &[String], known: &[&str]| {
        if let Some(unknown) = asked.iter().find(|word| !known.contains(&word.as_str())) {
            let shown: String = unknown.chars().take(MAX_PREFIX).collect();
            return Err(format!("{name} knows no '{shown}', only {}", known.join(", ")));
        }
        let chosen = known.iter().filter(|word| asked.is_empty() || asked.iter().any(|asked| asked == *word));
        Ok(chosen.map(|word| (*word).to_owned()).collect::<Vec<_>>())
    };
    let verbs = words("verbs", &question.verbs, &VERBS)?;
    let outcomes = words("outcomes", &question.outcomes, &OUTCOMES)?;
    let is_all = verbs.len() == VERBS.len() && outcomes.len() == OUTCOMES.len();
    Ok((!is_all).then_some(Outcomes { verbs, outcomes }))
}

impl Outcomes {
    fn hold(&self, row: &LineRow) -> bool {
        self.verbs.contains(&row.verb) && self.outcomes.contains(&row.outcome)
    }
}

fn entry(row: LineRow) -> LogEntry {
    let changes = match &row.changes {
        Some(text) => changes::read(text).into_iter().map(change).collect(),
        None => row.changed_attributes.into_iter().map(unknown_change).collect(),
    };
    let count = |members: Option<i32>| members.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    LogEntry {
        request_id: RequestId::from_uuid(row.request_id).to_string(),
        accepted_at: Some(to_timestamp(row.accepted_at)),
        applied_at: Some(to_timestamp(row.applied_at)),
        verb: row.verb,
        outcome: row.outcome,
        user_id: row.user_id.map(|id| UserId::from_uuid(id).to_string()).unwrap_or_default(),
        group_id: row.group_id.map(|id| GroupId::from_uuid(id).to_string()).unwrap_or_default(),
        target_name: row.target_name.unwrap_or_default(),
        credential_id: row.token_id.map(|id| TokenId::from_uuid(id).to_string()).unwrap_or_default(),
        address: row.address.unwrap_or_default(),
        status: row.status.and_then(|status| u32::try_from(status).ok()).unwrap_or(0),
        refusal: row.refusal.and_then(|bytes| Refused::decode(bytes.as_slice()).ok()),
        changes,
        members_added: count(row.members_added),
        members_removed: count(row.members_removed),
        display_name: row.display_name.unwrap_or_default(),
    }
}

fn change(change: changes::Change) -> AttributeChange {
    AttributeChange {
        path: change.path,
        before: change.before.map(|value| value.to_string()),
        after: change.after.map(|value| value.to_string()),
        is_redacted: change.is_redacted,
    }
}

/// A change from before values were recorded.
fn unknown_change(path: String) -> AttributeChange {
    AttributeChange { path, before: None, after: None, is_redacted: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_cannot_be_answered_says_what_to_do() {
        let company_id = CompanyId::mint().to_string();
        let fine = ListLog { company_id: company_id.clone(), limit: 1, ..ListLog::default() };
        assert!(read(&fine).is_ok());
        let twice = ListLog { user_id: company_id.clone(), name_prefix: "a".to_owned(), ..fine.clone() };
        for (question, expected) in [
            (ListLog { company_id: String::new(), ..fine.clone() }, "company"),
            (ListLog { limit: 0, ..fine.clone() }, "1 to 500"),
            (ListLog { limit: 501, ..fine.clone() }, "1 to 500"),
            (ListLog { verbs: vec!["explode".to_owned()], ..fine.clone() }, "create, replace"),
            (ListLog { outcomes: vec!["maybe".to_owned()], ..fine.clone() }, "created, updated"),
            (ListLog { user_id: "x".to_owned(), ..fine.clone() }, "user_id"),
            (ListLog { before_request_id: "x".to_owned(), ..fine.clone() }, "before_request_id"),
            (ListLog { name_prefix: "x".repeat(201), ..fine.clone() }, "200"),
            (twice, "one of"),
        ] {
            let problem = read(&question).err().unwrap_or_default();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
