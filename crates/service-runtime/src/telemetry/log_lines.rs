//! How many lines the log has that tell of something wrong, so that they can be drawn beside everything else.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

/// A layer that counts what is written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogLines {
    lines: IntCounterVec,
    errors: IntCounter,
    warnings: IntCounter,
}

impl LogLines {
    /// Counts from here on.
    ///
    /// # Errors
    ///
    /// None, as long as the series has a name that is one.
    pub fn new() -> prometheus::Result<Self> {
        let lines = IntCounterVec::new(
            Opts::new("timeclock_log_lines_total", "Lines in the log that tell of something wrong"),
            &["level"],
        )?;
        let (errors, warnings) = (lines.with_label_values(&["error"]), lines.with_label_values(&["warn"]));
        Ok(Self { lines, errors, warnings })
    }

    /// Makes them visible: the log is installed before there is a registry.
    ///
    /// # Errors
    ///
    /// When they are registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.lines.clone()))
    }
}

impl<S: Subscriber> Layer<S> for LogLines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        match *event.metadata().level() {
            Level::ERROR => self.errors.inc(),
            Level::WARN => self.warnings.inc(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _};

    use super::*;

    #[test]
    fn only_what_is_written_and_tells_of_something_wrong_is_counted() {
        let counted = LogLines::new().unwrap();
        let layer = counted.clone().with_filter(EnvFilter::new("warn,noisy=error"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!("all is well");
            tracing::warn!("something");
            tracing::warn!(target: "noisy", "nothing");
            tracing::error!("worse");
            tracing::error!("worse still");
        });
        assert_eq!((counted.warnings.get(), counted.errors.get()), (1, 2));
    }
}
