//! `tailboard check`: what a configuration file defines.

use super::{
    Check,
    summary::{self, differing},
};
use crate::config::{self, Config, ConfigError};
use engine::{
    Definition, StepDef,
    schedule::{Schedule, zone},
};
use shared::{Overlap, ParamDef, Timestamp};

pub(super) fn run(args: &Check) -> Result<(), ConfigError> {
    let (warnings, config) = config::check(&args.config)?;
    if config.is_ok() {
        println!("{}: no mistakes", args.config.display());
    }
    for warning in warnings {
        println!("warning: {warning}");
    }
    let config = config?;
    let usual = summary::of_config(&Config::default());
    for line in differing(summary::of_config(&config), &usual) {
        println!("{line}");
    }
    for queue in &config.engine.queues {
        println!("queue {}: {} at a time", queue.name, queue.concurrency);
    }
    for pipeline in &config.engine.pipelines {
        describe(pipeline);
    }
    println!("as usual where nothing else is said: {}", summary::usual(usual));
    let mut usual = summary::of_pipeline(&Definition::default());
    usual.extend(summary::of_schedule(Overlap::default(), false));
    println!("the same in a pipeline: {}", summary::usual(usual));
    Ok(())
}

fn describe(pipeline: &Definition) {
    let steps: Vec<_> = pipeline.steps.iter().map(|step| step.name.as_str()).collect();
    println!("pipeline {} (queue {}): {}", pipeline.name, pipeline.queue, steps.join(", "));
    for param in &pipeline.params {
        println!("  parameter {}", of_param(param));
    }
    let usual = summary::of_pipeline(&Definition::default());
    for line in differing(summary::of_pipeline(pipeline), &usual) {
        println!("  {line}");
    }
    let usual = summary::of_step(&StepDef::default());
    for step in &pipeline.steps {
        let said = differing(summary::of_step(step), &usual);
        if !said.is_empty() {
            println!("  step {}: {}", step.name, said.join(", "));
        }
    }
    let Some(rule) = &pipeline.schedule else { return };
    let late = if rule.catch_up { "is made up for by one run" } else { "is left out" };
    println!("  runs at {} ({}); what is late by over a minute {late}", rule.cron, rule.timezone);
    let usual = summary::of_schedule(Overlap::default(), false);
    for line in differing(summary::of_schedule(rule.overlap, rule.catch_up), &usual) {
        println!("    {line}");
    }
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
