//! The head as it was when the server stopped, in place of the log up to there.

use storage::Columns;

use super::{
    past::{EventKind, Workers},
    reader::LogReader,
};
use crate::{
    Result,
    chunk_snapshot::{OpenChunk, Snapshot},
    head::FullChunk,
};

impl LogReader<'_> {
    /// Hands on what a snapshot holds.
    pub(super) fn read_snapshot(
        &mut self,
        snapshot: &Snapshot,
        workers: &mut Workers<'_>,
    ) -> Result<()> {
        let disk = self.disk();
        snapshot.each_series(&*disk, &mut |series| {
            self.introduce(series.series_ref, &series.labels);
        })?;
        snapshot.each_full_chunk(&*disk, &mut |chunk| {
            let full = FullChunk::new(chunk.start, chunk.end, chunk.encoding, chunk.bytes);
            self.send(chunk.series_ref, chunk.end, EventKind::Full(full), workers);
        })?;
        let mut outcome = Ok(());
        snapshot.each_series(&*disk, &mut |series| {
            if let (Some(open), Ok(())) = (&series.open, &outcome) {
                outcome = self.send_open(series.series_ref, open, workers);
            }
        })?;
        outcome?;
        let mut exemplars = Vec::new();
        snapshot.each_other(
            &*disk,
            &mut |series_ref, interval| self.delete(series_ref, interval),
            &mut |exemplar| exemplars.push(exemplar),
        )?;
        exemplars.into_iter().for_each(|exemplar| self.take_exemplar(exemplar));
        Ok(())
    }

    fn send_open(
        &mut self,
        series_ref: u64,
        open: &OpenChunk<'_>,
        workers: &mut Workers<'_>,
    ) -> chunks::Result<()> {
        let mut columns = Columns::default();
        columns.append_chunk(open.encoding, open.bytes)?;
        let Some(last) = columns.times.last().max(columns.histogram_times.last()).copied() else {
            return Ok(());
        };
        self.send(series_ref, last, EventKind::Open(open.encoding, Box::new(columns)), workers);
        Ok(())
    }
}
