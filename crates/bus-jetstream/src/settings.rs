//! Where NATS is and who we are there.

use secrecy::SecretString;
use service_runtime::settings::{Reader, Setting};

const URL: Setting = Setting::new(
    "TIMECLOCK_NATS_URL",
    "Where NATS is; several addresses, separated by commas, name the members of a cluster.",
)
.form("nats://host:port, several separated by commas");
const USER: Setting = Setting::new("TIMECLOCK_NATS_USER", "The user of NATS that this program is.");
const PASSWORD: Setting = Setting::new("TIMECLOCK_NATS_PASSWORD", "The password of that user of NATS.");

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
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader, connection_name: &str) -> Self {
        Self {
            url: reader.with_default(URL, "nats://127.0.0.1:4222"),
            user: reader.required(USER),
            password: reader.secret(PASSWORD),
            connection_name: connection_name.to_owned(),
        }
    }

    /// The prefix of this user's reply subjects.
    #[must_use]
    pub fn inbox_prefix(&self) -> String {
        format!("_INBOX.{}", self.user)
    }
}
