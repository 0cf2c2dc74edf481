//! What of a batch goes to the late samples of its series, and into the log of those.

use std::sync::{Arc, atomic::Ordering};

use hashbrown::HashMap;
use wal::record;

use super::{
    HeadAppender,
    batch::{Batch, PendingHistogram},
    commit::encode_histograms,
};
use crate::{
    database::Store,
    head::{Insertion, LateSample, LateValue, Page, SeriesId},
};

/// A late sample that is not visible yet.
pub(super) struct Pending {
    pub(super) id: SeriesId,
    series_ref: u64,
    sample: LateSample,
}

impl HeadAppender {
    /// Finds the samples that do not fit behind the newest one of their series. The log's lock is
    /// held, so what is late now stays late.
    pub(super) fn split_late(&mut self) {
        if self.store.out_of_order_window_ms.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut batches = std::mem::take(&mut self.committing);
        let mut newest = Newest::new(self, batches.len() > 1);
        for Batch { floats, histograms } in &mut batches {
            // Sorting is stable: samples of a series stay in their order.
            floats.sort_by_key(|pending| pending.id);
            histograms.sort_by_key(|pending| pending.id);
            let late = floats.extract_if(.., |p| newest.is_late(p.id, p.sample.time));
            let late = late.map(|pending| {
                let record::Sample { series_ref, time, value } = pending.sample;
                let sample = LateSample { time, value: LateValue::Float(value) };
                Pending { id: pending.id, series_ref, sample }
            });
            self.pending_late.extend(late);
            let late = histograms.extract_if(.., |p| newest.is_late(p.id, p.time));
            let late = late.map(|PendingHistogram { id, series_ref, time, value }| {
                let sample = LateSample { time, value: LateValue::Histogram(value) };
                Pending { id, series_ref, sample }
            });
            self.pending_late.extend(late);
        }
        self.committing = batches;
    }

    /// Writes the late samples to their log; gives the segments of it that are full.
    pub(super) fn log_late(&self) -> Result<Vec<wal::Finished>, wal::Error> {
        if self.pending_late.is_empty() {
            return Ok(Vec::new());
        }
        let samples = self.pending_late.iter().map(|late| (late.series_ref, &late.sample));
        let records = encode_late(samples);
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        self.store.with_late_log(|log| {
            log.append(&records)?;
            Ok(log.take_finished())
        })
    }

    /// Makes the late samples visible. Readers that began before see them, too.
    pub(super) fn apply_late(&mut self) {
        let head = &self.store.head;
        let (mut n_floats, mut n_histograms, mut n_chunks, mut n_dropped) = (0, 0, 0, 0);
        for Pending { id, sample, .. } in self.pending_late.drain(..) {
            let Some(page) = head.page(id) else { continue };
            let mut page = page.lock();
            let Some(series) = page.get_mut(id) else { continue };
            series.n_pending -= 1;
            let (time, is_float) = (sample.time, matches!(sample.value, LateValue::Float(_)));
            match page.late.insert(id, sample) {
                Insertion::Dropped => {
                    n_dropped += 1;
                    continue;
                }
                Insertion::InsertedIntoNewChunk => n_chunks += 1,
                Insertion::Inserted => {}
            }
            n_floats += u64::from(is_float);
            n_histograms += u64::from(!is_float);
            head.note_late_time(time);
        }
        let counters = &self.store.counters;
        counters.late_floats_appended.add(n_floats);
        counters.late_histograms_appended.add(n_histograms);
        counters.samples_appended.add(n_floats + n_histograms);
        counters.samples_dropped.add(n_dropped);
        counters.chunks_created.add(n_chunks);
    }
}

/// The records of late samples, which go by the numbers of their series in the log.
pub(crate) fn encode_late<'s>(
    samples: impl Iterator<Item = (u64, &'s LateSample)> + Clone,
) -> Vec<Vec<u8>> {
    let floats = samples.clone().filter_map(|(series_ref, sample)| match sample.value {
        LateValue::Float(value) => Some(record::Sample { series_ref, time: sample.time, value }),
        LateValue::Histogram(_) => None,
    });
    let floats: Vec<record::Sample> = floats.collect();
    let histograms = samples.filter_map(|(series_ref, sample)| match &sample.value {
        LateValue::Histogram(value) => Some((series_ref, sample.time, value)),
        LateValue::Float(_) => None,
    });
    let mut records = encode_histograms(histograms);
    if !floats.is_empty() {
        let mut encoded = Vec::new();
        record::encode_samples(&floats, &mut encoded);
        records.insert(0, encoded);
    }
    records
}

/// Knows the newest sample of each series, those of this commit included.
struct Newest {
    store: Arc<Store>,
    appendable_from: i64,
    /// The series at hand and its newest sample.
    current: Option<(SeriesId, i64)>,
    /// Those before it, if they may come again in a later batch.
    before: Option<HashMap<SeriesId, i64, foldhash::fast::RandomState>>,
    page: Option<(usize, Arc<Page>)>,
}

impl Newest {
    fn new(appender: &HeadAppender, has_several_batches: bool) -> Newest {
        Newest {
            store: appender.store.clone(),
            appendable_from: appender.appendable_from.unwrap_or(i64::MIN),
            current: None,
            before: has_several_batches.then(HashMap::default),
            page: None,
        }
    }

    /// Whether the sample is late; if not, it is the newest from now on. In a batch those of a
    /// series follow each other.
    fn is_late(&mut self, id: SeriesId, time: i64) -> bool {
        let last = match self.current {
            Some((known, last)) if known == id => last,
            _ => self.last_time(id),
        };
        let is_late = time < self.appendable_from || time < last;
        let newest = if is_late { last } else { time };
        self.current = Some((id, newest));
        if let Some(before) = &mut self.before {
            before.insert(id, newest);
        }
        is_late
    }

    fn last_time(&mut self, id: SeriesId) -> i64 {
        if let Some(last) = self.before.as_ref().and_then(|before| before.get(&id)) {
            return *last;
        }
        let number = Page::number(id);
        if self.page.as_ref().is_none_or(|(known, _)| *known != number) {
            self.page = self.store.head.page(id).map(|page| (number, page));
        }
        let page = self.page.as_ref().map(|(_, page)| page.lock());
        let series = page.as_ref().and_then(|page| page.get(id));
        series.and_then(|series| series.last_time()).unwrap_or(i64::MIN)
    }
}
