//! `tailboard check`: what a configuration file defines.

use super::{
    Check, print,
    summary::{self, differing},
};
use crate::config::{self, Config, ConfigError};
use engine::{
    Definition, StepDef,
    schedule::{Schedule, zone},
};
use shared::{Overlap, ParamDef, Timestamp};
use std::process::ExitCode;

pub(super) fn run(args: &Check) -> anyhow::Result<ExitCode> {
    let (warnings, config) = config::check(&args.config)?;
    let mut lines = Vec::new();
    if config.is_ok() {
        lines.push(format!("{}: no mistakes", args.config.display()));
    }
    lines.extend(warnings.into_iter().map(|warning| format!("warning: {warning}")));
    if let Ok(config) = &config {
        describe(config, &mut lines);
    }
    let status = print(lines.into_iter().map(|line| line + "\n").collect::<String>())?;
    config.map_err(ConfigError::from)?;
    Ok(status)
}

fn describe(config: &Config, lines: &mut Vec<String>) {
    let usual = summary::of_config(&Config::default());
    lines.extend(differing(summary::of_config(config), &usual));
    for queue in &config.engine.queues {
        lines.push(format!("queue {}: {} at a time", queue.name, queue.concurrency));
    }
    for pipeline in &config.engine.pipelines {
        of_pipeline(pipeline, lines);
    }
    lines.push(format!("as usual where nothing else is said: {}", summary::usual(usual)));
    let mut usual = summary::of_pipeline(&Definition::default());
    usual.extend(summary::of_schedule(Overlap::default(), false));
    lines.push(format!("the same in a pipeline: {}", summary::usual(usual)));
}

fn of_pipeline(pipeline: &Definition, lines: &mut Vec<String>) {
    let steps: Vec<_> = pipeline.steps.iter().map(|step| step.name.as_str()).collect();
    let steps = steps.join(", ");
    lines.push(format!("pipeline {} (queue {}): {steps}", pipeline.name, pipeline.queue));
    lines.extend(pipeline.params.iter().map(|param| format!("  parameter {}", of_param(param))));
    let usual = summary::of_pipeline(&Definition::default());
    let said = differing(summary::of_pipeline(pipeline), &usual);
    lines.extend(said.into_iter().map(|line| format!("  {line}")));
    let usual = summary::of_step(&StepDef::default());
    for step in &pipeline.steps {
        let said = differing(summary::of_step(step), &usual);
        if !said.is_empty() {
            lines.push(format!("  step {}: {}", step.name, said.join(", ")));
        }
    }
    let Some(rule) = &pipeline.schedule else { return };
    let late = if rule.catch_up { "is made up for by one run" } else { "is left out" };
    let (cron, timezone) = (&rule.cron, &rule.timezone);
    lines.push(format!("  runs at {cron} ({timezone}); what is late by over a minute {late}"));
    let usual = summary::of_schedule(Overlap::default(), false);
    let said = differing(summary::of_schedule(rule.overlap, rule.catch_up), &usual);
    lines.extend(said.into_iter().map(|line| format!("    {line}")));
    let next = zone(timezone).and_then(|zone| Schedule::parse(cron, zone));
    let next = next.map(|schedule| schedule.next(Timestamp::now(), 3)).unwrap_or_default();
    lines.extend(next.into_iter().map(|at| format!("    next {at}")));
}

fn of_param(param: &ParamDef) -> String {
    let kind = match param.choices.as_slice() {
        [] => param.r#type.as_str().to_owned(),
        choices => format!("one of {}", choices.join(", ")),
    };
    let pattern = param.pattern.as_ref();
    let pattern = pattern.map_or(String::new(), |pattern| format!(" that matches {pattern}"));
    let given = match &param.default {
        Some(default) => format!(", {default:?} if it is not given"),
        None if param.required => ", has to be given".to_owned(),
        None => String::new(),
    };
    let what = param.description.as_ref().map_or(String::new(), |text| format!(": {text}"));
    format!("{} ({kind}{pattern}{given}){what}", param.name)
}
