//! What is told to the person who wrote the file.

use super::table::Found;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing that is wrong in the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// 1-based.
    pub line: usize,
    /// Where in the document, as `pipeline[hello].steps[greet].timeout`; empty for bad syntax.
    pub key: String,
    /// What is wrong, and what is allowed.
    pub what: String,
}

/// One thing that is wrong in a pipeline that is no file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// Which, as `steps[greet].timeout`.
    pub field: String,
    /// What is wrong, and what is allowed.
    pub what: String,
}

/// Everything that is wrong in a configuration file, in the order of its lines.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Mistakes {
    pub path: PathBuf,
    pub list: Vec<Mistake>,
}

impl Mistakes {
    pub(super) fn at(path: &Path, text: &str, found: Vec<Found>) -> Self {
        let mut list: Vec<_> = found
            .into_iter()
            .map(|f| {
                let before = text.as_bytes().iter().take(f.at);
                Mistake {
                    line: before.filter(|b| **b == b'\n').count() + 1,
                    key: f.key,
                    what: f.what,
                }
            })
            .collect();
        list.sort_by_key(|m| m.line);
        Self { path: path.to_owned(), list }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.list.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{}: ", self.path.display(), mistake.line)?;
            if !mistake.key.is_empty() {
                write!(f, "{}: ", mistake.key)?;
            }
            f.write_str(&mistake.what)?;
        }
        Ok(())
    }
}
