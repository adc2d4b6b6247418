//! Entra removes most of a company by mistake: everybody loses access at once, and one click brings all of them back.

use std::collections::BTreeMap;

use entra_emulator::{Action, Generation, ObjectId, Person, Tenant};
use local_stack::company::Company;
use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::{
        entra::Entra,
        scim::{Scim, id, user},
        visitor::{Visitor, addresses},
    },
    eventually,
    eventually::when,
    fault::Part,
};

/// Everything that SCIM shows of these users and groups, but for what counts and dates their changes. Whoever is not there
/// is not in it.
async fn shown(scim: &Scim, users: &[String], groups: &[String]) -> BTreeMap<String, Value> {
    let mut shown = BTreeMap::new();
    for (folder, ids) in [("Users", users), ("Groups", groups)] {
        for id in ids {
            let answer = scim.get(&format!("/{folder}/{id}")).await;
            if answer.status == 404 {
                continue;
            }
            let mut resource = answer.expect(200);
            let meta = resource["meta"].as_object_mut().unwrap();
            meta.remove("version");
            meta.remove("lastModified");
            if let Some(members) = resource["members"].as_array_mut() {
                members.sort_by_key(|member| member["value"].to_string());
            }
            shown.insert(id.clone(), resource);
        }
    }
    shown
}

/// The page of the company's only mass removal.
async fn brake_page(administrator: &Visitor) -> String {
    let list = administrator.get("/provisioning/brakes").await;
    assert_eq!(list.status, 200, "{}", list.body);
    let pages = addresses(&list.body, "href");
    let mut pages = pages.into_iter().filter(|path| path.starts_with("/provisioning/brakes/"));
    let page = pages.next().expect("a mass removal");
    assert_eq!(pages.next(), None);
    page
}

async fn undone(administrator: &Visitor, page: &str) {
    let seen = async || administrator.get(page).await.body;
    eventually("everybody is back", seen, |body| when(body.contains("Undone"))).await;
}

/// A company of thirty in two groups, connected to its Entra.
async fn company(world: &World) -> (Company, Scim, Entra) {
    let company = world.company_with_administrator();
    let scim = world.scim.with_token(&company.scim_token);
    let domain = format!("{}.example", company.id);
    let people = Tenant::generate(&Generation { users: 30, groups: 2, seed: 3, domain });
    let url = world.stack().endpoints().scim_url;
    let mut entra = Entra::new(&url, &company.scim_token, people, |_defaults| ());
    assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 30);
    (company, scim, entra)
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_removes_sixty_per_cent_by_mistake_and_one_click_brings_them_back() {
    let world = World::shared();
    let (company, scim, mut entra) = company(&world).await;
    let neighbour = world.neighbour();
    for name in ["nora", "nils"] {
        neighbour.create_user(&format!("{name}@neighbour.example")).await;
    }
    let people: Vec<ObjectId> = entra.tenant.people().map(|person| person.object_id).collect();
    let accounts = entra.account_ids(&people);
    let group_objects: Vec<_> =
        entra.tenant.groups().map(|group| (group.object_id, group.members.clone())).collect();
    let groups: Vec<String> =
        group_objects.iter().map(|(group, _)| entra.job.group_id(*group).unwrap().to_owned()).collect();
    let before = shown(&scim, &accounts, &groups).await;
    assert_eq!(before.len(), 32);

    // The mistake: nine are disabled, nine are deleted.
    people[..9].iter().for_each(|person| assert!(entra.tenant.disable(*person)));
    let deleted: Vec<String> = people[9..18].iter().map(|person| entra.account_id(*person)).collect();
    let former: Vec<Person> =
        people[9..18].iter().map(|person| entra.tenant.delete(*person).unwrap()).collect();
    let cycle = entra.cycle().await;
    assert_eq!((cycle.succeeded_users(Action::Disable), cycle.succeeded_users(Action::Delete)), (9, 9));

    // Access has ended for all of them, as Entra expects to see it.
    assert_eq!(scim.find("active eq true").await.len(), 12);
    for account in &deleted {
        scim.get(&format!("/Users/{account}")).await.expect_error(404);
    }
    let anna = Visitor::signed_in(&world.console_url(), &company).await;
    for page in ["/", "/people", "/audit"] {
        let body = anna.get(page).await.body;
        assert!(body.contains("Microsoft Entra removed 18 of 30 people within"), "{page}: {body}");
    }
    let page = brake_page(&anna).await;
    let body = anna.get(&page).await.body;
    assert!(body.contains("Undo all") && body.contains("They really left"), "{body}");

    assert_eq!(anna.post(&format!("{page}/undo"), &[]).await.status, 303);
    undone(&anna, &page).await;
    assert_eq!(shown(&scim, &accounts, &groups).await, before);
    assert!(!anna.get("/").await.body.contains("Microsoft Entra removed"));
    let audit = anna.get("/audit").await.body;
    assert!(audit.contains("had a mass removal undone"), "{audit}");

    // The mistake is mended in Entra, which finds everybody where they were.
    people[..9].iter().for_each(|person| assert!(entra.tenant.enable(*person)));
    for (old, person) in people[9..18].iter().zip(&former) {
        let again = entra.tenant.rehire(person);
        for (group, members) in &group_objects {
            if members.contains(old) {
                entra.tenant.edit_group(*group, |group| {
                    group.members.insert(again);
                });
            }
        }
    }
    let cycle = entra.cycle().await;
    assert_eq!(cycle.succeeded_users(Action::Create), 0, "{:#?}", cycle.entries);
    entra.has_nothing_left_to_say().await;
    assert_eq!(scim.find("active eq true").await.len(), 30);
    assert_eq!(neighbour.find("active eq true").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_really_left_stay_away_and_a_smaller_removal_asks_nobody() {
    let world = World::shared();
    let (company, scim, mut entra) = company(&world).await;
    let people: Vec<ObjectId> = entra.tenant.people().map(|person| person.object_id).collect();
    let accounts = entra.account_ids(&people[..12]);
    people[..10].iter().for_each(|person| {
        entra.tenant.delete(*person).unwrap();
    });
    entra.cycle().await;
    let anna = Visitor::signed_in(&world.console_url(), &company).await;
    assert!(!anna.get("/").await.body.contains("Microsoft Entra removed"), "ten are not too many");
    people[10..12].iter().for_each(|person| {
        entra.tenant.delete(*person).unwrap();
    });
    entra.cycle().await;
    let page = brake_page(&anna).await;
    let not_all = anna.post(&format!("{page}/release"), &[("removed", "11")]).await;
    assert_eq!(not_all.status, 409, "{}", not_all.body);
    assert!(not_all.body.contains("removed 1 more person since"), "{}", not_all.body);
    let released = anna.post(&format!("{page}/release"), &[("removed", "12")]).await;
    assert_eq!(released.status, 303, "{}", released.body);
    let body = anna.get(&page).await.body;
    assert!(body.contains("These people really left"), "{body}");
    // Whoever is slower is told.
    let late = anna.post(&format!("{page}/undo"), &[]).await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert_eq!(shown(&scim, &accounts, &[]).await, BTreeMap::new());
    entra.has_nothing_left_to_say().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_finished_though_the_directory_dies_in_the_middle() {
    const PEOPLE: usize = 400;
    let world = World::to_disturb().await;
    let company = world.company_with_administrator();
    let scim = world.scim.with_token(&company.scim_token);
    let mut accounts = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        accounts.push(id(&scim
            .post("/Users", &user(&format!("person-{number}@undo.example")))
            .await
            .expect(201)));
    }
    let group = id(&scim.create_group_of("Everybody", &accounts).await);
    let before = shown(&scim, &accounts, std::slice::from_ref(&group)).await;
    for account in &accounts {
        assert_eq!(scim.delete(&format!("/Users/{account}")).await.status, 204);
    }
    let anna = Visitor::signed_in(&world.console_url(), &company).await;
    let page = brake_page(&anna).await;
    assert_eq!(anna.post(&format!("{page}/undo"), &[]).await.status, 303);
    let count = async || scim.get("/Users?count=0").await.json()["totalResults"].as_u64();
    eventually("some are back", count, |count| count.filter(|&count| count > 0)).await;
    Part::Service("directory-service").kill(world.stack());
    Part::Service("directory-service").start_again(world.stack());
    tests_e2e::fault::all_ready(world.stack()).await;
    undone(&anna, &page).await;
    assert_eq!(shown(&scim, &accounts, std::slice::from_ref(&group)).await, before);
    // Each of them came back once.
    let first = scim.request(Method::GET, &format!("/Users/{}", accounts[0])).send().await.unwrap();
    assert_eq!(first.headers()["etag"], "W/\"2\"");
    assert_eq!(scim.get("/Users?count=0").await.json()["totalResults"], json!(PEOPLE));
}
