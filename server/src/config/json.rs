//! One pipeline as JSON: the same keys as a `[[pipeline]]` table, read by the same rules.

use super::{
    mistake::Wrong,
    name, pipeline,
    table::{At, Section},
};
use engine::{Definition, QueueDef};
use serde_json::{Map, Value as Json};
use std::{borrow::Cow, path::Path};
use toml_span::{
    Span,
    value::{Key, Table, Value, ValueInner},
};

/// The pipeline of this name; `name` in the table may be left out. Relative paths are taken from `dir`.
///
/// # Errors
/// Every mistake, each with its field.
pub fn pipeline(
    name: &str,
    fields: Map<String, Json>,
    queues: &[QueueDef],
    dir: &Path,
) -> Result<Definition, Vec<Wrong>> {
    let mut found = Vec::new();
    let mut section = Section::new(table(fields), Span::default(), String::new(), &mut found);
    if let Err(rule) = name::identifier(name) {
        section.wrong("name", Span::default(), format!("is {name:?}: {rule}"));
    }
    if let Some(At { value, span }) = section.text("name")
        && value != name
    {
        let what = format!("is {value:?}, but the address says {name:?}; it may be left out");
        section.wrong("name", span, what);
    }
    let definition = pipeline::read_one(section, name.to_owned(), queues, dir);
    if found.is_empty() {
        return Ok(definition);
    }
    Err(found.into_iter().map(|f| Wrong { field: f.key, what: f.what }).collect())
}

/// A field that is null is not there.
fn table(fields: Map<String, Json>) -> ValueInner<'static> {
    let there = fields.into_iter().filter(|(_, value)| !value.is_null());
    let entry = |(name, value)| {
        let key = Key { name: Cow::Owned(name), span: Span::default() };
        (key, Value::new(inner(value)))
    };
    ValueInner::Table(there.map(entry).collect::<Table<'static>>())
}

fn inner(value: Json) -> ValueInner<'static> {
    match value {
        // In a list, where nothing stands for nothing: what the list is of is missed, and that is told.
        Json::Null => ValueInner::Table(Table::new()),
        Json::Bool(yes) => ValueInner::Boolean(yes),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => ValueInner::Integer(whole),
            None => ValueInner::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => ValueInner::String(Cow::Owned(text)),
        Json::Array(items) => {
            ValueInner::Array(items.into_iter().map(|item| Value::new(inner(item))).collect())
        }
        Json::Object(fields) => table(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(name: &str, json: Json) -> Result<Definition, Vec<Wrong>> {
        let Json::Object(fields) = json else { panic!("an object") };
        let queues = [QueueDef { name: "default".into(), concurrency: 1 }];
        pipeline(name, fields, &queues, Path::new("/etc/tailboard"))
    }

    #[test]
    fn json_means_what_the_same_table_means_in_the_file() {
        let text = r#"
            [[pipeline]]
            name = "hello"
            description = "Says hello"
            timeout = "10m"
            env = { WHO = "world" }
            cwd = "work"
            retries = 2
            cron = "@daily"
            timezone = "Europe/Berlin"
            params = [{ name = "n", type = "int", default = 3 }]
            [[pipeline.steps]]
            name = "greet"
            run = "echo hello"
            continue_on_error = true
        "#;
        let file = super::super::parse(Path::new("/etc/tailboard/t.toml"), text).unwrap();
        let json = json!({
            "description": "Says hello",
            "timeout": "10m",
            "env": { "WHO": "world" },
            "cwd": "work",
            "retries": 2,
            "cron": "@daily",
            "timezone": "Europe/Berlin",
            "params": [{ "name": "n", "type": "int", "default": 3, "pattern": null }],
            "steps": [{ "name": "greet", "run": "echo hello", "continue_on_error": true }],
            "env_file": null,
        });
        assert_eq!(read("hello", json).unwrap(), file.engine.pipelines[0]);
    }

    #[test]
    fn every_mistake_is_told_with_its_field() {
        let json = json!({
            "name": "other",
            "queue": "slow",
            "retries": -1,
            "colour": "red",
            "params": [{ "name": "n", "type": "number" }],
            "steps": [{ "name": "greet", "run": " ", "timeout": 5 }, null, 7],
        });
        let mut fields: Vec<_> =
            read("a/b", json).unwrap_err().into_iter().map(|wrong| wrong.field).collect();
        fields.sort_unstable();
        let expected = [
            "colour",
            "name",
            "name",
            "params[n].type",
            "queue",
            "retries",
            "steps[#2].name",
            "steps[#2].run",
            "steps[#3]",
            "steps[#3].name",
            "steps[#3].run",
            "steps[greet].run",
            "steps[greet].timeout",
        ];
        assert_eq!(fields, expected);
        let none = read("empty", json!({})).unwrap_err();
        assert_eq!(none[0].field, "steps");
        assert_eq!(none[0].what, "has 0 steps, wanted are 1 to 200");
    }
}
