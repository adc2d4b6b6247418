//! An OAuth client from its creation to its end, as administrators and operators see it.

use std::time::Duration;

use backing_servers::postgres::Server;
use bus_contract::{
    subject::{ADD_CLIENT_SECRET, CREATE_CLIENT, LIST_CLIENTS, REVOKE_CLIENT, REVOKE_CLIENT_SECRET},
    token::{
        AddClientSecret, Client, CreateClient, Federation, ListClients, RevokeClient, RevokeClientSecret,
        SecretAuthentication, create_client::Authentication, failure::Reason, reply::Result as Answer,
    },
};
use typed_ids::{CompanyId, CredentialId};

use crate::harness::{NOW, World, actor, failed, new_client, secret_client};

pub(crate) const YEAR: u32 = 365 * 24 * 3600;
pub(crate) const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const SUBJECT: &str = "0f5b1a3c-aaaa-4bbb-8ccc-dddddddddddd";

pub(crate) fn federation() -> Federation {
    Federation {
        tenant_id: TENANT.into(),
        subject: SUBJECT.into(),
        audiences: vec!["api://timeclock365".into(), "8adf8e6e-67b2-4cf2-a259-e3dc5476c621".into()],
    }
}

pub(crate) fn add_secret(company: CompanyId, client_id: &str) -> AddClientSecret {
    AddClientSecret {
        company_id: company.to_string(),
        client_id: client_id.to_owned(),
        lifetime_seconds: None,
        actor: actor(),
    }
}

pub(crate) fn revoke_secret(company: CompanyId, client_id: &str, secret_id: &str) -> RevokeClientSecret {
    RevokeClientSecret {
        company_id: company.to_string(),
        client_id: client_id.to_owned(),
        secret_id: secret_id.to_owned(),
        actor: actor(),
    }
}

pub(crate) fn revoke(company: CompanyId, client_id: &str) -> RevokeClient {
    RevokeClient { company_id: company.to_string(), client_id: client_id.to_owned(), actor: actor() }
}

pub(crate) fn client(answer: Answer) -> Client {
    match answer {
        Answer::Client(client) => client,
        other => panic!("not a client: {other:?}"),
    }
}

async fn list(world: &World, company: CompanyId) -> Vec<Client> {
    match world.ask(LIST_CLIENTS, ListClients { company_id: company.to_string() }).await {
        Answer::ClientList(list) => list.clients,
        other => panic!("not a list: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_each_client_with_its_own_secrets_the_newest_first() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for _ in 0..2 {
        let made = world.client(None).await;
        let id = made.client.unwrap().client_id;
        world.clock.advance(Duration::from_secs(60));
        let newer = secret_client(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, &id)).await);
        // Revoked secrets stand behind live ones only where not all are shown.
        client(world.ask(REVOKE_CLIENT_SECRET, revoke_secret(world.company, &id, &newer.secret_id)).await);
        expected.insert(0, (id, vec![newer.secret_id, made.secret_id]));
    }
    let shown: Vec<(String, Vec<String>)> = list(&world, world.company)
        .await
        .into_iter()
        .map(|client| (client.client_id, client.secrets.into_iter().map(|secret| secret.secret_id).collect()))
        .collect();
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_created_with_a_secret_that_is_told_once_and_not_kept() {
    let world = World::start().await;
    let made = world.client(None).await;
    let shown = made.client.unwrap();
    assert!(made.secret.starts_with("tc365_cs_"));
    assert_eq!(shown.created_by, "anna@contoso.com");
    assert_eq!(shown.token_endpoint, "http://127.0.0.1:8082/oauth2/token");
    assert_eq!(shown.secrets[0].secret_id, made.secret_id);
    assert!(made.secret.ends_with(&shown.secrets[0].hint) && shown.secrets[0].hint.len() == 4);
    assert_eq!(shown.secrets[0].expires_at.unwrap().seconds, i64::try_from(NOW).unwrap() + i64::from(YEAR));
    assert_eq!(list(&world, world.company).await, [shown]);
    let dump = Server::shared().unwrap().sql(
        &world.database.name,
        "SELECT row_to_json(c) FROM tokens.clients c; SELECT row_to_json(s) FROM tokens.client_secrets s; SELECT row_to_json(e) FROM tokens.token_events e",
    );
    let dump = dump.unwrap();
    let random = made.secret.strip_prefix("tc365_cs_").unwrap();
    assert!(dump.contains(&made.secret_id) && !dump.contains(random), "{dump}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federated_client_shows_who_must_have_issued_its_assertions() {
    let world = World::start().await;
    let made = world.create_client(Authentication::Federation(federation())).await;
    assert_eq!((made.secret.as_str(), made.secret_id.as_str()), ("", ""));
    let shown = made.client.unwrap();
    assert_eq!(shown.federation, Some(federation()));
    assert_eq!(shown.issuer, format!("{}/{TENANT}/v2.0", world.authority.url));
    let add = add_secret(world.company, &shown.client_id);
    assert_eq!(failed(world.ask(ADD_CLIENT_SECRET, add).await), Reason::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_several_secrets_but_only_so_many_that_live() {
    let world = World::start().await;
    let first = world.client(None).await;
    let id = first.client.unwrap().client_id;
    let mut newest = String::new();
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(1));
        newest = secret_client(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, &id)).await).secret_id;
    }
    assert_eq!(failed(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, &id)).await), Reason::Invalid);
    let shown =
        client(world.ask(REVOKE_CLIENT_SECRET, revoke_secret(world.company, &id, &first.secret_id)).await);
    assert_eq!(shown.secrets.first().unwrap().secret_id, newest, "the newest first");
    assert!(shown.secrets.last().unwrap().revoked_at.is_some());
    secret_client(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, &id)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_has_a_limited_number_of_clients_and_a_revoked_one_makes_room() {
    let world = World::start().await;
    let first = world.client(None).await.client.unwrap().client_id;
    for _ in 1..10 {
        world.client(None).await;
    }
    let one_more = new_client(world.company, Authentication::Secret(SecretAuthentication::default()));
    assert_eq!(failed(world.ask(CREATE_CLIENT, one_more.clone()).await), Reason::Invalid);
    client(world.ask(REVOKE_CLIENT, revoke(world.company, &first)).await);
    secret_client(world.ask(CREATE_CLIENT, one_more).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_client_is_published_before_the_answer_and_ends_once() {
    let world = World::start().await;
    let id = world.client(None).await.client.unwrap().client_id;
    world.clock.advance(Duration::from_secs(10));
    let revoked = client(world.ask(REVOKE_CLIENT, revoke(world.company, &id)).await);
    assert_eq!(world.revocations().await, [(id.clone(), (NOW + 10).to_string())]);
    world.clock.advance(Duration::from_secs(10));
    let again = client(world.ask(REVOKE_CLIENT, revoke(world.company, &id)).await);
    assert_eq!(again.revoked_at, revoked.revoked_at);
    assert_eq!(failed(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, &id)).await), Reason::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_company_s_client_does_not_exist() {
    let world = World::start().await;
    let made = world.client(None).await;
    let (id, other) = (made.client.unwrap().client_id, CompanyId::mint());
    assert_eq!(list(&world, other).await, []);
    assert_eq!(failed(world.ask(ADD_CLIENT_SECRET, add_secret(other, &id)).await), Reason::NotFound);
    let secret = revoke_secret(other, &id, &made.secret_id);
    assert_eq!(failed(world.ask(REVOKE_CLIENT_SECRET, secret).await), Reason::NotFound);
    assert_eq!(failed(world.ask(REVOKE_CLIENT, revoke(other, &id)).await), Reason::NotFound);
    assert!(world.revocations().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_cannot_be_is_refused_with_its_reason() {
    let world = World::start().await;
    let secret = |lifetime_seconds| Authentication::Secret(SecretAuthentication { lifetime_seconds });
    let federated = |change: &dyn Fn(&mut Federation)| {
        let mut federation = federation();
        change(&mut federation);
        Authentication::Federation(federation)
    };
    for authentication in [
        secret(Some(YEAR - 1)),
        secret(Some(3 * YEAR + 1)),
        federated(&|it| it.tenant_id = "contoso.com".into()),
        federated(&|it| it.tenant_id = "../evil".into()),
        federated(&|it| it.subject.clear()),
        federated(&|it| it.subject = "x".repeat(201)),
        federated(&|it| it.audiences.clear()),
        federated(&|it| it.audiences = vec!["a".into(); 6]),
        federated(&|it| it.audiences = vec!["a".repeat(301)]),
    ] {
        let ask = new_client(world.company, authentication);
        assert_eq!(failed(world.ask(CREATE_CLIENT, ask.clone()).await), Reason::Invalid, "{ask:?}");
    }
    let nothing = CreateClient { authentication: None, ..new_client(world.company, secret(None)) };
    assert_eq!(failed(world.ask(CREATE_CLIENT, nothing).await), Reason::Invalid);
    let nobody = new_client(CompanyId::mint(), secret(None));
    assert_eq!(failed(world.ask(CREATE_CLIENT, nobody).await), Reason::NotFound);
    let unknown = CredentialId::mint().to_string();
    assert_eq!(failed(world.ask(REVOKE_CLIENT, revoke(world.company, &unknown)).await), Reason::NotFound);
    let id = world.client(None).await.client.unwrap().client_id;
    let no_secret = revoke_secret(world.company, &id, &unknown);
    assert_eq!(failed(world.ask(REVOKE_CLIENT_SECRET, no_secret).await), Reason::NotFound);
}
