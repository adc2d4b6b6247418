//! Invitations, roles, removal, and what is written down about them.

use std::time::Duration;

use bus_contract::{
    audit::{Actor, ListEvents, actor},
    console::{
        ChangeRole, ListAdministrators, RemoveAdministrator, Role, SignOutAdministrator,
        administrator::State, failure::Reason, reply::Result as Answer,
    },
    subject::{
        CHANGE_ROLE, LIST_ADMINISTRATORS, LIST_CONSOLE_EVENTS, REMOVE_ADMINISTRATOR, SIGN_OUT_ADMINISTRATOR,
    },
};
use typed_ids::CompanyId;

use crate::harness::{Company, PASSWORD, World, operator};

const ACCEPTANCE: [(&str, &str); 2] = [("name", "Anna Berg"), ("password", PASSWORD)];

fn reason(answer: Answer) -> Reason {
    match answer {
        Answer::Failure(failure) => failure.reason(),
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn ids(world: &World, company: CompanyId) -> Vec<(String, String)> {
    let question = ListAdministrators { company_id: company.to_string() };
    match world.ask(LIST_ADMINISTRATORS, question).await {
        Answer::AdministratorList(list) => {
            list.administrators.into_iter().map(|one| (one.email, one.administrator_id)).collect()
        }
        other => panic!("no list: {other:?}"),
    }
}

async fn id_of(world: &World, company: &Company, email: &str) -> String {
    ids(world, company.id).await.into_iter().find(|(of, _)| of == email).unwrap().1
}

/// The acts of a company, the oldest first, as `act target actor`.
pub(crate) async fn acts(world: &World, company: CompanyId) -> Vec<String> {
    let question = ListEvents { company_id: company.to_string(), before_event_id: String::new(), limit: 200 };
    match world.ask(LIST_CONSOLE_EVENTS, question).await {
        Answer::Events(list) => list
            .events
            .into_iter()
            .rev()
            .map(|event| format!("{} {} by {}", event.act, event.target, event.actor.unwrap().name))
            .collect(),
        other => panic!("no events: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_once() {
    let world = World::start().await;
    let invited = world.invite(world.contoso.id, world.contoso.email, Role::Administrator).await;
    assert_eq!(invited.administrator.unwrap().state(), State::Invited);
    assert!(invited.mailed);
    let path = world.path_of(&invited.link);
    let browser = world.browser();
    let form = browser.get(&path).await;
    assert!(form.status == 200 && form.body.contains("Contoso"), "{}", form.body);
    let weak = browser.post(&path, &[("name", "Anna"), ("password", "contoso contoso")]).await;
    assert_eq!(weak.status, 422);
    assert_eq!(browser.post(&path, &ACCEPTANCE).await.status, 303);
    assert_eq!(browser.get("/account").await.status, 200);
    assert_eq!(world.browser().get(&path).await.status, 410);
    assert_eq!(world.browser().post(&path, &ACCEPTANCE).await.status, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_speaks_the_browsers_language_unless_one_was_chosen() {
    let world = World::start().await;
    let french = |request: reqwest::RequestBuilder| request.header("accept-language", "fr-FR,fr;q=0.9");
    for (email, chosen, language) in [("a@contoso.example", "", "fr"), ("b@contoso.example", "en", "en")] {
        let Answer::Invited(invited) = world.invite_in(chosen, world.contoso.id, email, Role::Auditor).await
        else {
            panic!("not invited");
        };
        let browser = world.browser();
        let path = world.path_of(&invited.link);
        let form = browser.send(french(browser.request(reqwest::Method::GET, &path))).await;
        assert!(form.body.contains(&format!("<html lang=\"{language}\">")), "{email}: {}", form.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_accept_at_once_one_is_let_in() {
    let world = World::start().await;
    let invited = world.invite(world.contoso.id, world.contoso.email, Role::Administrator).await;
    let path = world.path_of(&invited.link);
    let (a, b) = (world.browser(), world.browser());
    let (a, b) = tokio::join!(a.post(&path, &ACCEPTANCE), b.post(&path, &ACCEPTANCE));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_ends_after_seven_days_or_with_the_next_one() {
    let world = World::start().await;
    let first = world.invite(world.contoso.id, world.contoso.email, Role::Administrator).await;
    let second = world.invite(world.contoso.id, world.contoso.email, Role::Auditor).await;
    assert_eq!(world.browser().get(&world.path_of(&first.link)).await.status, 410);
    assert_eq!(world.browser().get(&world.path_of(&second.link)).await.status, 200);
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(world.browser().get(&world.path_of(&second.link)).await.status, 410);
    assert_eq!(world.browser().post(&world.path_of(&second.link), &ACCEPTANCE).await.status, 410);
    for nonsense in ["x", &"A".repeat(43), "%00", "..%2f.."] {
        assert_eq!(world.browser().get(&format!("/invitation/{nonsense}")).await.status, 410, "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_to_two_companies_with_one_address() {
    let (world, _) = World::start_signed_in().await;
    for email in [world.contoso.email, "ANNA@contoso.example"] {
        let taken = world.try_invite(world.fabrikam.id, email, Role::Administrator).await;
        assert_eq!(reason(taken), Reason::Invalid, "{email}");
    }
    let unknown = world.try_invite(CompanyId::mint(), "new@contoso.example", Role::Administrator).await;
    assert_eq!(reason(unknown), Reason::NotFound);
    for malformed in ["", "anna", "a b@c", "a@b\nBcc: c@d", &format!("{}@b.example", "a".repeat(300))] {
        let refused = world.try_invite(world.contoso.id, malformed, Role::Administrator).await;
        assert_eq!(reason(refused), Reason::Invalid, "{malformed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_invites_changes_and_removes_in_their_own_company_alone() {
    let (world, browser) = World::start_signed_in().await;
    let page = browser
        .post("/settings/administrators/invite", &[("email", "carla@contoso.example"), ("role", "auditor")])
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    let link = page.body.split("value=\"").map(|rest| rest.split('"').next().unwrap());
    let link = link.into_iter().find(|value| value.contains("/invitation/")).unwrap();
    let carla = world.browser();
    assert_eq!(carla.post(&world.path_of(link), &ACCEPTANCE).await.status, 303);
    assert!(!browser.get("/settings/administrators").await.body.contains("/invitation/"), "shown once");
    let id = id_of(&world, &world.contoso, "carla@contoso.example").await;

    let other = world.administrator(&world.fabrikam.clone()).await;
    for (act, fields) in [("role", vec![("role", "administrator")]), ("remove", vec![]), ("sign-out", vec![])]
    {
        let answer = other.post(&format!("/settings/administrators/{id}/{act}"), &fields).await;
        assert_eq!(answer.status, 404, "{act}");
    }
    assert!(!other.get("/settings/administrators").await.body.contains("contoso.example"));

    assert_eq!(carla.post("/settings/administrators/invite", &[]).await.status, 403);
    let role = format!("/settings/administrators/{id}/role");
    assert_eq!(browser.post(&role, &[("role", "administrator")]).await.status, 303);
    assert_eq!(
        carla.post("/settings/administrators/invite", &[]).await.status,
        400,
        "from the next click on"
    );
    assert_eq!(browser.post(&role, &[("role", "owner")]).await.status, 400);
    assert_eq!(browser.post(&format!("/settings/administrators/{id}/remove"), &[]).await.status, 303);
    assert_eq!(carla.get("/account").await.status, 303, "removed, and signed out at once");
    assert_eq!(carla.sign_in("carla@contoso.example").await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    let (world, browser) = World::start_signed_in().await;
    world.auditor().await;
    world.invite(world.contoso.id, "waiting@contoso.example", Role::Administrator).await;
    let id = id_of(&world, &world.contoso, world.contoso.email).await;
    let path = format!("/settings/administrators/{id}");
    assert_eq!(browser.post(&format!("{path}/remove"), &[]).await.status, 409);
    assert_eq!(browser.post(&format!("{path}/role"), &[("role", "auditor")]).await.status, 409);
    let remove = RemoveAdministrator {
        company_id: world.contoso.id.to_string(),
        administrator_id: id.clone(),
        actor: Some(operator()),
    };
    assert_eq!(reason(world.ask(REMOVE_ADMINISTRATOR, remove).await), Reason::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_cannot_remove_each_other_at_once() {
    let (world, anna) = World::start_signed_in().await;
    let carla = world.person(world.contoso.id, "carla@contoso.example", Role::Administrator).await;
    let (anna_id, carla_id) = (
        id_of(&world, &world.contoso, world.contoso.email).await,
        id_of(&world, &world.contoso, "carla@contoso.example").await,
    );
    let (a, b) = (
        format!("/settings/administrators/{carla_id}/remove"),
        format!("/settings/administrators/{anna_id}/remove"),
    );
    tokio::join!(anna.post(&a, &[]), carla.post(&b, &[]));
    assert_eq!(ids(&world, world.contoso.id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_do_the_same_and_must_say_who_they_are() {
    let (world, browser) = World::start_signed_in().await;
    let auditor = world.auditor().await;
    let id = id_of(&world, &world.contoso, "auditor@contoso.example").await;
    let company_id = world.contoso.id.to_string();
    let role = |actor| ChangeRole {
        company_id: company_id.clone(),
        administrator_id: id.clone(),
        role: Role::Administrator.into(),
        actor,
    };
    assert_eq!(reason(world.ask(CHANGE_ROLE, role(None)).await), Reason::Invalid);
    let unwritable = Actor { name: "ol\0ga".to_owned(), ..operator() };
    assert_eq!(reason(world.ask(CHANGE_ROLE, role(Some(unwritable))).await), Reason::Invalid);
    let disguised = Actor { kind: actor::Kind::Administrator.into(), ..operator() };
    assert!(matches!(world.ask(CHANGE_ROLE, role(Some(disguised))).await, Answer::Administrator(_)));
    let question = ListEvents { company_id: company_id.clone(), before_event_id: String::new(), limit: 1 };
    let Answer::Events(newest) = world.ask(LIST_CONSOLE_EVENTS, question).await else { panic!("no events") };
    assert_eq!(newest.events[0].act, "administrator.role_changed");
    assert_eq!(newest.events[0].actor.clone().unwrap().kind(), actor::Kind::Operator, "not an administrator");
    assert!(matches!(world.ask(CHANGE_ROLE, role(Some(operator()))).await, Answer::Administrator(_)));
    let sign_out = SignOutAdministrator {
        company_id: company_id.clone(),
        administrator_id: id.clone(),
        actor: Some(operator()),
    };
    world.ask(SIGN_OUT_ADMINISTRATOR, sign_out).await;
    assert_eq!(auditor.get("/account").await.status, 303);
    let foreign = RemoveAdministrator {
        company_id: world.fabrikam.id.to_string(),
        administrator_id: id,
        actor: Some(operator()),
    };
    assert_eq!(reason(world.ask(REMOVE_ADMINISTRATOR, foreign).await), Reason::NotFound);
    assert_eq!(browser.get("/account").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_written_down_with_who_did_it() {
    let (world, browser) = World::start_signed_in().await;
    world
        .browser()
        .post("/sign-in", &[("email", world.contoso.email), ("password", "a wrong one, surely")])
        .await;
    browser.post("/account/notices", &[]).await;
    browser.post("/sign-out", &[]).await;
    browser.sign_in(world.contoso.email).await;
    let anna = world.contoso.email;
    assert_eq!(
        acts(&world, world.contoso.id).await,
        [
            format!("administrator.invited {anna} by oscar"),
            format!("invitation.accepted {anna} by {anna}"),
            format!("session.sign_in_failed {anna} by {anna}"),
            format!("notices.changed {anna} by {anna}"),
            format!("session.signed_out {anna} by {anna}"),
            format!("session.signed_in {anna} by {anna}"),
        ]
    );
    let question =
        ListEvents { company_id: world.contoso.id.to_string(), before_event_id: String::new(), limit: 1 };
    let Answer::Events(newest) = world.ask(LIST_CONSOLE_EVENTS, question).await else { panic!("no events") };
    let who = newest.events[0].actor.clone().unwrap();
    assert_eq!((who.kind(), who.address.as_str()), (actor::Kind::Administrator, "198.51.100.7"));
    assert!(acts(&world, world.fabrikam.id).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_shown_as_text() {
    let (world, browser) = World::start_signed_in().await;
    let name = "<b>Anna</b> & \"Co\"";
    assert_eq!(browser.post("/account/profile", &[("name", name), ("language", "en")]).await.status, 303);
    for page in ["/account", "/settings/administrators"] {
        let body = browser.get(page).await.body;
        assert!(!body.contains("<b>Anna"), "{page}");
        assert!(body.contains("&#60;b&#62;Anna"), "{page}: {body}");
    }
    drop(world);
}
