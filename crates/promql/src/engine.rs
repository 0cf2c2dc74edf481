//! The door: takes a query's text and times, gives its answer, whatever happens inside.

mod active;
mod gate;
mod light;
mod run;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use model::Timestamp;
use promql_syntax::ast::Expr;
use runtime::Clock;
use storage::Queryable;

use crate::{Cancel, Error, QueryResult, Result, budget::Guard, plan::Frame};

pub use active::ActiveQueries;
use gate::Gate;
pub(crate) use run::Settings;

/// What holds for all queries of an engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// How far back an instant selector looks for the newest sample; zero means five minutes.
    pub lookback: Duration,
    pub timeout: Duration,
    /// Samples that one query may hold at a time.
    pub samples_max: u64,
    /// Bytes that one query may hold at a time; zero means no limit.
    pub memory_max: u64,
    /// Queries that run at a time; others wait. Zero means no limit.
    pub concurrency_max: usize,
    /// The step of subqueries that name none: the global evaluation interval.
    pub subquery_step: Duration,
    /// What the language allows.
    pub syntax: promql_syntax::Options,
    pub at_modifier: bool,
    pub negative_offset: bool,
    /// Metric names go at the end of the evaluation rather than at each operation.
    pub delayed_name_removal: bool,
    /// Counters are taken to have been zero when they started.
    pub use_start_timestamps: bool,
    /// `__type__` says whether a metric is a counter, not its name.
    pub type_and_unit_labels: bool,
    /// Allows [`QueryOptions::per_step_stats`].
    pub per_step_stats: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            lookback: Duration::from_secs(300),
            timeout: Duration::from_secs(120),
            samples_max: 50_000_000,
            memory_max: 0,
            concurrency_max: 20,
            subquery_step: Duration::from_secs(60),
            syntax: promql_syntax::Options::default(),
            at_modifier: true,
            negative_offset: true,
            delayed_name_removal: false,
            use_start_timestamps: false,
            type_and_unit_labels: false,
            per_step_stats: false,
        }
    }
}

/// What one query asks for beside its text.
#[derive(Debug, Clone, Default)]
pub struct QueryOptions {
    /// Instead of the engine's.
    pub lookback: Option<Duration>,
    /// Not longer than the engine's.
    pub timeout: Option<Duration>,
    pub per_step_stats: bool,
    /// How the query was answered is wanted, too.
    pub explain: bool,
    pub cancel: Cancel,
}

/// Answers queries. Calls compute and block: not for async threads.
pub struct Engine {
    options: Options,
    clock: Arc<dyn Clock>,
    gate: Gate,
    active: Option<ActiveQueries>,
    subquery_step_ms: AtomicI64,
}

impl Engine {
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Engine {
        let gate = Gate::new(options.concurrency_max);
        let subquery_step_ms = AtomicI64::new(options.subquery_step.as_millis() as i64);
        Engine { options, clock, gate, active: None, subquery_step_ms }
    }

    /// Notes running queries in a file, so that a crash tells which they were.
    pub fn with_active_queries(self, active: ActiveQueries) -> Engine {
        Engine { active: Some(active), ..self }
    }

    /// Takes the global evaluation interval of a new configuration.
    pub fn set_subquery_step(&self, step: Duration) {
        self.subquery_step_ms.store(step.as_millis() as i64, Ordering::Relaxed);
    }

    /// What the language allows here.
    pub fn syntax(&self) -> &promql_syntax::Options {
        &self.options.syntax
    }

    /// Evaluates `query` at one moment.
    pub fn instant(
        &self,
        storage: &dyn Queryable,
        query: &str,
        time: Timestamp,
        options: &QueryOptions,
    ) -> Result<QueryResult> {
        let expr = self.parse(query)?;
        let time = time.as_millis();
        self.run(storage, query, &expr, self.frame(time, time, 0, options), options)
    }

    /// Evaluates `query` at `start`, `start + step`, … up to `end`; always gives a matrix.
    pub fn range(
        &self,
        storage: &dyn Queryable,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
        options: &QueryOptions,
    ) -> Result<QueryResult> {
        use promql_syntax::ast::ValueType;
        let expr = self.parse(query)?;
        if let kind @ (ValueType::Matrix | ValueType::String) = expr.value_type() {
            let kind = if kind == ValueType::Matrix { "range vector" } else { "string" };
            return Err(Error::Parse(format!(
                "invalid expression type \"{kind}\" for range query, must be Scalar or instant \
                 Vector"
            )));
        }
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        let frame = self.frame(start.as_millis(), end.as_millis(), step_ms, options);
        self.run(storage, query, &expr, frame, options)
    }

    fn parse(&self, query: &str) -> Result<Expr> {
        let expr = promql_syntax::parse(query, &self.options.syntax)
            .map_err(|error| Error::Parse(error.to_string()))?;
        run::check_allowed(&expr, &self.options)?;
        Ok(expr)
    }

    fn frame(&self, start: i64, end: i64, step_ms: i64, options: &QueryOptions) -> Frame {
        let lookback = match options.lookback {
            Some(lookback) if !lookback.is_zero() => lookback,
            _ if self.options.lookback.is_zero() => Duration::from_secs(300),
            _ => self.options.lookback,
        };
        Frame {
            start,
            end,
            step_ms,
            lookback_ms: lookback.as_millis() as i64,
            subquery_step_ms: self.subquery_step_ms.load(Ordering::Relaxed),
        }
    }

    fn run(
        &self,
        storage: &dyn Queryable,
        query: &str,
        expr: &Expr,
        frame: Frame,
        options: &QueryOptions,
    ) -> Result<QueryResult> {
        let timeout = options.timeout.map_or(self.options.timeout, |own| {
            if own.is_zero() { self.options.timeout } else { own.min(self.options.timeout) }
        });
        let arrived = self.clock.monotonic();
        let deadline = arrived.checked_add(timeout);
        let guard = Guard { clock: self.clock.clone(), deadline, cancel: options.cancel.clone() };
        guard.check().map_err(gate::in_queue)?;
        let _slot = match self.gate.try_enter() {
            Some(slot) => Some(slot),
            // Whoever asks for `up` should not wait for dashboards.
            None if light::is_light(storage, expr, frame)? => None,
            None => Some(self.gate.enter(&guard)?),
        };
        let now = self.clock.now().as_secs() as i64;
        let _noted = self.active.as_ref().map(|active| active.begin(query, now));
        let queue = self.clock.monotonic().saturating_sub(arrived);
        let settings = Settings::new(&self.options, &frame);
        let wanted = run::Wanted {
            per_step: self.options.per_step_stats && options.per_step_stats,
            plan: options.explain,
        };
        let work = || run::run(storage, query, expr, frame, settings, guard, wanted);
        let outcome = catch_unwind(AssertUnwindSafe(work));
        let mut result = outcome.unwrap_or_else(|panic| Err(Error::execution(words(&*panic))))?;
        result.stats.timings.queue = queue;
        result.stats.timings.total = self.clock.monotonic().saturating_sub(arrived);
        Ok(result)
    }
}

/// A bug ends the query that met it, and no other.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("unexpected error: {}", text.unwrap_or("unknown panic"))
}
