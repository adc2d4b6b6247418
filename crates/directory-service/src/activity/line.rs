//! The log line of a call that the directory did not decide: what a gateway answered by itself.

use bus_contract::{
    call::Verb,
    directory::call::Answer,
    provisioning::{Refused, refused::Reason},
};
use chrono::{DateTime, Utc};
use typed_ids::{CompanyId, RequestId};
use uuid::Uuid;

use super::call::Call;
use crate::time::made_at;

/// One line, as it is written.
pub(crate) struct CallLine<'a> {
    pub(crate) company: CompanyId,
    pub(crate) request: RequestId,
    pub(crate) accepted_at: DateTime<Utc>,
    pub(crate) outcome: &'static str,
    pub(crate) refusal: Option<Refused>,
    pub(crate) call: &'a Call,
}

/// The line of a call, unless the directory has written one, or there is nothing to tell: a look-up of nobody in
/// particular that went well.
pub(crate) fn line(company: CompanyId, call: &Call) -> Option<CallLine<'_>> {
    let concerns_somebody = call.user.is_some() || call.group.is_some() || call.target_name.is_some();
    let is_telling = concerns_somebody || call.is_failure() || call.verb == Verb::Test;
    if call.is_decided || !is_telling {
        return None;
    }
    let request = call.request?;
    Some(CallLine {
        company,
        request: if may_still_be_decided(call) { attempt(request) } else { request },
        accepted_at: made_at(request.as_uuid()).unwrap_or(call.at),
        outcome: outcome(call.answer),
        refusal: refusal(call),
        call,
    })
}

/// Whether the request may lie in the stream and be applied after the gateway gave up waiting: its line is the
/// directory's to write, and the attempt that failed has one of its own.
fn may_still_be_decided(call: &Call) -> bool {
    call.is_change() && !matches!(call.answer, Answer::Refused | Answer::Unauthenticated)
}

/// Under which id an attempt to make a request is logged that failed: next to the request, whose own line tells what
/// became of it in the end.
pub(crate) fn attempt(request: RequestId) -> RequestId {
    RequestId::from_uuid(Uuid::from_u128(request.as_uuid().as_u128() ^ 1))
}

/// As the table's check constraint spells it.
fn outcome(answer: Answer) -> &'static str {
    match answer {
        Answer::Unspecified | Answer::Found => "found",
        Answer::NothingFound => "nothing_found",
        Answer::Created => "created",
        Answer::Updated => "updated",
        Answer::Unchanged => "unchanged",
        Answer::Deleted => "deleted",
        Answer::Refused => "refused",
        Answer::Failed => "failed",
        Answer::Unauthenticated => "unauthenticated",
    }
}

fn refusal(call: &Call) -> Option<Refused> {
    let reason = match call.status {
        404 => Reason::NotFound,
        409 => Reason::Conflict,
        412 => Reason::PreconditionFailed,
        400..=499 => Reason::Invalid,
        _ => Reason::Unspecified,
    };
    call.is_failure().then(|| Refused {
        reason: reason.into(),
        scim_type: call.scim_type.clone(),
        detail: call.detail.clone(),
    })
}

#[cfg(test)]
mod tests {
    use bus_contract::directory;
    use typed_ids::UserId;

    use super::*;

    fn call(verb: &str, answer: Answer) -> Call {
        let wire = directory::Call {
            request_id: RequestId::mint().to_string(),
            verb: verb.to_owned(),
            answer: answer.into(),
            ..directory::Call::default()
        };
        Call::read(wire, Utc::now())
    }

    fn is_logged(call: &Call) -> bool {
        line(CompanyId::mint(), call).is_some()
    }

    #[test]
    fn what_concerns_nobody_and_went_well_is_not_logged() {
        assert!(!is_logged(&call("search", Answer::Found)));
        assert!(!is_logged(&call("discover", Answer::Found)));
        assert!(is_logged(&call("test", Answer::NothingFound)));
        assert!(is_logged(&Call { user: Some(UserId::mint()), ..call("read", Answer::Found) }));
        assert!(is_logged(&Call {
            target_name: Some("anna".to_owned()),
            ..call("search", Answer::NothingFound)
        }));
        for answer in [Answer::Refused, Answer::Failed, Answer::Unauthenticated] {
            assert!(is_logged(&call("search", answer)));
        }
    }

    #[test]
    fn what_the_directory_decided_has_its_line_already() {
        let decided =
            |answer| Call { is_decided: true, user: Some(UserId::mint()), ..call("update", answer) };
        assert!(!is_logged(&decided(Answer::Updated)));
        assert!(!is_logged(&decided(Answer::Refused)));
    }

    #[test]
    fn a_change_that_was_given_up_leaves_the_requests_own_line_to_the_directory() {
        let failed = call("create", Answer::Failed);
        let logged = line(CompanyId::mint(), &failed).unwrap().request;
        assert_eq!((Some(logged) == failed.request, attempt(logged)), (false, failed.request.unwrap()));
        for call in [call("create", Answer::Refused), call("search", Answer::Failed)] {
            assert_eq!(Some(line(CompanyId::mint(), &call).unwrap().request), call.request);
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let call = Call { status: 409, detail: "taken".to_owned(), ..call("create", Answer::Refused) };
        let refusal = line(CompanyId::mint(), &call).unwrap().refusal.unwrap();
        assert_eq!((refusal.reason(), refusal.detail.as_str()), (Reason::Conflict, "taken"));
    }
}
