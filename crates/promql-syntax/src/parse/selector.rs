//! `x{job="a"}`: names and label conditions.

use model::{METRIC_NAME, MatchKind, Matcher};

use super::{Parsed, Parser};
use crate::{
    ast::{BinaryOp, Span, VectorSelector},
    token::Kind,
};

impl Parser<'_> {
    /// A selector from its first token on.
    pub(super) fn selector(&mut self) -> Parsed<VectorSelector> {
        let start = self.token.span;
        if self.token.kind != Kind::LeftBrace {
            self.advance();
            return self.named_selector(start);
        }
        let matchers = self.matchers()?;
        let span = Span { start: start.start, end: self.last_end };
        Ok(VectorSelector { matchers, span, ..VectorSelector::default() })
    }

    /// A selector after its name, whose place is `name`.
    pub(super) fn named_selector(&mut self, name: Span) -> Parsed<VectorSelector> {
        let mut matchers = match self.token.kind {
            Kind::LeftBrace => self.matchers()?,
            _ => Vec::with_capacity(1),
        };
        let text = self.text_of(name);
        matchers.push(Matcher::equal(METRIC_NAME, text));
        let span = Span { start: name.start, end: self.last_end };
        Ok(VectorSelector { name: text.to_owned(), matchers, span, ..VectorSelector::default() })
    }

    /// Conditions in braces.
    fn matchers(&mut self) -> Parsed<Vec<Matcher>> {
        let mut matchers = Vec::new();
        self.advance();
        if self.eat(Kind::RightBrace) {
            return Ok(matchers);
        }
        loop {
            let matcher = self.matcher()?;
            matchers.extend(matcher);
            let got_comma = self.eat(Kind::Comma);
            if self.eat(Kind::RightBrace) {
                return Ok(matchers);
            }
            if !got_comma {
                return Err(self.unexpected("label matching", "\",\" or \"}\""));
            }
        }
    }

    /// One condition; `None` if its regular expression is none, which is noted.
    fn matcher(&mut self) -> Parsed<Option<Matcher>> {
        let start = self.token.span;
        let is_quoted = self.token.kind == Kind::String;
        let label = match self.token.kind {
            Kind::Identifier => {
                let label = self.text().to_owned();
                self.advance();
                label
            }
            Kind::String => self.take_string(),
            _ => return Err(self.unexpected("label matching", "identifier or \"}\"")),
        };
        let kind = match self.token.kind {
            Kind::Assign => MatchKind::Equal,
            Kind::Op(BinaryOp::NotEqual) => MatchKind::NotEqual,
            Kind::EqualRegex => MatchKind::Regex,
            Kind::NotEqualRegex => MatchKind::NotRegex,
            _ if is_quoted => return Ok(Some(Matcher::equal(METRIC_NAME, label))),
            _ => return Err(self.unexpected("label matching", "label matching operator")),
        };
        self.advance();
        if self.token.kind != Kind::String {
            return Err(self.unexpected("label matching", "string"));
        }
        let value = self.take_string();
        let span = Span { start: start.start, end: self.last_end };
        match Matcher::new(kind, label, value) {
            Ok(matcher) => Ok(Some(matcher)),
            Err(error) => {
                self.complain_first(span, error.to_string());
                Ok(None)
            }
        }
    }

    /// Labels of one series in braces.
    pub(super) fn label_set(&mut self) -> Parsed<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        self.advance();
        if self.eat(Kind::RightBrace) {
            return Ok(pairs);
        }
        loop {
            pairs.push(self.label_pair()?);
            let got_comma = self.eat(Kind::Comma);
            if self.eat(Kind::RightBrace) {
                return Ok(pairs);
            }
            if !got_comma {
                return Err(self.unexpected("label set", "\",\" or \"}\""));
            }
        }
    }

    fn label_pair(&mut self) -> Parsed<(String, String)> {
        let is_quoted = self.token.kind == Kind::String;
        let label = match self.token.kind {
            Kind::Identifier => {
                let label = self.text().to_owned();
                self.advance();
                label
            }
            Kind::String => self.take_string(),
            _ => return Err(self.unexpected("label set", "identifier or \"}\"")),
        };
        if !self.eat(Kind::Assign) {
            return match is_quoted {
                true => Ok((METRIC_NAME.to_owned(), label)),
                false => Err(self.unexpected("label set", "\"=\"")),
            };
        }
        match self.token.kind {
            Kind::String => Ok((label, self.take_string())),
            _ => Err(self.unexpected("label set", "string")),
        }
    }
}
