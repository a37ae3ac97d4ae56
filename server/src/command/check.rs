//! `tailboard check`: what a configuration file defines.

use super::Check;
use crate::config::{self, ConfigError};
use engine::{
    Definition,
    schedule::{Schedule, zone},
};
use shared::{ParamDef, Timestamp};

pub(super) fn run(args: &Check) -> Result<(), ConfigError> {
    let (warnings, config) = config::check(&args.config)?;
    if config.is_ok() {
        println!("{}: no mistakes", args.config.display());
    }
    for warning in warnings {
        println!("warning: {warning}");
    }
    let settings = config?.engine;
    for queue in &settings.queues {
        println!("queue {}: {} at a time", queue.name, queue.concurrency);
    }
    for pipeline in &settings.pipelines {
        describe(pipeline);
    }
    Ok(())
}

fn describe(pipeline: &Definition) {
    let steps: Vec<_> = pipeline.steps.iter().map(|step| step.name.as_str()).collect();
    println!("pipeline {} (queue {}): {}", pipeline.name, pipeline.queue, steps.join(", "));
    for param in &pipeline.params {
        println!("  parameter {}", of_param(param));
    }
    if pipeline.retry.retries > 0 {
        println!("  up to {} attempts", pipeline.retry.retries + 1);
    }
    let Some(rule) = &pipeline.schedule else { return };
    let late = if rule.catch_up { "is made up for by one run" } else { "is left out" };
    println!("  runs at {} ({}); what is late by over a minute {late}", rule.cron, rule.timezone);
    let next = zone(&rule.timezone).and_then(|zone| Schedule::parse(&rule.cron, zone));
    for at in next.map(|schedule| schedule.next(Timestamp::now(), 3)).unwrap_or_default() {
        println!("    next {at}");
    }
}

fn of_param(param: &ParamDef) -> String {
    let kind = match param.choices.as_slice() {
        [] => param.r#type.as_str().to_owned(),
        choices => format!("one of {}", choices.join(", ")),
    };
    let given = match &param.default {
        Some(default) => format!(", {default:?} if it is not given"),
        None if param.required => ", has to be given".to_owned(),
        None => String::new(),
    };
    format!("{} ({kind}{given})", param.name)
}
