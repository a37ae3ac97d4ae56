//! The configuration file: TOML in, a [`Config`] out, or every mistake that is in it.
//!
//! - [`table`]: takes typed keys out of a TOML table; collects mistakes, knows unknown keys
//! - [`unit`]: durations (`1h30m`) and sizes (`2GiB`)
//! - [`name`]: which names queues, pipelines, steps and variables may have
//! - [`settings`], [`pipeline`], [`params`], [`access`]: the keys there are, and the rules between them
//! - [`json`]: one pipeline as JSON, by the same rules
//! - [`pending`]: what of them holds from the next start on
//! - [`files`]: what is wrong with the files it names
//! - [`mistake`]: what is told to the person who wrote the file; [`warning`]: what is told besides

mod access;
mod files;
mod json;
mod mistake;
mod name;
mod params;
mod pending;
mod pipeline;
mod settings;
mod table;
pub(crate) mod unit;
mod warning;

pub use access::{AccessSettings, Limits, PublicUrl};
pub use json::pipeline as pipeline_of_json;
pub use mistake::{Mistake, Mistakes, Wrong};
pub use warning::{Warning, tell_warnings, warnings};

use engine::Settings;
use std::{
    io,
    path::{Path, PathBuf},
};
use table::Found;

/// What a configuration file says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub engine: Settings,
    /// Holds from the next start on, whenever it is read.
    pub access: AccessSettings,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    // No `source`: whoever prints all causes would say it twice.
    #[error("cannot read the configuration {}: {why}", path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error(transparent)]
    Wrong(#[from] Mistakes),
}

/// Reads and checks a configuration file.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    Ok(parse(path, &text_of(path)?)?)
}

/// The same for a person who wants to know all: files of secrets are looked into, too, and there are warnings
/// whether there are mistakes or not.
pub fn check(path: &Path) -> Result<(Vec<Warning>, Result<Config, Mistakes>), ConfigError> {
    let text = text_of(path)?;
    let (config, mut found) = read(path, &text);
    let warnings = warnings(&config.engine);
    found.extend(files::unusable(&text, &config.engine.pipelines));
    Ok((warnings, if_right(path, &text, config, found)))
}

/// Checks a configuration. `path` is named in the mistakes, and relative paths are taken from where it is.
pub fn parse(path: &Path, text: &str) -> Result<Config, Mistakes> {
    let (config, found) = read(path, text);
    if_right(path, text, config, found)
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|why| ConfigError::Unreadable { path: path.to_owned(), why })
}

/// What can be understood, and what is wrong.
fn read(path: &Path, text: &str) -> (Config, Vec<Found>) {
    let mut found = Vec::new();
    let config = match toml_span::parse(text) {
        Ok(mut root) => settings::read(root.take(), &directory(path), &mut found),
        Err(error) => {
            found.push(Found::syntax(&error));
            Config::default()
        }
    };
    (config, found)
}

fn if_right(
    path: &Path,
    text: &str,
    config: Config,
    found: Vec<Found>,
) -> Result<Config, Mistakes> {
    if found.is_empty() { Ok(config) } else { Err(Mistakes::at(path, text, found)) }
}

/// Where a file is, as an absolute path.
pub fn directory(path: &Path) -> PathBuf {
    let dir = path.parent().unwrap_or(Path::new(""));
    // An error means that there is no working directory; then relative paths stay what they are.
    std::path::absolute(if dir.as_os_str().is_empty() { Path::new(".") } else { dir })
        .unwrap_or_else(|_| dir.to_owned())
}

#[cfg(test)]
mod tests;
