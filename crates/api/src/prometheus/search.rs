//! `/search/*`: which metrics, labels and values are called about like this? Lines of JSON.

mod filter;
mod params;
mod score;
#[cfg(test)]
mod tests;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use model::{Matcher, Metadata};
use storage::{LabelHints, LabelValues, Querier};

use self::{
    filter::Filter,
    params::{Order, Params},
};
use super::{
    Api,
    json::{Json, Object},
    params::Form,
    respond::{Complaints, Error, ErrorKind, Result, here},
};

const CONTENT: &str = "application/x-ndjson; charset=utf-8";
const METRIC_NAME: &str = "__name__";

/// How `/search/*` answers. Nobody is answered without it: the feature is `search-api`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// Most results of one search; 0 is no limit.
    pub limit_max: usize,
}

/// A name or value, and how well it is what was looked for.
struct Found {
    text: String,
    score: f64,
}

pub(super) async fn metric_names(State(api): State<Arc<Api>>, form: Form) -> Result<Response> {
    let params = params(&api, &form, "metric_names")?;
    let with_metadata = params::bool(&form, "include_metadata", false)?;
    here(move || {
        let found = find(&api, &params, |querier, matchers| {
            querier.label_values(METRIC_NAME, &LabelHints::default(), matchers)
        })?;
        let pools = if with_metadata { api.targets.pools() } else { Vec::new() };
        let targets = pools.iter().flat_map(|pool| &pool.active);
        let mut metadata: BTreeMap<&str, &Metadata> = BTreeMap::new();
        for (name, said) in targets.flat_map(|target| target.metadata.iter()) {
            metadata.entry(name).or_insert(said);
        }
        Ok(answer(&params, found, |object, found| {
            object.string("name", &found.text);
            params.write_score(object, found);
            if let Some(metadata) = metadata.get(found.text.as_str()) {
                object.string_if_any("type", metadata.kind.as_str());
                object.string_if_any("help", &metadata.help);
                object.string_if_any("unit", &metadata.unit);
            }
        }))
    })
    .await
}

pub(super) async fn label_names(State(api): State<Arc<Api>>, form: Form) -> Result<Response> {
    let params = params(&api, &form, "label_names")?;
    here(move || {
        let found = find(&api, &params, |querier, matchers| {
            querier.label_names(&LabelHints::default(), matchers)
        })?;
        Ok(answer(&params, found, |object, found| {
            object.string("name", &found.text);
            params.write_score(object, found);
        }))
    })
    .await
}

pub(super) async fn label_values(State(api): State<Arc<Api>>, form: Form) -> Result<Response> {
    let params = params(&api, &form, "label_values")?;
    let label = form.first("label").to_owned();
    if label.is_empty() {
        return Err(Error::bad_data("missing required parameter \"label\""));
    }
    here(move || {
        let found = find(&api, &params, |querier, matchers| {
            querier.label_values(&label, &LabelHints::default(), matchers)
        })?;
        Ok(answer(&params, found, |object, found| {
            object.string("value", &found.text);
            params.write_score(object, found);
        }))
    })
    .await
}

fn params(api: &Api, form: &Form, endpoint: &str) -> Result<Params> {
    let Some(search) = api.search else {
        return Err(Error::new(ErrorKind::Unavailable, "search API disabled"));
    };
    form.whole().map_err(Error::bad_data)?;
    Params::read(form, endpoint, search.limit_max, api.now())
}

/// What was found, in order, one more than was asked for if there is more.
struct Results {
    found: Vec<Found>,
    warnings: Vec<String>,
}

fn find(
    api: &Api,
    params: &Params,
    ask: impl Fn(&dyn Querier, &[Matcher]) -> storage::Result<LabelValues>,
) -> Result<Results> {
    let querier = api.storage.querier(params.range)?;
    let mut texts = BTreeSet::new();
    let mut warnings = BTreeSet::new();
    for matchers in &params.matchers {
        let part = ask(&*querier, matchers)?;
        texts.extend(part.values);
        warnings.extend(part.warnings);
    }
    let warnings = warnings.into_iter().collect();
    let wanted = params.limit.saturating_add(1);
    let filter = &params.filter;
    let found = match params.order {
        Order::Ascending => first(filter, texts.into_iter(), wanted),
        Order::Descending => first(filter, texts.into_iter().rev(), wanted),
        Order::Best => {
            let mut found = first(filter, texts.into_iter(), usize::MAX);
            // They are in order of their names, which decides between equals.
            found.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
            found.truncate(wanted);
            found
        }
    };
    Ok(Results { found, warnings })
}

fn first(filter: &Filter, texts: impl Iterator<Item = String>, wanted: usize) -> Vec<Found> {
    let accepted = texts.filter_map(|text| {
        let score = filter.score(&text)?;
        Some(Found { text, score })
    });
    accepted.take(wanted).collect()
}

/// Batches of results, a line each, and a line that says whether there is more.
fn answer(params: &Params, results: Results, write: impl Fn(&mut Object<'_>, &Found)) -> Response {
    let Results { mut found, warnings } = results;
    let has_more = found.len() > params.limit;
    found.truncate(params.limit);
    let mut json = Json::default();
    let mut batches: Vec<&[Found]> = found.chunks(params.batch_size).collect();
    if batches.is_empty() {
        batches.push(&[]);
    }
    let mut complaints = Complaints { warnings, ..Complaints::default() };
    for batch in batches {
        json.object(|line| {
            line.key("results").array(batch, |json, found| {
                json.object(|object| write(object, found));
            });
            std::mem::take(&mut complaints).write(line);
        });
        json.raw("\n");
    }
    json.object(|line| {
        line.string("status", "success");
        line.key("has_more").bool(has_more);
    });
    json.raw("\n");
    ([(CONTENT_TYPE, CONTENT)], json.finish()).into_response()
}
