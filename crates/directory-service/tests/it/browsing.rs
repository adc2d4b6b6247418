//! Users and groups for people to look through, page by page in the order of their names.

use bus_contract::{
    directory::{BrowseGroups, BrowseUsers, browse_users::State, failure},
    provisioning::patch_operation::Op,
    subject,
};
use serde_json::{Value, json};
use typed_ids::{CompanyId, UserId};

use crate::{
    console::Console,
    harness::{Caller, World, attributes, eventually},
    reads::{reads, world_of_indexes},
};

async fn names(console: &Console, question: BrowseUsers) -> Vec<String> {
    let page = console.users(BrowseUsers { limit: 200, ..question }).await;
    assert!(!page.has_more);
    page.users.iter().map(|user| attributes(user)["userName"].as_str().unwrap().to_owned()).collect()
}

async fn hire(caller: &mut Caller, name: &str, more: Value) -> String {
    let mut user = json!({"userName": name});
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    caller.hire(user).await.user_id
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_the_beginning_of_either_name_or_by_an_id() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let anna = hire(&mut caller, "zz-anna@contoso.com", json!({"displayName": "Änne Berg"})).await;
    hire(&mut caller, "Anton@contoso.com", json!({"externalId": "4711", "active": false})).await;
    hire(&mut caller, "ben@contoso.com", json!({"displayName": "Anton's brother"})).await;
    hire(&mut caller, "under_score@contoso.com", json!({"displayName": "100% Ben"})).await;
    let all = BrowseUsers { company_id: caller.company.to_string(), ..BrowseUsers::default() };
    let search = async |text: &str, state: State| {
        names(&console, BrowseUsers { search: text.to_owned(), state: state.into(), ..all.clone() }).await
    };

    let everybody =
        ["Anton@contoso.com", "ben@contoso.com", "under_score@contoso.com", "zz-anna@contoso.com"];
    assert_eq!(search("", State::Any).await, everybody);
    assert_eq!(search("", State::Active).await, everybody[1..]);
    assert_eq!(search("", State::Inactive).await, everybody[..1]);
    assert_eq!(search("ANTON", State::Any).await, everybody[..2]);
    assert_eq!(search("anton", State::Active).await, everybody[1..2]);
    assert_eq!(search("anton", State::Inactive).await, everybody[..1]);
    assert_eq!(search("ÄNNE b", State::Any).await, everybody[3..]);
    assert_eq!(search(" 4711 ", State::Any).await, everybody[..1]);
    assert_eq!(search("4711", State::Active).await, everybody[..0]);
    assert_eq!(search(&anna, State::Any).await, everybody[3..]);
    assert_eq!(search("100%", State::Any).await, everybody[2..3]);
    assert_eq!(search("under_", State::Any).await, everybody[2..3]);
    assert_eq!(search("%", State::Any).await, everybody[..0]);
    // Under a new name they are found, and no more under the old.
    caller.patch(&anna, &[(Op::Replace, "displayName", json!("Zoe"))]).await;
    assert_eq!(search("zoe", State::Any).await, everybody[3..]);
    assert_eq!(search("änne", State::Any).await, everybody[..0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_every_name_that_others_know_them_by() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut stranger = world.caller().await;
    let console = Console::new(&world).await;
    let anna = hire(&mut caller, "x7431@northwind.com", anna_berg()).await;
    let astrid = json!({"displayName": "Ødegård, Åse (Straße)"});
    hire(&mut caller, "x7432@northwind.com", astrid).await;
    hire(&mut caller, "x7433@northwind.com", json!({"displayName": "Muller"})).await;
    hire(&mut stranger, "x9@fabrikam.com", anna_berg()).await;
    let all = BrowseUsers { company_id: caller.company.to_string(), ..BrowseUsers::default() };
    let search =
        async |text: &str| names(&console, BrowseUsers { search: text.to_owned(), ..all.clone() }).await;

    for text in ["Anna", "anna b", "BERG", "Lindqvist", "Änna", "anna.berg@north", "home@", "4711", "x7431"]
    {
        let expected: &[&str] = if text == "home@" { &[] } else { &["x7431@northwind.com"] };
        assert_eq!(search(text).await, expected, "{text}");
    }
    for text in ["Ødegård", "odegard", "ODEGÅRD, åse", "ase", "Åse", "strasse"] {
        assert_eq!(search(text).await, ["x7432@northwind.com"], "{text}");
    }
    assert_eq!(search("Müller").await, ["x7433@northwind.com"]);
    assert!(search("erg").await.is_empty(), "the middle of a word is no beginning");

    // By what they are called now, and no more by what they were.
    let married = [(Op::Replace, "displayName", json!("Anna Holm")), (Op::Remove, "name", Value::Null)];
    caller.patch(&anna, &married).await;
    assert_eq!(search("holm").await, ["x7431@northwind.com"]);
    assert!(search("berg").await.is_empty());
    let keys =
        format!("select string_agg(key, ' ' order by key) from user_search_keys where user_id = '{anna}'");
    assert_eq!(world.sql(&keys).trim(), "4711 holm");
    // What names the person goes with the person, whoever deletes the row.
    caller.delete(&anna).await;
    assert_eq!(world.sql(&keys).trim(), "");
    assert!(search("holm").await.is_empty());
    world.sql(&format!("delete from users where company_id = '{}'", stranger.company));
    world.sql("delete from users");
    assert_eq!(world.sql("select count(*) from user_search_keys").trim(), "0");
}

/// Whose userName says nothing of her.
fn anna_berg() -> Value {
    json!({
        "displayName": "Anna Berg", "name": {"givenName": "Anna", "familyName": "Berg-Lindqvist"},
        "emails": [
            {"type": "work", "value": "anna.berg@northwind.com"}, {"type": "home", "value": "home@example.com"},
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "4711"},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_were_stored_before_there_were_keys_get_theirs() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    let company = caller.company;
    for number in 0..3 {
        hire(&mut caller, &format!("x{number}@northwind.com"), anna_berg()).await;
    }
    directory.kill_9();
    world.sql(&format!(
        "insert into companies (company_id, name, created_at) values ('{company}', 'Northwind', now()); \
         update users set search_keys = null; delete from user_search_keys"
    ));
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let berg =
        BrowseUsers { company_id: company.to_string(), search: "berg".to_owned(), ..BrowseUsers::default() };
    eventually("they are found", async || names(&console, berg.clone()).await.len() == 3).await;
    assert_eq!(world.sql("select count(*) from users where search_keys is null").trim(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_users_have_no_gaps_and_no_repeats() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    for number in 0..25 {
        let name = format!("user-{:02}@contoso.com", (number * 7) % 25);
        hire(&mut caller, &name, json!({"displayName": "User of ours", "active": number % 3 != 0})).await;
    }
    for (search, state, count) in [
        ("", State::Any, 25),
        ("user", State::Any, 25),
        ("", State::Active, 16),
        ("user of", State::Inactive, 9),
    ] {
        let all = BrowseUsers {
            company_id: caller.company.to_string(),
            search: search.to_owned(),
            state: state.into(),
            limit: 4,
            ..BrowseUsers::default()
        };
        let (mut after, mut found) = (String::new(), vec![]);
        loop {
            let page = console.users(BrowseUsers { after_user_id: after, ..all.clone() }).await;
            assert_eq!(page.users.len() == 4, page.users.len() == 4 || page.has_more, "a page is full");
            after = page.users.last().unwrap().user_id.clone();
            found.extend(page.users.iter().map(|user| attributes(user)["userName"].to_string()));
            if !page.has_more {
                break;
            }
        }
        assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
        assert_eq!(found.len(), count, "{search} {state:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_found_by_the_beginning_of_their_name_or_by_an_id() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    for name in ["Payroll", "pay desk", "Sales"] {
        caller.form(name, &[]).await;
    }
    let outside = caller.create_group(&json!({"displayName": "Outside", "externalId": "pay"}), &[]).await;
    let outside = crate::harness::group(outside).group_id;
    let all = BrowseGroups { company_id: caller.company.to_string(), limit: 200, ..BrowseGroups::default() };
    let search = async |text: &str| -> Vec<String> {
        let page = console.groups(BrowseGroups { search: text.to_owned(), ..all.clone() }).await;
        let name = |json: &str| serde_json::from_str::<Value>(json).unwrap()["displayName"].to_string();
        page.groups.iter().map(|group| name(&group.attributes_json)).collect()
    };
    assert_eq!(search("").await, [r#""Outside""#, r#""pay desk""#, r#""Payroll""#, r#""Sales""#]);
    assert_eq!(search("PAY").await, [r#""pay desk""#, r#""Payroll""#]);
    assert_eq!(search("pay").await, [r#""Outside""#, r#""pay desk""#, r#""Payroll""#]);
    assert_eq!(search(&outside).await, [r#""Outside""#]);

    let first = console.groups(BrowseGroups { limit: 3, ..all.clone() }).await;
    assert!(first.has_more);
    let after_group_id = first.groups[2].group_id.clone();
    let second = console.groups(BrowseGroups { limit: 3, after_group_id, ..all }).await;
    assert_eq!((second.groups.len(), second.has_more), (1, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_for_users_that_cannot_be_answered_says_what_to_do() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let fine = BrowseUsers { company_id: CompanyId::mint().to_string(), limit: 1, ..BrowseUsers::default() };
    for (question, expected) in [
        (BrowseUsers { limit: 0, ..fine.clone() }, "limit is 1 to 200"),
        (BrowseUsers { limit: 201, ..fine.clone() }, "limit is 1 to 200"),
        (BrowseUsers { search: "x".repeat(513), ..fine.clone() }, "search has at most 512"),
        (BrowseUsers { search: "\0".to_owned(), ..fine.clone() }, "search has at most 512"),
        (BrowseUsers { company_id: String::new(), ..fine.clone() }, "the question names no company"),
        (BrowseUsers { after_user_id: "x".to_owned(), ..fine.clone() }, "after_user_id is no id"),
        (BrowseUsers { after_user_id: UserId::mint().to_string(), ..fine.clone() }, "there is no user"),
    ] {
        let refused = console.ask(subject::BROWSE_USERS, question).await.unwrap_err();
        assert_eq!(refused.reason(), failure::Reason::Invalid);
        assert!(refused.detail.starts_with(expected), "{}", refused.detail);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_users_reads_as_much_of_many_as_of_few() {
    let world = world_of_indexes();
    let company = CompanyId::mint();
    let console = Console::new(&world).await;
    // One in twenty is disabled.
    let fill = |from: u32, to: u32| {
        world.sql(&format!(
            "insert into users (company_id, user_id, user_name_key, many_work_emails, active, display_name, \
               display_name_key, external_id, version, created_at, last_modified_at, attributes) \
             select '{company}', gen_random_uuid(), 'user-' || lpad(n::text, 8, '0'), false, n % 20 <> 0, 'U', \
               'called-' || lpad(n::text, 8, '0'), 'x' || n, 1, now(), now(), '{{\"userName\":\"u\"}}' \
             from generate_series({from}, {to}) n"
        ));
        world.sql(&format!(
            "insert into user_search_keys (company_id, key, user_id) \
             select company_id, 'key-' || substr(user_name_key, 6), user_id from users \
             where substr(user_name_key, 6)::int between {from} and {to}"
        ));
        world.sql("vacuum analyze users");
        world.sql("vacuum analyze user_search_keys");
    };
    let all = BrowseUsers { company_id: company.to_string(), limit: 50, ..BrowseUsers::default() };
    let ways = [
        (all.clone(), 50),
        (BrowseUsers { state: State::Active.into(), ..all.clone() }, 50),
        (BrowseUsers { state: State::Inactive.into(), ..all.clone() }, 50),
        (BrowseUsers { search: "user-0000".to_owned(), ..all.clone() }, 50),
        (BrowseUsers { search: "called-000001".to_owned(), ..all.clone() }, 50),
        (BrowseUsers { search: "key-000001".to_owned(), ..all.clone() }, 50),
        (BrowseUsers { search: "x17".to_owned(), ..all }, 1),
    ];
    let reads = async |table: &str, question: &BrowseUsers, count: usize| {
        reads(&world, table, async || {
            assert_eq!(console.users(question.clone()).await.users.len(), count, "{question:?}");
        })
        .await
    };
    fill(1, 3_000);
    let mut few = vec![];
    for (question, count) in &ways {
        few.push(reads("users", question, *count).await);
    }
    fill(3_001, 24_000);
    let keys = reads("user_search_keys", &ways[5].0, 50).await;
    assert!(keys.scans == 0 && keys.rows <= 200, "{keys:?}");
    for ((question, count), few) in ways.iter().zip(few) {
        let many = reads("users", question, *count).await;
        assert_eq!((few.scans, many.scans), (0, 0), "{question:?}");
        assert!(many.rows <= 1_000, "{question:?} {few:?} {many:?}");
        assert!(many.blocks <= few.blocks * 2, "{question:?} {few:?} {many:?}");
    }
}
