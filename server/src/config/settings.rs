//! The keys there are, and the rules between them.

use super::{
    name,
    table::{At, Found, Section},
};
use engine::{Definition, OnShutdown, QueueDef, Settings, StepDef};
use shared::Phase;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use toml_span::{Span, value::ValueInner};

/// The queue of pipelines that name none; it exists whether it is configured or not.
const DEFAULT_QUEUE: &str = "default";
const DEFAULT_CONCURRENCY: u32 = 4;
const MOST_CONCURRENCY: u32 = 1000;
const MOST_STEPS: usize = 200;
/// Linux refuses a longer argument or variable (`MAX_ARG_STRLEN`, its final NUL counted).
const LONGEST_TEXT: usize = 128 * 1024 - 1;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// Reads the whole document; what is wrong is added to `found`.
pub(super) fn read(root: ValueInner<'_>, found: &mut Vec<Found>) -> Settings {
    let mut root = Section::new(root, Span::default(), String::new(), found);
    let defaults = Settings::default();
    let settings = Settings {
        on_shutdown: root
            .word("on_shutdown", &[("leave", OnShutdown::Leave), ("cancel", OnShutdown::Cancel)])
            .unwrap_or_default(),
        inherit_env: inherited(&mut root),
        grace: root.duration("grace", Duration::ZERO, LONGEST).unwrap_or(defaults.grace),
        max_log_bytes: root.size("max_log_bytes").unwrap_or(defaults.max_log_bytes),
        min_free_disk: root.size("min_free_disk").unwrap_or(defaults.min_free_disk),
        queues: queues(&mut root),
        ..defaults
    };
    let pipelines = pipelines(&mut root, &settings.queues);
    root.finish();
    Settings { pipelines, ..settings }
}

fn inherited(root: &mut Section<'_, '_>) -> Vec<String> {
    let names = root.texts("inherit_env");
    for At { value, span } in &names {
        if let Err(rule) = name::variable(value) {
            root.wrong("inherit_env", *span, format!("has {value:?}: {rule}"));
        }
    }
    names.into_iter().map(|at| at.value).collect()
}

/// Names that have to be different from each other.
#[derive(Default)]
struct Taken(HashMap<String, Span>);

impl Taken {
    /// Takes the required `name` of a table, checked by `rule`.
    fn name(
        &mut self,
        section: &mut Section<'_, '_>,
        rule: fn(&str) -> Result<(), &'static str>,
    ) -> Option<String> {
        let At { value, span } = section.required("name", "a name")?;
        if let Err(rule) = rule(&value) {
            section.wrong("name", span, format!("is {value:?}: {rule}"));
        } else if self.0.insert(value.clone(), span).is_some() {
            section.wrong("name", span, format!("is {value:?}, which is taken already"));
        }
        Some(value)
    }
}

fn queues(root: &mut Section<'_, '_>) -> Vec<QueueDef> {
    let mut taken = Taken::default();
    let mut queues = Vec::new();
    for (i, At { value, span }) in root.tables("queue").into_iter().enumerate() {
        let path = path_of(root, "queue", i, &value);
        let mut section = Section::new(value, span, path, root.found());
        let name = taken.name(&mut section, name::identifier);
        let concurrency =
            section.count("concurrency", 1, MOST_CONCURRENCY).unwrap_or(DEFAULT_CONCURRENCY);
        section.finish();
        if let Some(name) = name.filter(|name| !queues.iter().any(|q: &QueueDef| q.name == *name)) {
            queues.push(QueueDef { name, concurrency });
        }
    }
    if !queues.iter().any(|q| q.name == DEFAULT_QUEUE) {
        queues.push(QueueDef { name: DEFAULT_QUEUE.into(), concurrency: DEFAULT_CONCURRENCY });
    }
    queues
}

fn pipelines(root: &mut Section<'_, '_>, queues: &[QueueDef]) -> Vec<Definition> {
    let mut taken = Taken::default();
    let mut pipelines = Vec::new();
    for (i, At { value, span }) in root.tables("pipeline").into_iter().enumerate() {
        let path = path_of(root, "pipeline", i, &value);
        let mut section = Section::new(value, span, path, root.found());
        let name = taken.name(&mut section, name::identifier);
        let definition = Definition {
            name: name.unwrap_or_default(),
            description: section.text("description").map(|at| at.value),
            queue: queue_of(&mut section, queues),
            timeout: section.duration("timeout", SHORTEST, LONGEST),
            env: environment(&mut section),
            steps: steps(&mut section),
            ..Definition::default()
        };
        section.finish();
        pipelines.push(definition);
    }
    pipelines
}

/// How `[[key]]` number `index` is called in messages: by its name, if it has a usable one.
fn path_of(parent: &Section<'_, '_>, key: &str, index: usize, value: &ValueInner<'_>) -> String {
    let name = value.as_table().and_then(|t| t.get("name")).and_then(|v| v.as_str());
    parent.item(key, index, name.filter(|n| name::title(n).is_ok()))
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

fn steps(pipeline: &mut Section<'_, '_>) -> Vec<StepDef> {
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
            ..StepDef::default()
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
