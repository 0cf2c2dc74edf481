//! `/series`, `/labels` and `/label/<name>/values`.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use model::{Labels, Matcher, TimeRange, names};
use storage::{LabelHints, LabelValues, Querier, SelectHints};

use super::{
    Api,
    params::Form,
    respond::{Error, ErrorKind, Result, Success, here},
};

const TRUNCATED: &str = "results truncated due to limit";

/// Upstream keeps the method for what was never made.
pub(super) async fn drop_series() -> Error {
    Error::new(ErrorKind::Internal, "not implemented")
}

pub(super) async fn series(State(api): State<Arc<Api>>, form: Form) -> Result {
    form.whole().map_err(Error::bad_data)?;
    if form.all("match[]").next().is_none() {
        return Err(Error::bad_data("no match[] parameter provided"));
    }
    let limit = form.limit()?;
    let range = form.range()?;
    let sets = form.matchers().map_err(|reason| Error::bad_parameter("match[]", reason))?;
    here(move || {
        let querier = api.storage.querier(range)?;
        let (found, warnings) = select(&*querier, range, &sets, hint(limit))?;
        let (found, warnings) = cut(found, warnings, limit);
        let write = |json: &mut super::json::Json| {
            let bytes = |labels: &Labels| labels.as_packed().len() * 5 / 4;
            json.long_array(&found, bytes, |json, labels| json.labels(labels));
        };
        Ok(Success::json(write).with_warnings(warnings))
    })
    .await
}

pub(super) async fn label_names(State(api): State<Arc<Api>>, form: Form) -> Result {
    let limit = form.limit()?;
    let range = form.range()?;
    let sets = form.matchers().map_err(Error::bad_data)?;
    answer(api, range, sets, limit, |querier, hints, matchers| querier.label_names(hints, matchers))
        .await
}

pub(super) async fn label_values(
    State(api): State<Arc<Api>>,
    RawPath(path): RawPath,
    form: Form,
) -> Result {
    let name = label_name(&path)?;
    let limit = form.limit()?;
    let range = form.range()?;
    let sets = form.matchers().map_err(Error::bad_data)?;
    answer(api, range, sets, limit, move |querier, hints, matchers| {
        querier.label_values(&name, hints, matchers)
    })
    .await
}

/// `name` from `…/label/name/values`, escapes undone.
fn label_name(path: &str) -> Result<String> {
    let segments: Vec<&str> = path.rsplitn(3, '/').collect();
    let segment = segments.get(1).copied().unwrap_or_default();
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(segment).collect();
    let invalid = |bytes: &[u8]| {
        let name = model::labels::quote_bytes(bytes);
        Error::bad_data(format!("invalid label name: {name}"))
    };
    let name = String::from_utf8(bytes).map_err(|error| invalid(error.as_bytes()))?;
    let name = match name.starts_with("U__") {
        true => names::unescape(&name, names::EscapingScheme::Values),
        false => name,
    };
    if name.is_empty() { Err(invalid(b"")) } else { Ok(name) }
}

/// The path as it was sent: it need not be UTF-8 once its escapes are undone.
pub(super) struct RawPath(String);

impl<S: Sync> FromRequestParts<S> for RawPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<RawPath, Infallible> {
        Ok(RawPath(parts.uri.path().to_owned()))
    }
}

/// Asks once for each set of matchers and merges the answers.
async fn answer(
    api: Arc<Api>,
    range: TimeRange,
    mut sets: Vec<Vec<Matcher>>,
    limit: usize,
    ask: impl Fn(&dyn Querier, &LabelHints, &[Matcher]) -> storage::Result<LabelValues> + Send + 'static,
) -> Result {
    if sets.is_empty() {
        sets.push(Vec::new());
    }
    here(move || {
        let querier = api.storage.querier(range)?;
        let hints = LabelHints { limit: hint(limit) };
        let mut found = BTreeSet::new();
        let mut warnings = Vec::new();
        for matchers in &sets {
            let part = ask(&*querier, &hints, matchers)?;
            found.extend(part.values);
            warnings.extend(part.warnings);
        }
        let (found, warnings) = cut(found.into_iter().collect(), warnings, limit);
        Ok(Success::json(|json| json.strings(&found)).with_warnings(warnings))
    })
    .await
}

/// The label sets of all series that one of `sets` selects and that have samples in `range`.
fn select(
    querier: &dyn Querier,
    range: TimeRange,
    sets: &[Vec<Matcher>],
    limit: usize,
) -> Result<(Vec<Labels>, Vec<String>)> {
    let hints = SelectHints { function: "series".to_owned(), limit, ..SelectHints::new(range) };
    let mut found = Vec::new();
    let mut warnings = Vec::new();
    for matchers in sets {
        let set = querier.select(true, &hints, matchers)?;
        found.extend(set.series.iter().map(|series| series.labels()));
        warnings.extend(set.warnings);
    }
    if sets.len() > 1 {
        found.sort();
        found.dedup();
    }
    Ok((found, warnings))
}

/// One more than wanted, so that a cut can be told from an exact fit.
fn hint(limit: usize) -> usize {
    if limit == 0 { 0 } else { limit.saturating_add(1) }
}

fn cut<T>(mut found: Vec<T>, mut warnings: Vec<String>, limit: usize) -> (Vec<T>, Vec<String>) {
    if limit > 0 && found.len() > limit {
        found.truncate(limit);
        warnings.push(TRUNCATED.to_owned());
    }
    (found, warnings)
}
