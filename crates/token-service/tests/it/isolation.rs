//! One company's tokens are nobody else's business, and the service's role is bound by the tables' own rules.

use backing_servers::postgres::Server;
use bus_contract::{
    subject::{LIST_TOKENS, REVEAL_TOKEN, REVOKE_TOKEN},
    token::{ListTokens, RevealToken, RevokeToken, failure::Reason, reply::Result as Answer},
};
use typed_ids::CompanyId;

use crate::harness::{World, actor, database, failed, migrate, url};

#[tokio::test(flavor = "multi_thread")]
async fn another_company_s_token_does_not_exist() {
    let world = World::start().await;
    let token_id = world.issue(None).await.token.unwrap().token_id;
    let company_id = CompanyId::mint().to_string();
    let reveal = RevealToken { company_id: company_id.clone(), token_id: token_id.clone(), actor: actor() };
    assert_eq!(failed(world.ask(REVEAL_TOKEN, reveal).await), Reason::NotFound);
    let revoke = RevokeToken { company_id: company_id.clone(), token_id, actor: actor(), unrecorded: true };
    assert_eq!(failed(world.ask(REVOKE_TOKEN, revoke).await), Reason::NotFound);
    let Answer::TokenList(list) = world.ask(LIST_TOKENS, ListTokens { company_id }).await else {
        panic!("no list")
    };
    assert!(list.tokens.is_empty());
    assert!(world.revocations().await.is_empty());
}

/// Runs SQL as a role of the deployment.
pub(crate) fn sql_as(world_url: &str, script: &str) -> Result<String, String> {
    use diesel::{Connection as _, connection::SimpleConnection as _};
    let mut connection = diesel::PgConnection::establish(world_url).unwrap();
    connection.batch_execute(script).map(|()| String::new()).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_forgets_its_company_finds_nothing_even_for_the_owner() {
    let world = World::start().await;
    world.issue(None).await;
    for role in ["owner", "service"] {
        let nothing = "DO $$ BEGIN
            ASSERT (SELECT count(*) FROM tokens) = 0, 'tokens are visible';
            ASSERT (SELECT count(*) FROM token_events) = 0, 'events are visible';
            ASSERT (SELECT count(*) FROM clients) = 0, 'clients are visible';
            ASSERT (SELECT count(*) FROM client_secrets) = 0, 'secrets are visible';
        END $$";
        assert_eq!(sql_as(&url(&world.database, role), nothing), Ok(String::new()), "{role}");
        let own = format!(
            "SET timeclock.company_id = '{}'; DO $$ BEGIN ASSERT (SELECT count(*) FROM tokens) = 1; END $$",
            world.company
        );
        assert_eq!(sql_as(&url(&world.database, role), &own), Ok(String::new()), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_s_role_creates_no_tables() {
    let database = database();
    migrate(&database).await;
    let error = sql_as(&url(&database, "service"), "CREATE TABLE tokens.more (id int)").unwrap_err();
    assert!(error.contains("permission denied"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_can_be_undone_and_done_again() {
    let database = database();
    migrate(&database).await;
    let down = concat!(
        include_str!("../../migrations/2026-11-26-000002_add_clients_and_actors/down.sql"),
        include_str!("../../migrations/2026-11-23-000001_create_tokens/down.sql")
    );
    sql_as(&url(&database, "owner"), &format!("{down}; DELETE FROM __diesel_schema_migrations")).unwrap();
    migrate(&database).await;
    let tables = Server::shared()
        .unwrap()
        .sql(&database.name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'tokens'");
    assert_eq!(tables.unwrap().trim(), "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_actors_were_recorded_is_still_there() {
    let database = database();
    let company = CompanyId::mint();
    let (token, revoked) = (typed_ids::TokenId::mint(), typed_ids::TokenId::mint());
    let before = format!(
        "{}
         CREATE TABLE __diesel_schema_migrations (version text PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now());
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261123000001');
         SET timeclock.company_id = '{company}';
         INSERT INTO signing_keys VALUES ('k', decode(repeat('00', 32), 'hex'), '', now(), NULL);
         INSERT INTO tokens SELECT '{company}', id, 'k', 'iss', '', now(), now() + interval '1 year'
           FROM unnest(ARRAY['{token}', '{revoked}']::uuid[]) AS id;
         INSERT INTO revocations VALUES ('{revoked}', now(), now() + interval '1 year');
         INSERT INTO token_events VALUES ('{company}', gen_random_uuid(), '{token}', 'issued', now());",
        include_str!("../../migrations/2026-11-23-000001_create_tokens/up.sql"),
    );
    sql_as(&url(&database, "owner"), &before).unwrap();
    migrate(&database).await;
    let server = Server::shared().unwrap();
    let ask = |question: &str| server.sql(&database.name, question).unwrap().trim().to_owned();
    let event = "SELECT concat_ws(' ', act, target, actor_kind, '.') FROM tokens.token_events";
    assert_eq!(ask(event), format!("token.issued {token} ."));
    assert_eq!(ask("SELECT credential_id FROM tokens.expiries"), token.to_string(), "the revoked one is not");
    let down = include_str!("../../migrations/2026-11-26-000002_add_clients_and_actors/down.sql");
    sql_as(&url(&database, "owner"), down).unwrap();
    assert_eq!(ask("SELECT kind, token_id FROM tokens.token_events"), format!("issued|{token}"));
}
