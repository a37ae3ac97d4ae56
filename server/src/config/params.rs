//! `[[pipeline.params]]`.

use super::{
    name,
    settings::path_of,
    table::{At, Section},
};
use shared::{ParamDef, ParamType};
use std::collections::HashMap;

const MOST: usize = 100;

/// The parameters of a pipeline.
pub(super) fn read(pipeline: &mut Section<'_, '_>) -> Vec<ParamDef> {
    let tables = pipeline.tables("params");
    if tables.len() > MOST {
        let what = format!("has {} parameters, at most {MOST} are allowed", tables.len());
        pipeline.wrong("params", pipeline.span(), what);
    }
    let mut variables: HashMap<String, String> = HashMap::new();
    let mut params = Vec::new();
    for (i, At { value, span }) in tables.into_iter().enumerate() {
        let path = path_of(pipeline, "params", i, &value);
        let mut section = Section::new(value, span, path, pipeline.found());
        let found = section.required("name", "a name");
        let r#type = section.word("type", &ParamType::ALL.map(|t| (t.as_str(), t)));
        let def = ParamDef {
            name: found.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
            r#type: r#type.unwrap_or(ParamType::String),
            description: section.text("description").map(|at| at.value),
            required: section.yes("required").unwrap_or_default(),
            default: section.scalar("default"),
            pattern: section.text("pattern").map(|at| at.value),
            choices: section.texts("choices").into_iter().map(|at| at.value).collect(),
        };
        if let Some(At { value, span }) = found {
            let variable = engine::params::variable(&value);
            if let Err(rule) = name::identifier(&value) {
                section.wrong("name", span, format!("is {value:?}: {rule}"));
            } else if let Some(other) = variables.insert(variable.clone(), value.clone()) {
                let what =
                    format!("is {value:?}, whose variable {variable} is that of {other:?} already");
                section.wrong("name", span, what);
            }
        }
        // A wrong type was told about; what follows from it was not meant.
        if let Err((key, rule)) = engine::params::check(&def)
            && r#type.is_some()
        {
            section.wrong(key, span, rule);
        }
        section.finish();
        params.push(def);
    }
    params
}
