//! The keys at the top of the file, and queues.

use super::{
    Config, access, name, pipeline,
    table::{At, Found, Section},
};
use engine::{OnShutdown, QueueDef, Retention, SecretKind, Settings};
use std::{collections::HashMap, path::Path, time::Duration};
use toml_span::{Span, value::ValueInner};

/// The queue of pipelines that name none; it exists whether it is configured or not.
pub(super) const DEFAULT_QUEUE: &str = "default";
const DEFAULT_CONCURRENCY: u32 = 4;
const MOST_CONCURRENCY: u32 = 1000;
pub(super) const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// Reads the whole document; what is wrong is added to `found`. Relative paths in it are taken from
/// `dir`.
pub(super) fn read(root: ValueInner<'_>, dir: &Path, found: &mut Vec<Found>) -> Config {
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
        redact: root.words("redact", &SecretKind::ALL).unwrap_or_default(),
        retention: retention(&mut root),
        allow_pipeline_editing: root
            .yes("allow_pipeline_editing")
            .unwrap_or(defaults.allow_pipeline_editing),
        queues: queues(&mut root),
        ..defaults
    };
    let pipelines = pipeline::read(&mut root, &settings.queues, dir);
    let access = access::read(&mut root, dir);
    root.finish();
    Config { engine: Settings { pipelines, ..settings }, access }
}

fn retention(root: &mut Section<'_, '_>) -> Retention {
    let mut kept = Retention::default();
    let Some(At { value, span }) = root.table("retention") else { return kept };
    let mut section = Section::new(value, span, "retention".to_owned(), root.found());
    kept.completed = section.age("completed", kept.completed);
    kept.failed = section.age("failed", kept.failed);
    let jobs = section.count("jobs", 1, u32::MAX).map(u64::from);
    kept.jobs = jobs.unwrap_or(kept.jobs);
    kept.log_bytes = section.size("log_bytes").unwrap_or(kept.log_bytes);
    section.finish();
    kept
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
pub(super) struct Taken(HashMap<String, Span>);

impl Taken {
    /// Takes the required `name` of a table, checked by `rule`.
    pub(super) fn name(
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

/// How `[[key]]` number `index` is called in messages: by its name, if it has a usable one.
pub(super) fn path_of(
    parent: &Section<'_, '_>,
    key: &str,
    index: usize,
    value: &ValueInner<'_>,
) -> String {
    let name = value.as_table().and_then(|t| t.get("name")).and_then(|v| v.as_str());
    parent.item(key, index, name.filter(|n| name::title(n).is_ok()))
}
