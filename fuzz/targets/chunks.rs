//! A chunk of every encoding; the first byte says which.

#![no_main]

use chunks::{Encoding, XorChunk};
use libfuzzer_sys::fuzz_target;
use storage::Columns;

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, bytes)) = bytes.split_first() else { return };
    let encoding = Encoding::from_byte(selector % 6 + 1).expect("one of the six");
    let mut columns = Columns::default();
    let outcome = columns.append_chunk(encoding, bytes);
    assert!(columns.len() <= usize::from(u16::MAX));
    if encoding == Encoding::Xor && outcome.is_ok() {
        resume(bytes, columns.len());
    }
});

/// What can be read can be written on.
fn resume(bytes: &[u8], n_samples: usize) {
    let mut chunk = XorChunk::resume(bytes.to_vec()).expect("it was readable");
    assert_eq!(chunk.n_samples(), n_samples);
    if n_samples == usize::from(u16::MAX) {
        return;
    }
    chunk.append(chunk.last_time().wrapping_add(15_000), 1.5);
    let mut again = Columns::default();
    again.append_chunk(Encoding::Xor, chunk.bytes()).expect("it is readable still");
    assert_eq!(again.len(), n_samples + 1);
    assert_eq!(again.values.last(), Some(&1.5));
}
