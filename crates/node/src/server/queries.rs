//! The engine over everything that is stored, for rules and the API alike, and what it costs.

use std::time::Duration;

use model::{Matcher, TimeRange, Timestamp};
use promql::{ActiveQueries, Engine, QueryOptions, QueryResult, Result, Stats};
use rules::{RuleGroup, Sample, SampleValue};
use runtime::Runtime;
use telemetry::{
    Counter, Gauge, Registry, Summary,
    trace::{Kind, Tracer},
};
use tracing::{error, warn};

use super::{
    LateDatabase, Options,
    fanout::Fanout,
    language,
    query_log::{Asker, Noted, QueryLog},
};

/// Answers queries. Calls block.
pub(super) struct Queries {
    engine: Engine,
    storage: Fanout,
    /// Others are not asked for exemplars.
    local: LateDatabase,
    metrics: Metrics,
    log: QueryLog,
    runtime: Runtime,
    tracer: Tracer,
}

impl Queries {
    pub(super) fn new(
        options: &Options,
        (local, storage): (LateDatabase, Fanout),
        runtime: &Runtime,
        registry: &Registry,
        tracer: Tracer,
    ) -> Queries {
        let metrics = Metrics::register(registry);
        metrics.concurrent_max.set(options.query.concurrency_max as f64);
        let engine = Engine::new(language::engine_options(options), runtime.clock.clone());
        let engine = match active_queries(options, runtime) {
            Some(active) => engine.with_active_queries(active),
            None => engine,
        };
        let log = QueryLog::register(registry);
        Queries { engine, storage, local, metrics, log, runtime: runtime.clone(), tracer }
    }

    /// Of queries, and of the requests that bring them.
    pub(super) fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }

    /// From now on notes queries at `path`; nowhere if that is empty.
    pub(super) fn set_log(&self, path: &str) -> Result<(), String> {
        self.log.open(&*self.runtime.disk, path)
    }

    pub(super) fn set_subquery_step(&self, step: Duration) {
        self.engine.set_subquery_step(step);
    }

    pub(super) fn instant(
        &self,
        query: &str,
        time: Timestamp,
        options: &QueryOptions,
        asker: Asker<'_>,
    ) -> Result<QueryResult> {
        let outcome = self.traced(query, asker, || {
            self.metrics.count(|| self.engine.instant(&self.storage, query, time, options))
        });
        self.note(query, (time, time, Duration::ZERO), &outcome, asker);
        outcome
    }

    pub(super) fn range(
        &self,
        query: &str,
        (start, end, step): (Timestamp, Timestamp, Duration),
        options: &QueryOptions,
        asker: Asker<'_>,
    ) -> Result<QueryResult> {
        let outcome = self.traced(query, asker, || {
            self.metrics
                .count(|| self.engine.range(&self.storage, query, start, end, step, options))
        });
        self.note(query, (start, end, step), &outcome, asker);
        outcome
    }

    /// Runs a query as a span: of the request that brought it, or of its own.
    fn traced(
        &self,
        query: &str,
        asker: Asker<'_>,
        run: impl FnOnce() -> Result<QueryResult>,
    ) -> Result<QueryResult> {
        let mut span = self.tracer.start("promqlExec", Kind::Internal);
        if !span.is_recorded() {
            return run();
        }
        span.set_text("query", query);
        if let Asker::Rules(group) = asker {
            span.set_text("rule_group", group.name);
        }
        let outcome = span.within(run);
        if let Err(error) = &outcome {
            span.fail(error.to_string());
        }
        outcome
    }

    fn note(
        &self,
        query: &str,
        (start, end, step): (Timestamp, Timestamp, Duration),
        outcome: &Result<QueryResult>,
        asker: Asker<'_>,
    ) {
        // Upstream counts on a query before it notes it.
        if matches!(outcome, Err(promql::Error::Parse(_))) {
            return;
        }
        let nothing = Stats::default();
        let stats = outcome.as_ref().map_or(&nothing, |result| &result.stats);
        let error = outcome.as_ref().err();
        let noted = Noted { query, start, end, step, stats, error, asker };
        self.log.note(self.runtime.clock.now(), &noted);
    }
}

/// Notes what runs, and says what the last run did not finish: that may have been the reason.
fn active_queries(options: &Options, runtime: &Runtime) -> Option<ActiveQueries> {
    let directory = &options.storage.directory;
    let most = options.query.concurrency_max;
    match ActiveQueries::open(&*runtime.disk, directory, most) {
        Ok((active, unfinished)) => {
            if let Some(queries) = unfinished {
                warn!(%queries, "These queries didn't finish in prometheus' last run:");
            }
            Some(active)
        }
        Err(error) => {
            error!(%error, "Failed to create the file of active queries");
            None
        }
    }
}

impl storage::ExemplarQueryable for Queries {
    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> storage::Result<Vec<storage::SeriesExemplars>> {
        self.local.get().ok_or(storage::Error::NotReady)?.exemplars(range, selectors)
    }
}

impl rules::Query for Queries {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        self.vector(expr, time, Asker::Nobody)
    }

    fn instant_for(
        &self,
        asker: &RuleGroup<'_>,
        expr: &str,
        time: Timestamp,
    ) -> Result<Vec<Sample>, String> {
        self.vector(expr, time, Asker::Rules(asker))
    }
}

impl Queries {
    /// What rules and their templates want.
    fn vector(&self, expr: &str, time: Timestamp, asker: Asker<'_>) -> Result<Vec<Sample>, String> {
        let answer = Queries::instant(self, expr, time, &QueryOptions::default(), asker);
        let answer = answer.map_err(|error| error.to_string())?;
        match answer.value {
            promql::Value::Vector(samples) => Ok(samples.into_iter().map(to_sample).collect()),
            promql::Value::Scalar(_, value) => {
                Ok(vec![Sample { labels: Default::default(), value: SampleValue::Float(value) }])
            }
            _ => Err("rule result is not a vector or scalar".to_owned()),
        }
    }
}

fn to_sample(sample: promql::Sample) -> Sample {
    let value = match sample.value {
        promql::SampleValue::Float(value) => SampleValue::Float(value),
        promql::SampleValue::Histogram(histogram) => SampleValue::Histogram(histogram),
    };
    Sample { labels: sample.labels, value }
}

/// What queries cost, under upstream's names.
struct Metrics {
    queries: Gauge,
    concurrent_max: Gauge,
    /// Of `queue_time`, `prepare_time`, `inner_eval` and `result_sort`.
    durations: [Summary; 4],
    samples: Counter,
    samples_read: Counter,
}

impl Metrics {
    fn register(registry: &Registry) -> Metrics {
        let duration = registry.summaries(
            "prometheus_engine_query_duration_seconds",
            "Query timings",
            ["slice"],
            &[0.5, 0.9, 0.99],
        );
        let slices = ["queue_time", "prepare_time", "inner_eval", "result_sort"];
        Metrics {
            queries: registry.gauge(
                "prometheus_engine_queries",
                "The current number of queries being executed or waiting.",
            ),
            concurrent_max: registry.gauge(
                "prometheus_engine_queries_concurrent_max",
                "The max number of concurrent queries.",
            ),
            durations: slices.map(|slice| duration.with([slice])),
            samples: registry.counter(
                "prometheus_engine_query_samples_total",
                "The total number of samples loaded by all queries.",
            ),
            samples_read: registry.counter(
                "prometheus_engine_query_samples_read_total",
                "The total number of samples read by all queries.",
            ),
        }
    }

    fn count(&self, query: impl FnOnce() -> Result<QueryResult>) -> Result<QueryResult> {
        self.queries.add(1.0);
        // The engine catches panics, so this is reached again.
        let outcome = query();
        self.queries.add(-1.0);
        if let Ok(result) = &outcome {
            let stats = &result.stats;
            self.samples.add(stats.total_samples as f64);
            self.samples_read.add(stats.samples_read as f64);
            let timings = &stats.timings;
            let took =
                [timings.queue, timings.preparation, timings.inner_evaluation, timings.result_sort];
            for (duration, took) in self.durations.iter().zip(took) {
                duration.observe_duration(took);
            }
        }
        outcome
    }
}
