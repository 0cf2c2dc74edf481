use model::{FloatHistogram, float::is_stale, histogram::Histogram};

use super::{Header, Layout, Times, begin, count};
use crate::{
    bits::{BitReader, BitWriter},
    float::FloatState,
};

/// A number, its step, and what comes before it: deltas of deltas.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    value: i64,
    delta: i64,
}

impl Steps {
    fn write(&mut self, writer: &mut BitWriter, sample_idx: usize, value: i64) {
        if sample_idx == 0 {
            writer.write_varbit(value);
            self.value = value;
            return;
        }
        let delta = value.wrapping_sub(self.value);
        writer.write_varbit(if sample_idx == 1 { delta } else { delta.wrapping_sub(self.delta) });
        *self = Steps { value, delta };
    }

    fn write_count(&mut self, writer: &mut BitWriter, sample_idx: usize, value: u64) {
        match sample_idx {
            0 => {
                writer.write_varbit_unsigned(value);
                self.value = value as i64;
            }
            _ => self.write(writer, sample_idx, value as i64),
        }
    }

    fn read(&mut self, reader: &mut BitReader<'_>, sample_idx: usize) -> Option<()> {
        let number = reader.read_varbit()?;
        match sample_idx {
            0 => {
                self.value = number;
                return Some(());
            }
            1 => self.delta = number,
            _ => self.delta = self.delta.wrapping_add(number),
        }
        self.value = self.value.wrapping_add(self.delta);
        Some(())
    }

    fn read_count(&mut self, reader: &mut BitReader<'_>, sample_idx: usize) -> Option<()> {
        if sample_idx > 0 {
            return self.read(reader, sample_idx);
        }
        self.value = reader.read_varbit_unsigned()? as i64;
        Some(())
    }
}

/// A chunk of integer histograms that grows sample by sample.
#[derive(Debug, Clone)]
pub struct HistogramChunk {
    writer: BitWriter,
    layout: Layout,
    times: Times,
    count: Steps,
    zero_count: Steps,
    sum: FloatState,
    positive: Vec<Steps>,
    negative: Vec<Steps>,
}

impl HistogramChunk {
    pub fn new(header: Header, layout: Layout) -> HistogramChunk {
        let mut writer = BitWriter::default();
        begin(&mut writer, header);
        layout.write(&mut writer);
        HistogramChunk {
            writer,
            times: Times::default(),
            count: Steps::default(),
            zero_count: Steps::default(),
            sum: FloatState::new(0.0),
            positive: vec![Steps::default(); layout.n_positive()],
            negative: vec![Steps::default(); layout.n_negative()],
            layout,
        }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends a sample that is later than the last one; its layout must be that of the chunk. A
    /// stale marker, which has nothing but a sum, fits any layout. A chunk takes 65,535 samples.
    pub fn append(&mut self, time: i64, histogram: &Histogram) {
        let writer = &mut self.writer;
        let sample_idx = count(writer);
        self.times.write(writer, sample_idx, time);
        // Of a stale marker nothing is written but that nothing has changed.
        let is_marker = is_stale(histogram.sum) && sample_idx > 0;
        let next = |steps: &Steps, value: i64| match is_marker {
            true => steps.value.wrapping_add(steps.delta),
            false => value,
        };
        let (total, zero) = (histogram.count as i64, histogram.zero_count as i64);
        let total = next(&self.count, total);
        self.count.write_count(writer, sample_idx, total as u64);
        let zero = next(&self.zero_count, zero);
        self.zero_count.write_count(writer, sample_idx, zero as u64);
        match sample_idx {
            0 => {
                writer.write(histogram.sum.to_bits(), 64);
                self.sum = FloatState::new(histogram.sum);
            }
            _ => self.sum.write(writer, histogram.sum),
        }
        if is_marker {
            return;
        }
        let buckets = self.positive.iter_mut().zip(&histogram.positive_buckets);
        for (steps, bucket) in
            buckets.chain(self.negative.iter_mut().zip(&histogram.negative_buckets))
        {
            steps.write(writer, sample_idx, *bucket);
        }
    }

    /// The last sample; a stale marker has nothing but its sum. Nothing is known of hints.
    pub fn last(&self) -> Histogram {
        let values = |steps: &[Steps]| steps.iter().map(|steps| steps.value).collect();
        if is_stale(self.sum.value()) {
            return Histogram { sum: self.sum.value(), ..Histogram::default() };
        }
        let layout = self.layout.clone();
        Histogram {
            schema: layout.schema,
            zero_threshold: layout.zero_threshold,
            zero_count: self.zero_count.value as u64,
            count: self.count.value as u64,
            sum: self.sum.value(),
            positive_spans: layout.positive_spans,
            negative_spans: layout.negative_spans,
            positive_buckets: values(&self.positive),
            negative_buckets: values(&self.negative),
            custom_values: layout.custom_values,
            ..Histogram::default()
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
    let (mut total, mut zero) = (Steps::default(), Steps::default());
    let mut sum = FloatState::new(0.0);
    let mut positive = vec![Steps::default(); layout.n_positive()];
    let mut negative = vec![Steps::default(); layout.n_negative()];
    for sample_idx in 0..n_samples {
        let mut read = || -> Option<FloatHistogram> {
            times.read(reader, sample_idx)?;
            total.read_count(reader, sample_idx)?;
            zero.read_count(reader, sample_idx)?;
            match sample_idx {
                0 => sum = FloatState::new(f64::from_bits(reader.read(64)?)),
                _ => sum.read(reader)?,
            }
            if is_stale(sum.value()) {
                return Some(FloatHistogram { sum: sum.value(), ..FloatHistogram::default() });
            }
            for steps in positive.iter_mut().chain(&mut negative) {
                steps.read(reader, sample_idx)?;
            }
            Some(FloatHistogram {
                zero_count: zero.value as u64 as f64,
                count: total.value as u64 as f64,
                sum: sum.value(),
                positive_buckets: absolute(&positive),
                negative_buckets: absolute(&negative),
                ..layout.empty_histogram()
            })
        };
        let histogram = read().ok_or(sample_idx)?;
        push(sample_idx, times.time, histogram);
    }
    Ok(())
}

/// Buckets are differences to the bucket before.
fn absolute(buckets: &[Steps]) -> Vec<f64> {
    let mut count = 0_i64;
    let next = |steps: &Steps| {
        count = count.wrapping_add(steps.value);
        count as f64
    };
    buckets.iter().map(next).collect()
}
