//! Which build this is.

use std::fmt;

/// Version and commit of the running program.
#[derive(Debug, Clone, Copy)]
pub struct BuildInfo {
    /// The workspace's version.
    pub version: &'static str,
    /// The commit it was built from; `unknown` unless `BUILD_COMMIT` was set when it was compiled.
    pub commit: &'static str,
}

/// The running program's build.
pub const BUILD: BuildInfo = BuildInfo {
    version: env!("CARGO_PKG_VERSION"),
    commit: match option_env!("BUILD_COMMIT") {
        Some(commit) => commit,
        None => "unknown",
    },
};

impl fmt::Display for BuildInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.commit)
    }
}
