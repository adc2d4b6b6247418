//! Pages, totals, and questions that make no sense.

use std::time::Duration;

use bus_contract::{
    Message,
    directory::{self, failure::Reason, reply},
    subject::{CREATE_COMPANY, LIST_COMPANIES, LOOK_UP_USER, SEARCH_USERS},
};
use serde_json::json;

use crate::harness::{DEADLINE, World, olga};

#[tokio::test(flavor = "multi_thread")]
async fn pages_cover_everybody_once_and_state_the_total() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    for number in 0..7 {
        caller.hire(json!({"userName": format!("user-{number}@contoso.com"), "title": "Clerk"})).await;
    }
    let mut seen = vec![];
    for offset in [0, 3, 6] {
        let (total, page) = caller.search("title eq \"CLERK\"", offset, 3).await;
        assert_eq!(total, 7);
        seen.extend(page.into_iter().map(|user| user.user_id));
    }
    assert!(seen.is_sorted());
    seen.dedup();
    assert_eq!(seen.len(), 7);
    assert_eq!(caller.search("", 0, 0).await, (7, vec![]));
    assert_eq!(caller.search("", 70, 3).await, (7, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_users_is_cut_to_what_the_bus_carries() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let large = "x".repeat(400 << 10);
    for number in 0..4 {
        caller.hire(json!({"userName": format!("user-{number}@contoso.com"), "title": large})).await;
    }
    let (total, page) = caller.search("", 0, 4).await;
    assert_eq!((total, page.len()), (4, 2));
    let (_, rest) = caller.search("", 2, 4).await;
    assert_eq!(rest.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_is_refused_and_not_dropped() {
    let world = World::new();
    let _directory = world.directory().await;
    let caller = world.caller().await;
    let refused = |result| match result {
        reply::Result::Failure(failure) => (failure.reason(), failure.scim_type),
        other => panic!("{other:?}"),
    };
    for subject in [LOOK_UP_USER, SEARCH_USERS] {
        let answer = caller.question(subject, b"\xff".to_vec()).await;
        assert_eq!(refused(answer), (Reason::Invalid, String::new()), "{subject}");
    }
    let question = directory::SearchUsers {
        company_id: caller.company.to_string(),
        filter: "userName eq".to_owned(),
        ..directory::SearchUsers::default()
    };
    let answer = caller.question(SEARCH_USERS, question.encode_to_vec()).await;
    assert_eq!(refused(answer), (Reason::Invalid, "invalidFilter".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_s_slow_searches_keep_no_other_company_waiting() {
    const SEARCHES: usize = 60;
    let world = World::new();
    let _directory = world.directory().await;
    let (mut slow, mut other) = (world.caller().await, world.caller().await);
    slow.hire(json!({"userName": "slow@contoso.com"})).await;
    other.hire(json!({"userName": "other@fabrikam.com"})).await;
    // Whoever looks at this company's users looks for a minute.
    world.sql(&format!(
        "create policy takes_long on directory.users as restrictive using (
           company_id <> '{}' or pg_sleep(60) is not null)",
        slow.company
    ));
    let question = directory::SearchUsers {
        company_id: slow.company.to_string(),
        limit: 10,
        patience_ms: 1_000,
        ..directory::SearchUsers::default()
    };
    let asking = (0..SEARCHES).map(|_| slow.question(SEARCH_USERS, question.encode_to_vec()));
    let asked = tokio::time::timeout(Duration::from_secs(1), futures_util::future::join_all(asking));
    // Those that began end with the patience of whoever asked, and the others never begin.
    assert!(asked.await.is_err());
    assert_eq!(other.search("", 0, 10).await.0, 1);
    let late = slow.question(SEARCH_USERS, question.encode_to_vec()).await;
    assert!(matches!(late, reply::Result::Failure(failure) if failure.reason() == Reason::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_created_once_and_listed() {
    let world = World::new();
    let _directory = world.directory().await;
    let operator = world.bus("operator").await;
    let ask = async |subject: &'static str, payload: Vec<u8>| {
        let answer = operator.ask(subject, payload, DEADLINE).await.unwrap();
        directory::Reply::decode(answer).unwrap().result.unwrap()
    };
    let create =
        directory::CreateCompany { company_id: String::new(), name: " Contoso ".to_owned(), actor: olga() };
    let reply::Result::CreateCompany(first) = ask(CREATE_COMPANY, create.encode_to_vec()).await else {
        panic!()
    };
    let company = first.company.unwrap();
    assert!(first.created);
    assert_eq!(company.name, "Contoso");

    let again = directory::CreateCompany {
        company_id: company.company_id.clone(),
        name: "Other".to_owned(),
        actor: olga(),
    };
    let reply::Result::CreateCompany(second) = ask(CREATE_COMPANY, again.encode_to_vec()).await else {
        panic!()
    };
    assert_eq!((second.created, second.company.unwrap()), (false, company.clone()));
    let one = directory::ListCompanies {
        company_id: company.company_id.clone(),
        ..directory::ListCompanies::default()
    };
    let reply::Result::ListCompanies(listed) = ask(LIST_COMPANIES, one.encode_to_vec()).await else {
        panic!()
    };
    assert_eq!(listed.companies, [company]);
}
