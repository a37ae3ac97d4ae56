//! What a configuration says, as lines of `key = value` as the file has them: what differs from the usual.

use crate::config::{Config, unit};
use engine::{Definition, OnLost, OnShutdown, SecretKind, StepDef, definition::CLEANUP_TIMEOUT};
use shared::{Overlap, Phase};
use std::{fmt::Display, path::Path, time::Duration};

/// A key and its value; none where there is nothing unless the file says so.
pub(super) type Fact = (&'static str, Option<String>);

/// What differs from the usual, a line for each.
pub(super) fn differing(facts: Vec<Fact>, usual: &[Fact]) -> Vec<String> {
    let said = facts.into_iter().filter(|fact| !usual.contains(fact));
    said.filter_map(|(key, value)| Some(format!("{key} = {}", value?))).collect()
}

/// What holds where nothing is said, on one line.
pub(super) fn usual(facts: Vec<Fact>) -> String {
    let said = facts.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}", value?)));
    said.collect::<Vec<_>>().join(", ")
}

/// The keys at the top of the file and in its tables, queues and pipelines apart.
pub(super) fn of_config(config: &Config) -> Vec<Fact> {
    let (engine, access) = (&config.engine, &config.access);
    let (kept, limits, doors) = (&engine.retention, &access.limits, &access.access);
    let on_shutdown = match engine.on_shutdown {
        OnShutdown::Leave => "leave",
        OnShutdown::Cancel => "cancel",
    };
    let issuer = doors.issuer.as_ref();
    vec![
        ("on_shutdown", shown(on_shutdown)),
        ("grace", span(engine.grace)),
        ("max_log_bytes", size(engine.max_log_bytes)),
        ("min_free_disk", size(engine.min_free_disk)),
        ("retention.completed", kept.completed.map_or(shown("never"), span)),
        ("retention.failed", kept.failed.map_or(shown("never"), span)),
        ("retention.jobs", shown(kept.jobs)),
        ("retention.log_bytes", size(kept.log_bytes)),
        ("inherit_env", list(&engine.inherit_env)),
        ("redact", list(&kinds(&engine.redact))),
        ("allow_pipeline_editing", shown(engine.allow_pipeline_editing)),
        ("public_url", access.public_url.as_ref().map(|url| url.origin.clone())),
        ("trusted_proxies", list(&access.trusted_proxies)),
        ("limits.streams", shown(limits.streams)),
        ("limits.streams_per_caller", shown(limits.streams_per_caller)),
        ("limits.streams_per_address", shown(limits.streams_per_address)),
        ("limits.connections_per_address", shown(limits.connections_per_address)),
        ("limits.writes_per_minute", shown(limits.writes_per_minute)),
        ("access.session_idle", span(doors.session_idle)),
        ("access.session_longest", span(doors.session_longest)),
        ("access.audit_kept", span(doors.audit_kept)),
        ("access.sign_ins", shown(doors.sign_ins)),
        ("access.jwt.issuer", issuer.map(|issuer| issuer.issuer.clone())),
        ("access.jwt.audience", issuer.map(|issuer| issuer.audience.clone())),
    ]
}

/// The keys of a pipeline that have one value. Of variables only the names: a value may be a secret.
pub(super) fn of_pipeline(pipeline: &Definition) -> Vec<Fact> {
    let on_lost = match pipeline.on_lost {
        OnLost::Fail => "fail",
        OnLost::Retry => "retry",
    };
    vec![
        ("timeout", pipeline.timeout.and_then(span)),
        ("retries", shown(pipeline.retry.retries)),
        ("retry_delay", span(pipeline.retry.delay)),
        ("retry_max_delay", span(pipeline.retry.max_delay)),
        ("on_lost", shown(on_lost)),
        ("priority", shown(pipeline.priority)),
        ("max_concurrent", pipeline.max_concurrent.map(|count| count.to_string())),
        ("max_log_bytes", pipeline.max_log_bytes.and_then(size)),
        ("redact", pipeline.redact.as_deref().map(|kinds| bracketed(&self::kinds(kinds)))),
        ("env", list(&pipeline.env.keys().collect::<Vec<_>>())),
        ("env_file", pipeline.env_file.as_deref().and_then(path)),
        ("cwd", pipeline.cwd.as_deref().and_then(path)),
        ("shell", list(&pipeline.shell)),
    ]
}

/// What becomes of due times that cannot be kept.
pub(super) fn of_schedule(overlap: Overlap, catch_up: bool) -> Vec<Fact> {
    let overlap = match overlap {
        Overlap::Queue => "queue",
        Overlap::Skip => "skip",
    };
    vec![("overlap", shown(overlap)), ("catch_up", shown(catch_up))]
}

/// The keys of a step, its name and command apart.
pub(super) fn of_step(step: &StepDef) -> Vec<Fact> {
    // A step that cleans up has a time of its own where it says nothing.
    let timeout = step.timeout.or((step.phase == Phase::Cleanup).then_some(CLEANUP_TIMEOUT));
    vec![
        ("phase", shown(step.phase.as_str())),
        ("timeout", timeout.and_then(span)),
        ("env", list(&step.env.keys().collect::<Vec<_>>())),
        ("cwd", step.cwd.as_deref().and_then(path)),
        ("shell", list(&step.shell)),
        ("continue_on_error", shown(step.continue_on_error)),
    ]
}

fn shown(value: impl Display) -> Option<String> {
    Some(value.to_string())
}

fn span(duration: Duration) -> Option<String> {
    Some(unit::of_duration(duration))
}

fn size(bytes: u64) -> Option<String> {
    Some(unit::of_size(bytes))
}

fn path(path: &Path) -> Option<String> {
    Some(path.display().to_string())
}

fn list(items: &[impl Display]) -> Option<String> {
    (!items.is_empty()).then(|| bracketed(items))
}

fn bracketed(items: &[impl Display]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

fn kinds(kinds: &[SecretKind]) -> Vec<&'static str> {
    let all = SecretKind::ALL.into_iter().filter(|(_, kind)| kinds.contains(kind));
    all.map(|(name, _)| name).collect()
}
