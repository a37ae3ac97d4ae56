//! What is measured beside the tests, and the data it is measured on.
//!
//! - [`made`]: a store's worth of jobs, the same ones for the same seed
//! - [`Rng`]: where their variety comes from
//! - `bin/seed` fills a data directory with them; `bin/lists` asks for lists of them

pub mod made;
mod rng;

pub use rng::Rng;

use std::path::PathBuf;

/// What the command line of a measurement names.
#[derive(Clone, Debug)]
pub struct Arguments {
    pub data_dir: PathBuf,
    /// Jobs to make.
    pub jobs: u64,
}

impl Arguments {
    /// Reads `--data-dir DIR` and `--jobs N` (1,000,000 when absent).
    ///
    /// # Errors
    /// When something else is there, or no directory.
    pub fn read() -> anyhow::Result<Self> {
        let (mut data_dir, mut jobs) = (None, 1_000_000);
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| anyhow::anyhow!("{name} needs a value"))?;
            match name.as_str() {
                "--data-dir" => data_dir = Some(PathBuf::from(value)),
                "--jobs" => jobs = value.parse()?,
                _ => anyhow::bail!("{name} is not known; there are --data-dir DIR and --jobs N"),
            }
        }
        let data_dir = data_dir.ok_or_else(|| anyhow::anyhow!("--data-dir DIR is missing"))?;
        Ok(Self { data_dir, jobs })
    }
}
