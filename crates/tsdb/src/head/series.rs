mod adopt;
mod bytes;
mod captured;
mod expand;
mod open;

use chunks::Encoding;
use model::TimeRange;
use storage::{AppendError, HistogramValue};

use self::open::Open;
pub(crate) use self::{bytes::ChunkBytes, captured::Captured};
use super::{SeriesId, index::LabelIds};

/// What decides where chunks end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) chunk_range_ms: i64,
    pub(crate) samples_per_chunk: usize,
}

/// A series in memory. There are millions: every byte counts.
pub(crate) struct Series {
    pub(crate) id: SeriesId,
    /// How many samples are in appenders that did not commit yet.
    pub(crate) n_pending: u32,
    /// Its number in the log.
    pub(crate) log_ref: u64,
    /// Whether the log knows it.
    pub(crate) is_logged: bool,
    pub(crate) labels: Box<[LabelIds]>,
    /// In order of time, all before `open`.
    full: Vec<FullChunk>,
    /// Empty only if `full` is empty too.
    open: Open,
    open_start: i64,
    /// A sample of this time or later begins a new chunk.
    next_cut: i64,
}

/// A chunk that takes no more samples; times are milliseconds, both ends included.
#[derive(Clone)]
pub(crate) struct FullChunk {
    pub(crate) start: i64,
    /// Chunks do not cross chunk ranges, which are a few hours.
    length_ms: u32,
    pub(crate) encoding: Encoding,
    pub(crate) bytes: ChunkBytes,
}

impl FullChunk {
    pub(crate) fn new(
        start: i64,
        end: i64,
        encoding: Encoding,
        bytes: impl Into<ChunkBytes>,
    ) -> FullChunk {
        let length_ms = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
        FullChunk { start, length_ms, encoding, bytes: bytes.into() }
    }

    pub(crate) fn end(&self) -> i64 {
        self.start.saturating_add(i64::from(self.length_ms))
    }

    pub(crate) fn overlaps(&self, range: TimeRange) -> bool {
        range.overlaps(TimeRange::from_millis(self.start, self.end()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendOutcome {
    Appended,
    AppendedToNewChunk,
    /// Not later than the last sample.
    Dropped,
}

impl Series {
    pub(super) fn new(
        id: SeriesId,
        log_ref: u64,
        is_logged: bool,
        labels: Box<[LabelIds]>,
    ) -> Series {
        Series {
            id,
            n_pending: 0,
            log_ref,
            is_logged,
            labels,
            full: Vec::new(),
            open: Open::default(),
            open_start: 0,
            next_cut: 0,
        }
    }

    /// Whether a float may be appended; a repetition of the last sample may.
    pub(crate) fn check_append(&self, time: i64, value: f64) -> Result<(), AppendError> {
        self.check_time(time, || self.open.is_last_float(value))
    }

    /// The same for a histogram.
    pub(crate) fn check_append_histogram(
        &self,
        time: i64,
        value: &HistogramValue,
    ) -> Result<(), AppendError> {
        self.check_time(time, || self.open.is_last_histogram(value))
    }

    /// The marker that ends the series, if its newest sample is a histogram.
    pub(crate) fn histogram_marker(&self) -> Option<HistogramValue> {
        self.open.histogram_marker()
    }

    fn check_time(&self, time: i64, is_same: impl FnOnce() -> bool) -> Result<(), AppendError> {
        match self.last_time() {
            Some(last) if time < last => Err(AppendError::OutOfOrder),
            Some(last) if time == last && !is_same() => Err(AppendError::DuplicateTimestamp),
            _ => Ok(()),
        }
    }

    /// Appends a sample that is later than the last one, and drops any other.
    pub(crate) fn append(&mut self, time: i64, value: f64, limits: &Limits) -> AppendOutcome {
        if self.last_time().is_some_and(|last| time <= last) {
            return AppendOutcome::Dropped;
        }
        let is_new = self.is_full(time, limits) || !self.open.takes_floats();
        if is_new {
            self.close_chunk();
            self.begin_chunk(time, limits);
        }
        self.open.append(time, value);
        if is_new { AppendOutcome::AppendedToNewChunk } else { AppendOutcome::Appended }
    }

    /// The same for a histogram.
    pub(crate) fn append_histogram(
        &mut self,
        time: i64,
        value: &HistogramValue,
        limits: &Limits,
    ) -> AppendOutcome {
        if self.last_time().is_some_and(|last| time <= last) {
            return AppendOutcome::Dropped;
        }
        let is_full = self.is_full(time, limits);
        match self.open.fit(value, is_full) {
            open::Fit::As => self.open.append_histogram(time, value),
            open::Fit::Expanded => self.open.expand_and_append(time, value),
            open::Fit::New(header) => {
                self.close_chunk();
                self.begin_chunk(time, limits);
                self.open = Open::histogram(header, value);
                self.open.append_histogram(time, value);
                return AppendOutcome::AppendedToNewChunk;
            }
        }
        AppendOutcome::Appended
    }

    /// Whether the open chunk is at its end; true while there is none.
    fn is_full(&mut self, time: i64, limits: &Limits) -> bool {
        let n_samples = self.open.n_samples();
        if n_samples == 0 {
            return true;
        }
        if n_samples == limits.samples_per_chunk / 4 {
            self.next_cut = predict_cut(self.open_start, self.open.last_time(), self.next_cut, 4.0);
        }
        time >= self.next_cut
            || n_samples >= 2 * limits.samples_per_chunk
            || self.open.has_full_bytes()
    }

    fn begin_chunk(&mut self, time: i64, limits: &Limits) {
        self.open_start = time;
        self.next_cut = end_of_range(time, limits.chunk_range_ms);
    }

    /// Leaves no chunk open.
    fn close_chunk(&mut self) {
        let open = std::mem::take(&mut self.open);
        if open.n_samples() > 0 {
            let (end, encoding) = (open.last_time(), open.encoding());
            let bytes = open.into_bytes();
            self.full.push(FullChunk::new(self.open_start, end, encoding, bytes));
        }
    }

    pub(crate) fn first_time(&self) -> Option<i64> {
        let open_start = (self.open.n_samples() > 0).then_some(self.open_start);
        self.full.first().map(|chunk| chunk.start).or(open_start)
    }

    pub(crate) fn last_time(&self) -> Option<i64> {
        (!self.open.is_empty()).then(|| self.open.last_time())
    }

    /// The last sample, if it is a float.
    pub(crate) fn newest_float(&self) -> Option<(i64, f64)> {
        self.last_time().zip(self.open.last_float())
    }

    pub(crate) fn n_chunks(&self) -> usize {
        self.full.len() + usize::from(self.open.n_samples() > 0)
    }

    /// Whether some chunk but for its `n_hidden` newest samples may have samples in `range`.
    pub(crate) fn overlaps(&self, range: TimeRange, n_hidden: usize) -> bool {
        let overlaps = |start: i64, end: i64| range.overlaps(TimeRange::from_millis(start, end));
        let open_is_visible = self.open.n_samples() > n_hidden;
        open_is_visible && overlaps(self.open_start, self.open.last_time())
            || self.full.iter().any(|chunk| chunk.overlaps(range))
                && self.n_samples_exceed(n_hidden)
    }

    /// Drops chunks that end before `time`; says how many.
    pub(crate) fn drop_chunks_before(&mut self, time: i64) -> usize {
        let n_before = self.n_chunks();
        let n_old = self.full.partition_point(|chunk| chunk.end() < time);
        self.full.drain(..n_old);
        if self.full.is_empty() {
            self.full = Vec::new();
            if self.last_time().is_some_and(|last| last < time) {
                self.clear();
            }
        }
        n_before - self.n_chunks()
    }

    /// Forgets all samples.
    pub(crate) fn clear(&mut self) {
        self.full = Vec::new();
        self.open = Open::default();
    }

    pub(crate) fn full_chunks(&self) -> &[FullChunk] {
        &self.full
    }

    /// Has the bytes of the full chunk that begins at `start` elsewhere from now on.
    pub(crate) fn replace_full(&mut self, start: i64, bytes: ChunkBytes) {
        let found = self.full.binary_search_by_key(&start, |chunk| chunk.start);
        let chunk = found.ok().and_then(|position| self.full.get_mut(position));
        if let Some(chunk) = chunk.filter(|chunk| chunk.bytes.len() == bytes.len()) {
            debug_assert!(*chunk.bytes == *bytes, "the same bytes");
            chunk.bytes = bytes;
        }
    }

    /// The chunk that takes samples, as it is.
    pub(crate) fn open_chunk(&self) -> Option<FullChunk> {
        let (end, encoding) = (self.last_time()?, self.open.encoding());
        Some(FullChunk::new(self.open_start, end, encoding, self.open.bytes()))
    }

    /// Appends the last sample, if it is a histogram, as the log has it.
    pub(crate) fn push_last_histogram(&self, out: &mut Vec<u8>) {
        self.open.push_last_histogram(out);
    }

    /// The chunks that begin in `range`. Chunks do not cross the ranges that become blocks.
    pub(crate) fn chunks_within(&self, range: TimeRange) -> Vec<FullChunk> {
        let is_within = |start: i64| range.contains(model::Timestamp::from_millis(start));
        let mut chunks: Vec<FullChunk> =
            self.full.iter().filter(|chunk| is_within(chunk.start)).cloned().collect();
        if self.open.n_samples() > 0 && is_within(self.open_start) {
            let (end, encoding) = (self.open.last_time(), self.open.encoding());
            let bytes = self.open.bytes();
            chunks.push(FullChunk::new(self.open_start, end, encoding, bytes));
        }
        chunks
    }

    /// What is needed to read the samples in `range` later, without the lock.
    pub(crate) fn capture(&self, range: TimeRange, n_hidden: usize) -> Captured {
        let (start, end) = (range.start.as_millis(), range.end.as_millis());
        let first = self.full.partition_point(|chunk| chunk.end() < start);
        let last = self.full.partition_point(|chunk| chunk.start <= end).max(first);
        let has_open =
            self.open.n_samples() > 0 && self.open_start <= end && self.open.last_time() >= start;
        let open = has_open.then(|| (self.open.encoding(), self.open.bytes().to_vec()));
        // Chunks that nobody asks for stay where they are: in a file, perhaps.
        let n_behind: usize = match n_hidden {
            0 => 0,
            _ => self.full[last..]
                .iter()
                .map(|chunk| chunks::n_samples(&chunk.bytes))
                .chain((!has_open).then(|| self.open.n_samples()))
                .sum(),
        };
        Captured {
            range,
            full: self.full[first..last].to_vec(),
            open,
            n_hidden: n_hidden.saturating_sub(n_behind),
        }
    }

    fn n_samples_exceed(&self, n: usize) -> bool {
        let full = self.full.iter().map(|chunk| chunks::n_samples(&chunk.bytes));
        n == 0 || full.sum::<usize>() + self.open.n_samples() > n
    }
}

/// The end of the range of `width` that holds `time`.
pub(crate) fn end_of_range(time: i64, width: i64) -> i64 {
    // Upstream divides towards zero; files depend on where chunks end.
    (time / width) * width + width
}

/// When to cut a chunk of which the share 1/`ratio_to_full` is filled, so that the chunks up to
/// `max` come out about equal.
pub(crate) fn predict_cut(start: i64, current: i64, max: i64, ratio_to_full: f64) -> i64 {
    let n_chunks = (max - start) as f64 / ((current - start + 1) as f64 * ratio_to_full);
    if n_chunks <= 1.0 {
        return max;
    }
    (start as f64 + (max - start) as f64 / n_chunks.floor()) as i64
}
