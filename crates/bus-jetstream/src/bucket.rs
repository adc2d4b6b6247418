//! Reading and writing a key-value bucket.

use std::collections::BTreeMap;

use async_nats::jetstream::message::PublishMessage;
use bus_contract::stream::Bucket;
use bytes::Bytes;

use crate::{
    connect::Bus,
    error::Error,
    headers::Headers,
    publish::{PublishError, Stored},
};

/// How the KV convention says that a message is not a value.
const OPERATION: &str = "KV-Operation";
/// Forget what this subject held before: the marker is then all that is left of the key.
const ROLLUP: &str = "Nats-Rollup";

impl Bus {
    /// Sets a key and waits until it is stored.
    ///
    /// # Errors
    /// See [`PublishError`]; `Refused` also when the bucket does not exist or is full.
    pub async fn put(
        &self,
        bucket: &Bucket,
        key: &str,
        value: impl Into<Bytes>,
    ) -> Result<Stored, PublishError> {
        let message = PublishMessage::build().payload(value.into());
        self.send_durable(subject(bucket.name, key).into(), message).await?.await
    }

    /// Removes a key and waits until that is stored; watchers are told. Removing an absent key is no failure.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn delete(&self, bucket: &Bucket, key: &str) -> Result<(), PublishError> {
        let mut headers = Headers::new();
        headers.set(OPERATION, "PURGE");
        headers.set(ROLLUP, "sub");
        let message = PublishMessage::build().headers(headers.0);
        self.send_durable(subject(bucket.name, key).into(), message).await?.await?;
        Ok(())
    }

    /// Every key and its value, as of now.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`] when the bucket does not exist.
    pub async fn entries(&self, bucket: &Bucket) -> Result<BTreeMap<String, Bytes>, Error> {
        crate::watch::snapshot(self, bucket).await
    }
}

pub(crate) fn stream_name(bucket: &str) -> String {
    format!("KV_{bucket}")
}

pub(crate) fn all_keys(bucket: &str) -> String {
    format!("$KV.{bucket}.>")
}

pub(crate) fn subject(bucket: &str, key: &str) -> String {
    format!("$KV.{bucket}.{key}")
}

/// The key of a message's subject.
pub(crate) fn key_of<'a>(bucket: &str, subject: &'a str) -> Option<&'a str> {
    subject.strip_prefix("$KV.")?.strip_prefix(bucket)?.strip_prefix('.')
}

/// Whether the message says that its key is gone.
pub(crate) fn is_removal(headers: &Headers) -> bool {
    headers.get(OPERATION).is_some_and(|operation| operation != "PUT")
}
