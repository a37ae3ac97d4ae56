//! Parameters of a pipeline: whether a definition makes sense, and whether values fit it.
//!
//! A value is kept as the text that a step gets as `PARAM_<NAME>`, in one spelling per value.

use serde_json::Value;
use shared::{ParamDef, ParamType};
use std::collections::BTreeMap;

/// Bytes a value may have.
pub const LONGEST_VALUE: usize = 64 * 1024;
/// Bound on the memory of a compiled pattern; what needs more is refused.
const PATTERN_SIZE: usize = 1 << 20;

/// Which parameter is wrong, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {rule}")]
pub struct ParamError {
    pub name: String,
    pub rule: String,
}

/// The values a run gets: those given, and defaults for the others that have one.
///
/// # Errors
/// The first parameter that is unknown, missing or not allowed.
pub fn settle(
    defs: &[ParamDef],
    given: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, String>, ParamError> {
    let wrong = |name: &str, rule: String| ParamError { name: name.to_owned(), rule };
    if let Some(name) = given.keys().find(|name| defs.iter().all(|def| def.name != **name)) {
        let known: Vec<_> = defs.iter().map(|def| def.name.as_str()).collect();
        let rule = match known.as_slice() {
            [] => "the pipeline has no parameters".to_owned(),
            known => format!("is no parameter of the pipeline; there are {}", known.join(", ")),
        };
        return Err(wrong(name, rule));
    }
    let mut values = BTreeMap::new();
    for def in defs {
        // Null is what a form that was left empty says.
        let value = match given.get(&def.name).filter(|value| !value.is_null()) {
            Some(value) => Some(text(def, value).map_err(|rule| wrong(&def.name, rule))?),
            None => def.default.clone(),
        };
        match value {
            Some(value) => drop(values.insert(def.name.clone(), value)),
            None if def.required => return Err(wrong(&def.name, "has to be given".to_owned())),
            None => {}
        }
    }
    Ok(values)
}

/// The text of a value, if it is one that is allowed; else what would be.
///
/// # Errors
/// What is allowed.
pub fn text(def: &ParamDef, value: &Value) -> Result<String, String> {
    let given = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        _ => return Err("is a list or an object, wanted is a single value".to_owned()),
    };
    if given.len() > LONGEST_VALUE || given.contains('\0') {
        return Err(format!("is longer than {LONGEST_VALUE} bytes or has a NUL"));
    }
    let trimmed = given.trim();
    match def.r#type {
        ParamType::String => match &def.pattern {
            Some(pattern) if !matches(pattern, &given)? => {
                Err(format!("is {}, wanted is text that matches {pattern}", shown(&given)))
            }
            _ => Ok(given),
        },
        ParamType::Int => trimmed
            .parse::<i64>()
            .map(|number| number.to_string())
            .map_err(|_| format!("is {}, wanted is a whole number", shown(&given))),
        ParamType::Float => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number.to_string()),
            _ => Err(format!("is {}, wanted is a number such as 0.5", shown(&given))),
        },
        ParamType::Bool => match trimmed {
            "true" | "on" | "yes" | "1" => Ok("true".to_owned()),
            "false" | "off" | "no" | "0" => Ok("false".to_owned()),
            _ => Err(format!("is {}, wanted is true or false", shown(&given))),
        },
        ParamType::Choice if def.choices.contains(&given) => Ok(given),
        ParamType::Choice => {
            Err(format!("is {}, wanted is one of {}", shown(&given), def.choices.join(", ")))
        }
    }
}

/// Whether a definition makes sense; `Err` names the key and the rule.
///
/// # Errors
/// The key that is wrong, and why.
pub fn check(def: &ParamDef) -> Result<(), (&'static str, String)> {
    if let Some(pattern) = &def.pattern {
        if def.r#type != ParamType::String {
            return Err(("pattern", "is for parameters of type string only".to_owned()));
        }
        compiled(pattern).map_err(|rule| ("pattern", rule))?;
    }
    match (def.r#type, def.choices.is_empty()) {
        (ParamType::Choice, true) => {
            return Err(("choices", "is missing or empty, wanted is a list of values".to_owned()));
        }
        (ParamType::Choice, false) | (_, true) => {}
        (_, false) => return Err(("choices", "is for parameters of type choice only".to_owned())),
    }
    if let Some(default) = &def.default {
        if def.required {
            return Err(("required", "is true, but there is a default".to_owned()));
        }
        text(def, &Value::String(default.clone())).map_err(|rule| ("default", rule))?;
    }
    Ok(())
}

/// The variable a step finds the value in.
pub fn variable(name: &str) -> String {
    let part = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("PARAM_{}", name.chars().map(part).collect::<String>())
}

fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    Ok(compiled(pattern)?.is_match(text))
}

/// The pattern for the whole value: linear in its length, whatever the pattern.
fn compiled(pattern: &str) -> Result<regex::Regex, String> {
    let built = |pattern: &str| regex::RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build();
    // By itself first: `a)|(?:b` is no expression, but would be one in the group.
    let whole = built(pattern).and_then(|_| built(&format!(r"\A(?:{pattern})\z")));
    whole.map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("is no regular expression that can be used: {last}")
    })
}

/// A value for messages: short ones as they stand.
fn shown(value: &str) -> String {
    if value.chars().count() <= 60 { format!("{value:?}") } else { "a long text".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn def(r#type: ParamType) -> ParamDef {
        let (name, choices) = ("p".to_owned(), Vec::new());
        let (description, default, pattern) = (None, None, None);
        ParamDef { name, r#type, description, required: false, default, pattern, choices }
    }

    fn one(def: &ParamDef, value: Value) -> Result<String, String> {
        text(def, &value)
    }

    #[test]
    fn a_value_has_one_spelling_and_is_of_its_type() {
        let int = def(ParamType::Int);
        assert_eq!(one(&int, json!(7)), Ok("7".into()));
        assert_eq!(one(&int, json!(" 007 ")), Ok("7".into()));
        assert!(one(&int, json!(1.5)).unwrap_err().contains("whole number"));
        let float = def(ParamType::Float);
        assert_eq!(one(&float, json!("1e3")), Ok("1000".into()));
        assert!(one(&float, json!("NaN")).is_err());
        let yes = def(ParamType::Bool);
        assert_eq!(one(&yes, json!("on")), Ok("true".into()));
        assert!(one(&yes, json!("maybe")).unwrap_err().contains("true or false"));
        let choice = ParamDef { choices: vec!["a".into(), "b".into()], ..def(ParamType::Choice) };
        assert_eq!(one(&choice, json!("b")), Ok("b".into()));
        assert!(one(&choice, json!("c")).unwrap_err().contains("one of a, b"));
        let text = def(ParamType::String);
        assert_eq!(one(&text, json!("$(rm -rf /); `id`")), Ok("$(rm -rf /); `id`".into()));
        assert!(one(&text, json!("a\0b")).is_err());
        assert!(one(&text, json!(["a"])).is_err());
    }

    #[test]
    fn a_pattern_is_for_the_whole_value() {
        let def = ParamDef { pattern: Some("[a-z]+|x".into()), ..def(ParamType::String) };
        assert_eq!(one(&def, json!("abc")), Ok("abc".into()));
        for value in ["abc1", "1abc", "abc\n", ""] {
            assert!(one(&def, json!(value)).is_err(), "{value:?}");
        }
    }

    #[test]
    fn what_is_not_given_has_its_default_or_is_missed() {
        let defs = [
            ParamDef { name: "a".into(), required: true, ..def(ParamType::String) },
            ParamDef { name: "b".into(), default: Some("2".into()), ..def(ParamType::Int) },
            ParamDef { name: "c".into(), ..def(ParamType::Int) },
        ];
        let given = |json: Value| serde_json::from_value::<BTreeMap<_, _>>(json).unwrap();
        let values = settle(&defs, &given(json!({ "a": "x" }))).unwrap();
        assert_eq!(values, BTreeMap::from([("a".into(), "x".into()), ("b".into(), "2".into())]));
        assert_eq!(settle(&defs, &given(json!({}))).unwrap_err().name, "a");
        let unknown = settle(&defs, &given(json!({ "a": "x", "d": 1 }))).unwrap_err();
        assert_eq!(unknown.to_string(), "d: is no parameter of the pipeline; there are a, b, c");
    }

    #[test]
    fn a_definition_that_contradicts_itself_is_refused() {
        let key = |def: ParamDef| check(&def).err().map(|(key, _)| key);
        assert_eq!(key(def(ParamType::Choice)), Some("choices"));
        let some = || Some("1".to_owned());
        assert_eq!(key(ParamDef { pattern: some(), ..def(ParamType::Int) }), Some("pattern"));
        for half in ["(", "a)|(?:b", "a)|.*|(b"] {
            let def = ParamDef { pattern: Some(half.into()), ..def(ParamType::String) };
            assert_eq!(key(def), Some("pattern"), "{half}");
        }
        let both = ParamDef { required: true, default: some(), ..def(ParamType::Int) };
        assert_eq!(key(both), Some("required"));
        let wrong = ParamDef { default: Some("x".into()), ..def(ParamType::Int) };
        assert_eq!(key(wrong), Some("default"));
        assert_eq!(key(ParamDef { default: some(), ..def(ParamType::Int) }), None);
    }

    #[test]
    fn a_step_finds_a_parameter_in_capitals() {
        assert_eq!(variable("log-level.v2"), "PARAM_LOG_LEVEL_V2");
    }
}
