//! Go's pattern syntax, as `regexp/syntax` documents it with its Perl flags.

mod class;
mod error;
mod escape;
mod group;
mod repeat;

use regex_syntax::hir::{Capture, ClassUnicode, Hir, Look};

pub(crate) use error::Error;

use self::group::Flags;

/// Groups within groups; Go counts nodes of the tree instead, of which it allows 1,000.
const DEPTH_MAX: usize = 500;

type Result<T, E = Error> = std::result::Result<T, E>;

/// The meaning of `pattern`; `dot_matches_newline` is what `(?s)` before it would say.
pub(crate) fn parse(pattern: &str, dot_matches_newline: bool) -> Result<Hir> {
    let flags = Flags { dot_matches_newline, ..Flags::default() };
    let mut parser = Parser {
        pattern,
        rest: pattern,
        flags,
        groups: Vec::new(),
        branches: Vec::new(),
        sequence: Vec::new(),
        n_captures: 0,
        names: Vec::new(),
    };
    parser.run()
}

/// A group that has not ended, and what stands before it.
struct Group {
    /// Number and name; nothing for one that does not capture.
    capture: Option<(u32, Option<Box<str>>)>,
    flags: Flags,
    branches: Vec<Hir>,
    sequence: Vec<Hir>,
}

struct Parser<'p> {
    pattern: &'p str,
    rest: &'p str,
    flags: Flags,
    groups: Vec<Group>,
    /// Branches of the current group that are done.
    branches: Vec<Hir>,
    /// The branch that is being read.
    sequence: Vec<Hir>,
    n_captures: u32,
    names: Vec<Box<str>>,
}

impl<'p> Parser<'p> {
    fn run(&mut self) -> Result<Hir> {
        // What the repetition just before was, as text: two in a row are not allowed.
        let mut last_repetition = None;
        while let Some(next) = self.rest.chars().next() {
            let before = self.rest;
            let mut repetition = None;
            match next {
                '(' => self.open()?,
                '|' => self.end_branch(),
                ')' => self.close()?,
                '^' => self.push_look(Look::Start, Look::StartLF),
                '$' => self.push_look(Look::End, Look::EndLF),
                '.' => self.push_dot(),
                '[' => {
                    let class = self.class()?;
                    self.push_class(class);
                }
                '*' | '+' | '?' | '{' if self.repeat(last_repetition)? => {
                    repetition = Some(before);
                }
                '\\' => self.escape()?,
                literal => {
                    self.skip(literal.len_utf8());
                    self.push_literal(u32::from(literal));
                }
            }
            last_repetition = repetition;
        }
        if !self.groups.is_empty() {
            return Err(Error::MissingParen(self.pattern.to_owned()));
        }
        self.end_branch();
        Ok(Hir::alternation(std::mem::take(&mut self.branches)))
    }

    fn skip(&mut self, n_bytes: usize) {
        self.rest = self.rest.get(n_bytes..).unwrap_or_default();
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.skip(next.len_utf8());
        Some(next)
    }

    /// What was read since `before` was all that was left.
    fn read_since(&self, before: &'p str) -> &'p str {
        before.get(..before.len() - self.rest.len()).unwrap_or_default()
    }

    fn end_branch(&mut self) {
        if self.rest.starts_with('|') {
            self.skip(1);
        }
        let sequence = std::mem::take(&mut self.sequence);
        self.branches.push(Hir::concat(sequence));
    }

    fn close(&mut self) -> Result<()> {
        let Some(group) = self.groups.pop() else {
            return Err(Error::UnexpectedParen(self.pattern.to_owned()));
        };
        self.end_branch();
        self.skip(1);
        let inner = Hir::alternation(std::mem::replace(&mut self.branches, group.branches));
        self.sequence = group.sequence;
        self.flags = group.flags;
        self.sequence.push(match group.capture {
            Some((index, name)) => Hir::capture(Capture { index, name, sub: Box::new(inner) }),
            None => inner,
        });
        Ok(())
    }

    fn push_look(&mut self, of_text: Look, of_line: Look) {
        self.skip(1);
        let look = if self.flags.lines { of_line } else { of_text };
        self.sequence.push(Hir::look(look));
    }

    fn push_dot(&mut self) {
        self.skip(1);
        let class = match self.flags.dot_matches_newline {
            true => class::any(),
            false => class::negated(class::of_ranges(&[('\n', '\n')])),
        };
        self.push_class(class);
    }

    fn push_class(&mut self, class: ClassUnicode) {
        self.sequence.push(Hir::class(regex_syntax::hir::Class::Unicode(class)));
    }

    /// Adds a code point; one that no text can hold matches nothing.
    fn push_literal(&mut self, code_point: u32) {
        let Some(literal) = char::from_u32(code_point) else {
            return self.sequence.push(Hir::fail());
        };
        if self.flags.fold_case {
            return self.push_class(class::folded(class::of_ranges(&[(literal, literal)])));
        }
        let mut bytes = [0; 4];
        self.sequence.push(Hir::literal(literal.encode_utf8(&mut bytes).as_bytes()));
    }
}
