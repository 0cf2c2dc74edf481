//! A segment of the log: fragments, compression, records of every kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{FloatHistogram, histogram::Histogram};
use wal::{
    Reader,
    record::{self, Kind},
};

fuzz_target!(|bytes: &[u8]| {
    let mut segment = bytes.to_vec();
    fuzz::checksums::of_segment(&mut segment);
    let mut reader = Reader::new(&segment);
    while let Ok(Some(record)) = reader.next_record() {
        read(record);
    }
    assert!(reader.offset() <= (segment.len() as u64).next_multiple_of(wal::PAGE_BYTES as u64));
    read(bytes);
});

fn read(bytes: &[u8]) {
    let _ = Kind::of(bytes);
    let _ = record::decode_series(bytes, &mut Vec::new());
    let _ = record::decode_tombstones(bytes, &mut Vec::new());
    let _ = record::decode_exemplars(bytes, &mut Vec::new());
    let _ = record::decode_metadata(bytes, &mut Vec::new());
    let _ = record::decode_histograms::<Histogram>(bytes, &mut Vec::new());
    let _ = record::decode_histograms::<FloatHistogram>(bytes, &mut Vec::new());
    let mut samples = Vec::new();
    if record::decode_samples(bytes, &mut samples).is_ok() {
        let (mut encoded, mut again) = (Vec::new(), Vec::new());
        record::encode_samples(&samples, &mut encoded);
        record::decode_samples(&encoded, &mut again).expect("our own record");
        let bits = |sample: &record::Sample| (sample.series_ref, sample.time, sample.value.to_bits());
        assert!(samples.iter().map(bits).eq(again.iter().map(bits)));
    }
}
