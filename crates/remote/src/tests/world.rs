//! A store that notes what it is given, and requests to give it.

use std::{collections::BTreeMap, sync::Arc};

use model::{Labels, Metadata, Timestamp};
use parking_lot::Mutex;
use runtime::Runtime;
use storage::{
    AppendError, Appendable, Appender, Exemplar, ExemplarError, HistogramValue, SeriesRef,
};
use telemetry::Registry;

use crate::{Message, Outcome, Receiver, ReceiverOptions};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Float(f64),
    Histogram(HistogramValue),
}

pub(crate) type Sample = (Labels, i64, Value);

/// Keeps the newest time of a series, apart for floats and both kinds of histograms, as the stub
/// of upstream's tests does.
#[derive(Default, Clone)]
pub(crate) struct Store(pub(crate) Arc<Mutex<Contents>>);

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) stored: Vec<Sample>,
    newest: BTreeMap<(Labels, usize), i64>,
    /// Labels of each handle, from 1 on; nothing where the store has forgotten the series.
    known: Vec<Option<Labels>>,
    pub(crate) n_by_labels: usize,
    pub(crate) exemplars: Vec<Exemplar>,
    pub(crate) metadata: Vec<Metadata>,
    pub(crate) refuses_exemplars: bool,
    pub(crate) append_error: Option<String>,
    pub(crate) histogram_error: Option<String>,
    pub(crate) commit_error: Option<String>,
}

impl Store {
    pub(crate) fn forget_handles(&self) {
        self.0.lock().known.iter_mut().for_each(|labels| *labels = None);
    }
}

impl Appendable for Store {
    fn appender(&self) -> Box<dyn Appender> {
        Box::new(StoreAppender { store: self.clone(), pending: Vec::new() })
    }
}

struct StoreAppender {
    store: Store,
    pending: Vec<Sample>,
}

impl StoreAppender {
    fn take(&mut self, labels: &Labels, time: Timestamp, value: Value) -> Result<(), AppendError> {
        let kind = match &value {
            Value::Float(_) => 0,
            Value::Histogram(HistogramValue::Integer(_)) => 1,
            Value::Histogram(HistogramValue::Float(_)) => 2,
        };
        let time = time.as_millis();
        let mut contents = self.store.0.lock();
        let newest = contents.newest.entry((labels.clone(), kind)).or_default();
        if time < *newest {
            return Err(AppendError::OutOfOrder);
        }
        if time == *newest {
            return Err(AppendError::DuplicateTimestamp);
        }
        *newest = time;
        drop(contents);
        self.pending.push((labels.clone(), time, value));
        Ok(())
    }

    fn handle(&self, labels: &Labels) -> SeriesRef {
        let mut contents = self.store.0.lock();
        contents.n_by_labels += 1;
        let idx = contents.known.iter().position(|known| known.as_ref() == Some(labels));
        let idx = idx.unwrap_or_else(|| {
            contents.known.push(Some(labels.clone()));
            contents.known.len() - 1
        });
        SeriesRef(idx as u64 + 1)
    }
}

impl Appender for StoreAppender {
    fn append(
        &mut self,
        _: SeriesRef,
        labels: &Labels,
        time: Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        if let Some(reason) = &self.store.0.lock().append_error {
            return Err(AppendError::Storage(reason.clone()));
        }
        self.take(labels, time, Value::Float(value))?;
        Ok(self.handle(labels))
    }

    fn append_known(
        &mut self,
        series: SeriesRef,
        time: Timestamp,
        value: f64,
    ) -> Option<Result<(), AppendError>> {
        let labels = self.store.0.lock().known.get(series.0 as usize - 1)?.clone()?;
        Some(self.take(&labels, time, Value::Float(value)))
    }

    fn append_histogram(
        &mut self,
        _: SeriesRef,
        labels: &Labels,
        time: Timestamp,
        value: HistogramValue,
    ) -> Result<SeriesRef, AppendError> {
        if let Some(reason) = &self.store.0.lock().histogram_error {
            return Err(AppendError::Storage(reason.clone()));
        }
        self.take(labels, time, Value::Histogram(value))?;
        Ok(self.handle(labels))
    }

    fn append_exemplar(&mut self, _: SeriesRef, exemplar: &Exemplar) -> Result<(), ExemplarError> {
        let mut contents = self.store.0.lock();
        if contents.refuses_exemplars {
            return Err(ExemplarError::UnknownSeries);
        }
        contents.exemplars.push(exemplar.clone());
        Ok(())
    }

    fn append_metadata(&mut self, _: SeriesRef, metadata: &Metadata) {
        self.store.0.lock().metadata.push(metadata.clone());
    }

    fn commit(self: Box<Self>) -> storage::Result<()> {
        let mut contents = self.store.0.lock();
        if let Some(reason) = &contents.commit_error {
            return Err(storage::Error::Other(reason.clone()));
        }
        contents.stored.extend(self.pending);
        Ok(())
    }

    fn rollback(self: Box<Self>) {}
}

/// A receiver over a store of its own.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) receiver: Receiver,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(false)
    }

    pub(crate) fn with(type_and_unit_labels: bool) -> World {
        let store = Store::default();
        let options = ReceiverOptions {
            accepted: Message::ALL.to_vec(),
            type_and_unit_labels,
            metadata: true,
        };
        World { receiver: receiver(&store, options), store }
    }

    /// Writes an uncompressed message.
    pub(crate) fn write(&self, message: Message, request: &[u8]) -> Outcome {
        self.receiver.write(message, &compress(request))
    }

    /// What is stored, one sample a line.
    pub(crate) fn dump(&self) -> String {
        let print = |(labels, time, value): &Sample| match value {
            Value::Float(value) => format!("{labels} {value} @{time}"),
            Value::Histogram(_) => format!("{labels} histogram @{time}"),
        };
        self.store.0.lock().stored.iter().map(print).collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn receiver(store: &Store, options: ReceiverOptions) -> Receiver {
    let storage = Arc::new(store.clone());
    Receiver::new(storage, options, &Runtime::simulated(1), &Registry::default())
}

pub(crate) fn compress(request: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(request).expect("it is short")
}
