//! Takes typed keys out of a TOML table. What is wrong is collected, not thrown: the reader goes on
//! with a default and tells about every mistake at once.

use super::{name::nearest, unit};
use std::{collections::BTreeMap, fmt::Write, time::Duration};
use toml_span::{
    ErrorKind, Span,
    value::{Key, Table, Value, ValueInner},
};

/// A mistake and the byte of the document it is at.
#[derive(Debug)]
pub(super) struct Found {
    pub at: usize,
    pub key: String,
    pub what: String,
}

impl Found {
    /// The document is not TOML at all; the parser stops at its first mistake.
    pub(super) fn syntax(error: &toml_span::Error) -> Self {
        let hint = match error.kind {
            ErrorKind::UnquotedString => r#"a value that is text is written in quotes: "text""#,
            ErrorKind::UnterminatedString => "the quote that ends the text is missing",
            _ => "this is not TOML",
        };
        Self { at: error.span.start, key: String::new(), what: format!("{hint} ({error})") }
    }
}

/// A value and where it stands.
pub(super) struct At<T> {
    pub value: T,
    pub span: Span,
}

/// A table being read: every key that is taken is a key that is known.
pub(super) struct Section<'de, 'f> {
    table: Table<'de>,
    path: String,
    span: Span,
    known: Vec<&'static str>,
    found: &'f mut Vec<Found>,
}

impl<'de, 'f> Section<'de, 'f> {
    /// `path` is how the table is called in messages; the root's is empty.
    pub(super) fn new(
        value: ValueInner<'de>,
        span: Span,
        path: String,
        found: &'f mut Vec<Found>,
    ) -> Self {
        let table = match value {
            ValueInner::Table(table) => table,
            other => {
                let what = format!("is {}, wanted is a table", described(&other));
                found.push(Found { at: span.start, key: path.clone(), what });
                Table::new()
            }
        };
        Self { table, path, span, known: Vec::new(), found }
    }

    /// Where the table stands.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// Tells about `key` of this table.
    pub(super) fn wrong(&mut self, key: &str, span: Span, what: impl Into<String>) {
        let key = match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        self.found.push(Found { at: span.start, key, what: what.into() });
    }

    fn take(&mut self, key: &'static str) -> Option<Value<'de>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// A value made by `read`, which gives the value back when it is not what is `wanted`.
    fn typed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&ValueInner<'de>) -> Option<T>,
    ) -> Option<At<T>> {
        let mut value = self.take(key)?;
        let span = value.span;
        let inner = value.take();
        match read(&inner) {
            Some(value) => Some(At { value, span }),
            None => {
                self.wrong(key, span, format!("is {}, wanted is {wanted}", described(&inner)));
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<At<String>> {
        self.typed(key, "text in quotes", |v| v.as_str().map(str::to_owned))
    }

    /// Text that has to be there.
    pub(super) fn required(&mut self, key: &'static str, wanted: &str) -> Option<At<String>> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            self.wrong(key, self.span, format!("is missing, wanted is {wanted}"));
            return None;
        }
        self.text(key)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<_> = words.iter().map(|(w, _)| *w).collect();
        let wanted = format!("one of {}", names.join(", "));
        let word = |v: &ValueInner<'de>| {
            let text = v.as_str()?;
            words.iter().find(|(w, _)| *w == text).map(|(_, value)| *value)
        };
        self.typed(key, &wanted, word).map(|at| at.value)
    }

    /// Some of a few words: a list of them, or true for all, false for none.
    pub(super) fn words<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let names = all.join(", ");
        let text = |value: &str, span| At { value: value.to_owned(), span };
        let list = |v: &ValueInner<'de>| match v {
            ValueInner::Boolean(true) => {
                Some(all.iter().map(|word| text(word, Span::default())).collect())
            }
            ValueInner::Boolean(false) => Some(Vec::new()),
            _ => {
                let items = v.as_array()?.iter();
                items.map(|v| Some(text(v.as_str()?, v.span))).collect::<Option<Vec<_>>>()
            }
        };
        let wanted = format!("true, false or a list of {names}");
        let mut chosen = Vec::new();
        for At { value, span } in self.typed(key, &wanted, list)?.value {
            if let Some((_, word)) = words.iter().find(|(word, _)| *word == value) {
                chosen.push(*word);
                continue;
            }
            let near = nearest(&value, &all).map(|near| format!("; did you mean {near}?"));
            let near = near.unwrap_or_default();
            self.wrong(key, span, format!("has {value:?}{near} (there are {names})"));
        }
        Some(chosen)
    }

    pub(super) fn count(&mut self, key: &'static str, from: u32, to: u32) -> Option<u32> {
        let wanted = format!("a whole number from {from} to {to}");
        let count = |v: &ValueInner<'de>| {
            u32::try_from(v.as_integer()?).ok().filter(|n| (from..=to).contains(n))
        };
        self.typed(key, &wanted, count).map(|at| at.value)
    }

    pub(super) fn number(&mut self, key: &'static str, from: i32, to: i32) -> Option<i32> {
        let wanted = format!("a whole number from {from} to {to}");
        let number = |v: &ValueInner<'de>| {
            i32::try_from(v.as_integer()?).ok().filter(|n| (from..=to).contains(n))
        };
        self.typed(key, &wanted, number).map(|at| at.value)
    }

    pub(super) fn yes(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", |v| v.as_bool()).map(|at| at.value)
    }

    /// Text, a number or a boolean, as text.
    pub(super) fn scalar(&mut self, key: &'static str) -> Option<String> {
        let text = |v: &ValueInner<'de>| match v {
            ValueInner::String(text) => Some(text.to_string()),
            ValueInner::Integer(number) => Some(number.to_string()),
            ValueInner::Float(number) => Some(number.to_string()),
            ValueInner::Boolean(yes) => Some(yes.to_string()),
            ValueInner::Array(_) | ValueInner::Table(_) => None,
        };
        self.typed(key, "text, a number or a boolean", text).map(|at| at.value)
    }

    /// How long something is kept; `"never"` is for ever.
    pub(super) fn age(&mut self, key: &'static str, usual: Option<Duration>) -> Option<Duration> {
        let read = |v: &ValueInner<'de>| match v.as_str()? {
            "never" => Some(None),
            text => unit::duration(text).map(Some),
        };
        let wanted = format!("{} or \"never\"", unit::DURATION);
        self.typed(key, &wanted, read).map_or(usual, |at| at.value)
    }

    /// The table `[key]`.
    pub(super) fn table(&mut self, key: &'static str) -> Option<At<ValueInner<'de>>> {
        let mut value = self.take(key)?;
        Some(At { span: value.span, value: value.take() })
    }

    /// A duration of at least `from`, at most `to` (whole days).
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        from: Duration,
        to: Duration,
    ) -> Option<Duration> {
        let more = if from.is_zero() { "" } else { "more than 0, " };
        let wanted = format!("{}, {more}at most {} days", unit::DURATION, to.as_secs() / 86_400);
        let read =
            |v: &ValueInner<'de>| unit::duration(v.as_str()?).filter(|d| (from..=to).contains(d));
        self.typed(key, &wanted, read).map(|at| at.value)
    }

    pub(super) fn size(&mut self, key: &'static str) -> Option<u64> {
        let read = |v: &ValueInner<'de>| match v.as_integer() {
            Some(bytes) => u64::try_from(bytes).ok(),
            None => unit::size(v.as_str()?),
        };
        self.typed(key, unit::SIZE, read).map(|at| at.value)
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<At<String>> {
        let wanted = r#"a list of texts such as ["A", "B"]"#;
        let list = |v: &ValueInner<'de>| {
            let items = v.as_array()?.iter();
            let text = |v: &Value<'de>| Some(At { value: v.as_str()?.to_owned(), span: v.span });
            items.map(text).collect::<Option<Vec<_>>>()
        };
        self.typed(key, wanted, list).map(|at| at.value).unwrap_or_default()
    }

    /// A table of texts: the environment.
    pub(super) fn map(&mut self, key: &'static str) -> BTreeMap<String, At<String>> {
        let Some(mut value) = self.take(key) else { return BTreeMap::new() };
        let span = value.span;
        let table = match value.take() {
            ValueInner::Table(table) => table,
            other => {
                let what = format!(
                    r#"is {}, wanted is a table such as {{ NAME = "value" }}"#,
                    described(&other)
                );
                self.wrong(key, span, what);
                return BTreeMap::new();
            }
        };
        let mut map = BTreeMap::new();
        for (Key { name, span }, mut value) in table {
            match value.take() {
                ValueInner::String(text) => {
                    map.insert(name.into_owned(), At { value: text.into_owned(), span });
                }
                other => {
                    let what = format!("is {}, wanted is text in quotes", described(&other));
                    self.wrong(&format!("{key}.{name}"), value.span, what);
                }
            }
        }
        map
    }

    /// The tables of `[[key]]`, in their order.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<At<ValueInner<'de>>> {
        let Some(mut value) = self.take(key) else { return Vec::new() };
        let span = value.span;
        match value.take() {
            ValueInner::Array(items) => items
                .into_iter()
                .map(|mut item| At { span: item.span, value: item.take() })
                .collect(),
            other => {
                let what = format!("is {}, wanted is [[{key}]]", described(&other));
                self.wrong(key, span, what);
                Vec::new()
            }
        }
    }

    /// The place in messages of item number `index` of `[[key]]` in here.
    pub(super) fn item(&self, key: &str, index: usize, name: Option<&str>) -> String {
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push('.');
        }
        // Writing into a String cannot fail.
        let _ = match name {
            Some(name) => write!(path, "{key}[{name}]"),
            None => write!(path, "{key}[#{}]", index + 1),
        };
        path
    }

    /// Lends the collected mistakes to a table inside this one.
    pub(super) fn found(&mut self) -> &mut Vec<Found> {
        self.found
    }

    /// Keys that nobody took are mistakes.
    pub(super) fn finish(mut self) {
        let mut known = std::mem::take(&mut self.known);
        known.sort_unstable();
        for (key, _) in std::mem::take(&mut self.table) {
            let mut what = String::from("is not a key that is known here");
            if let Some(near) = nearest(&key.name, &known) {
                // Writing into a String cannot fail.
                let _ = write!(what, "; did you mean {near}?");
            }
            let _ = write!(what, " (allowed: {})", known.join(", "));
            self.wrong(&key.name, key.span, what);
        }
    }
}

/// What a value is, for messages: short values as they stand.
fn described(value: &ValueInner<'_>) -> String {
    match value {
        ValueInner::String(text) if text.chars().count() <= 60 => format!("{text:?}"),
        ValueInner::String(_) => "a long text".to_owned(),
        ValueInner::Integer(n) => n.to_string(),
        ValueInner::Float(n) => n.to_string(),
        ValueInner::Boolean(b) => b.to_string(),
        ValueInner::Array(_) => "a list".to_owned(),
        ValueInner::Table(_) => "a table".to_owned(),
    }
}
