use model::{FloatHistogram, float::is_stale};

use super::{Header, Layout, Times, begin, count};
use crate::{
    bits::{BitReader, BitWriter},
    float::FloatState,
};

/// A chunk of float histograms that grows sample by sample.
#[derive(Debug, Clone)]
pub struct FloatHistogramChunk {
    writer: BitWriter,
    layout: Layout,
    times: Times,
    /// Count, zero count and sum, then the buckets; empty before the first sample.
    values: Vec<FloatState>,
}

impl FloatHistogramChunk {
    pub fn new(header: Header, layout: Layout) -> FloatHistogramChunk {
        let mut writer = BitWriter::default();
        begin(&mut writer, header);
        layout.write(&mut writer);
        FloatHistogramChunk { writer, layout, times: Times::default(), values: Vec::new() }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends a sample that is later than the last one; its layout must be that of the chunk. A
    /// stale marker, which has nothing but a sum, fits any layout. A chunk takes 65,535 samples.
    pub fn append(&mut self, time: i64, histogram: &FloatHistogram) {
        let writer = &mut self.writer;
        let sample_idx = count(writer);
        self.times.write(writer, sample_idx, time);
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
        crate::n_samples(self.writer.bytes())
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
    n_samples: usize,
    push: &mut dyn FnMut(usize, i64, FloatHistogram),
) -> Result<(), usize> {
    let mut times = Times::default();
    let n_positive = layout.n_positive();
    let n_buckets = n_positive + layout.n_negative();
    let mut values = vec![FloatState::new(0.0); 3 + n_buckets];
    for sample_idx in 0..n_samples {
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
        let histogram = match is_stale(sum) {
            true => FloatHistogram { sum, ..FloatHistogram::default() },
            false => histogram(layout, &values, n_positive),
        };
        push(sample_idx, times.time, histogram);
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
