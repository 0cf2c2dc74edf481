use chunks::Encoding;
use model::TimeRange;
use storage::{Columns, HistogramValue};

use super::{FullChunk, Limits, Series, expand};
use crate::head::{LateSample, LateValue, SeriesId};

impl Series {
    /// A series of which only the samples matter.
    pub(crate) fn nameless(id: SeriesId) -> Series {
        Series::new(id, 0, false, Box::default())
    }

    /// Adds a chunk that is full and newer than all that is there. Afterwards samples are to come,
    /// or [`Series::settle`] is to be called.
    pub(crate) fn push_full(&mut self, chunk: FullChunk) {
        let last = self.full.last().map(FullChunk::end).max(self.last_time());
        if last.is_none_or(|last| last < chunk.start) {
            self.close_chunk();
            self.full.push(chunk);
        }
    }

    /// Appends what a chunk of this encoding had.
    pub(crate) fn append_all(&mut self, encoding: Encoding, samples: &Columns, limits: &Limits) {
        for (time, value) in samples.times.iter().zip(&samples.values) {
            self.append(*time, *value, limits);
        }
        for (time, value) in samples.histogram_times.iter().zip(&samples.histograms) {
            let value = match encoding {
                Encoding::Histogram => HistogramValue::from(expand::to_integer(value)),
                _ => HistogramValue::Float(Box::new((**value).clone())),
            };
            self.append_histogram(*time, &value, limits);
        }
    }

    /// Makes the last full chunk the open one if there is none.
    pub(crate) fn settle(&mut self, limits: &Limits) -> chunks::Result<()> {
        if self.open.n_samples() > 0 {
            return Ok(());
        }
        let Some(last) = self.full.pop() else { return Ok(()) };
        let mut columns = Columns::default();
        columns.append_chunk(last.encoding, &last.bytes)?;
        self.append_all(last.encoding, &columns, limits);
        Ok(())
    }

    /// Takes over older samples. Gives those of its own that are not newer: they have no place
    /// behind them, and the older ones do not have them.
    pub(crate) fn adopt(
        &mut self,
        mut older: Series,
        limits: &Limits,
    ) -> chunks::Result<Vec<LateSample>> {
        let Some(last) = older.last_time() else { return Ok(Vec::new()) };
        let mut displaced = Vec::new();
        match self.first_time() {
            None => {}
            Some(first) if first > last => {
                older.close_chunk();
                older.full.append(&mut self.full);
                self.full = older.full;
                return Ok(displaced);
            }
            Some(_) => displaced = self.append_to(&mut older, limits)?,
        }
        self.full = older.full;
        self.open = older.open;
        self.open_start = older.open_start;
        self.next_cut = older.next_cut;
        Ok(displaced)
    }

    /// Appends what is newer to `older`; gives the rest, but for what `older` has.
    fn append_to(&self, older: &mut Series, limits: &Limits) -> chunks::Result<Vec<LateSample>> {
        let (own, known) = (self.columns()?, older.columns()?);
        let mut samples: Vec<LateSample> = own
            .times
            .iter()
            .zip(&own.values)
            .map(|(time, value)| LateSample { time: *time, value: LateValue::Float(*value) })
            .collect();
        let histograms = own.histogram_times.iter().zip(&own.histograms);
        samples.extend(histograms.map(|(time, value)| LateSample {
            time: *time,
            value: LateValue::Histogram(HistogramValue::Float(Box::new((**value).clone()))),
        }));
        samples.sort_by_key(|sample| sample.time);
        let mut displaced = Vec::new();
        for sample in samples {
            let time = sample.time;
            if older.last_time() >= Some(time) {
                let is_known = known.times.binary_search(&time).is_ok()
                    || known.histogram_times.binary_search(&time).is_ok();
                displaced.extend((!is_known).then_some(sample));
                continue;
            }
            match &sample.value {
                LateValue::Float(value) => older.append(time, *value, limits),
                LateValue::Histogram(value) => older.append_histogram(time, value, limits),
            };
        }
        Ok(displaced)
    }

    fn columns(&self) -> chunks::Result<Columns> {
        let mut columns = Columns::default();
        self.capture(TimeRange::ALL, 0).decode(&mut columns)?;
        Ok(columns)
    }
}
