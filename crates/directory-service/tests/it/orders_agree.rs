//! Postgres lists users in the order that the pure comparison says, and pages through it without losing or repeating any.

use std::cmp::Ordering;

use bus_contract::directory::{Order, Position, UserRecord};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use scim_protocol::{schema, sort::Sort};

use crate::{
    filters_agree::{rendered, user},
    harness::World,
};

const USERS: usize = 40;
const PATHS: [&str; 11] = [
    "userName",
    "externalId",
    "title",
    "name.familyName",
    "active",
    "emails",
    "emails.type",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "meta.created",
    "meta.version",
    "id",
];

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_the_pure_comparison_agree_on_every_order() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut runner = TestRunner::deterministic();
    for number in 0..USERS {
        caller.hire(user(number).new_tree(&mut runner).unwrap().current()).await;
    }

    for path in PATHS {
        for descending in [false, true] {
            let direction = if descending { "descending" } else { "ascending" };
            let sort = Sort::parse(schema::users(), Some(path), Some(direction)).unwrap().unwrap();
            let order = Order { path: sort.path.to_string(), descending };

            let whole = caller.page_of_users(Some(order.clone()), None, 1_000).await;
            assert_eq!((whole.total, whole.users.len()), (USERS as u64, USERS));
            assert_eq!(whole.next, None);
            let shown: Vec<_> = whole.users.iter().map(rendered).collect();
            for pair in shown.windows(2) {
                // What is equal is in the order of ids.
                let ids = pair[0]["id"].as_str().cmp(&pair[1]["id"].as_str());
                assert_eq!(sort.compare(&pair[0], &pair[1]).then(ids), Ordering::Less, "{path} {direction}");
            }
            let (mut paged, mut after): (Vec<UserRecord>, Option<Position>) = (vec![], None);
            loop {
                let page = caller.page_of_users(Some(order.clone()), after, 7).await;
                assert!((1..=7).contains(&page.users.len()));
                paged.extend(page.users);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, whole.users, "{path} {direction}, page by page");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_behind_a_user_who_is_gone() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut runner = TestRunner::deterministic();
    for number in 0..6 {
        caller.hire(user(number).new_tree(&mut runner).unwrap().current()).await;
    }
    let all = caller.page_of_users(None, None, 10).await.users;
    let first = caller.page_of_users(None, None, 3).await;
    caller.delete(&first.users[2].user_id).await;

    let second = caller.page_of_users(None, first.next, 3).await;

    assert_eq!(second.users, all[3..]);
    assert_eq!(second.next, None);
}
