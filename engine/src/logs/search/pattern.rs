//! What is looked for, made ready to be found in many lines at once.
//!
//! A pattern is applied to stretches of whole lines, and must find what it would find in each line
//! alone. So its expression is changed before it is compiled: nothing in it takes a line end, and
//! what stands for the beginning or end of a text stands for that of a line.

use memchr::memmem::Finder;
use regex_automata::{Input, MatchKind, meta};
use regex_syntax::{
    ParserBuilder,
    hir::{
        Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
    },
};
use shared::log::{SearchCase, SearchMode};

/// Bytes a pattern may have.
pub const LONGEST: usize = 256;
/// Bound on the memory of a compiled pattern; what needs more is refused.
const SIZE: usize = 1 << 20;

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("wanted is a text of 1 to {LONGEST} bytes")]
    Length,
    /// What is wrong with the expression, in one line.
    #[error("it is no regular expression: {0}")]
    Syntax(String),
    #[error("the regular expression is too large: compiled it would take more than {SIZE} bytes")]
    TooLarge,
}

/// A text or an expression that lines are searched for.
#[derive(Debug)]
pub struct Pattern(Finding);

#[derive(Debug)]
enum Finding {
    /// Exactly these bytes; no line end is among them.
    Bytes(Box<Finder<'static>>),
    Regex(meta::Regex),
}

impl Pattern {
    /// # Errors
    /// When `text` has no or too many bytes, or is no expression that can be searched for.
    pub fn new(text: &str, mode: SearchMode, case: SearchCase) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(PatternError::Length);
        }
        let expression = match mode {
            SearchMode::Plain if case == SearchCase::Match && !text.contains('\n') => {
                return Ok(Self(Finding::Bytes(Box::new(Finder::new(text).into_owned()))));
            }
            SearchMode::Plain => regex_syntax::escape(text),
            SearchMode::Regex => text.to_owned(),
        };
        let ignores_case = case == SearchCase::Ignore;
        let parsed = ParserBuilder::new().case_insensitive(ignores_case).build().parse(&expression);
        let hir = parsed.map_err(|error| {
            PatternError::Syntax(match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                error => error.to_string().lines().last().unwrap_or_default().to_owned(),
            })
        })?;
        let config = meta::Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .nfa_size_limit(Some(SIZE))
            .onepass_size_limit(Some(SIZE));
        let regex = meta::Builder::new().configure(config).build_from_hir(&of_lines(hir));
        regex.map(|regex| Self(Finding::Regex(regex))).map_err(|_| PatternError::TooLarge)
    }

    /// Where in these lines, each with its `\n`, a place is that belongs to the first line that
    /// matches: the beginning of what was found, or the end.
    pub(super) fn find(&self, lines: &[u8]) -> Option<usize> {
        match &self.0 {
            Finding::Bytes(finder) => finder.find(lines),
            Finding::Regex(regex) => {
                let place = regex.search_half(&Input::new(lines).earliest(true))?.offset();
                // After the last line end there is no line.
                (place < lines.len()).then_some(place)
            }
        }
    }

    /// Whether it is in this line, which is without its `\n`.
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        match &self.0 {
            Finding::Bytes(finder) => finder.find(line).is_some(),
            Finding::Regex(regex) => regex.is_match(line),
        }
    }
}

/// An expression that finds in lines what `hir` finds in each of them alone. Its depth is bounded by
/// the parser.
fn of_lines(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(mut class)) => {
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        // What is searched has no `\r`.
        HirKind::Look(Look::Start | Look::StartCRLF) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End | Look::EndCRLF) => Hir::look(Look::EndLF),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(of_lines(*repetition.sub));
            Hir::repetition(repetition)
        }
        // Nobody asks what is in a group.
        HirKind::Capture(group) => of_lines(*group.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(of_lines).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(of_lines).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_none_is_refused_in_one_line() {
        let refused = |text: &str| {
            let error = Pattern::new(text, SearchMode::Regex, SearchCase::Match).unwrap_err();
            let text = error.to_string();
            assert!(!text.contains('\n'), "{text}");
            error
        };
        assert_eq!(refused(""), PatternError::Length);
        assert_eq!(refused(&"x".repeat(257)), PatternError::Length);
        assert_eq!(refused("(a"), PatternError::Syntax("unclosed group".to_owned()));
        assert!(matches!(refused(r"(?-u:\xff)"), PatternError::Syntax(_)));
        assert!(matches!(refused(r"\p{Nonsense}"), PatternError::Syntax(_)));
        assert!(matches!(refused(&"(".repeat(256)), PatternError::Syntax(_)));
        assert_eq!(refused(r"(\w{100}){100}"), PatternError::TooLarge);
    }
}
