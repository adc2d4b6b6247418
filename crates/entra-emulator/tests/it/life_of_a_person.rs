//! One person from hire to re-hire, in both dialects, as a scenario would drive it.

use entra_emulator::{
    Account, Action, Cycle, Dialect, Emulator, Kind, ManagerRemoval, Outcome, Settings, Skip, Tenant,
};
use serde_json::Value;

use crate::{
    cycles::{emulator, settings},
    target::Target,
};

const MANAGER: &str = "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value";

async fn succeed(emulator: &mut Emulator, tenant: &mut Tenant) -> Cycle {
    let cycle = emulator.run_cycle(tenant).await;
    assert!(cycle.succeeded(), "{:?} {:?}", cycle.quarantine, cycle.failures().next());
    cycle
}

#[tokio::test]
async fn a_person_is_hired_renamed_managed_disabled_enabled_deleted_and_hired_again() {
    for dialect in [Dialect::Default, Dialect::AadOptScim062020] {
        let target = Target::start().await;
        let mut emulator = Emulator::new(Settings { dialect: Some(dialect), ..settings(&target) }).unwrap();
        let mut tenant = Tenant::empty("contoso.com", 1);
        let anna = tenant.hire_named("Anna", "Berg", "anna.berg");
        succeed(&mut emulator, &mut tenant).await;
        let id = emulator.user_id(anna).unwrap().to_owned();
        let there = || target.user(&id).unwrap();
        assert_eq!(there()["userName"], "anna.berg@contoso.com");

        tenant.rename(anna, "Öberg", "anna.oberg");
        assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Update), 1);
        assert_eq!(there()["userName"], "anna.oberg@contoso.com");
        assert_eq!(there()["displayName"], "Anna Öberg");
        assert_eq!(there()["emails"][0]["value"], "anna.oberg@contoso.com");

        tenant.edit(anna, |person| person.user_principal_name = "Anna.Oberg@contoso.com".into());
        succeed(&mut emulator, &mut tenant).await;
        assert_eq!(there()["userName"], "Anna.Oberg@contoso.com");

        let boss = tenant.hire_named("Miriam", "Graham", "miriam");
        tenant.set_manager(anna, Some(boss));
        succeed(&mut emulator, &mut tenant).await;
        assert_eq!(there().pointer(MANAGER).and_then(Value::as_str), emulator.user_id(boss));

        tenant.disable(anna);
        assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Disable), 1);
        assert_eq!(there()["active"], false);
        tenant.enable(anna);
        assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Enable), 1);
        assert_eq!(there()["active"], true);

        let former = tenant.delete(anna).unwrap();
        assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Delete), 1);
        assert_eq!(target.user(&id), None);
        let again = tenant.rehire(&former);
        assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Create), 1);
        let new_id = emulator.user_id(again).unwrap();
        assert_ne!(new_id, id);
        assert_eq!(target.user(new_id).unwrap()["userName"], "Anna.Oberg@contoso.com");
    }
}

#[tokio::test]
async fn someone_hired_again_takes_over_the_inactive_account_and_keeps_it() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire_named("Anna", "Berg", "anna.berg");
    succeed(&mut emulator, &mut tenant).await;
    let id = emulator.user_id(anna).unwrap().to_owned();
    tenant.soft_delete(anna);
    succeed(&mut emulator, &mut tenant).await;
    let former = tenant.person(anna).unwrap().clone();
    let again = tenant.rehire(&former);
    assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Enable), 1);
    assert_eq!(emulator.user_id(again), Some(id.as_str()));
    assert_eq!(emulator.user_id(anna), None);
    tenant.delete(anna);
    succeed(&mut emulator, &mut tenant).await;
    assert_eq!(
        target.user(&id).unwrap()["active"],
        true,
        "the purge of the former object spares the account"
    );
}

#[tokio::test]
async fn someone_who_was_never_enabled_is_not_created() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire();
    tenant.edit(anna, |person| person.account = Account::Disabled);
    let cycle = succeed(&mut emulator, &mut tenant).await;
    assert!(matches!(cycle.entries[0].outcome, Outcome::Skipped(Skip::NotEffectivelyEntitled)));
    assert_eq!(target.users().len(), 0);
    tenant.delete(anna);
    let cycle = succeed(&mut emulator, &mut tenant).await;
    assert!(matches!(cycle.entries[0].outcome, Outcome::Skipped(Skip::NotProvisioned)));
}

#[tokio::test]
async fn a_user_that_the_target_lost_is_matched_again_and_created() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire();
    succeed(&mut emulator, &mut tenant).await;
    let lost = emulator.user_id(anna).unwrap().to_owned();
    target.lose_user(&lost);
    tenant.edit(anna, |person| person.department = Some("R&D".into()));
    assert_eq!(succeed(&mut emulator, &mut tenant).await.succeeded_users(Action::Create), 1);
    assert_ne!(emulator.user_id(anna), Some(lost.as_str()));
}

#[tokio::test]
async fn someone_who_takes_a_freed_sign_in_name_gets_it_in_the_same_cycle() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire_named("Anna", "Berg", "berg");
    succeed(&mut emulator, &mut tenant).await;
    tenant.rename(anna, "Lind", "lind");
    let other = tenant.hire_named("Bo", "Berg", "berg");
    succeed(&mut emulator, &mut tenant).await;
    assert_ne!(emulator.user_id(anna), emulator.user_id(other));
}

#[tokio::test]
async fn a_lost_manager_is_removed_only_when_asked_for() {
    for (manager_removal, sent) in [(ManagerRemoval::NotSent, 0), (ManagerRemoval::EmptyString, 1)] {
        let target = Target::start().await;
        let mut emulator = Emulator::new(Settings { manager_removal, ..settings(&target) }).unwrap();
        let mut tenant = Tenant::empty("contoso.com", 1);
        let (boss, anna) = (tenant.hire(), tenant.hire());
        tenant.set_manager(anna, Some(boss));
        succeed(&mut emulator, &mut tenant).await;
        tenant.set_manager(anna, None);
        let cycle = succeed(&mut emulator, &mut tenant).await;
        assert_eq!(cycle.succeeded_users(Action::Manager), sent);
    }
}

#[tokio::test]
async fn a_restart_forgets_the_links_and_finds_them_again() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire();
    succeed(&mut emulator, &mut tenant).await;
    let id = emulator.user_id(anna).unwrap().to_owned();
    emulator.restart();
    assert_eq!(emulator.user_id(anna), None);
    let cycle = succeed(&mut emulator, &mut tenant).await;
    assert_eq!(cycle.counts()[&(Kind::User, Action::Link)].success, 1);
    assert_eq!(emulator.user_id(anna), Some(id.as_str()));
}
