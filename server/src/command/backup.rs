//! `tailboard backup`: a copy of a data directory, whoever uses it.

use super::{Backup, print, tell};
use anyhow::Context;
use std::process::ExitCode;

pub(super) fn run(args: &Backup) -> anyhow::Result<ExitCode> {
    let done = engine::backup::backup(&args.data_dir, &args.into)
        .with_context(|| format!("no backup of {} was made", args.data_dir.display()))?;
    if done.gone > 0 {
        tell(&format!("{} jobs were deleted meanwhile: their logs are not in it", done.gone));
    }
    print(format!(
        "{}: {} jobs, logs of {} MiB, databases of {} MiB; a server that is started on it takes it for the copy \
         that it is: runs that go on here are not gone on with there\n",
        args.into.display(),
        done.jobs,
        done.log_bytes >> 20,
        done.database_bytes >> 20,
    ))
}
