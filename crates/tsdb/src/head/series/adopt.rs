use model::TimeRange;
use storage::{Columns, HistogramValue};

use super::{Limits, Series};
use crate::head::{LateSample, LateValue, SeriesId};

impl Series {
    /// A series of which only the samples matter.
    pub(crate) fn nameless(id: SeriesId) -> Series {
        Series::new(id, 0, false, Box::default())
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
