//! One pass over a body in a text format: an entry a line, borrowed from the body.

mod labels;
mod start_timestamp;
mod suffix;

use std::borrow::Cow;

pub use labels::LabelPairs;
use model::{Labels, MetricType, Timestamp};
use start_timestamp::StartTimestamps;

use crate::{
    Error, Result,
    lexer::{Dialect, Lexer, Token, skip_series},
    protobuf::{NativeHistogram, ProtobufLabels},
};

/// What one line says.
#[derive(Debug, Clone)]
pub enum Entry<'a> {
    Type {
        metric: Cow<'a, str>,
        kind: MetricType,
    },
    Help {
        metric: Cow<'a, str>,
        help: Cow<'a, str>,
    },
    Unit {
        metric: Cow<'a, str>,
        unit: &'a str,
    },
    Comment(&'a [u8]),
    Series(Series<'a>),
    /// Only in protobuf.
    Histogram(Box<HistogramSeries<'a>>),
}

/// A native histogram; its series has no value.
#[derive(Debug, Clone)]
pub struct HistogramSeries<'a> {
    pub series: Series<'a>,
    pub histogram: NativeHistogram,
    pub exemplars: Vec<Exemplar<'a>>,
}

/// A sample and where its labels are.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    /// Name and labels as written. Whoever has seen these bytes before knows the labels, and need
    /// not ask for them: only [`Series::labels`] checks the inside.
    pub raw: &'a [u8],
    pub value: f64,
    pub timestamp: Option<Timestamp>,
    /// Known only if the parser was asked [`Parser::with_start_timestamps`].
    pub start_timestamp: Option<Timestamp>,
    /// Few have one, so it does not make all of them larger.
    pub exemplar: Option<Box<Exemplar<'a>>>,
    /// Of the last `# TYPE` line, which need not be about this series.
    pub kind: MetricType,
    /// Of the last `# UNIT` line.
    pub unit: &'a str,
    pub(crate) origin: Origin<'a>,
}

#[derive(Debug, Clone)]
pub struct Exemplar<'a> {
    pub value: f64,
    pub timestamp: Option<Timestamp>,
    pub(crate) origin: Origin<'a>,
}

/// Where labels are read when somebody wants them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    Text(Source<'a>),
    Protobuf(ProtobufLabels<'a>),
    ProtobufExemplar(&'a [u8]),
    Labels(&'a Labels),
}

/// Where labels stand in the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    dialect: Dialect,
    body: &'a [u8],
    /// Where the line begins, for error texts.
    line: usize,
    start: usize,
}

/// Reads a body; ends after the first error.
#[derive(Debug, Clone)]
pub struct Parser<'a> {
    dialect: Dialect,
    body: &'a [u8],
    lexer: Lexer<'a>,
    /// Where the line begins.
    line: usize,
    family: Family<'a>,
    start_timestamps: Option<StartTimestamps>,
    is_done: bool,
}

/// What the last lines of metadata said.
#[derive(Debug, Clone, Default)]
struct Family<'a> {
    metric: Cow<'a, str>,
    kind: MetricType,
    unit: &'a str,
}

impl<'a> Parser<'a> {
    /// Reads the Prometheus text format 0.0.4, with UTF-8 names as in 1.0.0.
    pub fn text(body: &'a [u8]) -> Parser<'a> {
        Parser::new(Dialect::Text, body)
    }

    /// Reads OpenMetrics text 0.0.1 and 1.0.0.
    pub fn openmetrics(body: &'a [u8]) -> Parser<'a> {
        Parser::new(Dialect::OpenMetrics, body)
    }

    /// Takes `_created` series of OpenMetrics as start timestamps of the others of their family.
    #[must_use]
    pub fn with_start_timestamps(mut self) -> Parser<'a> {
        if self.dialect == Dialect::OpenMetrics {
            self.start_timestamps = Some(StartTimestamps::default());
        }
        self
    }

    fn new(dialect: Dialect, body: &'a [u8]) -> Parser<'a> {
        Parser {
            dialect,
            body,
            lexer: Lexer::new(dialect, body),
            line: 0,
            family: Family::default(),
            start_timestamps: None,
            is_done: false,
        }
    }

    /// As [`Iterator::next`]. `guess` is shown the rest of the body and may say how long the series
    /// at its beginning is, so that nobody need look for its end. It must have seen just these bytes
    /// as the whole of a series, with the brace that ends its labels.
    pub fn next_guessing(
        &mut self,
        mut guess: impl FnMut(&'a [u8]) -> Option<usize>,
    ) -> Option<Result<Entry<'a>>> {
        while !self.is_done {
            let entry = self.entry(&mut guess).transpose();
            self.is_done = !matches!(entry, Some(Ok(_)));
            if self.start_timestamps.is_none() {
                return entry;
            }
            let Some(Ok(Entry::Series(series))) = entry else { return entry };
            if let Some(series) = self.with_start_timestamp(series) {
                return Some(Ok(Entry::Series(series)));
            }
        }
        None
    }

    fn entry(
        &mut self,
        guess: &mut impl FnMut(&'a [u8]) -> Option<usize>,
    ) -> Result<Option<Entry<'a>>> {
        loop {
            self.line = self.lexer.at;
            let rest = self.body.get(self.line..).unwrap_or_default();
            let end = match guess(rest) {
                Some(len) => Some(self.line + len.min(rest.len())),
                None => skip_series(self.dialect, self.body, self.line),
            };
            if let Some(end) = end {
                return self.series(end).map(|series| Some(Entry::Series(series)));
            }
            let token = self.lexer.next();
            return match token {
                Token::Eof if self.dialect == Dialect::Text => Ok(None),
                Token::Eof => Err(Error::NoEof),
                Token::EofWord if self.lexer.next() == Token::Eof => Ok(None),
                Token::EofWord => Err(Error::AfterEof),
                Token::Linebreak if self.dialect == Dialect::Text => continue,
                Token::Help | Token::Type | Token::Unit => self.metadata(token).map(Some),
                Token::Comment => self.comment().map(Some),
                Token::BraceOpen | Token::MetricName => {
                    let start = self.lexer.start;
                    match skip_series(self.dialect, self.body, start) {
                        Some(end) => self.series_at(start, end).map(|s| Some(Entry::Series(s))),
                        None => Err(self.explain(start)),
                    }
                }
                token => Err(self.unexpected("a valid start token", token)),
            };
        }
    }

    fn series(&mut self, end: usize) -> Result<Series<'a>> {
        self.series_at(self.line, end)
    }

    fn series_at(&mut self, start: usize, end: usize) -> Result<Series<'a>> {
        let source = Source { dialect: self.dialect, body: self.body, line: self.line, start };
        self.lexer.resume(start, end);
        match self.suffix(source, end) {
            Ok(series) => Ok(series),
            // Something before may be wrong as well, and comes first.
            Err(error) => Err(source.check().err().unwrap_or(error)),
        }
    }

    /// What is wrong with a line that does not even look like a series.
    fn explain(&self, start: usize) -> Error {
        let source = Source { dialect: self.dialect, body: self.body, line: self.line, start };
        source.check().err().unwrap_or(Error::NoEof)
    }

    fn comment(&mut self) -> Result<Entry<'a>> {
        let comment = self.lexer.token();
        match self.lexer.next() {
            Token::Linebreak => Ok(Entry::Comment(comment)),
            token => Err(self.unexpected("linebreak after comment", token)),
        }
    }

    /// The rest of a `# HELP`, `# TYPE` or `# UNIT` line.
    fn metadata(&mut self, word: Token) -> Result<Entry<'a>> {
        let token = self.lexer.next();
        if token != Token::MetricName {
            let expected = format!("metric name after {}", word.as_str());
            return Err(self.unexpected(&expected, token));
        }
        let metric = labels::text(labels::unquoted(self.lexer.token()));
        if self.lexer.next() != Token::Text {
            return Err(Error::NoText { word: word.as_str() });
        }
        let text = self.meta_text();
        if self.dialect == Dialect::Text {
            let token = self.lexer.next();
            if token != Token::Linebreak {
                return Err(self.unexpected("linebreak after metadata", token));
            }
        }
        if word == Token::Help {
            let help = self.help(text)?;
            return Ok(Entry::Help { metric, help });
        }
        if word == Token::Type {
            let kind = metric_type(self.dialect, text)
                .ok_or_else(|| Error::MetricType(model::labels::quote_bytes(text)))?;
            // A unit holds for its own family only; a type, as upstream has it, until the next one.
            let unit = if self.family.metric == metric { self.family.unit } else { "" };
            self.family = Family { metric: metric.clone(), kind, unit };
            return Ok(Entry::Type { metric, kind });
        }
        let unit = unit(&metric, text)?;
        self.family = Family { metric: metric.clone(), kind: self.family.kind, unit };
        Ok(Entry::Unit { metric, unit })
    }

    /// The text of a line of metadata, without the blank before it.
    fn meta_text(&self) -> &'a [u8] {
        let text = self.lexer.token();
        let text = text.get(1..).unwrap_or_default();
        match self.dialect {
            Dialect::Text => text,
            Dialect::OpenMetrics => text.strip_suffix(b"\n").unwrap_or(text),
        }
    }

    fn help(&self, text: &'a [u8]) -> Result<Cow<'a, str>> {
        let help =
            std::str::from_utf8(text).map_err(|_| Error::Help(model::labels::quote_bytes(text)))?;
        // Quotes are not escaped in this text of the older format.
        Ok(labels::unescape(help, self.dialect == Dialect::OpenMetrics))
    }

    fn unexpected(&self, expected: &str, token: Token) -> Error {
        unexpected(&self.lexer, self.line, expected, token)
    }
}

/// Says what stands where something else should, with one byte more than was read.
fn unexpected(lexer: &Lexer<'_>, line: usize, expected: &str, token: Token) -> Error {
    let end = lexer.at + 1;
    Error::Unexpected {
        expected: expected.to_owned(),
        got: lexer.quoted(lexer.start, end),
        token: token.as_str(),
        parsing: lexer.quoted(line, end),
    }
}

fn metric_type(dialect: Dialect, text: &[u8]) -> Option<MetricType> {
    Some(match (text, dialect) {
        (b"counter", _) => MetricType::Counter,
        (b"gauge", _) => MetricType::Gauge,
        (b"histogram", _) => MetricType::Histogram,
        (b"summary", _) => MetricType::Summary,
        (b"untyped", Dialect::Text) => MetricType::Unknown,
        (b"unknown", Dialect::OpenMetrics) => MetricType::Unknown,
        (b"gaugehistogram", Dialect::OpenMetrics) => MetricType::GaugeHistogram,
        (b"info", Dialect::OpenMetrics) => MetricType::Info,
        (b"stateset", Dialect::OpenMetrics) => MetricType::StateSet,
        _ => return None,
    })
}

pub(crate) fn unit<'a>(metric: &str, text: &'a [u8]) -> Result<&'a str> {
    let fail = || Error::Unit {
        unit: model::labels::quote_bytes(text),
        metric: model::labels::quote(metric),
    };
    let unit = std::str::from_utf8(text).map_err(|_| fail())?;
    let is_suffix = metric.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
    if unit.is_empty() || is_suffix { Ok(unit) } else { Err(fail()) }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Result<Entry<'a>>> {
        self.next_guessing(|_| None)
    }
}
