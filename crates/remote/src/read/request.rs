//! What is asked.

use model::{MatchKind, Matcher, TimeRange, Timestamp};
use storage::SelectHints;

use crate::{
    wire::{Fields, Malformed, Result as WireResult},
    write::Writer,
};

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseType {
    Samples,
    StreamedXorChunks,
}

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) queries: Vec<Query>,
    /// By number, the best first.
    accepted: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) range: TimeRange,
    pub(super) matchers: Vec<Matcher>,
    pub(super) hints: Option<SelectHints>,
}

/// Why a request is not understood; the words are upstream's.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadRequest {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("proto: invalid UTF-8 string")]
    Text,
    #[error("invalid matcher type")]
    MatcherType,
    #[error("{0}")]
    Pattern(String),
    #[error(
        "server does not support any of the requested response types: {0:?}; supported: \
         map[SAMPLES:{{}} STREAMED_XOR_CHUNKS:{{}}]"
    )]
    ResponseTypes(Vec<u64>),
}

impl Request {
    pub(super) fn read(bytes: &[u8]) -> Result<Request, BadRequest> {
        let mut request = Request::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => request.queries.push(Query::read(field.bytes()?)?),
                2 => field.numbers(|number| request.accepted.push(number))?,
                _ => {}
            }
        }
        Ok(request)
    }

    /// The first of the accepted types that there is.
    pub(super) fn response_type(&self) -> Result<ResponseType, BadRequest> {
        choose(&self.accepted)
    }
}

pub(super) fn choose(accepted: &[u64]) -> Result<ResponseType, BadRequest> {
    if accepted.is_empty() {
        return Ok(ResponseType::Samples);
    }
    let known = accepted.iter().find_map(|number| match number {
        0 => Some(ResponseType::Samples),
        1 => Some(ResponseType::StreamedXorChunks),
        _ => None,
    });
    known.ok_or_else(|| BadRequest::ResponseTypes(accepted.to_vec()))
}

impl Query {
    fn read(bytes: &[u8]) -> Result<Query, BadRequest> {
        let (mut start, mut end) = (0, 0);
        let (mut matchers, mut hints) = (Vec::new(), None);
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => start = field.number()? as i64,
                2 => end = field.number()? as i64,
                3 => matchers.push(read_matcher(field.bytes()?)?),
                4 => hints = Some(read_hints(field.bytes()?)?),
                _ => {}
            }
        }
        Ok(Query { range: TimeRange::from_millis(start, end), matchers, hints })
    }

    /// Writes a request with this query, for any kind of answer.
    pub(super) fn to_request(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut out = Writer(&mut bytes);
        out.message(1, |out| self.write(out));
        out.packed_numbers(2, [1, 0].into_iter());
        bytes
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.number(1, self.range.start.as_millis() as u64);
        out.number(2, self.range.end.as_millis() as u64);
        for matcher in &self.matchers {
            out.message(3, |out| {
                out.number(1, matcher.kind as u64);
                out.bytes(2, matcher.name.as_bytes());
                out.bytes(3, matcher.value.as_bytes());
            });
        }
        let Some(hints) = &self.hints else { return };
        out.message(4, |out| {
            out.number(1, hints.step_ms as u64);
            out.bytes(2, hints.function.as_bytes());
            out.number(3, hints.range.start.as_millis() as u64);
            out.number(4, hints.range.end.as_millis() as u64);
            hints.grouping.iter().for_each(|name| out.bytes_always(5, name.as_bytes()));
            out.number(6, u64::from(hints.by));
            out.number(7, hints.range_ms as u64);
        });
    }
}

fn read_matcher(bytes: &[u8]) -> Result<Matcher, BadRequest> {
    let (mut kind, mut name, mut value) = (0, String::new(), String::new());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => kind = field.number()?,
            2 => name = text(field.bytes()?)?,
            3 => value = text(field.bytes()?)?,
            _ => {}
        }
    }
    let kind = match kind {
        0 => MatchKind::Equal,
        1 => MatchKind::NotEqual,
        2 => MatchKind::Regex,
        3 => MatchKind::NotRegex,
        _ => return Err(BadRequest::MatcherType),
    };
    Matcher::new(kind, name, value).map_err(|error| BadRequest::Pattern(error.to_string()))
}

fn read_hints(bytes: &[u8]) -> Result<SelectHints, BadRequest> {
    let mut hints = SelectHints::new(TimeRange::from_millis(0, 0));
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => hints.step_ms = field.number()? as i64,
            2 => hints.function = text(field.bytes()?)?,
            3 => hints.range.start = Timestamp::from_millis(field.number()? as i64),
            4 => hints.range.end = Timestamp::from_millis(field.number()? as i64),
            5 => hints.grouping.push(text(field.bytes()?)?),
            6 => hints.by = field.number()? != 0,
            7 => hints.range_ms = field.number()? as i64,
            _ => {}
        }
    }
    Ok(hints)
}

fn text(bytes: &[u8]) -> Result<String, BadRequest> {
    String::from_utf8(bytes.to_vec()).map_err(|_| BadRequest::Text)
}

/// Reads the labels of a message, field 1.
pub(super) fn push_label<'a>(
    labels: &mut crate::labels::RawLabels<'a>,
    bytes: &'a [u8],
) -> WireResult<()> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    labels.push(name, value);
    Ok(())
}
