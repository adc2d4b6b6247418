//! What the directory reads from its environment.

use chrono::TimeDelta;
use service_runtime::settings::Reader;

/// The settings of a serving directory.
pub(crate) struct Settings {
    pub(crate) bus: bus_jetstream::Settings,
    pub(crate) postgres: pg_pool::Settings,
    pub(crate) activity: ActivitySettings,
}

/// How calls are counted, and how long the log is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivitySettings {
    /// What parts two cycles.
    pub(crate) pause: TimeDelta,
    /// Age at which log lines and cycles are deleted.
    pub(crate) retention: TimeDelta,
    /// The most companies that have series of their own.
    pub(crate) company_series: usize,
}

impl Settings {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            bus: bus_jetstream::Settings::read(reader, "directory-service"),
            postgres: pg_pool::Settings::read(reader, "directory-service"),
            activity: ActivitySettings {
                pause: TimeDelta::milliseconds(reader.number(
                    "TIMECLOCK_CYCLE_PAUSE_MS",
                    600_000,
                    100..=3_600_000,
                )),
                retention: TimeDelta::days(reader.number("TIMECLOCK_LOG_RETENTION_DAYS", 90, 1..=3_650)),
                company_series: reader.number("TIMECLOCK_COMPANY_SERIES", 500, 0..=5_000),
            },
        }
    }
}
