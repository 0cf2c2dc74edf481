use conformance::Score;
use serde_json::Value;

use super::Reader;
use crate::page::{Fragment, PAGE_BYTES, checksum};

/// The records of a segment, and whether it can be read to its end.
fn read(segment: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut reader = Reader::new(segment);
    let mut records = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => records.push(record.to_vec()),
            Ok(None) => return (records, true),
            Err(_) => return (records, false),
        }
    }
}

/// What a writer makes of one record that fits a page.
fn framed(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push_fragment(&mut out, Fragment::Full, data);
    out
}

fn push_fragment(out: &mut Vec<u8>, fragment: Fragment, data: &[u8]) {
    out.push(fragment.as_byte());
    out.extend((data.len() as u16).to_be_bytes());
    out.extend(checksum(data).to_be_bytes());
    out.extend(data);
}

#[test]
fn a_tail_of_zeros_is_no_damage() {
    let mut segment = framed(b"one");
    assert_eq!(read(&segment), (vec![b"one".to_vec()], true), "cut off at the end of a record");
    segment.resize(PAGE_BYTES, 0);
    assert_eq!(read(&segment), (vec![b"one".to_vec()], true), "filled up");
    segment.extend(framed(b"two"));
    assert_eq!(read(&segment), (vec![b"one".to_vec(), b"two".to_vec()], true));
}

#[test]
fn a_torn_record_is_damage_and_what_is_before_it_is_good() {
    let mut segment = framed(b"one");
    let good = segment.len();
    segment.extend(framed(b"another"));
    for len in good + 1..segment.len() {
        let mut reader = Reader::new(&segment[..len]);
        assert_eq!(reader.next_record(), Ok(Some(&b"one"[..])));
        if len - good <= 2 {
            // Type, length 0, checksum 0 of nothing: upstream reads an empty record here, too.
            assert_eq!(reader.next_record(), Ok(Some(&b""[..])));
            assert_eq!(reader.next_record(), Ok(None));
            continue;
        }
        let corruption = reader.next_record().expect_err("it is torn");
        assert_eq!(corruption.offset, good as u64, "cut at {len}");
        assert_eq!(reader.next_record(), Ok(None));
    }
}

#[test]
fn any_flipped_bit_is_noticed() {
    let segment = framed(b"one");
    for idx in 0..segment.len() {
        for bit in 0..8 {
            let mut damaged = segment.clone();
            damaged[idx] ^= 1 << bit;
            // Three bits of the first byte mean nothing.
            let is_ignored = idx == 0 && bit >= 5;
            assert_eq!(read(&damaged).1, is_ignored, "bit {bit} of byte {idx}");
        }
    }
}

#[test]
fn wal_records() {
    let table = "prometheus/tsdb/wal_records.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        score.add(case["name"].as_str().expect("a name"), run(case));
    }
    score.finish(&[]);
}

fn run(case: &Value) -> Result<(), String> {
    let buffer: Vec<u8> =
        (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let index = |value: &Value| value.as_u64().expect("a number") as usize;
    let mut segment = Vec::new();
    for record in case["records"].as_array().expect("records") {
        let fragment = match record["type"].as_str().expect("a type") {
            "full" => Fragment::Full,
            "first" => Fragment::First,
            "middle" => Fragment::Middle,
            "last" => Fragment::Last,
            _ => {
                segment.resize(segment.len() + 1 + index(&record["zero_bytes"]), 0);
                segment.extend(record["then_byte"].as_u64().map(|byte| byte as u8));
                continue;
            }
        };
        push_fragment(
            &mut segment,
            fragment,
            &buffer[index(&record["from"])..index(&record["to"])],
        );
    }
    let expected: Vec<Vec<u8>> = case["read"]
        .as_array()
        .expect("ranges")
        .iter()
        .map(|range| buffer[index(&range[0])..index(&range[1])].to_vec())
        .collect();
    let (found, is_whole) = read(&segment);
    if found != expected {
        let lens: Vec<usize> = found.iter().map(Vec::len).collect();
        return Err(format!("read records of {lens:?} bytes"));
    }
    if is_whole == case["error"].as_bool().expect("a flag") {
        return Err(format!("read to the end: {is_whole}"));
    }
    Ok(())
}

/// Found by fuzzing: a few bytes took half a gigabyte.
#[test]
fn memory_follows_the_bytes_and_not_what_a_record_claims() {
    let mut unpacked = Vec::new();
    // A length of 2^28, and nothing behind it.
    let claim = [0x80, 0x80, 0x80, 0x80, 0x01];
    let outcome = crate::Compression::Snappy.unpack(&claim, &mut unpacked);
    assert_eq!(outcome, Err("record of 268435456 bytes does not fit 5".to_owned()));
    assert_eq!(unpacked.capacity(), 0);
}
