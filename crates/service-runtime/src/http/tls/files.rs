//! Where a certificate and its key are, and what is in there now.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::identity::Unusable;

/// The largest file that is read: a chain of a dozen certificates is a tenth of it.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The two files.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The certificate, then those that lead to its root, in PEM.
    pub(super) certificate: PathBuf,
    /// Its private key, in PEM.
    pub(super) key: PathBuf,
}

/// What the two files hold.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl fmt::Debug for Contents {
    /// Nothing: one of them is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

impl Files {
    /// Reads both.
    pub(super) fn contents(&self) -> Result<Contents, Unusable> {
        Ok(Contents {
            certificate: read(&self.certificate).map_err(Unusable::CertificateUnreadable)?,
            key: read(&self.key).map_err(Unusable::KeyUnreadable)?,
        })
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::other(format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    Ok(contents)
}
