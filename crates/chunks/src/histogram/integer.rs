use model::{FloatHistogram, float::is_stale, histogram::Histogram};

use super::{Header, Layout, Opening, Sample, Samples, Times};
use crate::{
    Encoding,
    bits::{BitReader, BitWriter},
    float::FloatState,
    starts::Starts,
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
    opening: Opening,
    /// Written in chunks of [`Encoding::HistogramStart`] only.
    starts: Starts,
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
        HistogramChunk::begin(Encoding::Histogram, header, layout)
    }

    /// A chunk that keeps when counters began.
    pub fn with_starts(header: Header, layout: Layout) -> HistogramChunk {
        HistogramChunk::begin(Encoding::HistogramStart, header, layout)
    }

    fn begin(encoding: Encoding, header: Header, layout: Layout) -> HistogramChunk {
        let mut writer = BitWriter::default();
        let (opening, starts) = (Opening { encoding }, Starts::default());
        opening.begin(&mut writer, header);
        layout.write(&mut writer);
        HistogramChunk {
            writer,
            opening,
            starts,
            times: Times::default(),
            count: Steps::default(),
            zero_count: Steps::default(),
            sum: FloatState::new(0.0),
            positive: vec![Steps::default(); layout.n_positive()],
            negative: vec![Steps::default(); layout.n_negative()],
            layout,
        }
    }

    pub fn encoding(&self) -> Encoding {
        self.opening.encoding
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends a sample that is later than the last one; its layout must be that of the chunk. A
    /// stale marker, which has nothing but a sum, fits any layout. A chunk takes 65,535 samples.
    pub fn append(&mut self, time: i64, histogram: &Histogram) {
        self.append_with_start(0, time, histogram);
    }

    /// The same with when its counters began, zero if that is not known. It is kept only in a
    /// chunk [`HistogramChunk::with_starts`], which takes 16,383 samples.
    pub fn append_with_start(&mut self, start: i64, time: i64, histogram: &Histogram) {
        let sample_idx = self.opening.count(&mut self.writer);
        let before = self.times.time;
        self.times.write(&mut self.writer, sample_idx, time);
        self.write_value(sample_idx, histogram);
        if self.opening.encoding.has_starts() {
            self.starts.write(&mut self.writer, sample_idx, [before, time], start);
        }
    }

    fn write_value(&mut self, sample_idx: usize, histogram: &Histogram) {
        let writer = &mut self.writer;
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
    let (mut total, mut zero) = (Steps::default(), Steps::default());
    let mut sum = FloatState::new(0.0);
    let mut positive = vec![Steps::default(); layout.n_positive()];
    let mut negative = vec![Steps::default(); layout.n_negative()];
    for sample_idx in 0..n_samples {
        let before = times.time;
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
        let value = read().ok_or(sample_idx)?;
        starts.read(reader, sample_idx, [before, times.time]).ok_or(sample_idx)?;
        push(Sample { idx: sample_idx, time: times.time, start: starts.start, value });
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
