//! What can be done to the keys that sign: make the first, rotate, retire, seal anew, list.

use bus_contract::token::{
    RetireSigningKey, RotateSigningKey, SealSigningKeys, SigningKey, SigningKeyList,
    signing_key::{Seal, State},
};
use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult};
use rand::TryRngCore as _;
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    app::App,
    ask::{Refusal, doing},
    lifecycle::{published, timestamp},
    store::{
        act_for,
        events::{self, Act, Doing},
        keys::{self, KeyRow, NewKey},
    },
};

/// What acts on keys are written down under: they are of every company and so of none.
pub(crate) const INSTALLATION: CompanyId = CompanyId::from_uuid(Uuid::nil());

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("the operating system gives no randomness")]
    Randomness(#[source] rand::rand_core::OsError),
    #[error(transparent)]
    Seal(#[from] crate::seal::SealError),
    #[error(transparent)]
    Unseal(#[from] crate::seal::UnsealError),
    #[error("the signing keys cannot be read")]
    Database(#[from] pg_pool::Error),
    #[error("there is no signing key yet")]
    None,
}

/// Makes the first signing key if there is none.
pub(crate) async fn ensure(app: &App) -> Result<(), SetupError> {
    if signing(app).await?.is_some() {
        return Ok(());
    }
    let key = new(app)?;
    let kid = key.kid.clone();
    if app
        .pool
        .transaction("keys.insert_first", move |connection| keys::insert_first(connection, &key))
        .await?
    {
        tracing::info!(kid, "made the first signing key");
    }
    Ok(())
}

/// The key that signs now.
pub(crate) async fn signing(app: &App) -> Result<Option<KeyRow>, pg_pool::Error> {
    let now = app.now();
    app.pool.run("keys.signing", move |connection| keys::signing(connection, now)).await
}

/// Whether there is a key and it opens.
pub(crate) async fn can_sign(app: &App) -> Result<(), SetupError> {
    let key = signing(app).await?.ok_or(SetupError::None)?;
    app.sealing_keys.unseal(&key.kid, &key.sealed_private_key)?;
    Ok(())
}

fn new(app: &App) -> Result<NewKey, SetupError> {
    let mut seed = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut seed).map_err(SetupError::Randomness)?;
    let kid = Uuid::now_v7().simple().to_string();
    Ok(NewKey {
        public_key: ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes().to_vec(),
        sealed_private_key: app.sealing_keys.seal(&kid, &seed)?,
        created_at: app.now(),
        kid,
    })
}

/// Every key.
pub(crate) async fn list(app: &App) -> Result<SigningKeyList, Refusal> {
    let now = app.now();
    let (all, signing) = app
        .pool
        .transaction("keys.list", move |connection| {
            Ok((keys::all(connection)?, keys::signing(connection, now)?))
        })
        .await?;
    let signing = signing.map(|key| (key.created_at, key.kid));
    let keys = all.into_iter().map(|key| shown(app, key, signing.as_ref()));
    Ok(SigningKeyList { keys: keys.collect() })
}

fn shown(app: &App, key: KeyRow, signing: Option<&(DateTime<Utc>, String)>) -> SigningKey {
    let state = match (key.retired_at, signing) {
        (Some(_), _) => State::Retired,
        (None, Some((_, kid))) if key.kid == *kid => State::Signing,
        (None, Some((made, kid))) if (key.created_at, &key.kid) > (*made, kid) => State::Waiting,
        (None, _) => State::Verifying,
    };
    SigningKey {
        state: state.into(),
        created_at: Some(timestamp(key.created_at)),
        retired_at: key.retired_at.map(timestamp),
        seal: seal(app, &key).into(),
        key_id: key.kid,
    }
}

fn seal(app: &App, key: &KeyRow) -> Seal {
    if app.sealing_keys.is_sealed_with_present(&key.kid, &key.sealed_private_key) {
        return Seal::Present;
    }
    let opened = app.sealing_keys.unseal(&key.kid, &key.sealed_private_key);
    if opened.is_ok() { Seal::Previous } else { Seal::Unknown }
}

/// A new key, which signs from when every gateway knows it.
pub(crate) async fn rotate(app: &App, ask: RotateSigningKey) -> Result<SigningKeyList, Refusal> {
    let doing = doing(INSTALLATION, ask.actor, app.now())?;
    let key = new(app).map_err(|error| Refusal::Unavailable(error.into()))?;
    let is_made = app
        .pool
        .transaction("keys.rotate", move |connection| {
            keys::take_turns(connection)?;
            let signing = keys::signing(connection, doing.now)?.map(|key| key.kid);
            let newest = keys::all(connection)?.into_iter().find(|key| key.retired_at.is_none());
            if newest.map(|key| key.kid) != signing {
                return Ok(false);
            }
            keys::insert(connection, &key)?;
            write_down(connection, &doing, Act::SigningKeyRotated, std::slice::from_ref(&key.kid))?;
            Ok(true)
        })
        .await?;
    if !is_made {
        return Err(Refusal::Invalid(
            "a new key is waiting already; it signs from a minute after it was made".to_owned(),
        ));
    }
    tell(app).await
}

/// The end of everything that a key signed.
pub(crate) async fn retire(app: &App, ask: RetireSigningKey) -> Result<SigningKeyList, Refusal> {
    let doing = doing(INSTALLATION, ask.actor, app.now())?;
    let retired = app
        .pool
        .transaction("keys.retire", move |connection| {
            keys::take_turns(connection)?;
            let known = keys::all(connection)?.into_iter().find(|key| key.kid == ask.key_id);
            let Some(key) = known else { return Ok(Err(Refusal::NotFound("signing key"))) };
            if keys::signing(connection, doing.now)?.is_some_and(|signing| signing.kid == key.kid) {
                return Ok(Err(Refusal::Invalid(
                    "this key signs at the moment; rotate it, and retire it when its successor signs"
                        .to_owned(),
                )));
            }
            if key.retired_at.is_none() {
                keys::retire(connection, &key.kid, doing.now)?;
                write_down(connection, &doing, Act::SigningKeyRetired, std::slice::from_ref(&key.kid))?;
            }
            Ok(Ok(()))
        })
        .await?;
    retired?;
    // Also when it had ended before: whoever asks again may do so because publishing failed.
    tell(app).await
}

/// Seals every private key that opens with the present sealing key.
pub(crate) async fn seal_anew(app: &App, ask: SealSigningKeys) -> Result<SigningKeyList, Refusal> {
    let doing = doing(INSTALLATION, ask.actor, app.now())?;
    let sealing_keys = app.sealing_keys.clone();
    let unsealed = app
        .pool
        .transaction("keys.seal", move |connection| {
            keys::take_turns(connection)?;
            let mut sealed = Vec::new();
            for KeyRow { kid, sealed_private_key, .. } in keys::all(connection)? {
                if sealing_keys.is_sealed_with_present(&kid, &sealed_private_key) {
                    continue;
                }
                let anew = sealing_keys
                    .unseal(&kid, &sealed_private_key)
                    .map_err(anyhow::Error::from)
                    .and_then(|secret| Ok(sealing_keys.seal(&kid, &secret)?));
                match anew {
                    Ok(anew) => keys::reseal(connection, &kid, &anew)?,
                    Err(error) => return Ok(Err(error)),
                }
                sealed.push(kid);
            }
            write_down(connection, &doing, Act::SigningKeySealed, &sealed)?;
            Ok(Ok(()))
        })
        .await?;
    unsealed.map_err(Refusal::Unavailable)?;
    list(app).await
}

fn write_down(connection: &mut PgConnection, doing: &Doing, act: Act, kids: &[String]) -> QueryResult<()> {
    act_for(connection, INSTALLATION)?;
    events::record(connection, doing, act, kids, "")
}

/// The keys, once the gateways have been told of them.
async fn tell(app: &App) -> Result<SigningKeyList, Refusal> {
    if !published(app).await {
        return Err(Refusal::Unavailable(anyhow::anyhow!(
            "it is recorded, but could not be published to the gateways yet; it will be"
        )));
    }
    list(app).await
}
