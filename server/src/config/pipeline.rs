//! Pipelines and their steps.

use super::{
    name, params,
    settings::{DEFAULT_QUEUE, LONGEST, Taken, path_of},
    table::{At, Section},
};
use engine::{
    Definition, OnLost, QueueDef, Retry, ScheduleDef, SecretKind, StepDef,
    schedule::{self, Schedule},
};
use shared::{Origin, Overlap, ParamDef, Phase};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

const MOST_STEPS: usize = 200;
const MOST_RETRIES: u32 = 100;
/// Linux refuses a longer argument or variable (`MAX_ARG_STRLEN`, its final NUL counted).
const LONGEST_TEXT: usize = 128 * 1024 - 1;
const SHORTEST: Duration = Duration::from_millis(1);

/// Every `[[pipeline]]`.
pub(super) fn read(root: &mut Section<'_, '_>, queues: &[QueueDef], dir: &Path) -> Vec<Definition> {
    let mut taken = Taken::default();
    let mut pipelines = Vec::new();
    for (i, At { value, span }) in root.tables("pipeline").into_iter().enumerate() {
        let path = path_of(root, "pipeline", i, &value);
        let mut section = Section::new(value, span, path, root.found());
        let name = taken.name(&mut section, name::identifier).unwrap_or_default();
        pipelines.push(read_one(section, name, queues, dir));
    }
    pipelines
}

/// The table of a pipeline, whose name was taken out of it.
pub(super) fn read_one(
    mut section: Section<'_, '_>,
    name: String,
    queues: &[QueueDef],
    dir: &Path,
) -> Definition {
    let definition = Definition {
        name,
        origin: Origin::File,
        description: section.text("description").map(|at| at.value),
        queue: queue_of(&mut section, queues),
        timeout: section.duration("timeout", SHORTEST, LONGEST),
        params: params::read(&mut section),
        env: environment(&mut section),
        env_file: absolute(&mut section, "env_file", dir),
        cwd: absolute(&mut section, "cwd", dir),
        shell: shell(&mut section),
        retry: retry(&mut section),
        on_lost: section
            .word("on_lost", &[("fail", OnLost::Fail), ("retry", OnLost::Retry)])
            .unwrap_or_default(),
        priority: section.number("priority", -100, 100).unwrap_or_default(),
        max_concurrent: section.count("max_concurrent", 1, 1000),
        max_log_bytes: section.size("max_log_bytes"),
        redact: section.words("redact", &SecretKind::ALL),
        schedule: None,
        steps: steps(&mut section, dir),
    };
    let schedule = schedule(&mut section, &definition.params);
    let definition = Definition { schedule, ..definition };
    section.finish();
    definition
}

fn retry(section: &mut Section<'_, '_>) -> Retry {
    let usual = Retry::default();
    let retries = section.count("retries", 0, MOST_RETRIES).unwrap_or(usual.retries);
    let delay = section.duration("retry_delay", Duration::ZERO, LONGEST).unwrap_or(usual.delay);
    let max_delay = section.duration("retry_max_delay", SHORTEST, LONGEST);
    if max_delay.is_some_and(|longest| longest < delay) {
        section.wrong("retry_max_delay", section.span(), "is shorter than retry_delay");
    }
    Retry { retries, delay, max_delay: max_delay.unwrap_or(usual.max_delay).max(delay) }
}

fn schedule(section: &mut Section<'_, '_>, params: &[ParamDef]) -> Option<ScheduleDef> {
    let cron = section.text("cron");
    let timezone = section.text("timezone");
    let words = [("queue", Overlap::Queue), ("skip", Overlap::Skip)];
    let overlap = section.word("overlap", &words);
    let catch_up = section.yes("catch_up");
    let zone = timezone.as_ref().and_then(|At { value, span }| {
        let zone = schedule::zone(value);
        zone.map_err(|error| section.wrong("timezone", *span, error.to_string())).ok()
    });
    // What is wrong with an expression is so in any zone.
    let zone = zone.or_else(|| schedule::zone("UTC").ok());
    let At { value: cron, span } = match cron {
        Some(cron) => cron,
        None => {
            let given = [
                ("timezone", timezone.is_some()),
                ("overlap", overlap.is_some()),
                ("catch_up", catch_up.is_some()),
            ];
            for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
                section.wrong(key, section.span(), "is given, but there is no cron");
            }
            return None;
        }
    };
    if let Some(Err(error)) = zone.map(|zone| Schedule::parse(&cron, zone)) {
        section.wrong("cron", span, format!("{cron:?}: {error}"));
    }
    if let Some(needed) = params.iter().find(|param| param.required) {
        let what =
            format!("is given, but parameter {} has to be given and has no default", needed.name);
        section.wrong("cron", span, what);
    }
    let timezone = timezone.map_or_else(|| "UTC".to_owned(), |name| name.value);
    let (overlap, catch_up) = (overlap.unwrap_or_default(), catch_up.unwrap_or_default());
    Some(ScheduleDef { cron, timezone, overlap, catch_up })
}

/// A path; a relative one is taken from where the configuration file is.
fn absolute(section: &mut Section<'_, '_>, key: &'static str, dir: &Path) -> Option<PathBuf> {
    let At { value, span } = section.text(key)?;
    if value.is_empty() || value.contains('\0') {
        section.wrong(key, span, "is empty or has a NUL, wanted is a path");
    }
    Some(dir.join(value))
}

/// Program and arguments before the command.
fn shell(section: &mut Section<'_, '_>) -> Vec<String> {
    let words = section.texts("shell");
    if let Some(At { span, .. }) =
        words.iter().find(|word| word.value.is_empty() || word.value.contains('\0'))
    {
        section.wrong(
            "shell",
            *span,
            r#"has a word that is empty or has a NUL, wanted is a list such as ["bash", "-euo", "pipefail", "-c"]"#,
        );
    }
    words.into_iter().map(|word| word.value).collect()
}

fn queue_of(section: &mut Section<'_, '_>, queues: &[QueueDef]) -> String {
    let Some(At { value, span }) = section.text("queue") else { return DEFAULT_QUEUE.into() };
    if !queues.iter().any(|q| q.name == value) {
        let names: Vec<_> = queues.iter().map(|q| q.name.as_str()).collect();
        let near = name::nearest(&value, &names);
        let near = near.map(|n| format!("; did you mean {n}?")).unwrap_or_default();
        let what = format!("is {value:?}, which is no queue{near} (queues: {})", names.join(", "));
        section.wrong("queue", span, what);
    }
    value
}

fn steps(pipeline: &mut Section<'_, '_>, dir: &Path) -> Vec<StepDef> {
    let tables = pipeline.tables("steps");
    if tables.is_empty() || tables.len() > MOST_STEPS {
        let what = format!("has {} steps, wanted are 1 to {MOST_STEPS}", tables.len());
        pipeline.wrong("steps", pipeline.span(), what);
    }
    let mut taken = Taken::default();
    let mut steps = Vec::new();
    for (i, At { value, span }) in tables.into_iter().enumerate() {
        let path = path_of(pipeline, "steps", i, &value);
        let mut section = Section::new(value, span, path, pipeline.found());
        steps.push(StepDef {
            name: taken.name(&mut section, name::title).unwrap_or_default(),
            phase: section
                .word("phase", &Phase::ALL.map(|p| (p.as_str(), p)))
                .unwrap_or(Phase::Execution),
            run: command(&mut section),
            timeout: section.duration("timeout", SHORTEST, LONGEST),
            env: environment(&mut section),
            cwd: absolute(&mut section, "cwd", dir),
            shell: shell(&mut section),
            continue_on_error: section.yes("continue_on_error").unwrap_or_default(),
        });
        section.finish();
    }
    steps
}

fn command(step: &mut Section<'_, '_>) -> String {
    let Some(At { value, span }) = step.required("run", "a command for sh -c") else {
        return String::new();
    };
    if value.trim().is_empty() {
        step.wrong("run", span, "is empty, wanted is a command for sh -c");
    } else if value.contains('\0') || value.len() > LONGEST_TEXT {
        let what = format!("is a command of at most {LONGEST_TEXT} bytes, without NUL");
        step.wrong("run", span, what);
    }
    value
}

fn environment(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let map = section.map("env");
    for (name, At { value, span }) in &map {
        if let Err(rule) = name::variable(name) {
            section.wrong("env", *span, format!("has {name:?}: {rule}"));
        } else if value.contains('\0') || name.len() + 1 + value.len() > LONGEST_TEXT {
            let what = format!("is longer than {LONGEST_TEXT} bytes or has a NUL");
            section.wrong(&format!("env.{name}"), *span, what);
        }
    }
    map.into_iter().map(|(name, at)| (name, at.value)).collect()
}
