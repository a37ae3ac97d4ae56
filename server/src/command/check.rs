//! `tailboard check`: what a configuration file defines.

use super::Check;
use crate::config::{self, ConfigError};

pub(super) fn run(args: &Check) -> Result<(), ConfigError> {
    let settings = config::load(&args.config)?;
    println!("{}: no mistakes", args.config.display());
    for queue in &settings.queues {
        println!("queue {}: {} at a time", queue.name, queue.concurrency);
    }
    for pipeline in &settings.pipelines {
        let steps: Vec<_> = pipeline.steps.iter().map(|step| step.name.as_str()).collect();
        println!("pipeline {} (queue {}): {}", pipeline.name, pipeline.queue, steps.join(", "));
    }
    Ok(())
}
