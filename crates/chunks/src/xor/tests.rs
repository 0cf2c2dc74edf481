use proptest::prelude::*;

use super::XorChunk;
use crate::{Encoding, decode};

type Sample = (i64, f64);

fn encode(samples: &[Sample]) -> XorChunk {
    let mut chunk = XorChunk::default();
    for (time, value) in samples {
        chunk.append(*time, *value);
    }
    chunk
}

fn read(bytes: &[u8]) -> crate::Result<Vec<(i64, u64)>> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    decode(Encoding::Xor, bytes, &mut times, &mut values)?;
    Ok(times.into_iter().zip(values.into_iter().map(f64::to_bits)).collect())
}

/// Encodes, decodes, and appends the second half after reopening.
fn check(samples: &[Sample]) {
    let expected: Vec<_> = samples.iter().map(|(t, v)| (*t, v.to_bits())).collect();
    let whole = encode(samples);
    assert_eq!(read(whole.bytes()).expect("our own chunk"), expected);

    let (first, second) = samples.split_at(samples.len() / 2);
    let mut resumed = XorChunk::resume(encode(first).into_bytes()).expect("our own chunk");
    for (time, value) in second {
        resumed.append(*time, *value);
    }
    assert_eq!(resumed.bytes(), whole.bytes(), "a chunk that is taken up again goes on the same");
}

#[test]
fn samples_come_back() {
    check(&[]);
    check(&[(0, 0.0)]);
    check(&[(i64::MIN, f64::NAN), (i64::MAX, -0.0)]);
    check(&[(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]);
    check(&[(0, f64::from_bits(0)), (1, f64::from_bits(u64::MAX)), (2, f64::from_bits(1))]);
    check(&[(0, 1.5), (15_000, f64::from_bits(0x7ff0_0000_0000_0002)), (30_001, 1e300)]);
}

#[test]
fn every_width_of_a_changed_step_comes_back() {
    let edges = [8_191, 8_192, 8_193, 65_535, 65_536, 65_537, 524_287, 524_288, 524_289, 1 << 40];
    for edge in edges {
        for change in [edge, -edge, edge + 1, -edge - 1] {
            let step = 1i64 << 41;
            check(&[(0, 1.0), (step, 2.0), (2 * step + change, 3.0), (3 * step, 4.0)]);
        }
    }
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let samples: Vec<Sample> = (0..50).map(|i| (i * 15_000 + i % 7, i as f64 * 1.1)).collect();
    let bytes = encode(&samples).into_bytes();
    for len in 1..bytes.len() - 1 {
        assert!(read(&bytes[..len]).is_err(), "cut at {len}");
    }
    for idx in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[idx] ^= 1 << bit;
            drop(read(&damaged));
        }
    }
}

#[test]
fn memory_follows_the_bytes_and_not_what_the_count_claims() {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let bytes = [0xff, 0xff, 0x02];
    assert!(decode(Encoding::Xor, &bytes, &mut times, &mut values).is_err());
    assert!(times.capacity() < 64 && values.capacity() < 64);
}

/// Upstream goes on with a chunk of equal values, after a restart, as if it had a window of all
/// bits.
#[test]
fn a_window_of_all_bits_is_there_before_the_first() {
    // Two samples, 1 at 0 and at 1000; then the same step, and a value in 64 bits.
    let mut writer = crate::bits::BitWriter::default();
    writer.write(3, 16);
    writer.write_varint(0);
    writer.write(1.0_f64.to_bits(), 64);
    writer.write_uvarint(1000);
    writer.write(0, 1);
    writer.write(0b010, 3);
    writer.write(1.0_f64.to_bits() ^ 2.5_f64.to_bits(), 64);
    let expected =
        [(0, 1.0), (1000, 1.0), (2000, 2.5)].map(|(time, value)| (time, f64::to_bits(value)));
    assert_eq!(read(writer.bytes()).expect("upstream reads it"), expected);
    // In front of other bytes the fast way comes by, too.
    writer.write(0, 64);
    writer.write(0, 64);
    assert_eq!(read(writer.bytes()).expect("upstream reads it"), expected);
}

/// Found by fuzzing: they became part of the next sample.
#[test]
fn stray_bits_behind_the_last_sample_do_no_harm() {
    let mut bytes = encode(&[(0, 1.0), (1000, 1.0), (2000, 1.0)]).into_bytes();
    *bytes.last_mut().expect("it is not empty") |= 0b0001_1111;
    let mut chunk = XorChunk::resume(bytes).expect("it is readable");
    chunk.append(3000, 2.0);
    let expected = [(0, 1.0), (1000, 1.0), (2000, 1.0), (3000, 2.0)];
    assert_eq!(read(chunk.bytes()), Ok(expected.map(|(t, v)| (t, f64::to_bits(v))).to_vec()));
}

proptest! {
    #[test]
    fn random_samples_come_back(
        steps in prop::collection::vec((0i64..3_000_000, any::<u64>()), 0..300),
        start in -1_000_000_000_000i64..4_000_000_000_000,
    ) {
        let mut time = start;
        let mut samples = Vec::new();
        for (step, bits) in steps {
            time += 1 + step;
            samples.push((time, f64::from_bits(bits)));
        }
        check(&samples);
    }

    #[test]
    fn scrapes_come_back(values in prop::collection::vec(-50i32..50, 0..300)) {
        let scrape = |(idx, value): (usize, &i32)| (idx as i64 * 15_000 + i64::from(value % 3),
            f64::from(*value) / 4.0);
        check(&values.iter().enumerate().map(scrape).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(read(&bytes));
        drop(XorChunk::resume(bytes));
    }
}

/// Upstream's own chunks.
mod upstream {
    use super::*;

    #[test]
    fn chunk_bytes() {
        let table = "prometheus/tsdb/chunk_bytes.json";
        let Some(data) = conformance::cases(table) else { return };
        let mut score = conformance::Score::new(table);
        for case in data.cases.iter().filter(|case| case["encoding"] == "XOR") {
            score.add(case["name"].as_str().expect("a name"), run(case));
        }
        score.finish(&[]);
    }

    fn run(case: &serde_json::Value) -> Result<(), String> {
        let number = |key: &str| case["samples"][key].as_i64().expect("a number");
        let sample = |idx: i64| {
            let value = number("first_value") + idx * number("value_step");
            (number("start_ms") + idx * number("step_ms"), value as f64)
        };
        let samples: Vec<Sample> = (0..number("count")).map(sample).collect();
        let expected = conformance::bytes(&serde_json::json!({ "base64": case["bytes"] }));
        let chunk = encode(&samples);
        if chunk.bytes() != expected {
            return Err(format!("wrote {:02x?}\nexpected {expected:02x?}", chunk.bytes()));
        }
        check(&samples);
        let back = read(&expected).map_err(|error| error.to_string())?;
        let samples: Vec<_> = samples.iter().map(|(t, v)| (*t, v.to_bits())).collect();
        if back == samples { Ok(()) } else { Err(format!("read {back:?}")) }
    }
}
