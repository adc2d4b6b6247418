//! What the directory reads from its environment.

use service_runtime::settings::Reader;

/// The settings of a serving directory.
pub(crate) struct Settings {
    pub(crate) bus: bus_jetstream::Settings,
    pub(crate) postgres: pg_pool::Settings,
}

impl Settings {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            bus: bus_jetstream::Settings::read(reader, "directory-service"),
            postgres: pg_pool::Settings::read(reader, "directory-service"),
        }
    }
}
