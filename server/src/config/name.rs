//! Which names are allowed. They appear in URLs, environments and log lines, so they are plain.

/// Names of queues and pipelines stand in URLs.
pub(super) fn identifier(name: &str) -> Result<(), &'static str> {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && name.len() <= 64 && chars.all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        Ok(())
    } else {
        Err("a name has 1 to 64 letters, digits, dots, hyphens and underscores (ASCII), \
             and begins with a letter or digit")
    }
}

/// Names of steps are read by people; they stand on one line.
pub(super) fn title(name: &str) -> Result<(), &'static str> {
    let plain = !name.chars().any(char::is_control) && name.trim() == name;
    if plain && !name.is_empty() && name.chars().count() <= 100 {
        Ok(())
    } else {
        Err("a step's name is one line of 1 to 100 characters, without spaces around it")
    }
}

/// Names of environment variables.
pub(super) fn variable(name: &str) -> Result<(), &'static str> {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || name.len() > 255 || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("a variable's name has letters, digits and underscores (ASCII), \
                    and does not begin with a digit");
    }
    if name.starts_with("TAILBOARD_") {
        return Err("variables that begin with TAILBOARD_ are set by Tailboard itself");
    }
    Ok(())
}

/// The allowed word that is most like this one, if one is like it at all.
pub(super) fn nearest<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 2).clamp(1, 3);
    allowed
        .iter()
        .map(|a| (distance(word, a), *a))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, a)| a)
}

/// Levenshtein: how many characters have to be put in, taken out or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let next = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_another_word_does_not() {
        let keys = ["name", "phase", "run", "timeout", "env"];
        assert_eq!(nearest("timeot", &keys), Some("timeout"));
        assert_eq!(nearest("names", &keys), Some("name"));
        assert_eq!(nearest("enf", &keys), Some("env"));
        assert_eq!(nearest("schedule", &keys), None);
    }

    #[test]
    fn a_name_in_a_url_is_plain() {
        for name in ["a", "nightly-backup", "v1.2_x", "7"] {
            assert_eq!(identifier(name), Ok(()), "{name}");
        }
        for name in ["", ".", "..", "-x", "a/b", "a b", "ä", &"x".repeat(65)] {
            assert!(identifier(name).is_err(), "{name}");
        }
    }
}
