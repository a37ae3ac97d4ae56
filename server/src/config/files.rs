//! Files of secrets that no run could read. A server starts without them, since they are read when an attempt
//! begins; whoever checks the configuration wants to know before.

use super::table::Found;
use engine::{
    Definition,
    executor::env_file::{self, EnvFileError},
};
use std::io::ErrorKind;

/// What is wrong with the `env_file` of each of these pipelines, which are those of the document.
pub(super) fn unusable(text: &str, pipelines: &[Definition]) -> Vec<Found> {
    // What is no TOML has no pipelines.
    let Ok(root) = toml_span::parse(text) else { return Vec::new() };
    let mistake = |(i, pipeline): (usize, &Definition)| {
        let error = env_file::read(pipeline.env_file.as_ref()?).err()?;
        let value = root.pointer(&format!("/pipeline/{i}/env_file"))?;
        let key = match pipeline.name.as_str() {
            "" => format!("pipeline[#{}].env_file", i + 1),
            name => format!("pipeline[{name}].env_file"),
        };
        Some(Found { at: value.span.start, key, what: said(&error) })
    };
    pipelines.iter().enumerate().filter_map(mistake).collect()
}

fn said(error: &EnvFileError) -> String {
    let what = error.to_string();
    let what = what.strip_prefix("env_file ").unwrap_or(&what);
    match error {
        EnvFileError::Unreadable { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            format!("{what}; runs read it as the user who serves, so check as that one")
        }
        _ => what.to_owned(),
    }
}
