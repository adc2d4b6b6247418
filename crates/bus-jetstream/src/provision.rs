//! Makes the server's streams and buckets match the contract, or says readably why it cannot.

use std::fmt::Write as _;

use async_nats::jetstream::{
    ErrorCode,
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType},
};
use bus_contract::stream::{Bucket, Retention, Stream};

use crate::{connect::Bus, error::Error};

/// Which incarnation of a stream this is.
///
/// A stream that was deleted and made again counts its messages from 1 again; whoever remembers a sequence number
/// remembers this beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamIdentity {
    /// When the server created it, in nanoseconds since the epoch.
    pub created_unix_nanos: i64,
}

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamState {
    /// Which incarnation of it this is.
    pub identity: StreamIdentity,
    /// The sequence of its oldest message; that of the next one when it holds none.
    pub first_sequence: u64,
    /// The sequence of the newest message that it ever held; 0 before the first.
    pub last_sequence: u64,
}

impl Bus {
    /// Creates the stream, or updates it where the server allows, or leaves it when it already matches.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with one line per setting that would have to change and cannot; [`Error::Unavailable`];
    /// [`Error::Refused`].
    pub async fn ensure_stream(&self, stream: &Stream) -> Result<StreamIdentity, Error> {
        self.ensure(stream_config(stream)).await
    }

    /// The same for a key-value bucket.
    ///
    /// # Errors
    /// As for [`Self::ensure_stream`].
    pub async fn ensure_bucket(&self, bucket: &Bucket) -> Result<StreamIdentity, Error> {
        self.ensure(bucket_config(bucket)).await
    }

    /// Which incarnation of the stream there is, if any. Also a readiness check: one real round trip.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`].
    pub async fn find_stream(&self, stream: &Stream) -> Result<Option<StreamIdentity>, Error> {
        self.stream_info(stream.name).await?.as_ref().map(identity).transpose()
    }

    /// What the stream holds now, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`].
    pub async fn stream_state(&self, stream: &Stream) -> Result<Option<StreamState>, Error> {
        self.stream_info(stream.name).await?.as_ref().map(state).transpose()
    }

    async fn ensure(&self, wanted: Config) -> Result<StreamIdentity, Error> {
        let existing = self.stream_info(&wanted.name).await?;
        let there_are = existing.as_ref().map_or(1, |existing| existing.config.num_replicas);
        let wanted = Config { num_replicas: self.replicas.wanted().unwrap_or(there_are), ..wanted };
        let Some(existing) = existing else {
            return self.create(wanted).await;
        };
        let difference = difference(&existing.config, &wanted);
        if difference.is_empty() {
            return identity(&existing);
        }
        if difference.iter().any(|setting| setting.fixed) {
            return Err(Error::Mismatch { name: wanted.name, difference: describe(&difference) });
        }
        tracing::info!(stream = %wanted.name, difference = %describe(&difference), "updating a stream's settings");
        // What nobody tells us stays as an operator set it, such as placement.
        let updated = Config {
            subjects: wanted.subjects,
            description: wanted.description,
            max_bytes: wanted.max_bytes,
            max_age: wanted.max_age,
            max_message_size: wanted.max_message_size,
            max_messages_per_subject: wanted.max_messages_per_subject,
            discard: wanted.discard,
            duplicate_window: wanted.duplicate_window,
            allow_rollup: wanted.allow_rollup,
            allow_direct: wanted.allow_direct,
            num_replicas: wanted.num_replicas,
            ..existing.config
        };
        let action = format!("update the stream {}", updated.name);
        let info = self.jetstream.update_stream(updated).await.map_err(|error| answered(action, error))?;
        identity(&info)
    }

    async fn create(&self, wanted: Config) -> Result<StreamIdentity, Error> {
        let action = format!("create the stream {}", wanted.name);
        let created = self.jetstream.create_stream(wanted).await.map_err(|error| answered(action, error))?;
        identity(created.cached_info())
    }

    async fn stream_info(&self, name: &str) -> Result<Option<Info>, Error> {
        let action = || format!("look up the stream {name}");
        if !self.is_connected() {
            return Err(Error::unavailable(action(), "there is no connection"));
        }
        match self.jetstream.get_stream(name).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(refusal)
                    if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                GetStreamErrorKind::JetStream(refusal) if refusal.code() != 503 => {
                    Err(Error::refused(action(), error))
                }
                _ => Err(Error::unavailable(action(), error)),
            },
        }
    }
}

/// Unavailable or refused, by what the server said.
fn answered(action: String, error: async_nats::jetstream::context::CreateStreamError) -> Error {
    match error.kind() {
        CreateStreamErrorKind::JetStream(refusal) if refusal.code() != 503 => Error::refused(action, error),
        CreateStreamErrorKind::EmptyStreamName
        | CreateStreamErrorKind::InvalidStreamName
        | CreateStreamErrorKind::DomainAndExternalSet => Error::refused(action, error),
        _ => Error::unavailable(action, error),
    }
}

fn identity(info: &Info) -> Result<StreamIdentity, Error> {
    let created_unix_nanos = i64::try_from(info.created.unix_timestamp_nanos())
        .map_err(|error| Error::refused("read a stream's creation time", error))?;
    Ok(StreamIdentity { created_unix_nanos })
}

fn state(info: &Info) -> Result<StreamState, Error> {
    let held = &info.state;
    // Servers differ in what they call the first message of a stream that holds none.
    let first_sequence = if held.messages == 0 { held.last_sequence + 1 } else { held.first_sequence };
    Ok(StreamState { identity: identity(info)?, first_sequence, last_sequence: held.last_sequence })
}

fn stream_config(stream: &Stream) -> Config {
    let (retention, max_age) = match stream.retention {
        Retention::WorkQueue => (RetentionPolicy::WorkQueue, std::time::Duration::ZERO),
        Retention::MaxAge(age) => (RetentionPolicy::Limits, age),
    };
    Config {
        name: stream.name.to_owned(),
        description: Some(stream.description.to_owned()),
        subjects: vec![stream.subject.to_owned()],
        retention,
        max_age,
        max_bytes: stream.max_bytes,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_message_size: stream.max_message_bytes,
        discard: DiscardPolicy::New,
        duplicate_window: stream.duplicate_window,
        storage: StorageType::File,
        num_replicas: 1,
        ..Config::default()
    }
}

fn bucket_config(bucket: &Bucket) -> Config {
    Config {
        name: crate::bucket::stream_name(bucket.name),
        description: Some(bucket.description.to_owned()),
        subjects: vec![crate::bucket::all_keys(bucket.name)],
        max_bytes: bucket.max_bytes,
        max_messages: -1,
        max_messages_per_subject: 1,
        max_consumers: -1,
        max_message_size: -1,
        discard: DiscardPolicy::New,
        duplicate_window: std::time::Duration::from_secs(120),
        storage: StorageType::File,
        num_replicas: 1,
        allow_rollup: true,
        allow_direct: true,
        deny_delete: true,
        ..Config::default()
    }
}

struct Difference {
    setting: &'static str,
    server: String,
    contract: String,
    /// The server refuses to change it in place.
    fixed: bool,
}

fn difference(server: &Config, contract: &Config) -> Vec<Difference> {
    let mut found = Vec::new();
    macro_rules! compare {
        ($fixed:literal: $($field:ident),+) => {$(
            if server.$field != contract.$field {
                found.push(Difference {
                    setting: stringify!($field),
                    server: format!("{:?}", server.$field),
                    contract: format!("{:?}", contract.$field),
                    fixed: $fixed,
                });
            }
        )+};
    }
    compare!(true: retention, storage, max_consumers, deny_delete);
    compare!(false: subjects, description, max_bytes, max_age, max_message_size, max_messages_per_subject, discard);
    compare!(false: duplicate_window, allow_rollup, allow_direct, num_replicas);
    found
}

fn describe(difference: &[Difference]) -> String {
    let mut text = String::new();
    for Difference { setting, server, contract, fixed } in difference {
        let verdict = if *fixed { "fixed at creation" } else { "can be updated" };
        // Writing to a String does not fail.
        let _ok = writeln!(text, "  {setting}: server {server}, contract {contract} ({verdict})");
    }
    text
}
