//! Mass removals: the banner of every page, the page with who it was, and what comes of a decision.

use bus_contract::{
    console::Role,
    directory::{
        DecideBrake, Failure, GetActivityReply, Health, ListRemovals, SetBrakeRule, brake::State,
        decide_brake::Decision, failure::Reason, health, reply::Result as Told,
    },
    subject::{DECIDE_BRAKE, LIST_REMOVALS, SET_BRAKE_RULE},
};

use crate::{
    harness::World,
    sample::{self, BRAKE, HOSTILE, PERSON},
};

const PAGE: &str = "/provisioning/brakes/019b0000-0000-7000-8000-000000000040";

/// Removals that wait, and a directory that takes no decision about what the page showed.
fn conflicts(world: &World) {
    sample::lives(world, "Diego Siciliani");
    sample::says_brake(world, "Diego Siciliani", State::On);
    world.services.answer(DECIDE_BRAKE, |_: DecideBrake| {
        let failure = Failure { reason: Reason::Conflict.into(), ..Failure::default() };
        sample::told(Told::Failure(failure))
    });
}

/// Whatever else is wrong.
fn alarmed(world: &World) {
    let concerns = sample::in_danger().health.map(|health| health.concerns).unwrap_or_default();
    let concerns = [vec![sample::removals()], concerns].concat();
    let health = Health { state: health::State::Critical.into(), concerns, ..Health::default() };
    let activity = GetActivityReply { health: Some(health), ..sample::activity() };
    sample::says_activity(world, activity);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_company_says_that_many_lost_access_before_anything_else() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    alarmed(&world);
    for page in ["/", "/people", "/groups", "/provisioning", "/settings/company", "/audit"] {
        let body = browser.get(page).await.body;
        // The overview has every notice and no banner beside them.
        let class = if page == "/" { "class=\"notice danger" } else { "class=\"notice danger banner\"" };
        let banner = body.split_once(class).expect("a banner").1;
        let banner = banner.split_once("</div>").unwrap().0;
        assert!(banner.contains("Microsoft Entra removed 132 of 300 people within 40 minutes"), "{banner}");
        assert!(
            banner.contains("nobody has been deleted for good, but groups that were deleted are gone"),
            "{banner}"
        );
        assert!(banner.contains("href=\"/provisioning/brakes\""), "{banner}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_who_it_was_and_the_dialogs_what_will_happen_to_whom() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    sample::says_brake(&world, HOSTILE, State::On);
    let body = browser.get(PAGE).await.body;
    assert!(!body.contains("<script>alert"), "a name is a name");
    for text in [
        "Henrietta Mueller",
        "was in 3 groups",
        "Bring 148 people back?",
        "removed 157 people within 40 minutes. Of 300 who had access, 132 lost it.",
        "Whoever had access gets it back. Those who were deleted (40) come back",
        "148 people really left?",
        "Created anew by Microsoft Entra",
        "Deleted for good</dt><dd>7<",
        "those who were deleted are deleted for good on",
    ] {
        assert!(body.contains(text), "{text}: {body}");
    }
    assert!(body.contains(&format!("{PAGE}?after={PERSON}")), "the others follow");
    browser.get(&format!("{PAGE}?after={PERSON}")).await;
    let asked = world.services.asked::<ListRemovals>(LIST_REMOVALS).pop().unwrap();
    assert_eq!((asked.brake_id.as_str(), asked.after_user_id.as_str()), (BRAKE, PERSON));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_passed_on_with_who_took_it() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    sample::says_brake(&world, "Diego Siciliani", State::On);
    let seen = [("removed", "157")];
    assert!(browser.get(PAGE).await.body.contains("name=\"removed\" value=\"157\""));
    for (act, decision, fields, removed) in
        [("undo", Decision::Undo, [].as_slice(), 0), ("release", Decision::Release, seen.as_slice(), 157)]
    {
        let answer = browser.post(&format!("{PAGE}/{act}"), fields).await;
        assert_eq!((answer.status, answer.location()), (303, PAGE));
        let asked = world.services.asked::<DecideBrake>(DECIDE_BRAKE).pop().unwrap();
        assert_eq!((asked.decision(), asked.removed), (decision, removed));
        assert_eq!((asked.company_id, asked.brake_id.as_str()), (world.contoso.id.to_string(), BRAKE));
        assert_eq!(asked.actor.unwrap().name, world.contoso.email);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_not_seen_all_of_them_is_told_how_many_more_there_are() {
    let (world, browser) = World::start_signed_in().await;
    conflicts(&world);
    let grown = browser.post(&format!("{PAGE}/release"), &[("removed", "145")]).await;
    assert_eq!(grown.status, 409);
    assert!(grown.body.contains("removed 12 more people since you opened this page"), "{}", grown.body);
    assert!(!grown.body.contains("decided otherwise"), "{}", grown.body);
    assert_eq!(browser.post(&format!("{PAGE}/release"), &[]).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slower_is_told_and_whoever_may_only_look_has_no_buttons() {
    let (world, browser) = World::start_signed_in().await;
    conflicts(&world);
    let late = browser.post(&format!("{PAGE}/undo"), &[]).await;
    assert_eq!(late.status, 409);
    assert!(late.body.contains("decided otherwise in the meantime"), "{}", late.body);
    let auditor = world.person(world.contoso.id, "looks@contoso.example", Role::Auditor).await;
    let body = auditor.get(PAGE).await.body;
    assert!(body.contains("Henrietta Mueller") && !body.contains("Undo all"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_people_come_back_the_page_follows_by_itself() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    for (state, follows) in [(State::On, false), (State::Undoing, true), (State::Undone, false)] {
        sample::says_brake(&world, "Diego Siciliani", state);
        let body = browser.get(PAGE).await.body;
        assert_eq!(body.contains("hx-select=\"#brake\""), follows, "{state:?}: {body}");
        assert_eq!(body.contains("Undo all"), state == State::On, "{state:?}: {body}");
        assert_eq!(body.contains("olga, TimeClock 365 support"), state != State::On, "{state:?}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_is_the_companys_own() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let rule = [("more_than", "5"), ("percent", "20")];
    let answer = browser.post("/provisioning/brakes/rule", &rule).await;
    assert_eq!((answer.status, answer.location()), (303, "/provisioning/brakes?done=rule"));
    let asked = world.services.asked::<SetBrakeRule>(SET_BRAKE_RULE).pop().unwrap();
    let rule_asked = asked.rule.unwrap();
    assert_eq!((rule_asked.more_than, rule_asked.percent), (5, 20));
    assert!(browser.get("/provisioning/brakes?done=rule").await.body.contains("The rule is saved"));
    world.services.answer(SET_BRAKE_RULE, |_: SetBrakeRule| {
        let failure = Failure { reason: Reason::Invalid.into(), ..Failure::default() };
        sample::told(Told::Failure(failure))
    });
    let refused = browser.post("/provisioning/brakes/rule", &rule).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("The rule was not saved"), "{}", refused.body);
    assert_eq!(browser.post("/provisioning/brakes/rule", &[("more_than", "many")]).await.status, 400);
}
