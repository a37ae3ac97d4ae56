//! What `tailboard login` keeps: an address and a token, in a file of its owner's alone.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

#[derive(Serialize, Deserialize)]
pub struct Login {
    pub url: String,
    pub token: Option<String>,
}

impl Login {
    /// What was kept, if anything was.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn read() -> Result<Option<Self>, Failure> {
        let Some(path) = path() else { return Ok(None) };
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Failure::Usage(format!("{} cannot be read: {error}", path.display())));
            }
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let path = path.display();
            Failure::Usage(format!("{path} is damaged ({error}); `tailboard login` makes it anew"))
        })
    }

    /// Keeps it, and says where: whole or not at all, and at no moment readable by others.
    ///
    /// # Errors
    /// When there is no home directory, or it cannot be written to.
    pub fn write(&self) -> Result<PathBuf, Failure> {
        let path = path().ok_or_else(no_home)?;
        let dir = path.parent().ok_or_else(no_home)?;
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let draft = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|text| file.write_all(&text))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            // What cannot be removed is still its owner's alone.
            let _ = fs::remove_file(&draft);
            return Err(error.into());
        }
        Ok(path)
    }

    /// Forgets it; says whether there was anything.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove() -> Result<bool, Failure> {
        let Some(path) = path() else { return Ok(false) };
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn no_home() -> Failure {
    Failure::Usage("nowhere to keep it: neither XDG_CONFIG_HOME nor HOME is set".to_owned())
}

/// `$XDG_CONFIG_HOME/tailboard/login.json`.
fn path() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(config.join("tailboard").join("login.json"))
}
