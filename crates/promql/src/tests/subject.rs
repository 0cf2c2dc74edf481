//! The engine as something that scripts can be run against.

use std::{sync::Arc, time::Duration};

use model::Timestamp;
use promqltest::{Answer, LoadedSeries, MemoryLoader, Sample, Series, Subject, Value};
use runtime::Simulation;

use crate::{Engine, Options, QueryOptions, QueryResult, SampleValue};

/// An engine over series in memory.
pub(super) struct Memory {
    pub(super) engine: Engine,
    pub(super) loader: MemoryLoader,
}

/// As upstream's scripts want the engine.
pub(super) fn script_options() -> Options {
    Options {
        samples_max: 10_000,
        syntax: promql_syntax::Options::ALL,
        delayed_name_removal: true,
        use_start_timestamps: true,
        per_step_stats: true,
        ..Options::default()
    }
}

impl Memory {
    pub(super) fn new(options: Options) -> Memory {
        let clock = Simulation::new(0).clock;
        let engine = Engine::new(options, Arc::clone(&clock) as Arc<dyn runtime::Clock>);
        Memory { engine, loader: MemoryLoader::default() }
    }

    /// Loads series in the notation of scripts.
    pub(super) fn with(mut self, load: &str) -> Memory {
        let script = promqltest::Script::parse(load).expect("the load is well-formed");
        for command in &script.commands {
            if let promqltest::Command::Load(load) = command {
                self.loader.load(load.series().expect("the load is well-formed"));
            }
        }
        self
    }

    pub(super) fn ask(
        &self,
        query: &str,
        times: Times,
        options: &QueryOptions,
    ) -> crate::Result<QueryResult> {
        let storage = self.loader.storage();
        match times {
            Times::Instant(time) => {
                self.engine.instant(storage, query, Timestamp::from_millis(time), options)
            }
            Times::Range { start, end, step } => self.engine.range(
                storage,
                query,
                Timestamp::from_millis(start),
                Timestamp::from_millis(end),
                Duration::from_millis(step),
                options,
            ),
        }
    }
}

/// Milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Times {
    Instant(i64),
    Range { start: i64, end: i64, step: u64 },
}

impl Subject for Memory {
    fn clear(&mut self) -> Result<(), String> {
        self.loader.clear();
        Ok(())
    }

    fn load(&mut self, series: Vec<LoadedSeries>) -> Result<(), String> {
        self.loader.load(series);
        Ok(())
    }

    fn instant(&mut self, query: &str, time: Timestamp) -> Result<Answer, String> {
        let options = QueryOptions::default();
        let result = self.engine.instant(self.loader.storage(), query, time, &options);
        result.map(answer).map_err(|error| error.to_string())
    }

    fn range(
        &mut self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<Answer, String> {
        let options = QueryOptions::default();
        let result = self.engine.range(self.loader.storage(), query, start, end, step, &options);
        result.map(answer).map_err(|error| error.to_string())
    }
}

fn answer(result: QueryResult) -> Answer {
    let sample = |value: SampleValue| match value {
        SampleValue::Float(value) => Sample::Float(value),
        SampleValue::Histogram(value) => Sample::Histogram(value),
    };
    let value = match result.value {
        crate::Value::Scalar(_, value) => Value::Scalar(value),
        crate::Value::String(_, text) => Value::String(text),
        crate::Value::Vector(samples) => {
            let pairs = samples.into_iter().map(|one| (one.labels, sample(one.value)));
            Value::Vector(pairs.collect())
        }
        crate::Value::Matrix(series) => Value::Matrix(series.into_iter().map(of_matrix).collect()),
    };
    Answer { value, warnings: result.warnings, infos: result.infos }
}

fn of_matrix(series: crate::Series) -> Series {
    Series {
        labels: series.labels,
        floats: series.floats.into_iter().map(|p| (p.timestamp, p.value)).collect(),
        histograms: series.histograms.into_iter().map(|p| (p.timestamp, p.value)).collect(),
    }
}
