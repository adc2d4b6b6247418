//! What the directory reads from its environment.

use chrono::TimeDelta;
use service_runtime::settings::{Reader, Setting};

use crate::brake::BrakeSettings;

const CYCLE_PAUSE: Setting = Setting::new(
    "TIMECLOCK_CYCLE_PAUSE_MS",
    "How long a company's Entra is silent between two of its cycles; a longer silence begins a new cycle.",
);
const LOG_RETENTION: Setting = Setting::new(
    "TIMECLOCK_LOG_RETENTION_DAYS",
    "The age at which lines of the provisioning log and cycles are deleted.",
);
const COMPANY_SERIES: Setting = Setting::new(
    "TIMECLOCK_COMPANY_SERIES",
    "The most companies that have metrics of their own: those called most recently; the others are summed.",
);

const BRAKE_WINDOW: Setting = Setting::new(
    "TIMECLOCK_BRAKE_WINDOW_MS",
    "Within which time people who are disabled or deleted are counted together, to tell a mass removal.",
);
const BRAKE_HOLD: Setting = Setting::new(
    "TIMECLOCK_BRAKE_HOLD_DAYS",
    "How long a mass removal can be undone, from its last deletion on; then its deleted users are destroyed. It takes people in for as long, so it ends after twice that at most.",
);

/// The settings of a serving directory.
pub(crate) struct Settings {
    pub(crate) bus: bus_jetstream::Settings,
    pub(crate) replicas: bus_jetstream::Replicas,
    pub(crate) postgres: pg_pool::Settings,
    pub(crate) activity: ActivitySettings,
    pub(crate) brake: BrakeSettings,
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
            replicas: bus_jetstream::Replicas::read(reader),
            postgres: pg_pool::Settings::read(reader, "directory-service"),
            activity: ActivitySettings {
                pause: TimeDelta::milliseconds(reader.number(CYCLE_PAUSE, 600_000, 100..=3_600_000)),
                retention: TimeDelta::days(reader.number(LOG_RETENTION, 90, 1..=3_650)),
                company_series: reader.number(COMPANY_SERIES, 500, 0..=5_000),
            },
            brake: BrakeSettings {
                window: TimeDelta::milliseconds(reader.number(BRAKE_WINDOW, 3_600_000, 100..=86_400_000)),
                hold: TimeDelta::days(reader.number(BRAKE_HOLD, 30, 1..=365)),
            },
        }
    }
}
