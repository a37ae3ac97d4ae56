//! Files of secrets: `NAME=value` lines, read when an attempt starts.

use super::mask::SHORTEST;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Bytes such a file may have.
const LONGEST: u64 = 1 << 20;

/// Why a file of secrets cannot be used. No value is ever in it.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    #[error("env_file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("env_file {}: is longer than {LONGEST} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("env_file {}:{line}: {what}", path.display())]
    Line { path: PathBuf, line: usize, what: String },
}

/// Reads a file of secrets.
///
/// # Errors
/// When it cannot be read, or the first line that is wrong.
pub fn read(path: &Path) -> Result<BTreeMap<String, String>, EnvFileError> {
    let unreadable = |source| EnvFileError::Unreadable { path: path.to_owned(), source };
    if fs::metadata(path).map_err(unreadable)?.len() > LONGEST {
        return Err(EnvFileError::TooLong { path: path.to_owned() });
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    parse(&text).map_err(|(line, what)| EnvFileError::Line { path: path.to_owned(), line, what })
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, (usize, String)> {
    let mut values = BTreeMap::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, value)) = line.split_once('=') else {
            return Err((number, "is no line of the form NAME=value".to_owned()));
        };
        let name = name.trim_end();
        if !is_name(name) {
            let rule = "letters, digits and underscores, not beginning with a digit or TAILBOARD_";
            return Err((number, format!("the name before = has to be {rule}")));
        }
        let value = match value.trim_start().chars().next() {
            Some('"') => {
                let mut quoted = value.trim_start()[1..].to_owned();
                while ends_at(&quoted).is_none() {
                    let Some((_, more)) = lines.next() else {
                        return Err((number, format!("the quote after {name}= is not closed")));
                    };
                    quoted.push('\n');
                    quoted.push_str(more);
                }
                let end = ends_at(&quoted).unwrap_or(quoted.len());
                unescaped(&quoted[..end])
            }
            Some('\'') => match value.trim_start()[1..].split_once('\'') {
                Some((value, _)) => value.to_owned(),
                None => return Err((number, format!("the quote after {name}= is not closed"))),
            },
            _ => value.trim().to_owned(),
        };
        if value.contains('\0') {
            return Err((number, format!("the value of {name} has a NUL")));
        }
        if let Some(what) = too_short(name, &value) {
            return Err((number, what));
        }
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

/// What is too short to be hidden, if something is: its bytes are in every other word of a log. Each line
/// is hidden by itself, so each has to be long enough, or without a letter or digit: a brace by itself, as JSON has
/// many, is no secret.
fn too_short(name: &str, value: &str) -> Option<String> {
    let rule = format!("is shorter than {SHORTEST} bytes, so it could not be masked in the log");
    if value.len() < SHORTEST {
        return Some(format!("the value of {name} {rule}; what is no secret belongs into env"));
    }
    let is_short = |line: &str| line.len() < SHORTEST && line.contains(char::is_alphanumeric);
    let (line, _) = (1..).zip(value.lines()).find(|(_, line)| is_short(line))?;
    Some(format!(
        "line {line} of the value of {name} {rule}; each line of a secret with a letter or digit has at least \
         {SHORTEST} bytes: write it in fewer, longer lines"
    ))
}

/// Where the closing quote is.
fn ends_at(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(c @ ('"' | '\\' | '$' | '`')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with("TAILBOARD_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_shell_would() {
        let text = "# c\n\nA=plain value \nexport B = 'single # $x'\nC=\"both\nlines \\\"q\\\"\"\nD=x=y#z\n";
        let values = parse(text).unwrap();
        let found: Vec<_> = values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            found,
            [
                ("A", "plain value"),
                ("B", "single # $x"),
                ("C", "both\nlines \"q\""),
                ("D", "x=y#z")
            ]
        );
    }

    #[test]
    fn lines_of_a_secret_without_a_letter_or_digit_have_nothing_to_hide() {
        let values = parse("A=\"\n-----BEGIN-----\n  \n\nc2VzYW1l\nQQ==\n\"\n").unwrap();
        assert_eq!(values["A"], "\n-----BEGIN-----\n  \n\nc2VzYW1l\nQQ==\n");
        let values = parse("A=\"{\n  \\\"key\\\": \\\"sesame\\\"\n}\"").unwrap();
        assert_eq!(values["A"], "{\n  \"key\": \"sesame\"\n}");
    }

    #[test]
    fn a_wrong_line_is_named_and_its_value_is_not() {
        for (text, line, part) in [
            ("A=good\nnonsense", 2, "NAME=value"),
            ("1A=sesame", 1, "the name before ="),
            ("TAILBOARD_X=sesame", 1, "the name before ="),
            ("A=abc", 1, "the value of A is shorter than 4 bytes"),
            ("A=good\nB=\"sesame\nabc\nsesame\"", 2, "line 2 of the value of B is shorter than 4"),
            ("A=\"sesame\\nx}\"", 1, "line 2 of the value of A is shorter than 4"),
            ("A=good\nB=\"sesame", 2, "not closed"),
            ("A='sesame", 1, "not closed"),
        ] {
            let (at, what) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text}");
            assert!(what.contains(part) && !what.contains("sesame"), "{what}");
        }
    }
}
