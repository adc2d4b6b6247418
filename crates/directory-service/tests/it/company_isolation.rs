//! One company never sees or touches another's users, whatever it asks.

use bus_contract::{
    directory::{look_up_group::Key as GroupKey, look_up_user::Key},
    provisioning::refused::Reason,
};
use serde_json::json;
use typed_ids::CompanyId;

use crate::harness::{Caller, World, postgres, refusal, url};

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_user_does_not_exist() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = world.caller().await;
    let mut fabrikam = Caller::new(world.bus("gateway").await, CompanyId::mint()).await;
    let anna = contoso.hire(json!({"userName": "anna@example.com", "externalId": "1"})).await;

    for key in [
        Key::UserId(anna.user_id.clone()),
        Key::UserName("anna@example.com".to_owned()),
        Key::ExternalId("1".to_owned()),
    ] {
        assert_eq!(fabrikam.look_up(key).await, []);
    }
    assert_eq!(fabrikam.search("userName pr", 0, 10).await, (0, vec![]));
    assert_eq!(refusal(fabrikam.patch(&anna.user_id, &[]).await).0, Reason::NotFound);
    assert_eq!(refusal(fabrikam.replace(&anna.user_id, &json!({"userName": "x"})).await).0, Reason::NotFound);
    assert_eq!(refusal(fabrikam.delete(&anna.user_id).await).0, Reason::NotFound);
    // The name is free there, and the two live side by side.
    fabrikam.hire(json!({"userName": "anna@example.com"})).await;
    assert_eq!(contoso.look_up(Key::UserId(anna.user_id.clone())).await, [anna]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_group_does_not_exist() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = world.caller().await;
    let mut fabrikam = Caller::new(world.bus("gateway").await, CompanyId::mint()).await;
    let anna = contoso.hire(json!({"userName": "anna@example.com"})).await.user_id;
    let payroll = contoso.form("Payroll", &[&anna]).await;

    let key = GroupKey::GroupId(payroll.group_id.clone());
    assert_eq!(fabrikam.look_up_group(key.clone()).await, []);
    assert_eq!(fabrikam.look_up_group(GroupKey::DisplayName("Payroll".to_owned())).await, []);
    assert_eq!(fabrikam.search_groups("").await, []);
    assert_eq!(fabrikam.search_groups(&format!("members eq \"{anna}\"")).await, []);
    assert_eq!(fabrikam.members(&payroll.group_id, "", 10).await.version, 0);
    assert_eq!(refusal(fabrikam.patch_members(&payroll.group_id, &[], &[&anna]).await).0, Reason::NotFound);
    assert_eq!(refusal(fabrikam.delete_group(&payroll.group_id).await).0, Reason::NotFound);
    assert_eq!(contoso.look_up_group(key).await, [payroll]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_shows_nothing_to_a_transaction_that_names_no_company() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = world.caller().await;
    let anna = contoso.hire(json!({"userName": "anna@example.com"})).await.user_id;
    contoso.form("Payroll", &[&anna]).await;

    for role in ["directory_service", "directory_owner"] {
        let count = |setting: &str| {
            let script = format!(
                "\\connect \"{}\"\n{setting} select (select count(*) from users), (select count(*) from provisioning_log), \
                   (select count(*) from groups), (select count(*) from memberships);",
                url(&world.database, role)
            );
            postgres().sql(&world.database, &script).unwrap().lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(count(""), "0|0|0|0", "{role}");
        let other = format!("set timeclock.companies = '{{{}}}';", CompanyId::mint());
        assert_eq!(count(&other), "0|0|0|0", "{role}");
        let own = format!("set timeclock.companies = '{{{}}}';", contoso.company);
        assert_eq!(count(&own), "1|2|1|1", "{role}");
    }
}
