//! What the provisioning log says, page by page, and what it does not say.

use bus_contract::{
    directory::{AttributeChange, Call, ListLog, call::Answer},
    provisioning::patch_operation::Op,
    subject::Verb,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::{prelude::*, sample::select, strategy::ValueTree as _, test_runner::TestRunner};
use scim_protocol::fold::fold;
use serde_json::json;
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    console::{Console, call, lines_of, timestamp},
    harness::{World, eventually, patch_group},
    reads::{reads, world_of_indexes},
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn change(path: &str, before: Option<&str>, after: Option<&str>) -> AttributeChange {
    AttributeChange {
        path: path.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        is_redacted: false,
    }
}

fn redacted(path: &str) -> AttributeChange {
    AttributeChange { path: path.to_owned(), before: None, after: None, is_redacted: true }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_person_tells_what_changed_from_what_to_what() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let anna = caller.hire(json!({"userName": "Anna@contoso.com", "title": "Clerk"})).await.user_id;
    let department = format!("{ENTERPRISE}:department");
    let operations = [(Op::Replace, "title", json!("Lead")), (Op::Add, department.as_str(), json!("Pay"))];
    caller.patch(&anna, &operations).await;
    caller.patch(&anna, &[(Op::Replace, "userName", json!("Anna.Berg@contoso.com"))]).await;
    // A name that is taken.
    caller.hire(json!({"userName": "ben@contoso.com"})).await;
    caller.patch(&anna, &[(Op::Replace, "userName", json!("BEN@contoso.com"))]).await;
    caller.delete(&anna).await;

    let lines = console.log(ListLog { user_id: anna.clone(), ..lines_of(caller.company) }).await;
    assert!(!lines.has_more);
    let told: Vec<_> = lines
        .entries
        .iter()
        .map(|line| (line.verb.as_str(), line.outcome.as_str(), line.target_name.as_str()))
        .collect();
    let expected = [
        ("delete", "deleted", "Anna.Berg@contoso.com"),
        ("update", "refused", "Anna.Berg@contoso.com"),
        ("update", "updated", "Anna.Berg@contoso.com"),
        ("update", "updated", "Anna@contoso.com"),
        ("create", "created", "Anna@contoso.com"),
    ];
    assert_eq!(told, expected);
    assert_eq!(lines.entries[1].refusal.as_ref().unwrap().scim_type, "uniqueness");
    let renamed = change("userName", Some("\"Anna@contoso.com\""), Some("\"Anna.Berg@contoso.com\""));
    assert_eq!(lines.entries[2].changes, [renamed]);
    let mut changes = lines.entries[3].changes.clone();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    let promoted = change("title", Some("\"Clerk\""), Some("\"Lead\""));
    assert_eq!(changes, [promoted, change(&department, None, Some("\"Pay\""))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_person_has_what_was_asked_by_name_and_by_id_alone() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let search =
        Call { target_name: "ANNA@contoso.com".to_owned(), ..call("search", Answer::NothingFound, 200) };
    console.report(caller.company, vec![search]).await;
    eventually("the search is counted", async || console.counted(caller.company).await == 1).await;
    let hired = json!({"userName": "anna@contoso.com", "displayName": "Anna Berg"});
    let anna = caller.hire(hired.clone()).await.user_id;
    let read = Call { user_id: anna.clone(), ..call("read", Answer::Found, 200) };
    console.report(caller.company, vec![read]).await;
    caller.create(hired).await;
    caller.hire(json!({"userName": "anna@contoso.com.example"})).await;
    eventually("the read is counted", async || console.counted(caller.company).await == 2).await;

    let lines = console.log(ListLog { user_id: anna.clone(), ..lines_of(caller.company) }).await.entries;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.outcome.as_str(), line.target_name.as_str(), line.display_name.as_str()))
        .collect();
    let expected = [
        ("refused", "anna@contoso.com", ""),
        ("found", "anna@contoso.com", "Anna Berg"),
        ("created", "anna@contoso.com", "Anna Berg"),
        ("nothing_found", "ANNA@contoso.com", ""),
    ];
    assert_eq!(told, expected);
    let chosen = ListLog { user_id: anna, outcomes: vec!["refused".to_owned()], ..lines_of(caller.company) };
    assert_eq!(console.log(chosen).await.entries.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_found_by_any_name_of_whom_they_are_about() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut stranger = world.caller().await;
    let console = Console::new(&world).await;
    let berg = json!({
        "userName": "x7431@northwind.com", "displayName": "Anna Berg",
        "emails": [{"type": "work", "value": "anna.berg@northwind.com"}],
    });
    let search =
        Call { target_name: "X7431@northwind.com".to_owned(), ..call("search", Answer::NothingFound, 200) };
    console.report(caller.company, vec![search]).await;
    eventually("the search is counted", async || console.counted(caller.company).await == 1).await;
    let anna = caller.hire(berg.clone()).await.user_id;
    caller.patch(&anna, &[(Op::Replace, "title", json!("Lead"))]).await;
    caller.hire(json!({"userName": "x7432@northwind.com", "displayName": "Ben Å"})).await;
    caller.form("Bergen", &[]).await;
    stranger.hire(berg).await;
    let company = caller.company;
    let lines = async |name: &str, outcomes: &[&str]| -> Vec<_> {
        let outcomes = outcomes.iter().map(|word| (*word).to_owned()).collect();
        let wanted = ListLog { name_prefix: name.to_owned(), outcomes, ..lines_of(company) };
        let found = console.log(wanted).await.entries;
        found.into_iter().map(|line| (line.target_name, line.outcome)).collect()
    };
    let line = |name: &str, outcome: &str| (name.to_owned(), outcome.to_owned());
    let hers = [
        line("x7431@northwind.com", "updated"),
        line("x7431@northwind.com", "created"),
        line("X7431@northwind.com", "nothing_found"),
    ];

    for name in ["Anna", "ANNA BERG", "anna.berg@north", "x7431"] {
        assert_eq!(lines(name, &[]).await, hers, "{name}");
    }
    let with_group: Vec<_> = [line("Bergen", "created")].into_iter().chain(hers.clone()).collect();
    assert_eq!(lines("berg", &[]).await, with_group);
    assert_eq!(lines("anna", &["updated"]).await, hers[..1]);
    assert_eq!(lines("ben a", &[]).await, [line("x7432@northwind.com", "created")]);
    // Of whom is no more the log knows the userName alone.
    caller.delete(&anna).await;
    assert!(lines("anna", &[]).await.is_empty());
    assert_eq!(lines("x7431", &["deleted"]).await, [line("x7431@northwind.com", "deleted")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_group_tells_how_many_came_and_went() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let anna = caller.hire(json!({"userName": "anna@contoso.com"})).await.user_id;
    let ben = caller.hire(json!({"userName": "ben@contoso.com"})).await.user_id;
    let group = caller.form("Payroll", &[&anna]).await.group_id;
    let members =
        bus_contract::provisioning::MembersChange { clear: false, added: vec![ben], removed: vec![anna] };
    let rename = [(Op::Replace, "displayName", json!("Salaries"))];
    caller.ask(Verb::Update, patch_group(&group, &rename, members)).await;

    let lines = console.log(ListLog { group_id: group, ..lines_of(caller.company) }).await.entries;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.target_name.as_str(), line.members_added, line.members_removed))
        .collect();
    assert_eq!(told, [("Salaries", 1, 1), ("Payroll", 1, 0)]);
    assert_eq!(lines[0].changes, [change("displayName", Some("\"Payroll\""), Some("\"Salaries\""))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_values_never_reach_the_log() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let secrets = ["+49-30-5550123", "secret@home.example", "Hauptstraße 99", "hunter2hunter2"];
    let anna = caller
        .hire(json!({"userName": "anna@contoso.com", "phoneNumbers": [{"value": "+49-30-5550100", "type": "work"}]}))
        .await
        .user_id;
    let operations = [
        (Op::Replace, "phoneNumbers", json!([{"value": secrets[0], "type": "work"}])),
        (Op::Add, "emails", json!([{"value": secrets[1], "type": "home"}])),
        (Op::Add, "addresses", json!([{"streetAddress": secrets[2], "type": "home"}])),
        (Op::Replace, "nickName", json!(secrets[3])),
    ];
    caller.patch(&anna, &operations).await;

    let lines = console.log(ListLog { user_id: anna, ..lines_of(caller.company) }).await.entries;
    let mut changes = lines[0].changes.clone();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(changes, ["addresses", "emails", "nickName", "phoneNumbers"].map(redacted));
    let table = world.sql("select l::text, encode(l.refusal, 'escape') from provisioning_log l");
    assert!(table.contains("phoneNumbers"), "{table}");
    for secret in secrets.into_iter().chain(["5550100"]) {
        assert!(!table.contains(secret), "{secret} is in {table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_from_before_values_were_kept_names_its_attributes() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let console = Console::new(&world).await;
    let anna = caller.hire(json!({"userName": "anna@contoso.com"})).await.user_id;
    world.sql("update provisioning_log set changed_attributes = '{title,emails}'");
    let lines = console.log(ListLog { user_id: anna, ..lines_of(caller.company) }).await.entries;
    assert_eq!(lines[0].changes, [redacted("title"), redacted("emails")]);
}

/// A generated line, and how it is found.
#[derive(Debug, Clone)]
struct Line {
    id: Uuid,
    at: DateTime<Utc>,
    verb: &'static str,
    outcome: &'static str,
    user: Option<Uuid>,
    group: Option<Uuid>,
    name: Option<&'static str>,
}

const VERBS: [&str; 5] = ["create", "update", "deactivate", "search", "test"];
const OUTCOMES: [&str; 5] = ["created", "updated", "refused", "nothing_found", "failed"];
const NAMES: [&str; 8] = ["Anna", "anna berg", "ANNE", "Ännchen", "Straße", "STRASSE 1", "100%", "_x"];
const PREFIXES: [&str; 9] = ["a", "ANN", "anna", "ä", "strass", "Straße", "100%", "_", "z"];

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | number)
}

fn line(base: DateTime<Utc>) -> impl Strategy<Value = Line> {
    let who = prop_oneof![
        3 => (0..4_u128).prop_map(|user| (Some(id(user)), None)),
        2 => (10..13_u128).prop_map(|group| (None, Some(id(group)))),
        1 => Just((None, None)),
    ];
    let name = prop::option::of(select(NAMES.to_vec()));
    (0..60_i64, any::<u64>(), select(VERBS.to_vec()), select(OUTCOMES.to_vec()), who, name).prop_map(
        move |(seconds, random, verb, outcome, (user, group), name)| {
            let at = base + TimeDelta::seconds(seconds);
            let millis = u128::try_from(at.timestamp_millis()).unwrap();
            let id = (millis << 80) | (0x7 << 76) | (0b10 << 62) | u128::from(random >> 2);
            Line { id: Uuid::from_u128(id), at, verb, outcome, user, group, name }
        },
    )
}

fn question(base: DateTime<Utc>) -> impl Strategy<Value = ListLog> {
    let words = |known: [&'static str; 5]| {
        prop_oneof![
            1 => Just(vec![]),
            1 => prop::collection::vec(select(known.map(str::to_owned).to_vec()), 1..4),
        ]
    };
    let about = prop_oneof![
        2 => Just(ListLog::default()),
        1 => (0..4_u128).prop_map(|user| ListLog { user_id: id(user).to_string(), ..ListLog::default() }),
        1 => (10..13_u128).prop_map(|group| ListLog { group_id: id(group).to_string(), ..ListLog::default() }),
        2 => select(PREFIXES.to_vec())
            .prop_map(|prefix| ListLog { name_prefix: prefix.to_owned(), ..ListLog::default() }),
    ];
    let moment =
        move || prop::option::of((-5..65_i64).prop_map(move |at| timestamp(base + TimeDelta::seconds(at))));
    (about, words(VERBS), words(OUTCOMES), moment(), moment(), select(vec![1, 3, 20, 500])).prop_map(
        |(about, verbs, outcomes, from, until, limit)| ListLog {
            verbs,
            outcomes,
            from,
            until,
            limit,
            ..about
        },
    )
}

/// What the answer must be, by looking at every line.
fn naive(lines: &[Line], question: &ListLog) -> Vec<String> {
    let among = |words: &[String], word: &str| words.is_empty() || words.iter().any(|known| known == word);
    let is =
        |wanted: &str, id: Option<Uuid>| wanted.is_empty() || id.is_some_and(|id| id.to_string() == wanted);
    let prefix = fold(&question.name_prefix);
    let mut found: Vec<_> = lines
        .iter()
        .filter(|line| {
            among(&question.verbs, line.verb)
                && among(&question.outcomes, line.outcome)
                && is(&question.user_id, line.user)
                && is(&question.group_id, line.group)
                && (prefix.is_empty() || line.name.is_some_and(|name| fold(name).starts_with(&prefix)))
                && question.from.is_none_or(|from| timestamp(line.at).seconds >= from.seconds)
                && question.until.is_none_or(|until| timestamp(line.at).seconds < until.seconds)
        })
        .map(|line| line.id)
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|id| id.to_string()).collect()
}

fn insert(world: &World, company: CompanyId, lines: &[Line]) {
    let text = |value: Option<String>| value.map_or("null".to_owned(), |value| format!("'{value}'"));
    let rows: Vec<String> = lines
        .iter()
        .map(|line| {
            format!(
                "('{company}', '{}', '{}', '{}', {}, {}, {}, {}, now(), now())",
                line.id,
                line.verb,
                line.outcome,
                text(line.user.map(|id| id.to_string())),
                text(line.group.map(|id| id.to_string())),
                text(line.name.map(str::to_owned)),
                text(line.name.map(fold)),
            )
        })
        .collect();
    world.sql(&format!(
        "insert into provisioning_log (company_id, request_id, verb, outcome, user_id, group_id, target_name, \
           target_key, accepted_at, applied_at) values {}",
        rows.join(",")
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_agrees_with_a_look_at_every_line_page_by_page() {
    const LINES: usize = 400;
    const QUESTIONS: usize = 150;
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let (company, other) = (CompanyId::mint(), CompanyId::mint());
    let base = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let mut runner = TestRunner::deterministic();
    let mut lines =
        || -> Vec<Line> { prop::collection::vec(line(base), LINES).new_tree(&mut runner).unwrap().current() };
    let (own, foreign) = (lines(), lines());
    insert(&world, company, &own);
    insert(&world, other, &foreign);

    let mut not_empty = 0;
    for _ in 0..QUESTIONS {
        let question = question(base).new_tree(&mut runner).unwrap().current();
        let expected = naive(&own, &question);
        let mut question = ListLog { company_id: company.to_string(), ..question };
        let mut found = vec![];
        loop {
            let page = console.log(question.clone()).await;
            assert!(page.entries.len() <= usize::try_from(question.limit).unwrap());
            found.extend(page.entries.into_iter().map(|line| line.request_id));
            // A few pages of many small ones are enough.
            if !page.has_more || found.len() >= 60 {
                break;
            }
            question.before_request_id = found.last().unwrap().clone();
        }
        let compared = if found.len() >= 60 { &expected[..found.len()] } else { &expected };
        assert_eq!(found, compared, "{question:?}");
        not_empty += usize::from(!expected.is_empty());
    }
    assert!(not_empty > QUESTIONS / 3, "{not_empty}");
}

/// Adds lines. Whatever is asked for is among the first 5,000: whoever looked for it from the newest would read all others.
fn fill(world: &World, company: CompanyId, from: u32, to: u32) {
    world.sql(&format!(
        "insert into provisioning_log (company_id, request_id, user_id, group_id, verb, outcome, target_name, \
           target_key, accepted_at, applied_at) \
         select '{company}', ('0198' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid, \
           case when n <= 5000 then '{}' else '{}' end::uuid, case when n <= 5000 then '{}' else '{}' end::uuid, \
           case when n <= 5000 and n % 2 = 0 then 'search' else 'update' end, \
           case when n <= 5000 and n % 100 = 0 then 'refused' else 'updated' end, 'Somebody', \
           case when n <= 5000 then 'anna' || n % 3 else 'ben' end, now(), now() \
         from generate_series({from}, {to}) n",
        id(1),
        id(2),
        id(11),
        id(12)
    ));
}

/// Adds the person whom lines are about, under a name that no line says.
fn employ(world: &World, company: CompanyId) {
    world.sql(&format!(
        "insert into users (company_id, user_id, user_name_key, many_work_emails, active, version, created_at, \
           last_modified_at, attributes) values ('{company}', '{user}', 'x1', false, true, 1, now(), now(), '{{}}'); \
         insert into user_search_keys (company_id, key, user_id) values ('{company}', 'berg', '{user}')",
        user = id(1)
    ));
}

/// A question for each way to read the log, how many of its rows that may take, and how many lines it finds.
fn ways(company: CompanyId) -> [(ListLog, u64, usize); 10] {
    let page = ListLog { company_id: company.to_string(), limit: 50, ..ListLog::default() };
    let refused = vec!["refused".to_owned()];
    let search = ListLog { verbs: vec!["search".to_owned()], ..page.clone() };
    let person = ListLog { user_id: id(1).to_string(), ..page.clone() };
    // Behind the last line, in the milliseconds that the ids of `fill` tell.
    let later = DateTime::from_timestamp_millis(0x0198_0000_0000 + 50_000).map(timestamp);
    let update = ListLog { verbs: vec!["update".to_owned()], ..page.clone() };
    let many = ListLog { user_id: id(2).to_string(), ..page.clone() };
    [
        (ListLog { outcomes: refused.clone(), ..page.clone() }, 200, 50),
        (search, 200, 50),
        (person.clone(), 200, 50),
        (ListLog { group_id: id(11).to_string(), ..page.clone() }, 200, 50),
        // Each of three names.
        (ListLog { name_prefix: "ann".to_owned(), ..page.clone() }, 300, 50),
        (ListLog { name_prefix: "berg".to_owned(), ..page.clone() }, 300, 50),
        // The newest of the person, for those that were refused.
        (ListLog { outcomes: refused, ..person }, 5_100, 50),
        // Nothing is young enough, and of all that is older no more is read than a page.
        (ListLog { from: later, ..update }, 200, 0),
        (ListLog { from: later, ..many }, 200, 0),
        (page, 200, 50),
    ]
}

async fn page(console: &Console, question: &ListLog, lines: usize) {
    assert_eq!(console.log(question.clone()).await.entries.len(), lines, "{question:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_as_much_of_a_long_log_as_of_a_short_one() {
    let world = world_of_indexes();
    let company = CompanyId::mint();
    let console = Console::new(&world).await;
    employ(&world, company);
    fill(&world, company, 1, 6_000);
    world.sql("vacuum analyze provisioning_log");
    let mut short = vec![];
    for (question, _, lines) in &ways(company) {
        short.push(reads(&world, "provisioning_log", async || page(&console, question, *lines).await).await);
    }
    fill(&world, company, 6_001, 36_000);
    world.sql("vacuum analyze provisioning_log");
    for ((question, most, lines), short) in ways(company).iter().zip(short) {
        let long = reads(&world, "provisioning_log", async || page(&console, question, *lines).await).await;
        assert_eq!((short.scans, long.scans), (0, 0), "{question:?}");
        assert!(short.rows <= *most && long.rows <= *most, "{question:?} {short:?} {long:?}");
        // An index of more lines may be a level deeper, and no more than that.
        assert!(long.blocks <= short.blocks * 2, "{question:?} {short:?} {long:?}");
    }
}
