//! What of a batch goes to the late samples of its series, and into the log of those.

use std::sync::atomic::Ordering;

use wal::record;

use super::{HeadAppender, encode_histograms};
use crate::head::{Insertion, LateSample, LateValue, Page, SeriesId};

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
        self.pending.sort_by_key(|pending| pending.id);
        let floats = self.pending.iter().map(|pending| (pending.id, pending.sample.time));
        let mut is_late = self.are_late(floats).into_iter();
        for pending in self.pending.extract_if(.., |_| is_late.next().unwrap_or_default()) {
            let record::Sample { series_ref, time, value } = pending.sample;
            let sample = LateSample { time, value: LateValue::Float(value) };
            self.pending_late.push(Pending { id: pending.id, series_ref, sample });
        }
        let histograms = self.pending_histograms.iter().map(|pending| (pending.id, pending.time));
        let mut is_late = self.are_late(histograms).into_iter();
        let late = self.pending_histograms.extract_if(.., |_| is_late.next().unwrap_or_default());
        for pending in late {
            let sample =
                LateSample { time: pending.time, value: LateValue::Histogram(pending.value) };
            let (id, series_ref) = (pending.id, pending.series_ref);
            self.pending_late.push(Pending { id, series_ref, sample });
        }
    }

    /// Says of each sample whether it is late; those of a series follow each other.
    fn are_late(&self, samples: impl Iterator<Item = (SeriesId, i64)>) -> Vec<bool> {
        let head = &self.store.head;
        let appendable_from = self.appendable_from.unwrap_or(i64::MIN);
        // The series at hand and its newest sample.
        let mut newest: Option<(SeriesId, i64)> = None;
        let mut page: Option<(usize, std::sync::Arc<Page>)> = None;
        let is_late = |(id, time): (SeriesId, i64)| {
            let number = Page::number(id);
            if page.as_ref().is_none_or(|(known, _)| *known != number) {
                page = head.page(id).map(|page| (number, page));
            }
            let last = match newest {
                Some((known, last)) if known == id => last,
                _ => {
                    let page = page.as_ref().map(|(_, page)| page.lock());
                    let series = page.as_ref().and_then(|page| page.get(id));
                    series.and_then(|series| series.last_time()).unwrap_or(i64::MIN)
                }
            };
            let is_late = time < appendable_from || time < last;
            newest = Some((id, if is_late { last } else { time }));
            is_late
        };
        samples.map(is_late).collect()
    }

    /// Writes the late samples to their log; gives the segments of it that are full.
    pub(super) fn log_late(&self) -> Result<Vec<wal::Finished>, wal::Error> {
        if self.pending_late.is_empty() {
            return Ok(Vec::new());
        }
        let float = |pending: &Pending| match pending.sample {
            LateSample { time, value: LateValue::Float(value) } => {
                Some(record::Sample { series_ref: pending.series_ref, time, value })
            }
            _ => None,
        };
        let floats: Vec<record::Sample> = self.pending_late.iter().filter_map(float).collect();
        let mut encoded = Vec::new();
        if !floats.is_empty() {
            record::encode_samples(&floats, &mut encoded);
        }
        let histograms =
            self.pending_late.iter().filter_map(|pending| match &pending.sample.value {
                LateValue::Histogram(value) => {
                    Some((pending.series_ref, pending.sample.time, value))
                }
                LateValue::Float(_) => None,
            });
        let histograms = encode_histograms(histograms);
        let mut records: Vec<&[u8]> = vec![&encoded];
        records.extend(histograms.iter().map(Vec::as_slice));
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
