//! Where NATS is and who we are there.

use secrecy::SecretString;
use service_runtime::settings::Reader;

/// How a process connects to NATS.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `nats://host:port`; several, separated by commas, name the members of a cluster.
    pub url: String,
    /// The NATS user. Its inboxes are `_INBOX.<user>.>`, so that no user can listen to another's replies.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// The connection's name in the server's monitoring; the service's name.
    pub connection_name: String,
}

impl Settings {
    /// Reads `TIMECLOCK_NATS_URL`, `TIMECLOCK_NATS_USER` and `TIMECLOCK_NATS_PASSWORD`.
    pub fn read(reader: &mut Reader, connection_name: &str) -> Self {
        Self {
            url: reader.with_default("TIMECLOCK_NATS_URL", "nats://127.0.0.1:4222"),
            user: reader.required("TIMECLOCK_NATS_USER"),
            password: reader.secret("TIMECLOCK_NATS_PASSWORD"),
            connection_name: connection_name.to_owned(),
        }
    }

    /// The prefix of this user's reply subjects.
    #[must_use]
    pub fn inbox_prefix(&self) -> String {
        format!("_INBOX.{}", self.user)
    }
}
