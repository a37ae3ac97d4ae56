//! Secrets that are known by their looks never reach a file either: each of their bytes becomes `*`,
//! line ends apart.
//!
//! One pass finds where a secret may begin (an anchor such as `ghp_`); only there it is looked closer,
//! by [`shape`], or by [`pem`] for what has several lines. What cannot be told yet is held back: less than
//! [`shape::LONGEST`] bytes. What is known to be secret is not held, however long it gets.

mod pem;
mod shape;
#[cfg(test)]
mod tests;

use crate::definition::SecretKind;
use aho_corasick::AhoCorasick;
use shape::{Cover, SHAPES, Shape, Verdict};

/// What is looked for; shared by the outputs of an attempt, with the room to do it in.
pub struct Patterns {
    anchors: AhoCorasick,
    /// In the order of the anchors.
    rules: Vec<Rule>,
    /// What was held back and what was read, as it is.
    text: Vec<u8>,
    /// The same, secrets blanked.
    shown: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Rule {
    anchor: &'static str,
    shape: Shape,
}

impl Patterns {
    /// For these kinds. None: there is nothing to hide.
    pub fn of(kinds: &[SecretKind]) -> Option<Self> {
        let rules: Vec<_> = kinds.iter().flat_map(|&kind| rules(kind)).collect();
        if rules.is_empty() {
            return None;
        }
        // It refuses only what has more than 2^31 states: these are a few short words.
        #[expect(clippy::expect_used, reason = "it has a few dozen states")]
        let anchors =
            AhoCorasick::new(rules.iter().map(|rule| rule.anchor)).expect("a few short words");
        Some(Self { anchors, rules, text: Vec::new(), shown: Vec::new() })
    }

    /// Where the bytes begin that may be the beginning of an anchor.
    fn may_begin(&self, text: &[u8]) -> usize {
        let longest = |rule: &Rule| {
            let anchor = rule.anchor.as_bytes();
            let most = (anchor.len() - 1).min(text.len());
            (1..=most).rev().find(|&n| text.ends_with(&anchor[..n])).unwrap_or(0)
        };
        text.len() - self.rules.iter().map(longest).max().unwrap_or(0)
    }
}

fn rules(kind: SecretKind) -> Vec<Rule> {
    let anchors: &[(&str, Shape)] = match kind {
        SecretKind::Aws => &[
            ("AKIA", Shape::AwsId),
            ("ASIA", Shape::AwsId),
            ("ecret", Shape::AwsSecret),
            ("ECRET", Shape::AwsSecret),
            ("ession", Shape::AwsSession),
            ("ESSION", Shape::AwsSession),
        ],
        SecretKind::Github => &[
            ("ghp_", Shape::Github),
            ("gho_", Shape::Github),
            ("ghu_", Shape::Github),
            ("ghs_", Shape::Github),
            ("ghr_", Shape::Github),
            ("github_pat_", Shape::GithubPat),
        ],
        SecretKind::Jwt => &[("eyJ", Shape::Jwt)],
        SecretKind::Pem => &[("-----BEGIN ", Shape::Pem)],
        SecretKind::Tailboard => &[("tb_", Shape::Tailboard)],
        SecretKind::Url => &[("://", Shape::Url)],
    };
    anchors.iter().map(|&(anchor, shape)| Rule { anchor, shape }).collect()
}

/// What one stream has begun and not ended.
#[derive(Default)]
pub struct Begun {
    /// The end of the stream that is held back, as it is and blanked.
    text: Vec<u8>,
    shown: Vec<u8>,
    /// Anchors in it after which there is too little text: where they begin, and their rules.
    pending: Vec<(usize, Rule)>,
    /// Secrets that go on.
    covers: Vec<Cover>,
    /// For each shape: an anchor that lies before this tells nothing new.
    settled: [usize; SHAPES],
}

impl Begun {
    /// Takes a chunk and puts what may be shown into `out`, secrets blanked.
    pub fn feed(&mut self, patterns: &mut Patterns, chunk: &[u8], out: &mut Vec<u8>) {
        let (mut text, mut shown) =
            (std::mem::take(&mut patterns.text), std::mem::take(&mut patterns.shown));
        let seen = self.text.len();
        for (whole, held) in [(&mut text, &self.text), (&mut shown, &self.shown)] {
            whole.clear();
            whole.extend_from_slice(held);
            whole.extend_from_slice(chunk);
        }
        self.go_on(&text, &mut shown, seen);
        for (at, rule) in std::mem::take(&mut self.pending) {
            self.look(&text, &mut shown, at, rule, false);
        }
        // An anchor that is not whole was held back.
        let from = patterns.may_begin(&text[..seen]);
        for found in patterns.anchors.find_iter(&text[from..]) {
            let rule = patterns.rules[found.pattern().as_usize()];
            let settled = self.settled[rule.shape as usize];
            if from + found.end() > seen.max(settled) {
                self.look(&text, &mut shown, from + found.start(), rule, false);
            }
        }
        let undecided = self.pending.iter().map(|(at, _)| *at).min().unwrap_or(text.len());
        let keep = undecided.min(patterns.may_begin(&text));
        out.clear();
        out.extend_from_slice(&shown[..keep]);
        self.drop_before(keep, &text, &shown);
        (patterns.text, patterns.shown) = (text, shown);
    }

    /// Nothing more comes, so what is left and was not told yet is told now.
    pub fn finish(&mut self) -> Vec<u8> {
        let (text, mut shown) = (std::mem::take(&mut self.text), std::mem::take(&mut self.shown));
        for (at, rule) in std::mem::take(&mut self.pending) {
            self.look(&text, &mut shown, at, rule, true);
        }
        // A stream that is read on after all begins a line, but a key goes over lines.
        self.covers.retain(Cover::is_of_lines);
        self.settled = [0; SHAPES];
        shown
    }

    /// Covers what is new of secrets that go on.
    fn go_on(&mut self, text: &[u8], shown: &mut [u8], from: usize) {
        let settled = &mut self.settled;
        self.covers.retain_mut(|cover| {
            let end = from + cover.length(&text[from..]);
            blank(&mut shown[from..end]);
            let settled = &mut settled[cover.shape() as usize];
            *settled = end.max(*settled);
            end == text.len()
        });
    }

    /// Looks closer at the anchor at `at`.
    fn look(&mut self, text: &[u8], shown: &mut [u8], at: usize, rule: Rule, is_whole: bool) {
        let Rule { anchor, shape } = rule;
        let settled = &mut self.settled[shape as usize];
        match shape.judge(text, at, at + anchor.len(), is_whole) {
            Verdict::More { settled: upto } => {
                self.pending.push((at, rule));
                *settled = upto.max(*settled);
            }
            Verdict::None { settled: upto } => *settled = upto.max(*settled),
            Verdict::Secret { range, cover } => {
                let known = range.end;
                blank(&mut shown[range]);
                let Some(mut cover) = cover else { return };
                let end = known + cover.length(&text[known..]);
                blank(&mut shown[known..end]);
                *settled = end.max(*settled);
                if end == text.len() && !self.covers.contains(&cover) {
                    self.covers.push(cover);
                }
            }
        }
    }

    fn drop_before(&mut self, keep: usize, text: &[u8], shown: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(&text[keep..]);
        self.shown.clear();
        self.shown.extend_from_slice(&shown[keep..]);
        self.pending.iter_mut().for_each(|(at, _)| *at -= keep);
        self.settled.iter_mut().for_each(|at| *at = at.saturating_sub(keep));
    }
}

/// Lines stay lines.
fn blank(text: &mut [u8]) {
    text.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
}
