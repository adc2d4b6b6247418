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

const REPLICAS: Setting = Setting::new(
    "TIMECLOCK_NATS_REPLICAS",
    "How many servers of a NATS cluster keep each stream and bucket that this program makes; 0 makes new ones with one \
     copy and leaves those that exist as they are.",
);

/// More would make every write wait for more servers; this many survive the loss of two (the most that JetStream takes).
const REPLICAS_MOST: usize = 5;

/// How many servers of a cluster keep each stream and bucket that a process provisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replicas(Option<usize>);

impl Replicas {
    /// Reads it; problems are the reader's to report.
    ///
    /// 0, the default, makes new ones with one copy and leaves those that exist as an operator set them.
    pub fn read(reader: &mut Reader) -> Self {
        Self::of(reader.number(REPLICAS, 0, 0..=REPLICAS_MOST))
    }

    /// This many; 0 as [`Self::read`] says.
    #[must_use]
    pub fn of(number: usize) -> Self {
        Self((number > 0).then_some(number))
    }

    pub(crate) fn wanted(self) -> Option<usize> {
        self.0
    }
}

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
