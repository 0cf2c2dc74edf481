use model::float::STALE;
use proptest::prelude::*;

use super::{FULL_BYTES, Xor2Chunk};
use crate::{Encoding, decode_with_starts};

/// Start, time, value.
type Sample = (i64, i64, f64);

fn encode(samples: &[Sample]) -> Xor2Chunk {
    let mut chunk = Xor2Chunk::default();
    for (start, time, value) in samples {
        chunk.append(*start, *time, *value);
    }
    chunk
}

fn read(bytes: &[u8]) -> crate::Result<Vec<(i64, i64, u64)>> {
    let (mut times, mut values, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    decode_with_starts(Encoding::Xor2, bytes, &mut times, &mut values, &mut starts)?;
    assert!(starts.is_empty() || starts.len() == times.len());
    let start = |idx: usize| starts.get(idx).copied().unwrap_or_default();
    let samples = times.into_iter().zip(values).enumerate();
    Ok(samples.map(|(idx, (time, value))| (start(idx), time, value.to_bits())).collect())
}

/// Encodes, decodes, and appends the second half after reopening.
fn check(samples: &[Sample]) -> Vec<u8> {
    let expected: Vec<_> = samples.iter().map(|(s, t, v)| (*s, *t, v.to_bits())).collect();
    let whole = encode(samples);
    assert_eq!(read(whole.bytes()).expect("our own chunk"), expected);
    if let Some((start, time, value)) = samples.last() {
        let last = (whole.last_start(), whole.last_time(), whole.last_value().to_bits());
        assert_eq!(last, (*start, *time, value.to_bits()));
    }
    let (first, second) = samples.split_at(samples.len() / 2);
    let mut resumed = Xor2Chunk::resume(encode(first).into_bytes()).expect("our own chunk");
    for (start, time, value) in second {
        resumed.append(*start, *time, *value);
    }
    assert_eq!(resumed.bytes(), whole.bytes());
    whole.into_bytes()
}

/// Samples every second from 1000 on, with steps that differ from it by `changes`.
fn at_steps(changes: &[i64], value: impl Fn(usize) -> f64) -> Vec<Sample> {
    let mut time = 0;
    let step = |(idx, change): (usize, &i64)| {
        time += 1000 + change;
        (0, time, value(idx))
    };
    changes.iter().enumerate().map(step).collect()
}

/// The bits after the first two samples of `0 1 …` at 0 and 1000.
#[test]
fn bits_are_as_the_format_says() {
    let check_bits = |rest: &[Sample], expected: &str| {
        let before = [(0, 0, 1.0), (0, 1000, 1.0)];
        let chunk = encode(&[&before[..], rest].concat());
        // Header, time, value, step, and one bit.
        let bits: String =
            chunk.bytes()[3 + 1 + 8 + 2..].iter().map(|b| format!("{b:08b}")).collect();
        let expected = format!("0{}", expected.replace(' ', ""));
        let rest = bits.strip_prefix(&expected);
        assert!(rest.is_some_and(|rest| rest.bytes().all(|bit| bit == b'0')), "{bits}\n{expected}");
    };
    check_bits(&[(0, 2000, 1.0)], "0");
    check_bits(&[(0, 2000, STALE)], "11111");
    check_bits(&[(0, 2001, STALE)], "110 0000000000001 111");
    check_bits(&[(0, 1999, 1.0)], "110 1111111111111 0");
    check_bits(&[(0, 6096, 1.0)], "1110 00000001000000000000 0");
    check_bits(&[(0, 2000 - 4096, 1.0)], "110 1000000000000 0");
    // 1 and 2 differ in eleven bits from the second on.
    check_bits(&[(0, 2000, 2.0)], "10 1 00001 001011 11111111111");
    check_bits(&[(0, 2000, 2.0), (0, 3000, 1.0)], "10 1 00001 001011 11111111111 10 0 11111111111");
    check_bits(&[(0, 2001, 2.0)], "110 0000000000001 110 00001 001011 11111111111");
    let escape = format!("11110 {:064b} 0", 1 << 20);
    check_bits(&[(0, 2000 + (1 << 20), 1.0)], &escape);
    // A marker does not count as the value before.
    check_bits(&[(0, 2000, STALE), (0, 3000, 1.0)], "11111 0");
}

#[test]
fn samples_come_back() {
    check(&[]);
    check(&[(0, -5, 1.5)]);
    check(&[(0, 0, STALE), (0, 1000, STALE), (0, 2000, 7.0)]);
    check(&at_steps(&[0, 0, 1, -4096, -4097, 4095, 4096, 1 << 30, -524_288, -524_289], |_| 1.0));
    check(&at_steps(&[0; 30], |idx| (idx * idx) as f64 / 3.0));
    check(&at_steps(&[0, 0, 3, 3, 3, -9, -9], |idx| if idx % 2 == 0 { STALE } else { 4.0 }));
}

#[test]
fn starts_come_back() {
    // Known from the first, never changing, and changing at once.
    let constant = check(&[(500, 1000, 1.0), (500, 2000, 2.0), (500, 3000, 2.0)]);
    assert_eq!(constant[2], 0x80);
    let sample = |idx: i64| (idx * 10, idx * 1000 + 500, idx as f64);
    let changing = check(&(1..40).map(sample).collect::<Vec<_>>());
    assert_eq!(changing[2], 0x81);
    // First unknown, then known, then not again.
    let late = check(&[(0, 1000, 1.0), (0, 2000, 1.0), (1500, 3000, 1.0), (0, 4000, 1.0)]);
    assert_eq!(late[2], 0x02);
    assert_eq!(check(&[(0, 1000, 1.0), (0, 2000, 1.0)])[2], 0);
    // Every width.
    let distances = [0, 4, -3, 32, -31, 256, -255, 2048, 1 << 17, 1 << 24, 1 << 40, i64::MIN / 4];
    let sample =
        |(idx, distance): (usize, &i64)| (idx as i64 * 1000 - distance, idx as i64 * 1000, 1.0);
    check(&distances.iter().enumerate().map(sample).collect::<Vec<_>>());
}

/// The header cannot say that the first change is later, so it is said in time.
#[test]
fn the_first_change_of_starts_may_be_late() {
    for changes_at in [126, 127, 128, 200] {
        let sample = |idx: i64| (if idx < changes_at { 0 } else { idx * 10 }, idx * 1000 + 1, 1.0);
        let bytes = check(&(0..201).map(sample).collect::<Vec<_>>());
        assert_eq!(i64::from(bytes[2]), changes_at.min(127));
    }
}

#[test]
fn a_chunk_of_the_worst_samples_stays_small() {
    let mut chunk = Xor2Chunk::default();
    let mut number = 1_u64;
    while chunk.bytes().len() < FULL_BYTES {
        number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        chunk.append(number as i64, (number << 7) as i64, f64::from_bits(number.rotate_left(9)));
    }
    assert!(chunk.bytes().len() <= 1024, "{}", chunk.bytes().len());
}

proptest! {
    #[test]
    fn random_samples_come_back(
        samples in prop::collection::vec((0..4_u8, any::<i32>(), any::<u64>(), any::<i16>()), 0..300),
    ) {
        let mut time = 0_i64;
        let mut last = 1.0;
        let sample = |(kind, step, bits, start): (u8, i32, u64, i16)| {
            time += if kind < 2 { 15_000 } else { i64::from(step.unsigned_abs()) + 1 };
            last = match kind { 0 => last, 1 => STALE, 2 => f64::from_bits(bits), _ => 3.0 };
            (if start % 3 == 0 { 0 } else { time - i64::from(start) }, time, last)
        };
        check(&samples.into_iter().map(sample).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if read(&bytes).is_ok() && !bytes.is_empty() {
            assert!(Xor2Chunk::resume(bytes).is_ok());
        }
    }

    #[test]
    fn what_is_cut_off_is_noticed(cut in 1..40_usize) {
        let sample = |idx: i64| (idx * 3, idx * 977 + idx * idx, idx as f64 * 1.1);
        let bytes = encode(&(0..50).map(sample).collect::<Vec<_>>()).into_bytes();
        assert!(read(&bytes[..bytes.len() - cut]).is_err());
    }
}
