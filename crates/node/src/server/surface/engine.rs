use std::sync::Arc;

use api::prometheus::{
    Complaints,
    engine::{
        Answer, Engine, Exemplar, PlanNode, Query, QueryError, Sample, SampleValue, Series,
        SeriesExemplars, Stats, Times, Value,
    },
};
use model::{Matcher, TimeRange};
use promql::{Cancel, ErrorKind, QueryOptions, QueryResult};
use storage::{Columns, ExemplarQueryable as _};

use crate::server::{queries::Queries, query_log::Asker};

/// Queries for the surface.
pub(in crate::server) struct EngineAdapter {
    pub(in crate::server) queries: Arc<Queries>,
}

impl Engine for EngineAdapter {
    fn run(&self, query: &Query) -> Result<Answer, QueryError> {
        let options = QueryOptions {
            lookback: query.lookback_delta,
            timeout: query.timeout,
            per_step_stats: query.per_step_stats,
            explain: query.explain,
            cancel: Cancel::from(query.cancel.clone()),
        };
        let asker = query.request.as_ref().map_or(Asker::Nobody, Asker::Http);
        let outcome = match query.times {
            Times::Instant(time) => self.queries.instant(&query.text, time, &options, asker),
            Times::Range { start, end, step } => {
                self.queries.range(&query.text, (start, end, step), &options, asker)
            }
        };
        outcome.map(to_answer).map_err(|error| to_error(&error))
    }

    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> Result<Vec<SeriesExemplars>, QueryError> {
        let found = self.queries.exemplars(range, selectors);
        let found = found.map_err(|error| QueryError::Storage(error.to_string()))?;
        Ok(found.into_iter().map(to_series_exemplars).collect())
    }
}

fn to_series_exemplars(series: storage::SeriesExemplars) -> SeriesExemplars {
    let exemplars = series.exemplars.into_iter().map(|exemplar| {
        let storage::Exemplar { labels, value, time } = exemplar;
        Exemplar { labels, value, time }
    });
    SeriesExemplars { labels: series.labels, exemplars: exemplars.collect() }
}

fn to_answer(result: QueryResult) -> Answer {
    Answer {
        value: to_value(result.value),
        complaints: Complaints { warnings: result.warnings, infos: result.infos },
        stats: to_stats(result.stats),
        plan: result.plan.map(to_plan),
    }
}

fn to_plan(node: promql::PlanNode) -> PlanNode {
    let promql::PlanNode { node, detail, rows, bytes, time, children } = node;
    let children = children.into_iter().map(to_plan).collect();
    PlanNode { node, detail, rows, bytes, time, children }
}

fn to_value(value: promql::Value) -> Value {
    match value {
        promql::Value::Scalar(time, value) => Value::Scalar { time, value },
        promql::Value::String(time, value) => Value::String { time, value },
        promql::Value::Vector(samples) => {
            Value::Vector(samples.into_iter().map(to_sample).collect())
        }
        promql::Value::Matrix(series) => Value::Matrix(series.into_iter().map(to_series).collect()),
    }
}

fn to_sample(sample: promql::Sample) -> Sample {
    let value = match sample.value {
        promql::SampleValue::Float(value) => SampleValue::Float(value),
        promql::SampleValue::Histogram(histogram) => SampleValue::Histogram(histogram),
    };
    Sample { labels: sample.labels, time: sample.timestamp, value }
}

fn to_series(series: promql::Series) -> Series {
    let mut columns = Columns {
        times: Vec::with_capacity(series.floats.len()),
        values: Vec::with_capacity(series.floats.len()),
        ..Columns::default()
    };
    for point in series.floats {
        columns.times.push(point.timestamp.as_millis());
        columns.values.push(point.value);
    }
    for point in series.histograms {
        columns.histogram_times.push(point.timestamp.as_millis());
        columns.histograms.push(point.value);
    }
    Series { labels: series.labels, columns }
}

fn to_stats(stats: promql::Stats) -> Stats {
    let times = stats.timings;
    Stats {
        eval_total_time: times.evaluation,
        result_sort_time: times.result_sort,
        query_preparation_time: times.preparation,
        inner_eval_time: times.inner_evaluation,
        exec_queue_time: times.queue,
        exec_total_time: times.total,
        total_queryable_samples: stats.total_samples,
        samples_read: stats.samples_read,
        peak_samples: stats.peak_samples,
        total_queryable_samples_per_step: stats.total_samples_per_step,
        samples_read_per_step: stats.samples_read_per_step,
    }
}

fn to_error(error: &promql::Error) -> QueryError {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Parse => QueryError::Parse(text),
        ErrorKind::Execution => QueryError::Execution(text),
        ErrorKind::Timeout => QueryError::Timeout(text),
        ErrorKind::Canceled => QueryError::Canceled(text),
        ErrorKind::Storage => QueryError::Storage(text),
    }
}
