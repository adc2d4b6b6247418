//! What the subscriber reads from its environment.

use std::path::PathBuf;

use service_runtime::settings::{Reader, Setting};

const NAME: Setting = Setting::new(
    "TIMECLOCK_SUBSCRIBER_NAME",
    "The name of the consumer on the stream, to which the rights of the NATS user are bound.",
)
.form("1 to 32 letters, digits, - and _");
const MODEL: Setting = Setting::new("TIMECLOCK_SUBSCRIBER_MODEL", "The file that holds the model.");

/// The settings of a subscriber that serves or replays.
pub(crate) struct Settings {
    pub(crate) bus: bus_jetstream::Settings,
    /// The consumer's name on the stream; the NATS user's rights are bound to it.
    pub(crate) name: String,
    pub(crate) model: PathBuf,
}

impl Settings {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let name = reader.with_default(NAME, "seats");
        let is_legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
        if name.is_empty() || name.len() > 32 || !name.chars().all(is_legal) {
            reader.refuse(NAME);
        }
        Self { bus: bus_jetstream::Settings::read(reader, "fact-subscriber"), name, model: model(reader) }
    }
}

/// The file that holds the model.
pub(crate) fn model(reader: &mut Reader) -> PathBuf {
    PathBuf::from(reader.with_default(MODEL, "seats.sqlite"))
}
