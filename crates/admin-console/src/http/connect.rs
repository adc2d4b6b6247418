//! `/connect`: the steps in Entra's own words, with ticks for what has arrived here.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use askama::Template;
use bus_contract::{
    Timestamp,
    directory::concern::Kind,
    token::{Client, Token},
};

use crate::{
    app::App,
    http::render,
    language::Key,
    outlook::Outlook,
    page::{Page, Section},
    question::Answers,
    signed_in::SignedIn,
};

#[derive(Template)]
#[template(path = "connect.html")]
struct Connect<'a> {
    page: &'a Page,
    steps: Steps<'a>,
}

#[derive(Template)]
#[template(path = "connect_steps.html")]
struct Steps<'a> {
    page: &'a Page,
    tenant_url: String,
    token: Option<Token>,
    /// Where there is no token: the OAuth client that works in its place.
    client: Option<Client>,
    steps: Vec<Step>,
    done: usize,
    is_away: bool,
    /// Since the last call that was let in.
    refused_calls: u64,
}

struct Step {
    number: usize,
    title: Key,
    text: Key,
    state: State,
    has_values: bool,
    /// What this step waits for, of those that something arrives from.
    received: Option<Received>,
    at: Option<Timestamp>,
}

/// What is said before and after something arrives.
struct Received {
    arrived: Key,
    awaited: Key,
    help: Key,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Done,
    Current,
    Ahead,
}

impl State {
    fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Ahead => "ahead",
        }
    }

    fn is_done(self) -> bool {
        self == Self::Done
    }

    fn is_current(self) -> bool {
        self == Self::Current
    }
}

/// `GET /connect`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest) -> HttpResponse {
    let mut answers = Answers::default();
    let outlook = Outlook::ask(&app, &who, &mut answers).await;
    let page = Page::new(&request, app.clock.now(), Section::Company);
    let template = Connect { steps: filled(&page, &app, &outlook), page: &page };
    render::page(answers.status(), &template)
}

/// `GET /connect/steps`: the steps as they are now.
pub(crate) async fn steps(app: Data<App>, who: SignedIn, request: HttpRequest) -> HttpResponse {
    let mut answers = Answers::default();
    let outlook = Outlook::ask(&app, &who, &mut answers).await;
    let page = Page::new(&request, app.clock.now(), Section::Company).at("/connect");
    render::page(answers.status(), &filled(&page, &app, &outlook))
}

fn filled<'a>(page: &'a Page, app: &App, outlook: &Outlook) -> Steps<'a> {
    let activity = outlook.activity.as_ref();
    let known = outlook.credentials();
    let token = known.and_then(|known| known.current_token()).cloned();
    let client = known.filter(|_| token.is_none()).and_then(|known| known.current_client(page.times.now));
    let health = activity.and_then(|activity| activity.health.as_ref());
    let concerns = health.map(|health| health.concerns.as_slice()).unwrap_or_default();
    let refused = concerns.iter().find(|concern| concern.kind() == Kind::Unauthenticated);
    let steps = in_order(
        token.is_some() || client.is_some(),
        activity.and_then(|activity| activity.first_test_at),
        activity.and_then(|activity| activity.first_user_at),
        activity.and_then(|activity| activity.first_group_at),
    );
    Steps {
        page,
        tenant_url: app.scim_url.clone(),
        token,
        client: client.cloned(),
        done: steps.iter().filter(|step| step.state.is_done()).count(),
        steps,
        is_away: activity.is_none() || outlook.tokens.is_none(),
        refused_calls: refused.map(|refused| refused.count).unwrap_or_default(),
    }
}

/// The tutorial's steps. What we cannot see from here, a later arrival proves to be done.
fn in_order(
    has_credential: bool,
    tested: Option<Timestamp>,
    first_person: Option<Timestamp>,
    first_group: Option<Timestamp>,
) -> Vec<Step> {
    let (tested_by_now, running) = (tested.or(first_person), first_person.is_some());
    let received = |arrived, awaited, help| Some(Received { arrived, awaited, help });
    let step = |title, text, is_done| {
        let state = if is_done { State::Done } else { State::Ahead };
        Step { number: 0, title, text, state, has_values: false, received: None, at: None }
    };
    let mut steps = vec![
        step(Key("step-add"), Key("step-add-text"), tested_by_now.is_some()),
        Step {
            has_values: true,
            ..step(Key("step-copy"), Key("step-copy-text"), has_credential && tested_by_now.is_some())
        },
        Step {
            received: received(Key("test-received"), Key("test-awaited"), Key("test-help")),
            at: tested_by_now,
            ..step(Key("step-test"), Key("step-test-text"), tested_by_now.is_some())
        },
        step(Key("step-map"), Key("step-map-text"), running),
        step(Key("step-scope"), Key("step-scope-text"), running),
        Step {
            received: received(Key("person-received"), Key("person-awaited"), Key("person-help")),
            at: first_person,
            ..step(Key("step-start"), Key("step-start-text"), running)
        },
        Step {
            received: received(Key("group-received"), Key("group-awaited"), Key("group-help")),
            at: first_group,
            ..step(Key("step-groups"), Key("step-groups-text"), first_group.is_some())
        },
    ];
    number(&mut steps);
    steps
}

/// Whatever waits for Entra is the one that somebody is at; the steps before it are done in Entra, unseen.
fn number(steps: &mut [Step]) {
    let mut is_found = false;
    for (position, step) in steps.iter_mut().enumerate() {
        step.number = position + 1;
        if step.state == State::Ahead && !is_found {
            step.state = State::Current;
            // The two things that are done in Entra without our seeing them go on to the one that we see.
            is_found = step.received.is_some();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(steps: &[Step]) -> String {
        steps.iter().map(|step| step.state.class().chars().next().unwrap_or_default()).collect()
    }

    #[test]
    fn steps_are_ticked_by_what_arrives() {
        let at = Some(Timestamp::default());
        assert_eq!(states(&in_order(false, None, None, None)), "cccaaaa");
        assert_eq!(states(&in_order(true, at, None, None)), "dddccca");
        assert_eq!(states(&in_order(true, at, at, None)), "ddddddc");
        assert_eq!(states(&in_order(true, at, at, at)), "ddddddd");
    }

    #[test]
    fn a_first_person_proves_what_was_not_seen_before() {
        let at = Some(Timestamp::default());
        assert_eq!(states(&in_order(true, None, at, None)), "ddddddc");
    }
}
