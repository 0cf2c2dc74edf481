//! Names and values of labels, read only when somebody wants them.

use std::borrow::Cow;

use model::{Labels, METRIC_NAME, MetricType};

use super::{Exemplar, Origin, Series, Source, unexpected};
use crate::{
    Error, Result,
    lexer::{Dialect, Lexer, State, Token},
    number, protobuf,
};

/// Labels in the order in which they are written, with the metric's name as `__name__`. Names may
/// come twice.
pub type LabelPairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

impl<'a> Series<'a> {
    /// Reads the labels; bounds of buckets and quantiles are written as OpenMetrics has them.
    pub fn labels(&self) -> Result<LabelPairs<'a>> {
        let source = match &self.origin {
            Origin::Text(source) => source,
            Origin::Protobuf(labels) => return labels.pairs(),
            Origin::Labels(labels) => {
                let borrowed = |(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value));
                return Ok(labels.iter().map(borrowed).collect());
            }
            Origin::ProtobufExemplar(_) => return Ok(LabelPairs::new()),
        };
        let mut pairs = LabelPairs::new();
        let mut lexer = Lexer::new(source.dialect, source.body);
        source.read_series(&mut lexer, Some(&mut pairs))?;
        debug_assert_eq!(lexer.at, source.start + self.raw.len(), "skipped what it read");
        let normalised = match self.kind {
            MetricType::Summary => "quantile",
            MetricType::Histogram => "le",
            _ => return Ok(pairs),
        };
        for (_, value) in pairs.iter_mut().filter(|(name, _)| name == normalised) {
            if let Ok(bound) = number::parse_float(value.as_bytes()) {
                let mut text = String::new();
                number::write_openmetrics_float(bound, &mut text);
                *value = Cow::Owned(text);
            }
        }
        Ok(pairs)
    }

    /// The labels as a set, with `__type__` and `__unit__` of the family if it has any.
    pub fn labels_with_type_and_unit(&self) -> Result<LabelPairs<'a>> {
        let mut pairs = self.labels()?;
        let kind = if self.kind == MetricType::Unknown { "" } else { self.kind.as_str() };
        for (name, value) in [("__type__", kind), ("__unit__", self.unit)] {
            if !value.is_empty() {
                pairs.retain(|(n, _)| n != name);
                pairs.push((Cow::Borrowed(name), Cow::Borrowed(value)));
            }
        }
        Ok(pairs)
    }
}

impl<'a> Exemplar<'a> {
    pub fn labels(&self) -> Result<Labels> {
        let mut pairs = LabelPairs::new();
        match &self.origin {
            Origin::Text(source) => {
                let mut lexer = Lexer::new(source.dialect, source.body);
                (lexer.state, lexer.at) = (State::Exemplar, source.start);
                source.read_exemplar(&mut lexer, Some(&mut pairs))?;
            }
            Origin::ProtobufExemplar(message) => protobuf::read_labels(message, &mut pairs)?,
            Origin::Labels(labels) => return Ok((*labels).clone()),
            Origin::Protobuf(_) => {}
        }
        Ok(Labels::from_pairs(pairs))
    }
}

impl<'a> Source<'a> {
    /// Checks all of the line up to the value.
    pub(super) fn check(&self) -> Result<()> {
        let mut lexer = Lexer::new(self.dialect, self.body);
        self.read_series(&mut lexer, None)?;
        let token = lexer.next();
        if token == Token::Value {
            return Ok(());
        }
        Err(unexpected(&lexer, self.line, "value after metric", token))
    }

    /// Reads name and labels, and collects them if wanted.
    fn read_series(
        &self,
        lexer: &mut Lexer<'a>,
        mut pairs: Option<&mut LabelPairs<'a>>,
    ) -> Result<()> {
        lexer.at = self.start;
        let mut has_name = lexer.next() == Token::MetricName;
        if has_name {
            if let Some(pairs) = pairs.as_deref_mut() {
                pairs.push((Cow::Borrowed(METRIC_NAME), text(lexer.token())));
            }
            let before = *lexer;
            if lexer.next() != Token::BraceOpen {
                *lexer = before;
                return Ok(());
            }
        }
        self.read_labels(lexer, pairs, Some(&mut has_name))?;
        if has_name {
            return Ok(());
        }
        // The value is read first, so that it is part of the text.
        lexer.next();
        let parsing = lexer.quoted(self.line, lexer.at);
        Err(Error::Name { what: "metric name not set", parsing })
    }

    pub(super) fn read_exemplar(
        &self,
        lexer: &mut Lexer<'a>,
        pairs: Option<&mut LabelPairs<'a>>,
    ) -> Result<()> {
        self.read_labels(lexer, pairs, None)
    }

    /// Reads what is between braces, the opening one being read already. `has_name` says whether
    /// there is a metric's name, which may stand among the labels in quotes; nothing if there can
    /// be none.
    fn read_labels(
        &self,
        lexer: &mut Lexer<'a>,
        mut pairs: Option<&mut LabelPairs<'a>>,
        mut has_name: Option<&mut bool>,
    ) -> Result<()> {
        let fail =
            |lexer: &Lexer<'_>, expected, token| Err(unexpected(lexer, self.line, expected, token));
        let mut token = lexer.next();
        loop {
            let name = lexer.token();
            let is_quoted = token == Token::QuotedString;
            match token {
                Token::BraceClose => return Ok(()),
                Token::LabelName | Token::QuotedString => {}
                token => return fail(lexer, "label name", token),
            }
            token = lexer.next();
            let ends_name = matches!(token, Token::Comma | Token::BraceClose);
            if let Some(has_name) = has_name.as_deref_mut()
                && is_quoted
                && ends_name
            {
                if std::mem::replace(has_name, true) {
                    let parsing = lexer.quoted(self.line, lexer.at);
                    return Err(Error::Name { what: "metric name already set", parsing });
                }
                if let Some(pairs) = pairs.as_deref_mut() {
                    pairs.push((Cow::Borrowed(METRIC_NAME), text(unquoted(name))));
                }
                if token == Token::BraceClose {
                    return Ok(());
                }
                token = lexer.next();
                continue;
            }
            if token != Token::Equal {
                return fail(lexer, "equal", token);
            }
            token = lexer.next();
            if token != Token::LabelValue {
                return fail(lexer, "label value", token);
            }
            let value = std::str::from_utf8(lexer.token())
                .map_err(|_| Error::LabelValue(lexer.quoted(lexer.start, lexer.at)))?;
            if let Some(pairs) = pairs.as_deref_mut() {
                let name = if is_quoted { text(unquoted(name)) } else { text(name) };
                let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                pairs.push((name, unescape(value.unwrap_or_default(), true)));
            }
            token = lexer.next();
            if token == Token::Comma {
                token = lexer.next();
            } else if self.dialect == Dialect::OpenMetrics && token != Token::BraceClose {
                return fail(lexer, "comma or brace close", token);
            }
        }
    }
}

/// A name without its quotes, if it has any.
pub(super) fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(name)
}

/// A name as text; what is no UTF-8 cannot stay.
pub(super) fn text(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(name) => unescape(name, true),
        Err(_) => String::from_utf8_lossy(name),
    }
}

/// Undoes `\\`, `\n` and, if asked, `\"`; other backslashes stay.
pub(super) fn unescape(text: &str, with_quotes: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let replaced = match (c, chars.peek()) {
            ('\\', Some('\\')) => Some('\\'),
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('"')) if with_quotes => Some('"'),
            _ => None,
        };
        if replaced.is_some() {
            chars.next();
        }
        out.push(replaced.unwrap_or(c));
    }
    Cow::Owned(out)
}
