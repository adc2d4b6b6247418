//! Entra's other kinds of credential: a client's secret, and assertions that Entra signs.

use entra_emulator::{Authority, Credential, Identity, OAuthClient, SecretPlace, Tenant};
use serde_json::Value;
use tests_e2e::{Entra, World, eventually};

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const SUBJECT: &str = "66666666-7777-4888-9999-000000000000";
const AUDIENCE: &str = "api://timeclock365";

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned()
}

fn client(made: &Value) -> OAuthClient {
    OAuthClient { id: text(made, "id"), token_endpoint: text(made, "token_endpoint") }
}

fn by_secret(made: &Value, place: SecretPlace) -> Credential {
    Credential::ClientSecret { client: client(made), secret: text(made, "secret").into(), place }
}

/// Hires two people and expects them to be provisioned.
async fn provisions(world: &World, credential: Credential, name: &str) -> Entra {
    let mut entra = world.entra_by(credential, Tenant::empty(&format!("{name}.example"), 1));
    let anna = entra.tenant.hire_named("Anna", "Berg", "anna.berg");
    entra.tenant.hire_named("Jean", "Petit", "jean.petit");
    entra.cycle().await;
    assert_eq!(entra.account(anna, &world.scim).await["active"], true);
    entra
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_provisioned_by_each_kind_of_credential() {
    let world = World::shared();
    let operator = world.operator();
    let made = operator.create_client(&["--description", "Entra"]);
    provisions(&world, Credential::SecretToken(world.company.scim_token.clone().into()), "token").await;
    provisions(&world, by_secret(&made, SecretPlace::Body), "body").await;
    provisions(&world, by_secret(&made, SecretPlace::Basic), "basic").await;

    let federated = operator.create_client(&[
        "--federation-tenant",
        TENANT,
        "--federation-subject",
        SUBJECT,
        "--federation-audience",
        AUDIENCE,
    ]);
    let authority = Authority::start(World::authority()).await.unwrap();
    assert_eq!(text(&federated["federation"], "issuer"), authority.issuer(TENANT));
    let identity = Identity { tenant: TENANT.into(), subject: SUBJECT.into(), audience: AUDIENCE.into() };
    let promised = Credential::Federation {
        client: client(&federated),
        authority: authority.clone(),
        identity: identity.clone(),
    };
    provisions(&world, promised, "federation").await;

    // Another service principal of the same tenant is nobody here.
    let stranger = Identity { subject: TENANT.into(), ..identity };
    let strange = Credential::Federation { client: client(&federated), authority, identity: stranger };
    let mut strange = world.entra_by(strange, Tenant::empty("stranger.example", 1));
    let refused = strange.job.test_connection().await.unwrap_err();
    assert!(refused.message.contains("subject (sub)"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_client_is_refused_at_its_next_call_and_others_are_not() {
    let world = World::shared();
    let operator = world.operator();
    let (leaked, other) = (operator.create_client(&[]), operator.create_client(&[]));
    let mut by_leaked = provisions(&world, by_secret(&leaked, SecretPlace::Body), "leaked").await;
    let mut by_other = provisions(&world, by_secret(&other, SecretPlace::Body), "other").await;

    operator.revoke_client(&text(&leaked, "id"));
    let refused = async || by_leaked.job.test_connection().await.err();
    let (refusal, delay) = eventually("the revoked client refused", refused, Option::clone).await;
    println!("the revocation of a client was felt {delay:?} after the operator's command had ended");
    assert_eq!(refusal.exchange.status(), Some(401));
    assert!(refusal.message.contains("the credentials appear to be invalid"), "{}", refusal.message);
    by_other.cycle().await;

    let events = operator.events("token");
    assert_eq!((&events[0]["act"], &events[0]["target"]), (&"client.revoked".into(), &leaked["id"]));
    assert_eq!(events[0]["actor_kind"], "operator");
}
