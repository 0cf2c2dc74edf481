use std::sync::Arc;

use model::{
    FloatHistogram,
    histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Histogram, Span},
};
use proptest::prelude::*;
use serde_json::Value;

use super::{FloatHistogramChunk, Header, HistogramChunk, Layout, decode};
use crate::{
    Encoding,
    bits::{BitReader, BitWriter},
};

const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

type Read = Vec<(i64, Arc<FloatHistogram>)>;

fn read(encoding: Encoding, bytes: &[u8]) -> crate::Result<Read> {
    let (mut times, mut histograms) = (Vec::new(), Vec::new());
    decode(encoding, bytes, &mut times, &mut histograms)?;
    Ok(times.into_iter().zip(histograms).collect())
}

fn same(found: &Read, expected: &[(i64, FloatHistogram)]) {
    assert_eq!(found.len(), expected.len());
    for ((time, found), (expected_time, expected)) in found.iter().zip(expected) {
        assert_eq!(time, expected_time);
        if expected.sum.to_bits() == STALE.to_bits() {
            assert_eq!(found.sum.to_bits(), STALE.to_bits());
            continue;
        }
        let hint = found.counter_reset_hint;
        let expected = FloatHistogram { counter_reset_hint: hint, ..expected.clone() };
        assert_eq!(**found, expected);
    }
}

fn check(samples: &[(i64, Histogram)]) {
    let layout = Layout::of(&samples[0].1);
    let mut chunk = HistogramChunk::new(Header::Unknown, layout.clone());
    let mut floats = FloatHistogramChunk::new(Header::Unknown, layout);
    let mut expected = Vec::new();
    for (time, histogram) in samples {
        chunk.append(*time, histogram);
        floats.append(*time, &histogram.to_float());
        expected.push((*time, histogram.to_float()));
    }
    assert_eq!(chunk.n_samples(), samples.len());
    let (time, last) = samples.last().expect("there is one");
    same(&vec![(*time, Arc::new(chunk.last().to_float()))], &[(*time, last.to_float())]);
    same(&vec![(*time, Arc::new(floats.last()))], &[(*time, last.to_float())]);
    same(&read(Encoding::Histogram, chunk.bytes()).expect("our own chunk"), &expected);
    same(&read(Encoding::FloatHistogram, floats.bytes()).expect("our own chunk"), &expected);
    check_with_starts(samples, &expected);
}

/// The same in chunks that keep when counters began, which is said of some of them.
fn check_with_starts(samples: &[(i64, Histogram)], expected: &[(i64, FloatHistogram)]) {
    type Start = fn(usize, i64) -> i64;
    let starts: [Start; 4] = [
        |_, _| 0,
        |_, _| 77,
        |idx, time| if idx < 2 { 0 } else { time - 300 },
        |idx, time| if idx % 3 == 0 { 0 } else { time - idx as i64 * 1000 },
    ];
    for start in starts {
        let layout = Layout::of(&samples[0].1);
        let mut chunk = HistogramChunk::with_starts(Header::Reset, layout.clone());
        let mut floats = FloatHistogramChunk::with_starts(Header::Gauge, layout);
        let mut expected_starts = Vec::new();
        for (idx, (time, histogram)) in samples.iter().enumerate() {
            let start = start(idx, *time);
            chunk.append_with_start(start, *time, histogram);
            floats.append_with_start(start, *time, &histogram.to_float());
            expected_starts.push(start);
        }
        if expected_starts.iter().all(|start| *start == 0) {
            expected_starts.clear();
        }
        assert_eq!((chunk.n_samples(), floats.n_samples()), (samples.len(), samples.len()));
        for (encoding, bytes, header) in [
            (Encoding::HistogramStart, chunk.bytes(), Header::Reset),
            (Encoding::FloatHistogramStart, floats.bytes(), Header::Gauge),
        ] {
            let (mut times, mut histograms, mut starts) = (Vec::new(), Vec::new(), Vec::new());
            let read = super::decode_with_starts(
                encoding,
                bytes,
                &mut times,
                &mut histograms,
                &mut starts,
            );
            read.expect("our own chunk");
            assert_eq!(super::header_of(encoding, bytes), header);
            same(&times.into_iter().zip(histograms).collect(), expected);
            assert_eq!(starts, expected_starts);
        }
    }
}

fn histogram(count: u64, buckets: [i64; 4]) -> Histogram {
    Histogram {
        schema: 3,
        zero_threshold: 1e-128,
        zero_count: count / 7,
        count,
        sum: count as f64 * 1.5,
        positive_spans: vec![Span { offset: -2, length: 1 }, Span { offset: 3, length: 2 }],
        negative_spans: vec![Span { offset: 0, length: 1 }],
        positive_buckets: buckets[..3].to_vec(),
        negative_buckets: buckets[3..].to_vec(),
        ..Histogram::default()
    }
}

fn stale() -> Histogram {
    Histogram { sum: STALE, ..Histogram::default() }
}

#[test]
fn samples_come_back() {
    check(&[(0, histogram(10, [1, 2, -1, 3]))]);
    check(&[
        (1_000, histogram(10, [1, 2, -1, 3])),
        (16_000, histogram(20, [2, 2, -1, 4])),
        (31_001, histogram(u64::MAX / 2, [3, 2, 1 << 40, 0])),
        (46_000, histogram(0, [-3, 2, 1, 0])),
    ]);
}

#[test]
fn a_stale_marker_fits_between() {
    check(&[
        (1_000, histogram(10, [1, 2, -1, 3])),
        (2_000, histogram(12, [1, 3, -1, 3])),
        (3_000, stale()),
        (4_000, histogram(15, [2, 3, -1, 4])),
        (5_000, stale()),
    ]);
    check(&[(1_000, stale()), (2_000, stale())]);
}

#[test]
fn the_header_tells_what_was_before() {
    let hints = |header: Header| {
        let samples = [histogram(1, [0; 4]), histogram(2, [0; 4])];
        let mut chunk = HistogramChunk::new(header, Layout::of(&samples[0]));
        (0..2).for_each(|idx| chunk.append(idx as i64, &samples[idx]));
        assert_eq!(super::header(chunk.bytes()), header);
        let read = read(Encoding::Histogram, chunk.bytes()).expect("our own chunk");
        [read[0].1.counter_reset_hint, read[1].1.counter_reset_hint]
    };
    let counter = [CounterResetHint::Unknown, CounterResetHint::NotReset];
    assert_eq!(hints(Header::Unknown), counter);
    assert_eq!(hints(Header::NotReset), counter);
    assert_eq!(hints(Header::Reset), counter);
    assert_eq!(hints(Header::Gauge), [CounterResetHint::Gauge; 2]);
}

/// The step to the second sample is a change of a step of zero, not a number without a sign.
#[test]
fn the_second_time_is_written_as_upstream_does() {
    let mut chunk = FloatHistogramChunk::new(Header::Unknown, Layout::default());
    chunk.append(0, &FloatHistogram::default());
    let before = chunk.bytes().len();
    chunk.append(180_000, &FloatHistogram::default());
    let bits: String = chunk.bytes()[before - 1..].iter().map(|b| format!("{b:08b}")).collect();
    assert!(bits.contains(&format!("1111110{:025b}", 180_000)), "{bits}");
}

#[test]
fn custom_bounds_come_back() {
    let custom_values = vec![0.0, 0.005, 0.1, 1.0 / 3.0, 1e6, 33_554.43, 33_554.431, -1.0];
    let layout = Layout { schema: CUSTOM_BUCKETS_SCHEMA, custom_values, ..Layout::default() };
    let mut writer = BitWriter::default();
    layout.write(&mut writer);
    assert_eq!(Layout::read(&mut BitReader::new(writer.bytes())), Some(layout));
}

proptest! {
    #[test]
    fn random_histograms_come_back(
        counts in prop::collection::vec((any::<u32>(), any::<[i32; 4]>(), any::<bool>()), 1..60),
    ) {
        let samples = counts.iter().enumerate().map(|(idx, (count, buckets, is_stale))| {
            let time = idx as i64 * 15_000 + i64::from(count % 5);
            let histogram = histogram(u64::from(*count), buckets.map(i64::from));
            (time, if *is_stale && idx > 0 { stale() } else { histogram })
        });
        check(&samples.collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(read(Encoding::Histogram, &bytes));
        drop(read(Encoding::FloatHistogram, &bytes));
        drop(read(Encoding::HistogramStart, &bytes));
        drop(read(Encoding::FloatHistogramStart, &bytes));
    }
}

/// Upstream's tables.
mod upstream {
    use super::*;

    fn spans(value: &Value) -> Vec<Span> {
        let span = |span: &Value| Span {
            offset: span["offset"].as_i64().expect("an offset") as i32,
            length: span["length"].as_u64().expect("a length") as u32,
        };
        value.as_array().into_iter().flatten().map(span).collect()
    }

    fn floats(value: &Value) -> Vec<f64> {
        value.as_array().into_iter().flatten().map(conformance::float).collect()
    }

    fn float(value: &Value) -> f64 {
        if value.is_null() { 0.0 } else { conformance::float(value) }
    }

    pub(super) fn histogram(value: &Value) -> FloatHistogram {
        FloatHistogram {
            schema: value["schema"].as_i64().expect("a schema") as i32,
            zero_threshold: float(&value["zero_threshold"]),
            zero_count: float(&value["zero_count"]),
            count: float(&value["count"]),
            sum: float(&value["sum"]),
            positive_spans: spans(&value["positive_spans"]),
            negative_spans: spans(&value["negative_spans"]),
            positive_buckets: floats(&value["positive_buckets"]),
            negative_buckets: floats(&value["negative_buckets"]),
            custom_values: floats(&value["custom_values"]),
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn chunk_bytes() {
        let Some(data) = conformance::cases("prometheus/tsdb/test_float_histograms.json") else {
            return;
        };
        let Some(expected) = conformance::cases("prometheus/tsdb/chunk_bytes.json") else { return };
        let case = expected.cases.iter().find(|case| case["encoding"] == "FLOAT_HISTOGRAM");
        let bytes = &case.expect("there is one")["bytes"];
        let expected = conformance::bytes(&serde_json::json!({ "base64": bytes }));
        let samples: Vec<(i64, FloatHistogram)> = data
            .cases
            .iter()
            .filter(|case| case["kind"] == "exponential")
            .map(|case| {
                let time = case["timestamp_ms"].as_i64().expect("a time");
                (time, histogram(&case["histogram"]))
            })
            .collect();
        let layout = Layout::of_float(&samples[0].1);
        let mut chunk = FloatHistogramChunk::new(Header::Unknown, layout);
        samples.iter().for_each(|(time, histogram)| chunk.append(*time, histogram));
        assert_eq!(chunk.bytes(), expected);
        same(&read(Encoding::FloatHistogram, &expected).expect("upstream's chunk"), &samples);
    }

    #[test]
    fn layouts() {
        let table = "prometheus/tsdb/histogram_chunk_layouts.json";
        let Some(data) = conformance::cases(table) else { return };
        let layout = |case: &Value| Layout {
            schema: case["schema"].as_i64().expect("a schema") as i32,
            zero_threshold: float(&case["zero_threshold"]),
            positive_spans: spans(&case["positive_spans"]),
            negative_spans: spans(&case["negative_spans"]),
            custom_values: floats(&case["custom_values"]),
        };
        let layouts: Vec<Layout> = data.cases.iter().map(layout).collect();
        let mut writer = BitWriter::default();
        layouts.iter().for_each(|layout| layout.write(&mut writer));
        let mut reader = BitReader::new(writer.bytes());
        let mut score = conformance::Score::new(table);
        for (idx, layout) in layouts.into_iter().enumerate() {
            let found = Layout::read(&mut reader);
            let is_same = found.as_ref() == Some(&layout);
            score.add(idx.to_string(), is_same.then_some(()).ok_or_else(|| format!("{found:?}")));
        }
        score.finish(&[]);
    }

    #[test]
    fn varbit_numbers() {
        let table = "prometheus/tsdb/varbit_numbers.json";
        let Some(data) = conformance::cases(table) else { return };
        let mut score = conformance::Score::new(table);
        for case in &data.cases {
            let numbers = case["numbers"].as_array().expect("a list");
            let mut writer = BitWriter::default();
            let is_signed = case["kind"] == "signed";
            for number in numbers {
                match is_signed {
                    true => writer.write_varbit(number.as_i64().expect("a number")),
                    false => writer.write_varbit_unsigned(number.as_u64().expect("a number")),
                }
            }
            let mut reader = BitReader::new(writer.bytes());
            let comes_back = |number: &Value| match is_signed {
                true => reader.read_varbit() == number.as_i64(),
                false => reader.read_varbit_unsigned() == number.as_u64(),
            };
            let outcome = numbers.iter().all(comes_back).then_some(()).ok_or("it differs".into());
            score.add(case["kind"].as_str().expect("a kind"), outcome);
        }
        score.finish(&[]);
    }
}
