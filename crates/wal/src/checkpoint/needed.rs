//! Which numbers of series samples still have.

use hashbrown::HashSet;
use model::{FloatHistogram, histogram::Histogram};
use runtime::Disk;

use super::Keep;
use crate::{
    Error, Reader, Result, Segment,
    record::{self, Kind},
};

/// Looks in segments of the log for those of `undecided` that something has which stays.
pub(super) fn in_log(
    disk: &dyn Disk,
    segments: &[Segment],
    keep: &Keep<'_>,
    undecided: &HashSet<u64>,
) -> Result<HashSet<u64>> {
    let mut search = Search { undecided, min_time: keep.min_time, found: HashSet::new() };
    for segment in segments {
        search.segment(disk, segment)?;
    }
    if let Some(late_log) = keep.late_log.filter(|late_log| disk.exists(late_log)) {
        search.min_time = i64::MIN;
        for segment in crate::layout::list_segments(disk, late_log)? {
            search.segment(disk, &segment)?;
        }
    }
    Ok(search.found)
}

struct Search<'a> {
    undecided: &'a HashSet<u64>,
    min_time: i64,
    found: HashSet<u64>,
}

impl Search<'_> {
    /// Damage is for others to complain of.
    fn segment(&mut self, disk: &dyn Disk, segment: &Segment) -> Result<()> {
        if self.found.len() == self.undecided.len() {
            return Ok(());
        }
        let bytes = disk.map(&segment.path).map_err(Error::io("read", &segment.path))?;
        let mut reader = Reader::new(&bytes);
        while let Ok(Some(record)) = reader.next_record() {
            self.record(record)?;
        }
        Ok(())
    }

    fn record(&mut self, record: &[u8]) -> Result<()> {
        match Kind::of(record) {
            Some(Kind::Samples | Kind::SamplesV2) => {
                let mut samples = Vec::new();
                record::decode_samples(record, &mut samples)?;
                samples.iter().for_each(|sample| self.note(sample.series_ref, sample.time));
            }
            Some(Kind::Histograms | Kind::CustomBucketsHistograms | Kind::HistogramsV2) => {
                let mut samples = Vec::new();
                record::decode_histograms::<Histogram>(record, &mut samples)?;
                samples.iter().for_each(|sample| self.note(sample.series_ref, sample.time));
            }
            Some(
                Kind::FloatHistograms
                | Kind::CustomBucketsFloatHistograms
                | Kind::FloatHistogramsV2,
            ) => {
                let mut samples = Vec::new();
                record::decode_histograms::<FloatHistogram>(record, &mut samples)?;
                samples.iter().for_each(|sample| self.note(sample.series_ref, sample.time));
            }
            Some(Kind::Exemplars) => {
                let mut exemplars = Vec::new();
                record::decode_exemplars(record, &mut exemplars)?;
                exemplars.iter().for_each(|exemplar| self.note(exemplar.series_ref, exemplar.time));
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, series_ref: u64, time: i64) {
        if time >= self.min_time && self.undecided.contains(&series_ref) {
            self.found.insert(series_ref);
        }
    }
}
