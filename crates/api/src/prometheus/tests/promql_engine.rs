//! The real engine behind the API.

use std::sync::Arc;

use promql::{ErrorKind, QueryOptions};
use runtime::Clock;
use storage::{Columns, Queryable};

use crate::prometheus::{
    Complaints,
    engine::{Answer, Engine, Query, QueryError, Sample, SampleValue, Series, Times, Value},
};

pub(in crate::prometheus) struct PromQl {
    engine: promql::Engine,
    storage: Arc<dyn Queryable>,
}

impl PromQl {
    pub(super) fn new(storage: Arc<dyn Queryable>, clock: Arc<dyn Clock>) -> PromQl {
        PromQl { engine: promql::Engine::new(promql::Options::default(), clock), storage }
    }
}

impl Engine for PromQl {
    fn run(&self, query: &Query) -> Result<Answer, QueryError> {
        let options = QueryOptions { lookback: query.lookback_delta, ..QueryOptions::default() };
        let (engine, storage, text) = (&self.engine, &*self.storage, query.text.as_str());
        let result = match query.times {
            Times::Instant(time) => engine.instant(storage, text, time, &options),
            Times::Range { start, end, step } => {
                engine.range(storage, text, start, end, step, &options)
            }
        };
        let result = result.map_err(|error| match error.kind() {
            ErrorKind::Parse => QueryError::Parse(error.to_string()),
            _ => QueryError::Execution(error.to_string()),
        })?;
        let complaints = Complaints { warnings: result.warnings, infos: result.infos };
        Ok(Answer { value: value(result.value), complaints, ..Answer::default() })
    }
}

fn value(value: promql::Value) -> Value {
    match value {
        promql::Value::Scalar(time, value) => Value::Scalar { time, value },
        promql::Value::String(time, value) => Value::String { time, value },
        promql::Value::Vector(samples) => Value::Vector(samples.into_iter().map(sample).collect()),
        promql::Value::Matrix(all) => Value::Matrix(all.into_iter().map(series).collect()),
    }
}

fn sample(sample: promql::Sample) -> Sample {
    let value = match sample.value {
        promql::SampleValue::Float(value) => SampleValue::Float(value),
        promql::SampleValue::Histogram(histogram) => SampleValue::Histogram(histogram),
    };
    Sample { labels: sample.labels, time: sample.timestamp, value }
}

fn series(series: promql::Series) -> Series {
    let mut columns = Columns::default();
    for point in series.floats {
        columns.push(point.timestamp.as_millis(), point.value);
    }
    Series { labels: series.labels, columns }
}
