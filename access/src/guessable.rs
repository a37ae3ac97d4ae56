//! Passwords that guessing begins with: well-known words, rows of keys, the alphabet, the same again and again, the
//! user's own name, and some figures beside them. A list of stolen passwords would know more; this needs none.

use std::collections::HashSet;

/// What many people take, in lower case and without figures that stand for letters. One that has another in it stands
/// before it.
const WORDS: &str = "
    administrator admin amanda andrew angel apple arsenal ashley august autumn azerty baby bailey banana
    barcelona baseball batman blink buster butterfly changeme charlie cheese chelsea chocolate computer
    cookie daniel default dragon family flower football forever freedom friend george ginger google
    guest hallo hannah hello hockey hunter iloveyou internet jennifer jessica jordan joshua killer
    letmein liverpool login london lovely love master matthew michael michelle monkey mustang naruto
    nicole ninja october password passwort pass pepper pokemon princess purple samsung secret september
    shadow soccer spring starwars summer sunshine superman tailboard test thomas tigger trustno user
    welcome whatever winter yankees
";

/// Keys side by side, letters and figures in turn.
const ROWS: [&str; 13] = [
    "1234567890",
    "!@#$%^&*()",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
];

/// Characters of a row, or of one character again and again, that are known for it.
const ROW: usize = 3;
/// Characters of a name that count as a word.
const NAME: usize = 3;
/// What has to be left beside what is known, in half characters: a figure is one, anything else two.
const LEFT: usize = 12;
/// What a further well-known word is worth, likewise: three of them are not enough, four are.
const FURTHER_WORD: usize = 4;
/// Different characters that there have to be.
const DIFFERENT: usize = 5;

/// Whether this password of a user of this name is among what is tried first.
pub(crate) fn is_guessable(password: &str, name: &str) -> bool {
    let all: Vec<char> = password.to_lowercase().chars().collect();
    let once = &all[..period(&all)];
    let different: HashSet<_> = once.iter().collect();
    if different.len() < DIFFERENT || all.iter().all(char::is_ascii_digit) {
        return true;
    }
    let mut known = vec![false; once.len()];
    let words = mark_words(once, name, &mut known);
    mark_rows(once, &mut known);
    if once.len() == all.len() && !known.contains(&true) {
        return false;
    }
    let left = once.iter().zip(&known).filter(|(_, known)| !**known);
    let left: usize = left.map(|(c, _)| if c.is_ascii_digit() { 1 } else { 2 }).sum();
    left + words.saturating_sub(1) * FURTHER_WORD < LEFT
}

/// After how many characters it only says the same again; all, if it does not.
fn period(all: &[char]) -> usize {
    let again = |length: &usize| all.iter().zip(&all[*length..]).all(|(a, b)| a == b);
    (1..=all.len() / 2).find(again).unwrap_or(all.len())
}

/// Marks well-known words and parts of the name; how many different ones there are.
fn mark_words(all: &[char], name: &str, known: &mut [bool]) -> usize {
    let letters = spelled(all.iter().copied());
    let name = name.to_lowercase();
    let parts = name.split(|c: char| !c.is_alphanumeric()).map(|part| spelled(part.chars()));
    let parts = parts.filter(|part| part.len() >= NAME);
    let words = WORDS.split_whitespace().map(|word| word.chars().collect()).chain(parts);
    let found = words.filter(|word: &Vec<char>| {
        let mut found = false;
        for (at, _) in letters.windows(word.len()).enumerate().filter(|(_, part)| part == word) {
            // What is within a longer word is no further one.
            found |= known[at..at + word.len()].contains(&false);
            known[at..at + word.len()].fill(true);
        }
        found
    });
    found.count()
}

/// Letters instead of the figures that stand for them.
fn spelled(text: impl Iterator<Item = char>) -> Vec<char> {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    };
    text.map(letter).collect()
}

/// Marks rows of keys, in either direction, and what is one character again and again.
fn mark_rows(all: &[char], known: &mut [bool]) {
    // Each character of a row is in it once.
    let follows = |row: &str, a: char, b: char| {
        row.find(a).is_some_and(|at| row[at..].chars().nth(1) == Some(b))
    };
    let mut mark = |step: &dyn Fn(char, char) -> bool| {
        let mut from = 0;
        for to in 1..=all.len() {
            if to == all.len() || !step(all[to - 1], all[to]) {
                if to - from >= ROW {
                    known[from..to].fill(true);
                }
                from = to;
            }
        }
    };
    mark(&|a, b| a == b);
    for row in ROWS {
        mark(&|a, b| follows(row, a, b));
        mark(&|a, b| follows(row, b, a));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guessing_begins_with_is_no_password() {
        for common in [
            "password1234",
            "P@$$w0rd2024!",
            "Administrator1!",
            "letmein19841984",
            "dragonmonkeysunshine",
            "aaaaaaaaaaaa",
            "hellooooooooo",
            "blueblueblue",
            "abc123abc123",
            "123456789012",
            "qwertyqwerty",
            "Qwertyuiop12",
            "0987654321qwe",
            "1q2w3e4r5t6y",
            "6y5t4r3e2w1q",
            "1qaz2wsx3edc",
            "abcdefghijkl",
            "anna.smith1999",
            "Smith-2026!!",
        ] {
            assert!(is_guessable(common, "Anna.Smith"), "{common}");
        }
    }

    #[test]
    fn what_is_long_enough_beside_a_known_word_or_has_none_is_a_password() {
        for good in [
            "correct-horse-battery",
            "another-good-one",
            "mypasswordisblue",
            "wrong-password",
            "summer dragon monkey pepper",
            "k3#9fQz!27Lp",
            "83!72#95?123",
            "Größe-über-alles",
        ] {
            assert!(!is_guessable(good, "anna"), "{good}");
        }
    }

    #[test]
    fn a_name_of_few_characters_or_none_forbids_nothing() {
        for name in ["", "a", "io", "-.-"] {
            assert!(!is_guessable("a violin in a radio", name), "{name}");
        }
    }
}
