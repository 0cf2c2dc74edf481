//! A batch goes to the log, then it becomes visible.

use parking_lot::MutexGuard;
use storage::{Exemplar, HistogramValue};
use wal::record::{self, SeriesEncoder};

use super::{
    HeadAppender,
    batch::{Batch, Pending, PendingHistogram},
};
use crate::{
    Result,
    head::{AppendOutcome, Commit, Contents, Head, Page, Series, SeriesId},
};

impl HeadAppender {
    pub(super) fn try_commit(&mut self) -> Result<()> {
        self.store.check_health()?;
        let has_samples = !self.pending.is_empty();
        let has_others = !self.pending_exemplars.is_empty() || !self.pending_metadata.is_empty();
        if !has_samples && !has_others {
            return Ok(());
        }
        self.committing = self.pending.take();
        let store = self.store.clone();
        let mut log: MutexGuard<'_, wal::Writer> = store.log.lock();
        let mut finished = self.log(&mut log).map_err(|error| store.write_failed(error))?;
        store.note_written();
        self.apply();
        self.apply_late();
        self.apply_exemplars();
        finished.extend(log.take_finished());
        drop(log);
        store.sync_finished(finished)
    }

    /// Writes the batch to the log and what is late to its own: all of it or, after an error, none.
    /// Gives the segments of the latter that are full.
    fn log(&mut self, log: &mut wal::Writer) -> Result<Vec<wal::Finished>, wal::Error> {
        let begin = log.position();
        self.log_batch(log)?;
        self.split_late();
        let finished = self.log_late().inspect_err(|_| log.undo(begin))?;
        self.note_logged();
        Ok(finished)
    }

    /// Writes the batch to the log, behind the series that the log does not know. Late samples are
    /// part of it, although replay finds them in their own log: who tails this one wants them, too.
    fn log_batch(&mut self, log: &mut wal::Writer) -> Result<(), wal::Error> {
        let mut records = Vec::with_capacity(4);
        let mut series = Vec::new();
        self.encode_unlogged(&mut series)?;
        records.push(series);
        self.committing.iter().for_each(|batch| encode(batch, &mut records));
        if !self.pending_exemplars.is_empty() {
            let exemplars: Vec<_> = self.pending_exemplars.iter().map(|(_, e)| e.clone()).collect();
            let mut encoded = Vec::new();
            record::encode_exemplars(&exemplars, &mut encoded);
            records.push(encoded);
        }
        if !self.pending_metadata.is_empty() {
            let metadata: Vec<_> = self.pending_metadata.iter().map(|(_, m)| m.clone()).collect();
            let mut encoded = Vec::new();
            record::encode_metadata(&metadata, &mut encoded);
            records.push(encoded);
        }
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        log.append(&records)
    }

    /// From now on the log knows the series and what they mean.
    fn note_logged(&mut self) {
        self.store.metadata.note(self.pending_metadata.drain(..));
        for id in self.unlogged.drain(..) {
            let Some(page) = self.store.head.page(id) else { continue };
            if let Some(series) = page.lock().get_mut(id) {
                series.is_logged = true;
            }
        }
    }

    /// Encodes the series that nobody has logged since they were noted, if there are any.
    fn encode_unlogged(&mut self, out: &mut Vec<u8>) -> Result<(), wal::Error> {
        let head = &self.store.head;
        let is_unlogged = |id: &SeriesId| {
            let page = head.page(*id);
            page.is_some_and(|page| page.lock().get(*id).is_some_and(|series| !series.is_logged))
        };
        self.unlogged.sort_unstable();
        self.unlogged.dedup();
        self.unlogged.retain(is_unlogged);
        if self.unlogged.is_empty() {
            return Ok(());
        }
        self.store.numbers.reserve(head.last_log_ref()).map_err(|source| wal::Error::Io {
            action: "reserve numbers of series in",
            path: self.store.directory.clone(),
            source,
        })?;
        let index = head.index.read();
        let mut encoder = SeriesEncoder::new(out);
        for id in &self.unlogged {
            let Some(page) = head.page(*id) else { continue };
            if let Some(series) = page.lock().get(*id) {
                encoder.push(series.log_ref, series.labels.len(), index.pairs(&series.labels));
            }
        }
        Ok(())
    }

    /// Makes the batches visible, all at once.
    fn apply(&mut self) {
        let head = &self.store.head;
        let commit = head.isolation.begin_commit();
        let mut applied = Applied::default();
        for Batch { mut floats, mut histograms } in self.committing.drain(..) {
            // Sorting is stable: samples of a series stay in their order.
            floats.sort_by_key(|pending| pending.id);
            for run in floats.chunk_by(|a, b| Page::number(a.id) == Page::number(b.id)) {
                let append = |series: &mut Series, pending: &Pending| {
                    series.append(pending.sample.time, pending.sample.value, &head.limits)
                };
                applied.run(head, &commit, run, |p| (p.id, p.sample.time), append);
            }
            histograms.sort_by_key(|pending| pending.id);
            for run in histograms.chunk_by(|a, b| Page::number(a.id) == Page::number(b.id)) {
                let append = |series: &mut Series, pending: &PendingHistogram| {
                    series.append_histogram(pending.time, &pending.value, &head.limits)
                };
                applied.run(head, &commit, run, |p| (p.id, p.time), append);
            }
        }
        if applied.n_appended > 0 {
            head.note_time(applied.min_time);
            head.note_time(applied.max_time);
        }
        let counters = &self.store.counters;
        counters.samples_appended.add(applied.n_appended);
        counters.samples_dropped.add(applied.n_dropped);
        counters.chunks_created.add(applied.n_chunks);
    }

    /// Exemplars are no part of what readers see at once.
    fn apply_exemplars(&mut self) {
        if self.pending_exemplars.is_empty() {
            return;
        }
        let mut exemplars = self.store.exemplars.lock();
        for (series, exemplar) in self.pending_exemplars.drain(..) {
            let record::Exemplar { time, value, labels, .. } = exemplar;
            let exemplar = Exemplar { labels, value, time: model::Timestamp::from_millis(time) };
            if let Err(error) = exemplars.add(&series, exemplar) {
                tracing::debug!(%series, %error, "exemplar not kept");
            }
        }
    }
}

/// What became of the samples of a commit.
struct Applied {
    n_appended: u64,
    n_dropped: u64,
    n_chunks: u64,
    min_time: i64,
    max_time: i64,
}

impl Default for Applied {
    fn default() -> Applied {
        let (min_time, max_time) = (i64::MAX, i64::MIN);
        Applied { n_appended: 0, n_dropped: 0, n_chunks: 0, min_time, max_time }
    }
}

impl Applied {
    /// Appends samples of series of one page; `place` says whose and of what time they are.
    fn run<P>(
        &mut self,
        head: &Head,
        commit: &Commit<'_>,
        run: &[P],
        place: impl Fn(&P) -> (SeriesId, i64),
        append: impl Fn(&mut Series, &P) -> AppendOutcome,
    ) {
        let Some(page) = run.first().and_then(|first| head.page(place(first).0)) else { return };
        let mut page = page.lock();
        let page: &mut Contents = &mut page;
        page.prune_recent(commit);
        for pending in run {
            let (id, time) = place(pending);
            let Some(series) = page.get_mut(id) else { continue };
            series.n_pending -= 1;
            let outcome = append(series, pending);
            if outcome == AppendOutcome::Dropped {
                self.n_dropped += 1;
                continue;
            }
            self.n_appended += 1;
            self.n_chunks += u64::from(outcome == AppendOutcome::AppendedToNewChunk);
            (self.min_time, self.max_time) = (self.min_time.min(time), self.max_time.max(time));
            page.note_append(id, commit);
        }
    }
}

/// The records of a batch: one of floats, then one for each kind of histogram.
fn encode(batch: &Batch, records: &mut Vec<Vec<u8>>) {
    if !batch.floats.is_empty() {
        let mut encoded = Vec::with_capacity(batch.floats.len() * 12);
        let samples: Vec<_> = batch.floats.iter().map(|pending| pending.sample).collect();
        record::encode_samples(&samples, &mut encoded);
        records.push(encoded);
    }
    let histograms = batch.histograms.iter().map(|h| (h.series_ref, h.time, &h.value));
    records.extend(encode_histograms(histograms));
}

/// The records of histograms: one for each kind that there is.
pub(super) fn encode_histograms<'a>(
    histograms: impl Iterator<Item = (u64, i64, &'a HistogramValue)>,
) -> Vec<Vec<u8>> {
    let (mut integers, mut floats) = (Vec::new(), Vec::new());
    for (series_ref, time, value) in histograms {
        match value {
            HistogramValue::Integer(value) => {
                let value = (**value).clone();
                integers.push(record::HistogramSample { series_ref, time, value });
            }
            HistogramValue::Float(value) => {
                let value = (**value).clone();
                floats.push(record::HistogramSample { series_ref, time, value });
            }
        }
    }
    let mut records = record::encode_histograms(&integers);
    records.extend(record::encode_histograms(&floats));
    records
}
