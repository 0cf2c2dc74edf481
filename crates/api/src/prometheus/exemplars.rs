//! `/query_exemplars`: single events behind the samples.

use std::sync::Arc;

use axum::extract::State;
use model::{Labels, Timestamp};

use super::{
    Api,
    json::Json,
    language,
    params::Form,
    respond::{Error, Result, Success, blocking},
};

#[derive(Debug, Clone, PartialEq)]
pub struct SeriesExemplars {
    pub labels: Labels,
    pub exemplars: Vec<Exemplar>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    pub labels: Labels,
    pub value: f64,
    pub time: Timestamp,
}

pub(super) async fn query_exemplars(State(api): State<Arc<Api>>, form: Form) -> Result {
    let range = form.range()?;
    if range.end < range.start {
        return Err(Error::bad_data("end timestamp must not be before start timestamp"));
    }
    let expr = language::parse(&api, &form).map_err(Error::bad_data)?;
    let selectors = language::selectors(&expr);
    if selectors.is_empty() {
        return Ok(Success::none());
    }
    blocking(move || {
        let found = api.engine.exemplars(range, &selectors)?;
        Ok(Success::json(|json| json.array(&found, write)))
    })
    .await
}

fn write(json: &mut Json, series: &SeriesExemplars) {
    json.object(|object| {
        object.key("seriesLabels").labels(&series.labels);
        object.key("exemplars").array(&series.exemplars, |json, exemplar| {
            json.object(|object| {
                object.key("labels").labels(&exemplar.labels);
                object.key("value").value(exemplar.value);
                object.key("timestamp").timestamp(exemplar.time.as_millis());
            });
        });
    });
}
