//! What a search is to find, and how much of it.

use std::time::Duration;

use model::{Matcher, TimeRange, Timestamp};

use super::{
    Found,
    filter::{Filter, Likeness},
};
use crate::prometheus::{
    json::Object,
    params::{Form, parse_bool, parse_int},
    respond::{Error, Result},
};

const TERMS_MAX: usize = 32;
const LIMIT: usize = 100;
const BATCH: usize = 100;
/// How far back a search looks unless it says so.
const PAST: Duration = Duration::from_secs(3600);

pub(super) struct Params {
    pub(super) range: TimeRange,
    /// At least one set; what any of them selects is searched.
    pub(super) matchers: Vec<Vec<Matcher>>,
    pub(super) filter: Filter,
    pub(super) order: Order,
    pub(super) limit: usize,
    pub(super) batch_size: usize,
    with_score: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
    Best,
}

impl Params {
    /// In upstream's order, so that of several mistakes the same one is named.
    pub(super) fn read(
        form: &Form,
        endpoint: &str,
        limit_max: usize,
        now: Timestamp,
    ) -> Result<Params> {
        let hour_ago = now.as_millis().saturating_sub(PAST.as_millis() as i64);
        let start = form.time_or("start", Timestamp::from_millis(hour_ago))?;
        let range = TimeRange { start, end: form.time_or("end", now)? };
        if range.end < range.start {
            return Err(Error::bad_data("end timestamp must not be before start timestamp"));
        }
        let mut matchers = form.matchers().map_err(Error::bad_data)?;
        if matchers.is_empty() {
            matchers.push(Vec::new());
        }
        let terms: Vec<&str> = form.all("search[]").collect();
        if terms.len() > TERMS_MAX {
            let got = terms.len();
            let text = format!("too many search[] terms: got {got}, maximum is {TERMS_MAX}");
            return Err(Error::bad_data(text));
        }
        let likeness = likeness(form)?;
        let case_sensitive = bool(form, "case_sensitive", true)?;
        let with_score = bool(form, "include_score", false)?;
        let order = order(form, endpoint, !terms.is_empty())?;
        let limit = limit(form, limit_max)?;
        let batch_size = positive(form, "batch_size")?.unwrap_or(BATCH);
        let filter = Filter::new(&terms, likeness, case_sensitive);
        Ok(Params { range, matchers, filter, order, limit, batch_size, with_score })
    }

    pub(super) fn write_score(&self, object: &mut Object<'_>, found: &Found) {
        if self.with_score {
            object.key("score").float(found.score);
        }
    }
}

pub(super) fn bool(form: &Form, name: &str, default: bool) -> Result<bool> {
    match form.first(name) {
        "" => Ok(default),
        text => parse_bool(text).map_err(|_| invalid(name, text, "must be boolean")),
    }
}

fn likeness(form: &Form) -> Result<Likeness> {
    let threshold = match form.first("fuzz_threshold") {
        "" => 0,
        text => parse_int(text)
            .ok()
            .filter(|percent| (0..=100).contains(percent))
            .ok_or_else(|| invalid("fuzz_threshold", text, "must be 0-100"))?,
    };
    let threshold = threshold as f64 / 100.0;
    match form.first("fuzz_alg") {
        "" | "subsequence" => Ok(Likeness::Subsequence { threshold }),
        "jarowinkler" => Ok(Likeness::JaroWinkler { threshold }),
        other => {
            let other = model::labels::quote(other);
            let names = "must be one of [subsequence jarowinkler]";
            Err(Error::bad_data(format!("unsupported fuzz_alg {other}: {names}")))
        }
    }
}

fn order(form: &Form, endpoint: &str, has_terms: bool) -> Result<Order> {
    let (by, direction) = (form.first("sort_by"), form.first("sort_dir"));
    let wrong = |text: &str| Err(Error::bad_data(text));
    match (by, direction) {
        (_, "") => {}
        ("", _) => return wrong("sort_dir is only valid when sort_by is set"),
        ("score", _) => return wrong("sort_dir is not supported for sort_by=score"),
        (_, "asc" | "dsc") => {}
        (_, other) => return Err(invalid("sort_dir", other, "must be \"asc\" or \"dsc\"")),
    }
    match by {
        "score" if !has_terms => wrong("sort_by=score requires search[] to be set"),
        "score" => Ok(Order::Best),
        "" | "alpha" if direction == "dsc" => Ok(Order::Descending),
        "" | "alpha" => Ok(Order::Ascending),
        other => {
            let other = model::labels::quote(other);
            let text =
                format!("invalid sort_by {other} for {endpoint}: must be \"alpha\" or \"score\"");
            Err(Error::bad_data(text))
        }
    }
}

/// Without a wish it is the usual one, or the greatest that is allowed.
fn limit(form: &Form, max: usize) -> Result<usize> {
    let max = if max == 0 { usize::MAX } else { max };
    let Some(limit) = positive(form, "limit")? else { return Ok(LIMIT.min(max)) };
    if limit > max {
        return Err(Error::bad_data(format!(
            "limit {limit} exceeds the configured maximum ({max}, see --web.search.max-limit)"
        )));
    }
    Ok(limit)
}

fn positive(form: &Form, name: &str) -> Result<Option<usize>> {
    match form.first(name) {
        "" => Ok(None),
        text => match parse_int(text).map(usize::try_from) {
            Ok(Ok(number)) if number > 0 => Ok(Some(number)),
            _ => Err(invalid(name, text, "must be a positive integer")),
        },
    }
}

fn invalid(name: &str, text: &str, must: &str) -> Error {
    Error::bad_data(format!("invalid {name} {}: {must}", model::labels::quote(text)))
}
