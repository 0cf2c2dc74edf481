//! The series of a test: given ones up to the present moment, recorded ones as they come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use model::{Labels, Matcher, TimeRange, Timestamp};
use promql_syntax::{Errors, SequenceValue, parse_series};
use promqltest::{LoadedSeries, MemoryLoader};
use storage::{
    Appendable, Appender, Columns, LabelHints, LabelValues, MemoryStorage, Querier, Queryable,
    Result, SelectHints, Series, SeriesSet, merge,
};

use super::file::InputSeries;

/// What rules see and write. Given samples of the future are there, but nobody sees them: rules
/// must not know more than they would have known then.
#[derive(Clone)]
pub(super) struct Store {
    given: MemoryStorage,
    recorded: MemoryStorage,
    now: Arc<AtomicI64>,
}

impl Store {
    /// Reads the series; one that is given twice is the last one.
    pub(super) fn new(
        series: &[InputSeries],
        start: Timestamp,
        interval: Duration,
    ) -> std::result::Result<Store, Errors> {
        let mut loader = MemoryLoader::default();
        for InputSeries { series, values } in series {
            let (labels, values) = parse_series(&format!("{series} {values}"))?;
            let samples = to_columns(values, start, interval);
            loader.storage().insert(labels.clone(), Columns::default());
            loader.load([LoadedSeries { labels, samples }]);
        }
        let now = Arc::new(AtomicI64::new(i64::MIN));
        Ok(Store { given: loader.storage().clone(), recorded: MemoryStorage::default(), now })
    }

    /// Lets given samples be seen up to `now`, that moment included.
    pub(super) fn advance(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::Relaxed);
    }
}

fn to_columns(values: Vec<SequenceValue>, start: Timestamp, interval: Duration) -> Columns {
    let mut columns = Columns::default();
    let mut time = start;
    for value in values {
        match value {
            SequenceValue::Omitted => {}
            SequenceValue::Float(value) => columns.push(time.as_millis(), value),
            SequenceValue::Histogram(histogram) => {
                columns.histogram_times.push(time.as_millis());
                columns.histograms.push(Arc::new(histogram));
            }
        }
        time = time + interval;
    }
    columns
}

impl Appendable for Store {
    fn appender(&self) -> Box<dyn Appender> {
        self.recorded.appender()
    }
}

impl Queryable for Store {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>> {
        let given = self.given.querier(range)?;
        let until = Timestamp::from_millis(self.now.load(Ordering::Relaxed));
        Ok(merge(vec![Box::new(Past { given, until }), self.recorded.querier(range)?]))
    }
}

/// A store without its samples after `until`.
struct Past {
    given: Box<dyn Querier>,
    until: Timestamp,
}

impl Querier for Past {
    fn select(&self, sorted: bool, hints: &SelectHints, matchers: &[Matcher]) -> Result<SeriesSet> {
        let mut set = self.given.select(sorted, hints, matchers)?;
        for series in &mut set.series {
            let whole = series.clone();
            *series = Arc::new(PastSeries { whole, until: self.until });
        }
        Ok(set)
    }

    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> Result<LabelValues> {
        self.given.label_values(name, hints, matchers)
    }

    fn label_names(&self, hints: &LabelHints, matchers: &[Matcher]) -> Result<LabelValues> {
        self.given.label_names(hints, matchers)
    }
}

struct PastSeries {
    whole: Arc<dyn Series>,
    until: Timestamp,
}

impl Series for PastSeries {
    fn labels(&self) -> Labels {
        self.whole.labels()
    }

    fn read(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        let range = TimeRange { end: range.end.min(self.until), ..range };
        if range.end < range.start {
            return Ok(());
        }
        self.whole.read(range, columns)
    }
}
