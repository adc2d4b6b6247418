//! Where Postgres is and how long it may take.

use std::{fmt::Write as _, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use service_runtime::settings::{Reader, Setting};

/// Most connections one process may hold.
pub const POOL_SIZE_MOST: u32 = 64;
/// A single statement that takes longer is cancelled.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// A statement that waits longer for a lock is cancelled.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// A migration that waits longer for a lock is rolled back and begun again: whoever asks for a table after it waits
/// behind it.
pub const MIGRATION_LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// A transaction that its owner forgot is ended by the server.
pub const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// Opening a connection may take this long, whole seconds.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Sent data that the server's machine does not acknowledge for this long means that the connection is dead.
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

const URL: Setting = Setting::new(
    "TIMECLOCK_POSTGRES_URL",
    "The database: for `serve` as the service's role, for `migrate` as the one that owns the tables.",
)
.form("postgres://user:password@host:port/database, with parameters behind `?` where needed");
const POOL_SIZE: Setting =
    Setting::new("TIMECLOCK_POSTGRES_POOL_SIZE", "Most connections that the process's pool holds.");

/// How a process connects to Postgres.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `postgres://user:password@host:port/database`; parameters behind `?` are kept.
    pub url: SecretString,
    /// Connections of the pool.
    pub pool_size: u32,
    /// What `pg_stat_activity` calls us; the service's name.
    pub application_name: String,
}

impl Settings {
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader, application_name: &str) -> Self {
        let url = reader.secret(URL);
        let text = url.expose_secret();
        let is_fit = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        // That it is missing is said already.
        if !is_fit && !text.is_empty() {
            reader.refuse(URL);
        }
        Self {
            url,
            pool_size: reader.number(POOL_SIZE, 8, 1..=POOL_SIZE_MOST),
            application_name: application_name.to_owned(),
        }
    }

    /// The url for the pool's and sessions' connections, with the limits above.
    pub(crate) fn connection_url(&self, application_name: &str) -> SecretString {
        self.url_with(application_name, STATEMENT_TIMEOUT, LOCK_TIMEOUT)
    }

    /// The url for migrations, whose statements may take as long as they need once they have their locks.
    pub(crate) fn migration_url(&self) -> SecretString {
        self.url_with(&self.application_name, Duration::ZERO, MIGRATION_LOCK_TIMEOUT)
    }

    fn url_with(
        &self,
        application_name: &str,
        statement_timeout: Duration,
        lock_timeout: Duration,
    ) -> SecretString {
        let mut url = self.url.expose_secret().to_owned();
        let mut add = |name: &str, value: &str| {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            for byte in value.bytes() {
                // Writing to a String does not fail.
                let _ok = match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                        url.write_char(byte.into())
                    }
                    _ => write!(url, "%{byte:02X}"),
                };
            }
        };
        add("application_name", application_name);
        add("connect_timeout", &CONNECT_TIMEOUT.as_secs().to_string());
        add("keepalives_idle", "10");
        add("keepalives_interval", "5");
        add("keepalives_count", "3");
        add("tcp_user_timeout", &TCP_USER_TIMEOUT.as_millis().to_string());
        let options = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}",
            statement_timeout.as_millis(),
            lock_timeout.as_millis(),
            IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
        );
        add("options", &options);
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_added_behind_the_parameters_that_are_there() {
        let settings = Settings {
            url: "postgres://u:p@localhost/d?sslmode=disable".into(),
            pool_size: 1,
            application_name: "a b&c".into(),
        };
        let url = settings.connection_url(&settings.application_name);
        let url = url.expose_secret();
        assert!(
            url.starts_with("postgres://u:p@localhost/d?sslmode=disable&application_name=a%20b%26c&"),
            "{url}"
        );
        assert!(url.contains("&options=-c%20statement_timeout%3D10000%20-c%20lock_timeout%3D5000"), "{url}");
    }

    #[test]
    fn debug_hides_the_url() {
        let settings =
            Settings { url: "postgres://u:hunter2@h/d".into(), pool_size: 1, application_name: "a".into() };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
