//! How loud the line about an answered request is, in every service alike.

use tracing::Level;

/// A failure of ours is worth a look, whoever met it.
///
/// Changes and what was refused are for the record. Reads that went well are for debugging, and so are the refusals of
/// strangers, of which there is no end and which metrics count.
#[must_use]
pub fn access_level(method: &str, status: u16, is_known: bool) -> Level {
    match status {
        500.. => Level::WARN,
        400.. if !is_known => Level::DEBUG,
        ..400 if matches!(method, "GET" | "HEAD") => Level::DEBUG,
        _ => Level::INFO,
    }
}

/// Logs at a level that is known when it runs: `tracing`'s own macros want a constant.
#[macro_export]
macro_rules! log_at {
    ($level:expr, $($fields:tt)+) => {
        match $level {
            ::tracing::Level::WARN => ::tracing::warn!($($fields)+),
            ::tracing::Level::INFO => ::tracing::info!($($fields)+),
            _ => ::tracing::debug!($($fields)+),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_do_not_fill_the_log() {
        for (method, status, is_known, expected) in [
            ("GET", 401, false, Level::DEBUG),
            ("POST", 404, false, Level::DEBUG),
            ("POST", 400, false, Level::DEBUG),
            ("POST", 303, false, Level::INFO),
            ("GET", 404, true, Level::INFO),
            ("GET", 503, false, Level::WARN),
            ("GET", 200, true, Level::DEBUG),
            ("PATCH", 200, true, Level::INFO),
        ] {
            assert_eq!(access_level(method, status, is_known), expected, "{method} {status}");
        }
    }
}
