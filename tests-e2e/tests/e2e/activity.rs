//! What Entra did is what we say that it did: counted, logged, judged, and told to those who look after it.

use entra_emulator::{Action, Cycle, Generation, Settings, Tenant};
use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::visitor::Visitor,
    eventually,
    eventually::when,
    fault::Part,
    observe::{self, metric},
};
use tokio::task::block_in_place;

/// More than any attribute that an index holds may have.
const TOO_LONG: usize = 600;

fn keep_exchanges(settings: &mut Settings) {
    settings.keep_exchanges = true;
}

fn requests(cycles: &[&Cycle]) -> u32 {
    cycles.iter().map(|cycle| u32::try_from(cycle.exchanges.len()).unwrap()).sum()
}

/// Waits until the company's only cycle has so many calls, and returns it.
async fn cycle_of(world: &World, calls: f64) -> Value {
    let operator = world.operator();
    let counted = |cycles: &Value| when(cycles[0]["calls"].as_f64() == Some(calls));
    eventually(&format!("{calls} calls are counted"), async || operator.cycles(), counted).await;
    let cycles = operator.cycles();
    assert_eq!(cycles.as_array().map(Vec::len), Some(1), "{cycles}");
    cycles[0].clone()
}

async fn health_becomes(world: &World, state: &str) -> Value {
    let operator = world.operator();
    let observe = async || operator.activity();
    eventually(&format!("health is {state}"), observe, |shown| {
        (shown["state"] == state).then(|| shown.clone())
    })
    .await
    .0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_is_counted_as_entra_counts_it_and_a_refusal_is_logged_with_its_cause() {
    let world = World::shared();
    let operator = world.operator();
    assert_eq!(operator.activity()["state"], "never connected");

    let mut entra = world.entra(Tenant::empty("counted.example", 3), keep_exchanges);
    let anna = entra.tenant.hire_named("Anna", "Berg", "anna.berg");
    let jean = entra.tenant.hire_named("Jean", "Petit", "jean.petit");
    let long = entra.tenant.hire_named("Long", "Name", "long.name");
    entra.tenant.edit(long, |person| person.display_name = "n".repeat(TOO_LONG));
    let first = entra.job.run_cycle(&mut entra.tenant).await;
    entra.tenant.rename(anna, "Bergstrom", "anna.berg");
    entra.tenant.disable(jean);
    let second = entra.job.run_cycle(&mut entra.tenant).await;
    entra.tenant.edit(long, |person| person.display_name = "Long Name".to_owned());
    let third = entra.cycle().await;

    let cycles = [&first, &second, &third];
    // The probe before the first is an administrator's test for all we know; those between belong to what runs.
    let counted = cycle_of(&world, (requests(&cycles) - 1).into()).await;
    let done = |action| cycles.iter().map(|cycle| cycle.succeeded_users(action)).sum::<usize>();
    let failed = cycles.iter().map(|cycle| cycle.failures().count()).sum::<usize>();
    assert_eq!((done(Action::Create), done(Action::Update), done(Action::Disable)), (3, 1, 1));
    assert!(failed >= 2, "{failed}");
    assert_eq!(counted["created"], done(Action::Create));
    assert_eq!(counted["updated"], done(Action::Update));
    assert_eq!(counted["deactivated"], done(Action::Disable));
    assert_eq!((&counted["refused"], &counted["failed"]), (&json!(failed), &json!(0)));
    assert_eq!(counted["causes"], json!([{ "cause": "400 invalidValue", "count": failed }]));

    let refusals = operator.log(&["--outcome", "refused"]);
    assert_eq!(refusals.as_array().unwrap().len(), failed);
    let refusal = &refusals[0];
    assert_eq!((&refusal["verb"], &refusal["scim_type"]), (&json!("create"), &json!("invalidValue")));
    assert!(refusal["target"].as_str().unwrap().starts_with("long.name@"), "{refusal}");
    assert!(refusal["detail"].as_str().unwrap().contains("displayName"), "{refusal}");
    let by_request = operator.log(&["--request", refusal["request_id"].as_str().unwrap()]);
    assert_eq!(by_request, json!([refusal]));

    let story = operator.log(&["--user", &entra.account_id(anna), "--verb", "create,update"]);
    let verbs: Vec<_> = story.as_array().unwrap().iter().map(|line| line["verb"].clone()).collect();
    assert_eq!(verbs, ["update", "create"]);
    assert!(story[0]["changed"].as_array().unwrap().contains(&json!("displayName")), "{story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_token_is_critical_and_mailed_once_until_a_new_one_is_used() {
    let world = World::shared();
    let operator = world.operator();
    let email = format!("marie@{}.example", world.company.id);
    let link = operator.invite(&email, "administrator", "fr");
    let (console, path) = link.split_at(world.console_url().len());
    let form = [("name", "Marie"), ("password", "correct horse battery staple 7")];
    assert_eq!(Visitor::new(console).post(path, &form).await.status, 303);

    let mut entra = world.entra(Tenant::empty("ended.example", 4), |_defaults| ());
    entra.tenant.hire_named("Anna", "Berg", "anna.berg");
    entra.cycle().await;
    health_becomes(&world, "healthy").await;

    let old = operator.tokens()[0]["id"].as_str().unwrap().to_owned();
    operator.revoke(&old);
    let refused = async || entra.job.test_connection().await.is_err();
    eventually("Entra is refused", refused, |&refused| when(refused)).await;
    let critical = health_becomes(&world, "critical").await;
    assert_eq!(critical["concerns"][0]["kind"], "ended credential");
    assert_eq!(operator.trouble()["state"], "critical");
    let mails = async || observe::mails(world.stack(), &email);
    let about = |mails: &[String], words: &str| mails.iter().filter(|mail| mail.contains(words)).count();
    // Of the French texts: that Entra is refused, and that there is nothing left to do.
    let (is_refused, works_again) = ("il mettra la t=C3=A2che en quarantaine", "a rien =C3=A0 faire");
    eventually("Marie is told in French", mails, |mails| when(about(mails, is_refused) > 0)).await;

    let new = world.scim.with_token(&operator.issue("365d").secret);
    eventually(
        "the new token is known",
        async || new.get("/Users?count=0").await.status,
        |&status| when(status == 200),
    )
    .await;
    health_becomes(&world, "healthy").await;
    assert_eq!(operator.trouble(), Value::Null);
    // Many rounds were made in between, which had nothing more to say.
    eventually("Marie is told that it works", mails, |mails| when(about(mails, works_again) > 0)).await;
    let mails = observe::mails(world.stack(), &email);
    assert_eq!((about(&mails, is_refused), about(&mails, works_again), mails.len()), (1, 1, 3), "{mails:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_dies_in_the_middle_of_a_cycle_loses_no_count() {
    let world = World::to_disturb().await;
    let stack = world.stack();
    let totals = async || {
        let answered = metric(stack, "scim-gateway", "timeclock_http_requests_total").await;
        let reported = metric(stack, "scim-gateway", "timeclock_gateway_calls_reported_total").await;
        let dropped = metric(stack, "scim-gateway", "timeclock_gateway_calls_dropped_total").await;
        [answered, reported, dropped].map(|total| total.unwrap_or_default())
    };
    let before = totals().await;
    let people = Generation { users: 60, groups: 0, seed: 17, domain: "uncounted.example".to_owned() };
    // A test before everything else is no call of a cycle.
    let mut entra = world.entra(Tenant::generate(&people), |settings| settings.probe = false);
    let ((), interrupted) = tokio::join!(
        async {
            let count = async || world.scim.get("/Users?count=0").await.json()["totalResults"].as_u64();
            eventually("some people exist", count, |count| count.filter(|&count| count >= 10)).await;
            let unavailable = async || observe::answers_with(stack, 503).await.unwrap_or_default();
            let calm = unavailable().await;
            Part::Service("directory-service").kill(stack);
            eventually("the cycle meets the outage", unavailable, |&now| when(now > calm)).await;
            Part::Service("directory-service").start_again(stack);
        },
        entra.job.run_cycle(&mut entra.tenant)
    );
    println!("the interrupted cycle had {} failures", interrupted.failures().count());
    let second = entra.cycle().await;

    let all_reported = |now: &[f64; 3]| {
        let [answered, reported, dropped] = [0, 1, 2].map(|place| now[place] - before[place]);
        when(reported + dropped == answered).map(|()| (reported, dropped))
    };
    let ((reported, dropped), _) = eventually("every answer is reported", totals, all_reported).await;
    assert_eq!(dropped, 0.0);
    let counted = cycle_of(&world, reported).await;
    // A create that was applied after its caller had given up is none that Entra knows of: it finds the user next time.
    let created = [interrupted, second].map(|cycle| cycle.succeeded_users(Action::Create));
    assert_eq!(counted["created"], created.iter().sum::<usize>());
    assert_ne!(counted["failed"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_do_is_written_down_with_their_names() {
    let world = World::shared();
    let company = &world.company.id;
    let by = |name: &str, arguments: &[&str]| {
        let arguments = [&["--as", name], arguments, &["--company", company]].concat();
        block_in_place(|| world.stack().operator(&arguments)).unwrap()
    };
    let token = by("Olga", &["token", "issue", "--lifetime", "30d"]);
    by("Pierre", &["token", "revoke", "--token", token["id"].as_str().unwrap()]);
    let email = format!("anna@{company}.example");
    by("Olga", &["administrator", "invite", "--email", &email]);

    let operator = world.operator();
    let acts = |subject: &str| {
        let events = operator.events(subject);
        let events = events.as_array().unwrap().iter();
        events
            .map(|event| [&event["act"], &event["actor_kind"], &event["actor"]].map(text))
            .collect::<Vec<_>>()
    };
    let (olga, pierre) = ("Olga".to_owned(), "Pierre".to_owned());
    let tokens = acts("token");
    assert_eq!(tokens[0], ["token.revoked".to_owned(), "operator".to_owned(), pierre]);
    assert_eq!(tokens[1], ["token.issued".to_owned(), "operator".to_owned(), olga.clone()]);
    assert_eq!(acts("administrator")[0][1..], ["operator".to_owned(), olga]);
    // Whoever started the stack created the company.
    let created = &acts("company")[0];
    assert_eq!(created[..2], ["company.created".to_owned(), "operator".to_owned()]);
    assert!(!created[2].is_empty());
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
