use std::fmt::Debug;

use model::{Labels, Metadata, MetricType, TimeRange};
use proptest::prelude::*;

use super::*;
use crate::Result;

/// Encodes, compares with `expected` in hexadecimal, decodes; and decodes every beginning of it.
fn check<T: Clone + PartialEq + Debug>(
    items: &[T],
    encode: fn(&[T], &mut Vec<u8>),
    decode: fn(&[u8], &mut Vec<T>) -> Result<()>,
    expected: &str,
) {
    let record = round_trip(items, encode, decode);
    let hex: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected.replace(' ', ""));
}

fn round_trip<T: Clone + PartialEq + Debug>(
    items: &[T],
    encode: fn(&[T], &mut Vec<u8>),
    decode: fn(&[u8], &mut Vec<T>) -> Result<()>,
) -> Vec<u8> {
    let mut record = Vec::new();
    encode(items, &mut record);
    let mut found = Vec::new();
    decode(&record, &mut found).expect("our own record");
    assert_eq!(found, items);
    for len in 0..record.len() {
        // Where one item ends the rest is not missed.
        if decode(&record[..len], &mut Vec::new()).is_ok() {
            let mut fewer = Vec::new();
            decode(&record[..len], &mut fewer).expect("it just was");
            assert!(fewer.len() < items.len() && fewer == items[..fewer.len()]);
        }
    }
    record
}

#[test]
fn series() {
    let labels = Labels::from_pairs([("__name__", "up"), ("job", "a")]);
    check(
        &[Series { series_ref: 258, labels }],
        encode_series,
        decode_series,
        "01 0000000000000102 02 08 5f5f6e616d655f5f 02 7570 03 6a6f62 01 61",
    );
}

#[test]
fn samples() {
    check(
        &[
            Sample { series_ref: 2, time: 1000, value: 1.0 },
            Sample { series_ref: 1, time: 1064, value: -2.5 },
        ],
        encode_samples,
        decode_samples,
        "02 0000000000000002 00000000000003e8 00 00 3ff0000000000000 01 8001 c004000000000000",
    );
    check(&[], encode_samples, decode_samples, "02");
}

#[test]
fn samples_with_start_timestamps_come_back() {
    // Number 3, time 1000, started at 500; then one up, 15 later, started at the same time; then
    // with a start 100 after the first; then without one.
    let record = [
        &[11, 6, 0xd0, 0x0f, 0xe8, 0x07][..],
        &1f64.to_be_bytes(),
        &[2, 30, 1],
        &2f64.to_be_bytes(),
        &[2, 60, 2, 0xc8, 0x01],
        &3f64.to_be_bytes(),
        &[1, 90, 0],
        &4f64.to_be_bytes(),
    ]
    .concat();
    let (mut found, mut starts) = (Vec::new(), Vec::new());
    decode_samples_with_starts(&record, &mut found, &mut starts).expect("the layout is right");
    let sample = |series_ref, time, value| Sample { series_ref, time, value };
    let samples =
        [sample(3, 1000, 1.0), sample(4, 1015, 2.0), sample(5, 1030, 3.0), sample(4, 1045, 4.0)];
    assert_eq!(found, samples);
    assert_eq!(starts, [500, 500, 600, 0]);
    let mut written = Vec::new();
    encode_samples_with_starts(&samples, &starts, &mut written);
    assert_eq!(written, record);
    // Who does not ask for them does without.
    let mut found = Vec::new();
    decode_samples(&record, &mut found).expect("the layout is right");
    assert_eq!(found, samples);
}

#[test]
fn tombstones() {
    let tombstone = Tombstone { series_ref: 7, range: TimeRange::from_millis(-1, 64) };
    check(&[tombstone], encode_tombstones, decode_tombstones, "03 0000000000000007 01 8001");
    round_trip(
        &[Tombstone { series_ref: 7, range: TimeRange::ALL }],
        encode_tombstones,
        decode_tombstones,
    );
}

#[test]
fn exemplars() {
    let labels = Labels::from_pairs([("trace", "x")]);
    check(
        &[Exemplar { series_ref: 2, time: 1000, value: 1.0, labels }],
        encode_exemplars,
        decode_exemplars,
        "04 0000000000000002 00000000000003e8 00 00 3ff0000000000000 01 05 7472616365 01 78",
    );
}

#[test]
fn metadata() {
    let metadata = Metadata { kind: MetricType::Counter, unit: "s".into(), help: "h".into() };
    check(
        &[SeriesMetadata { series_ref: 300, metadata }],
        encode_metadata,
        decode_metadata,
        "06 ac02 01 02 04 554e4954 01 73 04 48454c50 01 68",
    );
}

#[test]
fn a_label_set_out_of_order_is_put_in_order() {
    let mut record = vec![1, 0, 0, 0, 0, 0, 0, 0, 9, 3];
    for text in ["b", "2", "a", "1", "c", ""] {
        record.push(text.len() as u8);
        record.extend(text.as_bytes());
    }
    let mut found = Vec::new();
    decode_series(&record, &mut found).expect("the layout is right");
    assert_eq!(found[0].labels.to_string(), r#"{a="1", b="2"}"#);
}

proptest! {
    #[test]
    fn random_samples_come_back(
        samples in prop::collection::vec((any::<u64>(), any::<i64>(), -1e9..1e9), 0..50),
    ) {
        let sample = |(series_ref, time, value)| Sample { series_ref, time, value };
        let samples: Vec<_> = samples.into_iter().map(sample).collect();
        round_trip(&samples, encode_samples, decode_samples);
        let starts: Vec<i64> = samples.iter().map(|s| s.time.wrapping_mul(3) % 4).collect();
        let (mut record, mut found, mut found_starts) = (Vec::new(), Vec::new(), Vec::new());
        encode_samples_with_starts(&samples, &starts, &mut record);
        decode_samples_with_starts(&record, &mut found, &mut found_starts).expect("our own");
        assert_eq!((found, found_starts), (samples, starts));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        kind in 1u8..15,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let record = [&[kind][..], &bytes].concat();
        drop(decode_series(&record, &mut Vec::new()));
        drop(decode_samples(&record, &mut Vec::new()));
        drop(decode_tombstones(&record, &mut Vec::new()));
        drop(decode_exemplars(&record, &mut Vec::new()));
        drop(decode_metadata(&record, &mut Vec::new()));
    }
}

mod histograms {
    use model::{
        FloatHistogram,
        histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Histogram, Span},
    };

    use super::*;

    fn histogram(count: u64) -> Histogram {
        Histogram {
            counter_reset_hint: CounterResetHint::NotReset,
            schema: 2,
            zero_threshold: 0.5,
            zero_count: 1,
            count,
            sum: 2.0,
            positive_spans: vec![Span { offset: -1, length: 2 }],
            positive_buckets: vec![3, -2],
            ..Histogram::default()
        }
    }

    fn custom() -> Histogram {
        Histogram { schema: CUSTOM_BUCKETS_SCHEMA, custom_values: vec![0.1, 5.0], ..histogram(7) }
    }

    fn check<H: Logged + Clone + PartialEq + Debug>(
        samples: &[HistogramSample<H>],
        n_records: usize,
    ) {
        let records = encode_histograms(samples);
        assert_eq!(records.len(), n_records);
        let mut found = Vec::new();
        for record in &records {
            decode_histograms(record, &mut found).expect("our own record");
            for len in 1..record.len() {
                drop(decode_histograms::<H>(&record[..len], &mut Vec::new()));
            }
        }
        assert_eq!(found, samples);
        // With start timestamps they share a record.
        for starts in [|_| 0, |_| 500, |idx: usize| idx as i64 * 70] {
            let starts: Vec<i64> = (0..samples.len()).map(starts).collect();
            let record = encode_histograms_with_starts(samples, &starts);
            let (mut found, mut found_starts) = (Vec::new(), Vec::new());
            decode_histograms_with_starts(&record, &mut found, &mut found_starts)
                .expect("our own record");
            assert_eq!((&found[..], &found_starts), (samples, &starts));
        }
    }

    /// Upstream tells by the schema whether there are bounds, whatever kind the record is.
    #[test]
    fn bounds_go_with_the_schema() {
        let sample = HistogramSample { series_ref: 7, time: 1000, value: custom() };
        let mut record = encode_histograms(std::slice::from_ref(&sample)).remove(0);
        assert_eq!(record[0], Kind::CustomBucketsHistograms as u8);
        record[0] = Kind::Histograms as u8;
        let mut found = Vec::new();
        decode_histograms(&record, &mut found).expect("upstream reads it");
        assert_eq!(found, [sample]);
    }

    #[test]
    fn lie_as_upstream_lays_them_with_start_timestamps() {
        let sample = |series_ref, time| HistogramSample { series_ref, time, value: histogram(5) };
        let record =
            encode_histograms_with_starts(&[sample(3, 1000), sample(4, 1015)], &[500, 600]);
        let hex: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = "02 04 3fe0000000000000 01 05 4000000000000000 01 01 02 00 02 06 03 00";
        let expected = format!("0c 06 d00f e807 {value} 02 1e 02 c801 {value}");
        assert_eq!(hex, expected.replace(' ', ""));
    }

    #[test]
    fn come_back() {
        let sample = |series_ref, time, value| HistogramSample { series_ref, time, value };
        let samples = [sample(7, 1000, histogram(5)), sample(3, 2000, histogram(u64::MAX))];
        check(&samples, 1);
        let floats = samples.map(|s| sample(s.series_ref, s.time, s.value)).map(|s| {
            HistogramSample { series_ref: s.series_ref, time: s.time, value: s.value.to_float() }
        });
        check::<FloatHistogram>(&floats, 1);
        check(&[sample(7, 1000, histogram(5)), sample(3, 2000, custom())], 2);
    }

    #[test]
    fn lie_as_upstream_lays_them() {
        let sample = HistogramSample { series_ref: 258, time: 1000, value: histogram(5) };
        let hex: String =
            encode_histograms(&[sample])[0].iter().map(|byte| format!("{byte:02x}")).collect();
        // Base, differences, hint and schema, zero bucket, count and sum, spans, buckets.
        let expected = "07 0000000000000102 00000000000003e8 00 00 02 04 3fe0000000000000 01 05 \
                        4000000000000000 01 01 02 00 02 06 03 00";
        assert_eq!(hex, expected.replace(' ', ""));
    }
}
