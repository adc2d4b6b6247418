//! The audit log of a company: what each service has written down about itself, merged by time.
//!
//! Each event's id is a UUIDv7, so the newest page of the whole is found in the newest pages of the parts.

use bus_contract::audit::Event;
use uuid::Uuid;

use crate::{
    app::App,
    directory::Directory,
    language::{Key, Language, Text},
    question::{Answers, Unanswered},
    signed_in::SignedIn,
    store,
    tokens::Tokens,
};

/// One page of the whole.
pub(crate) struct AuditPage {
    /// The newest first.
    pub(crate) events: Vec<Event>,
    pub(crate) has_more: bool,
}

/// The events behind one, or the newest. A service that is away leaves its events out, which the answers remember.
pub(crate) async fn page(
    app: &App,
    who: &SignedIn,
    before: Option<Uuid>,
    limit: u32,
    answers: &mut Answers,
) -> AuditPage {
    // One more of each, to know whether there are more.
    let (id, wanted) = (before.map(|before| before.to_string()), limit + 1);
    let (directory, tokens) = (Directory::of(app, who), Tokens::of(app, who));
    let (of_directory, of_tokens, own) = tokio::join!(
        directory.events(id.clone(), wanted),
        tokens.events(id, wanted),
        own(app, who, before, wanted)
    );
    let parts = [
        answers.keep("directory's events", of_directory),
        answers.keep("tokens' events", of_tokens),
        answers.keep("console's events", own),
    ];
    merge(parts.into_iter().flatten().flatten().collect(), limit)
}

fn merge(mut events: Vec<Event>, limit: u32) -> AuditPage {
    // The text of an id sorts as the id does, and that as its time.
    events.sort_by(|a, b| b.event_id.cmp(&a.event_id));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = events.len() > limit;
    events.truncate(limit);
    AuditPage { events, has_more }
}

async fn own(app: &App, who: &SignedIn, before: Option<Uuid>, limit: u32) -> Result<Vec<Event>, Unanswered> {
    let company = who.company;
    app.pool
        .transaction("audit.list", move |connection| {
            store::act_for(connection, company)?;
            store::audit::list(connection, company, before, i64::from(limit))
        })
        .await
        .map_err(|error| Unanswered::Unavailable(error.to_string()))
}

/// What was done, as a sentence. Its variable is who did it.
pub(crate) fn sentence(language: Language, event: &Event) -> Text {
    let actor = event.actor.as_ref().map(|actor| actor.name.as_str()).filter(|name| !name.is_empty());
    let actor = actor.map_or_else(|| language.say("somebody").to_string(), str::to_owned);
    language
        .say(key(&event.act))
        .with("actor", actor)
        .with("target", event.target.as_str())
        .with("act", event.act.as_str())
}

/// What a note of one word says; longer ones stay as they were written.
pub(crate) fn note(note: &str) -> Option<Key> {
    Some(match note {
        "administrator" => Key("role-administrator"),
        "auditor" => Key("role-auditor"),
        "on" => Key("sso-only-on"),
        "off" => Key("sso-only-off"),
        _ => return None,
    })
}

fn key(act: &str) -> Key {
    match act {
        "token.issued" => Key("act-token-issued"),
        "token.revealed" => Key("act-token-revealed"),
        "token.retiring" => Key("act-token-retiring"),
        "token.revoked" => Key("act-token-revoked"),
        "client.created" => Key("act-client-created"),
        "client.secret_added" => Key("act-client-secret-added"),
        "client.secret_revoked" => Key("act-client-secret-revoked"),
        "client.revoked" => Key("act-client-revoked"),
        "company.created" => Key("act-company-created"),
        "brake.undone" => Key("act-brake-undone"),
        "brake.released" => Key("act-brake-released"),
        "brake.rule_set" => Key("act-brake-rule-set"),
        "schema.declared" => Key("act-schema-declared"),
        "schema.replaced" => Key("act-schema-replaced"),
        "schema.removed" => Key("act-schema-removed"),
        "administrator.invited" => Key("act-administrator-invited"),
        "administrator.removed" => Key("act-administrator-removed"),
        "administrator.role_changed" => Key("act-administrator-role-changed"),
        "invitation.accepted" => Key("act-invitation-accepted"),
        "session.signed_in" => Key("act-signed-in"),
        "session.sign_in_refused" => Key("act-sign-in-refused"),
        "single_sign_on.changed" => Key("act-single-sign-on-changed"),
        "single_sign_on.released" => Key("act-single-sign-on-released"),
        "domain.vouched" => Key("act-domain-vouched"),
        "domain.withdrawn" => Key("act-domain-withdrawn"),
        "single_sign_on.refreshed" => Key("act-single-sign-on-refreshed"),
        "single_sign_on.only_changed" => Key("act-single-sign-on-only-changed"),
        "single_sign_on.tested" => Key("act-single-sign-on-tested"),
        "administrator.break_glass_changed" => Key("act-break-glass-changed"),
        "session.sign_in_failed" => Key("act-sign-in-failed"),
        "session.signed_out" => Key("act-signed-out"),
        "session.ended" => Key("act-session-ended"),
        "sessions.ended" => Key("act-sessions-ended"),
        "password.changed" => Key("act-password-changed"),
        "notices.changed" => Key("act-notices-changed"),
        _ => Key("act-other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(ids: &[u128]) -> Vec<Event> {
        let event = |id: &u128| Event { event_id: Uuid::from_u128(*id).to_string(), ..Event::default() };
        ids.iter().map(event).collect()
    }

    #[test]
    fn three_logs_become_one_with_the_newest_first() {
        let page = merge([events(&[9, 4, 1]), events(&[8, 2]), events(&[7])].concat(), 4);
        let ids: Vec<_> = page.events.iter().map(|event| event.event_id.clone()).collect();
        assert_eq!(ids, [9, 8, 7, 4].map(|id| Uuid::from_u128(id).to_string()));
        assert!(page.has_more);
        assert!(!merge(events(&[3, 2, 1]), 3).has_more);
    }

    #[test]
    fn an_act_that_this_version_does_not_know_still_has_a_sentence() {
        let event = Event { act: "moon.landed".to_owned(), target: "Apollo".to_owned(), ..Event::default() };
        for language in Language::ALL {
            let said = sentence(language, &event).to_string();
            assert!(said.contains("moon.landed") && said.contains("Apollo"), "{said}");
        }
    }
}
