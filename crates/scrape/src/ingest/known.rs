//! Text, of which most is floats of series that are known: they are taken many at a time.

use exposition::{Entry, Parser, Series};
use storage::{AppendError, SeriesRef};

use super::{Ingest, IngestError, Value};
use crate::cache::{Found, Key};

/// So many are appended at once: their series come from memory while none waits for another, and
/// what is kept of their lines still fits into the fastest cache.
const BATCH: usize = 64;

/// Floats that are still to be appended, all for the time of the scrape.
struct Batch<'b> {
    floats: Vec<(SeriesRef, f64)>,
    /// What they were read from, should the storage have forgotten one.
    series: Vec<(Key, Series<'b>)>,
}

impl Ingest<'_> {
    pub(super) fn read_text(&mut self, mut parser: Parser<'_>) -> Result<(), IngestError> {
        // With start timestamps the parser leaves series out that were guessed.
        let may_guess = !self.context.type_and_unit_labels && !self.context.stores_start_zeros;
        let may_batch = !self.context.logs_metadata;
        let (floats, series) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let mut batch = Batch { floats, series };
        loop {
            let cache = &mut self.memory.cache;
            let guess = |rest: &[u8]| if may_guess { cache.guess(rest) } else { None };
            let Some(entry) = parser.next_guessing(guess) else { break };
            match entry? {
                Entry::Series(series)
                    if may_batch
                        && series.exemplar.is_none()
                        && series.start_timestamp.is_none() =>
                {
                    self.take_float(series, &mut batch)?;
                }
                Entry::Series(series) => {
                    self.append_batch(&mut batch)?;
                    self.entry(Entry::Series(series))?;
                }
                entry => self.entry(entry)?,
            }
        }
        self.append_batch(&mut batch)
    }

    /// Puts a float into the batch; if there is anything about it, it is appended behind that.
    fn take_float<'b>(
        &mut self,
        series: Series<'b>,
        batch: &mut Batch<'b>,
    ) -> Result<(), IngestError> {
        if self.has_own_time(&series) {
            self.append_batch(batch)?;
            self.series(&series, Value::Float(series.value))?;
            return Ok(());
        }
        self.counts.total += 1;
        let key = self.memory.cache.take_guessed().unwrap_or_else(|| self.key(&series));
        match self.memory.cache.see(key, true) {
            Found::Dropped => Ok(()),
            Found::Known { series: known, is_repeated: false } => {
                self.counts.added += 1;
                if self.may_append(self.context.time)? {
                    batch.floats.push((known, series.value));
                    batch.series.push((key, series));
                    if batch.floats.len() == BATCH {
                        self.append_batch(batch)?;
                    }
                }
                Ok(())
            }
            found => {
                self.append_batch(batch)?;
                let (time, value) = (self.context.time, Value::Float(series.value));
                self.append_found(found, key, &series, time, value)?;
                Ok(())
            }
        }
    }

    fn append_batch(&mut self, batch: &mut Batch<'_>) -> Result<(), IngestError> {
        let mut refused: Vec<(usize, Option<AppendError>)> = Vec::new();
        let time = self.context.time;
        self.appender.append_known_floats(&batch.floats, time, &mut |idx, reason| {
            refused.push((idx, reason));
        });
        for (idx, reason) in refused {
            let (key, series) = &batch.series[idx];
            match reason {
                Some(error) => self.refuse(error)?,
                None => {
                    let value = Value::Float(series.value);
                    self.append_forgotten(*key, series, time, value)?;
                }
            }
        }
        batch.floats.clear();
        batch.series.clear();
        Ok(())
    }
}
