//! From the log to the table of series, before the first sample is taken.

use std::path::Path;

use hashbrown::HashMap;
use model::{FloatHistogram, histogram::Histogram};
use runtime::Disk;
use wal::{
    Layout, Reader, Segment,
    record::{self, Kind, Logged},
};

use super::{counters::AtomicAgentCounters, series::Table};
use crate::Result;

/// What the log says.
#[derive(Default)]
pub(super) struct Replayed {
    pub(super) table: Table,
    /// Further numbers of series, and up to which segment they may have samples.
    pub(super) named_until: HashMap<u64, u32>,
    /// The numbers that these series have in the table.
    aliases: HashMap<u64, u64>,
    n_unknown: u64,
}

/// Reads all of the log. Where it cannot be read on it is cut off, as upstream does.
pub(super) fn read(
    disk: &dyn Disk,
    directory: &Path,
    layout: &Layout,
    counters: &AtomicAgentCounters,
) -> Result<Replayed> {
    let mut replayed = Replayed::default();
    let newest = layout.last_number().unwrap_or_default();
    if let Some(checkpoint) = &layout.checkpoint {
        // It was written as a whole: that it is damaged is nothing that can be mended.
        for segment in Layout::read(disk, &checkpoint.path)?.segments {
            if let Some(corruption) = replayed.take_segment(disk, &segment, newest)? {
                let (path, wal::Corruption { offset, detail }) = (&segment.path, corruption);
                return Err(crate::Error::NotReplayed(format!(
                    "checkpoint {} is damaged at byte {offset}: {detail}",
                    path.display()
                )));
            }
        }
    }
    for segment in layout.segments_after_checkpoint() {
        if let Some(corruption) = replayed.take_segment(disk, segment, newest)? {
            counters.corruptions.add(1);
            tracing::warn!(
                segment = segment.number,
                offset = corruption.offset,
                detail = corruption.detail,
                "the log is damaged; what follows is cut off"
            );
            wal::repair(disk, directory, segment, &corruption)?;
            break;
        }
    }
    if replayed.n_unknown > 0 {
        tracing::warn!(
            samples = replayed.n_unknown,
            "samples of series that the log does not name"
        );
    }
    Ok(replayed)
}

impl Replayed {
    fn take_segment(
        &mut self,
        disk: &dyn Disk,
        segment: &Segment,
        newest: u32,
    ) -> Result<Option<wal::Corruption>> {
        let bytes = disk.map(&segment.path).map_err(super::io("read", &segment.path))?;
        let mut reader = Reader::new(&bytes);
        loop {
            match reader.next_record() {
                Ok(Some(record)) => self.take_record(record, newest)?,
                Ok(None) => return Ok(None),
                Err(corruption) => return Ok(Some(corruption)),
            }
        }
    }

    fn take_record(&mut self, record: &[u8], newest: u32) -> Result<()> {
        match Kind::of(record) {
            Some(Kind::Series) => {
                let mut named = Vec::new();
                record::decode_series(record, &mut named)?;
                for record::Series { series_ref, labels } in named {
                    self.name(series_ref, labels, newest);
                }
            }
            Some(Kind::Samples | Kind::SamplesV2) => {
                let mut samples = Vec::new();
                record::decode_samples(record, &mut samples)?;
                samples.iter().for_each(|sample| self.note(sample.series_ref, sample.time));
            }
            Some(Kind::Histograms | Kind::CustomBucketsHistograms | Kind::HistogramsV2) => {
                self.note_histograms::<Histogram>(record)?;
            }
            Some(
                Kind::FloatHistograms
                | Kind::CustomBucketsFloatHistograms
                | Kind::FloatHistogramsV2,
            ) => self.note_histograms::<FloatHistogram>(record)?,
            _ => {}
        }
        Ok(())
    }

    fn name(&mut self, series_ref: u64, labels: model::Labels, newest: u32) {
        let Some(known) = self.table.insert(series_ref, labels).filter(|r| *r != series_ref) else {
            return;
        };
        // It was forgotten and came back: both numbers have samples.
        self.aliases.insert(series_ref, known);
        self.named_until.insert(series_ref, newest);
    }

    fn note_histograms<H: Logged>(&mut self, record: &[u8]) -> Result<()> {
        let mut samples = Vec::new();
        record::decode_histograms::<H>(record, &mut samples)?;
        samples.iter().for_each(|sample| self.note(sample.series_ref, sample.time));
        Ok(())
    }

    fn note(&mut self, series_ref: u64, time: i64) {
        let series_ref = self.aliases.get(&series_ref).copied().unwrap_or(series_ref);
        self.n_unknown += u64::from(!self.table.note(series_ref, time));
    }
}
