//! Finding an installed program.

use std::path::{Path, PathBuf};

/// Looks into every directory of `PATH`, then into these.
pub(crate) fn find(name: &str, elsewhere: &[&Path]) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "PATH is how programs are found; it is not a setting of ours"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(elsewhere.iter().map(|directory| directory.to_path_buf()))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
