//! Names of users and keys.

use crate::AccessError;

const LONGEST: usize = 64;

/// Checks a name of a user or a key.
pub(crate) fn check(name: &str) -> Result<(), AccessError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST && name.chars().all(allowed) {
        return Ok(());
    }
    let rule = format!(
        "is {name:?}: it begins with a letter or digit and has 1 to {LONGEST} letters, digits, '.', '_', '-' or '@'"
    );
    Err(AccessError::Invalid { field: "name", rule })
}
