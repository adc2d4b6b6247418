#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod boards;
mod dashboard;
mod expression;
mod panel;
mod visual;

pub use dashboard::Dashboard;

/// Where the runbooks are that alerts and panels link to; one page for each alert.
pub const RUNBOOKS: &str = "https://github.com/timeclock365/provisioning/blob/main/docs/runbooks";

/// Every dashboard.
#[must_use]
pub fn all() -> Vec<Dashboard> {
    boards::all()
}
