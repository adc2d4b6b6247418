//! Commands about OAuth clients.

use bus_contract::{
    subject::{ADD_CLIENT_SECRET, CREATE_CLIENT, LIST_CLIENTS, REVOKE_CLIENT, REVOKE_CLIENT_SECRET},
    token::{
        AddClientSecret, Client, CreateClient, Federation, ListClients, Reply, RevokeClient,
        RevokeClientSecret, SecretAuthentication, SecretClient, create_client::Authentication, reply,
    },
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::ClientCommand,
    failure::Failure,
    output::{Answer, Row},
    time,
    token::{TOKENS, result},
};

/// A client as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    company_id: String,
    description: String,
    created_at: String,
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<ShownSecret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    federation: Option<ShownFederation>,
    /// Left out unless it was made just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

#[derive(Serialize)]
struct ShownSecret {
    id: String,
    hint: String,
    created_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

#[derive(Serialize)]
struct ShownFederation {
    tenant_id: String,
    issuer: String,
    subject: String,
    audiences: Vec<String>,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] =
        &["ID", "STATE", "CREATED AT", "PROVES ITSELF BY", "DESCRIPTION"];

    fn cells(&self) -> Vec<String> {
        let proof = match &self.federation {
            Some(federation) => format!("assertions of tenant {}", federation.tenant_id),
            None => {
                let live = self.secrets.iter().filter(|secret| secret.revoked_at.is_none());
                let secrets: Vec<_> = live
                    .map(|secret| {
                        format!("secret {} (…{}) until {}", secret.id, secret.hint, secret.expires_at)
                    })
                    .collect();
                if secrets.is_empty() { "no secret".to_owned() } else { secrets.join("\n") }
            }
        };
        let state = if self.revoked_at.is_some() { "revoked" } else { "active" };
        vec![self.id.clone(), state.to_owned(), self.created_at.clone(), proof, self.description.clone()]
    }
}

pub(crate) async fn execute(questions: &Questions, command: ClientCommand) -> Result<Answer, Failure> {
    let actor = questions.actor();
    let reply: Reply = match command {
        ClientCommand::Create(wanted) => {
            let authentication = match (wanted.federation_tenant, wanted.federation_subject) {
                (Some(tenant_id), Some(subject)) => Authentication::Federation(Federation {
                    tenant_id,
                    subject,
                    audiences: wanted.federation_audiences,
                }),
                _ => Authentication::Secret(SecretAuthentication { lifetime_seconds: wanted.lifetime }),
            };
            let question = CreateClient {
                company_id: wanted.company,
                description: wanted.description,
                actor,
                authentication: Some(authentication),
            };
            questions.ask(TOKENS, CREATE_CLIENT, &question).await?
        }
        ClientCommand::List { company } => {
            questions.ask(TOKENS, LIST_CLIENTS, &ListClients { company_id: company }).await?
        }
        ClientCommand::AddSecret { company, client, lifetime } => {
            let question =
                AddClientSecret { company_id: company, client_id: client, lifetime_seconds: lifetime, actor };
            questions.ask(TOKENS, ADD_CLIENT_SECRET, &question).await?
        }
        ClientCommand::RevokeSecret { company, client, secret } => {
            let question =
                RevokeClientSecret { company_id: company, client_id: client, secret_id: secret, actor };
            questions.ask(TOKENS, REVOKE_CLIENT_SECRET, &question).await?
        }
        ClientCommand::Revoke { company, client } => {
            let question = RevokeClient { company_id: company, client_id: client, actor };
            questions.ask(TOKENS, REVOKE_CLIENT, &question).await?
        }
    };
    match result(reply)? {
        reply::Result::SecretClient(made) => tell(made),
        reply::Result::ClientList(list) => {
            let clients: Result<Vec<_>, _> =
                list.clients.into_iter().map(|client| shown(client, None)).collect();
            Answer::many(&clients?)
        }
        reply::Result::Client(client) => Answer::one(shown(client, None)?),
        _ => Err(unintelligible(TOKENS, "another result than was asked for")),
    }
}

/// What its administrator enters in Entra.
fn tell(made: SecretClient) -> Result<Answer, Failure> {
    let client = made.client.ok_or_else(|| unintelligible(TOKENS, "no client"))?;
    let secret = Some(made.secret).filter(|secret| !secret.is_empty());
    let mut note = format!(
        "For the Provisioning tab of the app in Entra:\n  Token endpoint     {}\n  Client identifier  {}",
        client.token_endpoint, client.client_id
    );
    if let Some(secret) = &secret {
        note.push_str(&format!(
            "\n  Client secret      {secret}\nThe secret is shown this once; whoever has it can change this company's users."
        ));
    }
    Ok(Answer::one(shown(client, secret)?)?.with_note(note))
}

fn shown(client: Client, secret: Option<String>) -> Result<Shown, Failure> {
    let secrets: Result<Vec<_>, Failure> = client
        .secrets
        .into_iter()
        .map(|secret| {
            Ok(ShownSecret {
                id: secret.secret_id,
                hint: secret.hint,
                created_at: time::shown(TOKENS, secret.created_at)?,
                expires_at: time::shown(TOKENS, secret.expires_at)?,
                revoked_at: secret.revoked_at.map(|at| time::shown(TOKENS, Some(at))).transpose()?,
            })
        })
        .collect();
    let issuer = client.issuer;
    Ok(Shown {
        id: client.client_id,
        company_id: client.company_id,
        description: client.description,
        created_at: time::shown(TOKENS, client.created_at)?,
        created_by: client.created_by,
        revoked_at: client.revoked_at.map(|at| time::shown(TOKENS, Some(at))).transpose()?,
        token_endpoint: client.token_endpoint,
        secrets: secrets?,
        federation: client.federation.map(|federation| ShownFederation {
            tenant_id: federation.tenant_id,
            issuer,
            subject: federation.subject,
            audiences: federation.audiences,
        }),
        secret,
    })
}
