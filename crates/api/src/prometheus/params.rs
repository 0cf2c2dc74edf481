//! Parameters of requests: forms, times, durations, limits.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{Method, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use model::{Matcher, TimeRange, Timestamp};

use super::respond::{Error, Result};

/// Go's limit for a form in a body.
pub(super) const FORM_BYTES_MAX: usize = 10 << 20;

/// The earliest and the latest time that upstream's API can say, in milliseconds.
pub(crate) const TIME_MIN: Timestamp = Timestamp::from_millis(-9_223_309_901_257_974_000);
pub(crate) const TIME_MAX: Timestamp = Timestamp::from_millis(9_223_309_901_257_974_999);
const TIME_MIN_TEXT: &str = "-292273086-05-16T16:47:06Z";
const TIME_MAX_TEXT: &str = "292277025-08-18T07:12:54.999999999Z";

/// Parameters of the URL and of a form in the body; those of the body come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pairs: Vec<(String, String)>,
    /// What Go says of the first pair that it cannot read; such pairs are left out.
    broken: Option<String>,
}

impl Form {
    pub(crate) fn parse(body: &[u8], query: &str) -> Form {
        let mut form = Form::default();
        let pairs = [body, query.as_bytes()].into_iter().flat_map(|it| it.split(|it| *it == b'&'));
        for pair in pairs {
            match complaint(pair) {
                None => form.pairs.extend(url::form_urlencoded::parse(pair).into_owned()),
                Some(complaint) => form.broken = form.broken.or(Some(complaint)),
            }
        }
        form
    }

    /// Some endpoints of upstream refuse what the others leave out.
    pub(crate) fn whole(&self) -> Result<(), String> {
        match &self.broken {
            Some(complaint) => Err(format!("error parsing form values: {complaint}")),
            None => Ok(()),
        }
    }

    /// The first value of `name`, or "".
    pub(crate) fn first(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A time that may be left out.
    pub(crate) fn time_or(&self, name: &str, default: Timestamp) -> Result<Timestamp> {
        match self.first(name) {
            "" => Ok(default),
            text => parse_time(text).map_err(|reason| {
                Error::bad_parameter(name, format!("Invalid time value for '{name}': {reason}"))
            }),
        }
    }

    /// A time that must be there.
    pub(crate) fn time(&self, name: &str) -> Result<Timestamp> {
        parse_time(self.first(name)).map_err(|reason| Error::bad_parameter(name, reason))
    }

    /// From `start` to `end`; what is left out means always.
    pub(crate) fn range(&self) -> Result<TimeRange> {
        let start = self.time_or("start", TIME_MIN)?;
        Ok(TimeRange { start, end: self.time_or("end", TIME_MAX)? })
    }

    /// Zero means no limit.
    pub(crate) fn limit(&self) -> Result<usize> {
        let text = self.first("limit");
        if text.is_empty() {
            return Ok(0);
        }
        let limit = parse_int(text).map_err(|reason| Error::bad_parameter("limit", reason))?;
        usize::try_from(limit)
            .map_err(|_| Error::bad_parameter("limit", "limit must be non-negative"))
    }

    /// An old kind of limit: a number, negative for none.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>> {
        match self.first(name) {
            "" => Ok(None),
            text => match parse_int(text) {
                Ok(count) => Ok(usize::try_from(count).ok()),
                Err(_) => Err(Error::bad_data(format!("{name} must be a number"))),
            },
        }
    }

    pub(crate) fn duration(&self, name: &str) -> Result<Option<Duration>> {
        match self.first(name) {
            "" => Ok(None),
            text => match parse_duration(text) {
                Ok(millis) => Ok(Some(Duration::from_millis(millis.max(0) as u64))),
                Err(reason) => Err(Error::bad_parameter(name, reason)),
            },
        }
    }

    /// The selectors of `match[]`, each of which must exclude something.
    pub(crate) fn matchers(&self) -> Result<Vec<Vec<Matcher>>, String> {
        let sets: Vec<Vec<Matcher>> =
            self.all("match[]").map(super::language::parse_selector).collect::<Result<_, _>>()?;
        let selects_all = |set: &Vec<Matcher>| set.iter().all(Matcher::matches_empty);
        if sets.iter().any(selects_all) {
            return Err("match[] must contain at least one non-empty matcher".to_owned());
        }
        Ok(sets)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Form, Response> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let has_form = [Method::POST, Method::PUT, Method::PATCH].contains(request.method())
            && request.headers().get(CONTENT_TYPE).is_some_and(|content_type| {
                content_type.as_bytes().starts_with(b"application/x-www-form-urlencoded")
            });
        if !has_form {
            return Ok(Form::parse(&[], &query));
        }
        let body = Bytes::from_request(request, state).await.map_err(|e| e.into_response())?;
        Ok(Form::parse(&body, &query))
    }
}

/// What Go does not like about `name=value`.
fn complaint(pair: &[u8]) -> Option<String> {
    if pair.contains(&b';') {
        return Some("invalid semicolon separator in query".to_owned());
    }
    let escapes = pair.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    let mut rests = escapes.filter_map(|(at, _)| pair.get(at..));
    let is_wrong = |escape: &&[u8]| !matches!(escape, [_, a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let wrong = rests.find(is_wrong)?;
    let shown = wrong.get(..3).unwrap_or(wrong);
    Some(format!("invalid URL escape {}", model::labels::quote_bytes(shown)))
}

/// Seconds since the epoch, rounded to milliseconds, or RFC 3339.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Some(seconds) = parse_float(text) {
        let millis = (seconds.fract() * 1000.0).round() as i64;
        let whole = (seconds.trunc() as i64).saturating_mul(1000);
        return Ok(Timestamp::from_millis(whole.saturating_add(millis)));
    }
    // jiff reads more than RFC 3339: the letter between date and time tells them apart.
    let is_rfc3339 = text.as_bytes().get(10) == Some(&b'T') && !text.ends_with(']');
    match text.parse::<jiff::Timestamp>() {
        Ok(time) if is_rfc3339 => {
            Ok(Timestamp::from_millis(time.as_nanosecond().div_euclid(1_000_000) as i64))
        }
        _ if text == TIME_MIN_TEXT => Ok(TIME_MIN),
        _ if text == TIME_MAX_TEXT => Ok(TIME_MAX),
        _ => Err(format!("cannot parse {} to a valid timestamp", model::labels::quote(text))),
    }
}

/// Seconds, or a duration such as `5m`; in milliseconds.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let quoted = || model::labels::quote(text);
    if let Some(seconds) = parse_float(text) {
        // Upstream counts nanoseconds in an int64.
        let nanos = seconds * 1e9;
        if nanos.abs() > i64::MAX as f64 || nanos.is_nan() {
            return Err(format!(
                "cannot parse {} to a valid duration. It overflows int64",
                quoted()
            ));
        }
        return Ok((nanos / 1e6) as i64);
    }
    match model::duration::parse(text) {
        Ok(duration) => Ok(duration.as_millis() as i64),
        Err(_) => Err(format!("cannot parse {} to a valid duration", quoted())),
    }
}

/// A float as Go reads it: a `_` may stand between digits.
fn parse_float(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return text.parse().ok();
    }
    let is_digit = |at: Option<usize>| {
        let byte = at.and_then(|at| text.as_bytes().get(at));
        byte.is_some_and(u8::is_ascii_digit)
    };
    let mut underscores = text.match_indices('_').map(|(at, _)| at);
    let are_between = underscores.all(|at| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)));
    are_between.then(|| text.replace('_', "").parse().ok())?
}

/// A number as Go's `Atoi` reads it, and its complaint.
pub(crate) fn parse_int(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let reason = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                "value out of range"
            }
            _ => "invalid syntax",
        };
        format!("strconv.Atoi: parsing {}: {reason}", model::labels::quote(text))
    })
}

/// A truth value as Go's `ParseBool` reads it, and its complaint; nothing is false.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        text => {
            let text = model::labels::quote(text);
            Err(format!("strconv.ParseBool: parsing {text}: invalid syntax"))
        }
    }
}
