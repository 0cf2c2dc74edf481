use model::{FloatHistogram, float::is_stale};

use super::{Header, Layout, Opening, Sample, Samples, Times};
use crate::{
    Encoding,
    bits::{BitReader, BitWriter},
    float::FloatState,
    starts::Starts,
};

/// A chunk of float histograms that grows sample by sample.
#[derive(Debug, Clone)]
pub struct FloatHistogramChunk {
    writer: BitWriter,
    opening: Opening,
    /// Written in chunks of [`Encoding::FloatHistogramStart`] only.
    starts: Starts,
    layout: Layout,
    times: Times,
    /// Count, zero count and sum, then the buckets; empty before the first sample.
    values: Vec<FloatState>,
}

impl FloatHistogramChunk {
    pub fn new(header: Header, layout: Layout) -> FloatHistogramChunk {
        FloatHistogramChunk::begin(Encoding::FloatHistogram, header, layout)
    }

    /// A chunk that keeps when counters began.
    pub fn with_starts(header: Header, layout: Layout) -> FloatHistogramChunk {
        FloatHistogramChunk::begin(Encoding::FloatHistogramStart, header, layout)
    }

    fn begin(encoding: Encoding, header: Header, layout: Layout) -> FloatHistogramChunk {
        let mut writer = BitWriter::default();
        let (opening, starts) = (Opening { encoding }, Starts::default());
        opening.begin(&mut writer, header);
        layout.write(&mut writer);
        let (times, values) = (Times::default(), Vec::new());
        FloatHistogramChunk { writer, opening, starts, layout, times, values }
    }

    pub fn encoding(&self) -> Encoding {
        self.opening.encoding
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends a sample that is later than the last one; its layout must be that of the chunk. A
    /// stale marker, which has nothing but a sum, fits any layout. A chunk takes 65,535 samples.
    pub fn append(&mut self, time: i64, histogram: &FloatHistogram) {
        self.append_with_start(0, time, histogram);
    }

    /// The same with when its counters began, zero if that is not known. It is kept only in a
    /// chunk [`FloatHistogramChunk::with_starts`], which takes 16,383 samples.
    pub fn append_with_start(&mut self, start: i64, time: i64, histogram: &FloatHistogram) {
        let sample_idx = self.opening.count(&mut self.writer);
        let before = self.times.time;
        self.times.write(&mut self.writer, sample_idx, time);
        self.write_value(sample_idx, histogram);
        if self.opening.encoding.has_starts() {
            self.starts.write(&mut self.writer, sample_idx, [before, time], start);
        }
    }

    fn write_value(&mut self, sample_idx: usize, histogram: &FloatHistogram) {
        let writer = &mut self.writer;
        let buckets = histogram.positive_buckets.iter().chain(&histogram.negative_buckets);
        let values = [histogram.count, histogram.zero_count, histogram.sum];
        let values = values.into_iter().chain(buckets.copied());
        if sample_idx == 0 {
            for value in values {
                writer.write(value.to_bits(), 64);
                self.values.push(FloatState::new(value));
            }
        } else if is_stale(histogram.sum) {
            // Of a stale marker nothing is written but that nothing else has changed.
            for (idx, state) in self.values.iter_mut().take(3).enumerate() {
                let value = if idx == 2 { histogram.sum } else { state.value() };
                state.write(writer, value);
            }
        } else {
            self.values
                .iter_mut()
                .zip(values)
                .for_each(|(state, value)| state.write(writer, value));
        }
    }

    /// The last sample; a stale marker has nothing but its sum. Nothing is known of hints.
    pub fn last(&self) -> FloatHistogram {
        match self.values.get(2).map(FloatState::value) {
            Some(sum) if is_stale(sum) => FloatHistogram { sum, ..FloatHistogram::default() },
            Some(_) => histogram(&self.layout, &self.values, self.layout.n_positive()),
            None => FloatHistogram::default(),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        self.writer.bytes()
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_bytes()
    }

    pub fn n_samples(&self) -> usize {
        self.opening.encoding.n_samples(self.writer.bytes())
    }

    /// When the counters of the last sample began; 0 if that is not known.
    pub fn last_start(&self) -> i64 {
        self.starts.start
    }

    /// The time of the last sample; 0 if there is none.
    pub fn last_time(&self) -> i64 {
        self.times.time
    }
}

/// Reads all samples; the error is the number of the one that could not be read.
pub(super) fn decode(
    reader: &mut BitReader<'_>,
    layout: &Layout,
    Samples { n_samples, mut starts }: Samples,
    push: &mut dyn FnMut(Sample),
) -> Result<(), usize> {
    let mut times = Times::default();
    let n_positive = layout.n_positive();
    let n_buckets = n_positive + layout.n_negative();
    let mut values = vec![FloatState::new(0.0); 3 + n_buckets];
    for sample_idx in 0..n_samples {
        let before = times.time;
        times.read(reader, sample_idx).ok_or(sample_idx)?;
        let mut read_value = |state: &mut FloatState| match sample_idx {
            0 => reader.read(64).map(|bits| *state = FloatState::new(f64::from_bits(bits))),
            _ => state.read(reader),
        };
        let (totals, buckets) = values.split_at_mut(3);
        let mut read = || -> Option<()> {
            totals.iter_mut().try_for_each(&mut read_value)?;
            if is_stale(totals[2].value()) {
                return Some(());
            }
            buckets.iter_mut().try_for_each(&mut read_value)
        };
        read().ok_or(sample_idx)?;
        let sum = values[2].value();
        let value = match is_stale(sum) {
            true => FloatHistogram { sum, ..FloatHistogram::default() },
            false => histogram(layout, &values, n_positive),
        };
        starts.read(reader, sample_idx, [before, times.time]).ok_or(sample_idx)?;
        push(Sample { idx: sample_idx, time: times.time, start: starts.start, value });
    }
    Ok(())
}

fn histogram(layout: &Layout, values: &[FloatState], n_positive: usize) -> FloatHistogram {
    let mut values = values.iter().map(FloatState::value);
    let mut next = || values.next().unwrap_or_default();
    let (count, zero_count, sum) = (next(), next(), next());
    let positive_buckets = values.by_ref().take(n_positive).collect();
    FloatHistogram {
        zero_count,
        count,
        sum,
        positive_buckets,
        negative_buckets: values.collect(),
        ..layout.empty_histogram()
    }
}
