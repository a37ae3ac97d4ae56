//! What is no mistake, but should not stay as it is.

use engine::Settings;
use std::{
    collections::BTreeSet,
    fmt,
    fs::Metadata,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Read or write for the group or for others.
const NOT_ONLY_OWNER: u32 = 0o066;

/// A file of secrets that is not its owner's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub file: PathBuf,
    /// Its permissions, as `chmod` takes them.
    pub mode: u32,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (file, mode) = (self.file.display(), self.mode);
        write!(
            f,
            "env_file {file} can be read or changed by others (mode {mode:03o}): chmod 600 {file}"
        )
    }
}

/// Each file once. One that is not there, or cannot be looked at, is told by a check, or when a run needs it.
pub fn warnings(settings: &Settings) -> Vec<Warning> {
    let files: BTreeSet<_> =
        settings.pipelines.iter().filter_map(|p| p.env_file.as_ref()).collect();
    files.into_iter().filter_map(|file| of_file(file)).collect()
}

fn of_file(file: &Path) -> Option<Warning> {
    let mode = file.metadata().as_ref().map(Metadata::permissions).ok()?.mode() & 0o777;
    (mode & NOT_ONLY_OWNER != 0).then(|| Warning { file: file.to_owned(), mode })
}

/// Says them in the server's log.
pub fn tell_warnings(settings: &Settings) {
    for warning in warnings(settings) {
        tracing::warn!("{warning}");
    }
}
