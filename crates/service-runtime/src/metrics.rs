//! The metrics about the process itself, and their text form.

use prometheus::{IntGauge, Opts, Registry, TextEncoder};

use crate::build_info::BUILD;

/// Content type of [`text`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Registers `timeclock_build_info` and, where the system tells them, the `process_*` metrics.
///
/// # Errors
///
/// When one of them is registered already.
pub fn register_process(registry: &Registry, service: &str) -> prometheus::Result<()> {
    let build = Opts::new("timeclock_build_info", "Always 1; its labels say what runs")
        .const_label("service", service)
        .const_label("version", BUILD.version)
        .const_label("commit", BUILD.commit);
    let build = IntGauge::with_opts(build)?;
    build.set(1);
    registry.register(Box::new(build))?;
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(())
}

/// Everything in the registry, in the Prometheus text format.
///
/// # Errors
///
/// When two collectors disagree about one metric.
pub fn text(registry: &Registry) -> prometheus::Result<String> {
    TextEncoder::new().encode_to_string(&registry.gather())
}
