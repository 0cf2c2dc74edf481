//! Outcomes on their way: compressed where that pays.

use bytes::Bytes;

use crate::{frame::Payload, link::wire::OUTCOME_BYTES_MAX};

/// Shorter ones are not worth it.
const SHORT: usize = 4 << 10;
/// What the beginning of a long one says of the rest.
const PROBE: usize = 16 << 10;
/// Longer ones take more than half a millisecond.
const LONG: usize = 128 << 10;
/// The fastest of the usual levels.
const LEVEL: i32 = 1;

/// Nothing if it is too long to be shared.
pub(crate) fn pack(bytes: &Bytes) -> Option<Payload> {
    let plain = || Payload { bytes: bytes.clone(), unpacked_len: None };
    match bytes.len() {
        len if len > OUTCOME_BYTES_MAX => None,
        ..SHORT => Some(plain()),
        LONG.. => Some(runtime::blocking(|| compress(bytes)).unwrap_or_else(plain)),
        _ => Some(compress(bytes).unwrap_or_else(plain)),
    }
}

fn compress(bytes: &Bytes) -> Option<Payload> {
    // What targets compress themselves does not get any shorter.
    let pays = |packed: &[u8], len: usize| packed.len() < len / 10 * 8;
    let probe = bytes.get(..PROBE).filter(|_| bytes.len() > 2 * PROBE);
    if let Some(probe) = probe
        && !pays(&zstd::bulk::compress(probe, LEVEL).ok()?, probe.len())
    {
        return None;
    }
    let packed = zstd::bulk::compress(bytes, LEVEL).ok()?;
    let is_shorter = pays(&packed, bytes.len());
    is_shorter.then(|| Payload { bytes: packed.into(), unpacked_len: Some(bytes.len()) })
}

/// Nothing if it was not packed by us.
pub(crate) fn unpack(payload: &Payload) -> Option<Bytes> {
    let Some(len) = payload.unpacked_len else { return Some(payload.bytes.clone()) };
    // The decoder grows no further than what the bytes hold.
    let capacity = len.min(OUTCOME_BYTES_MAX);
    let decompress = || zstd::bulk::decompress(&payload.bytes, capacity).ok();
    let bytes = if len >= LONG { runtime::blocking(decompress) } else { decompress() }?;
    (bytes.len() == len).then(|| bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let check = |bytes: Vec<u8>, is_packed: bool| {
            let bytes = Bytes::from(bytes);
            let payload = pack(&bytes).expect("it is short enough");
            assert_eq!(payload.unpacked_len.is_some(), is_packed);
            assert_eq!(unpack(&payload), Some(bytes));
        };
        check(Vec::new(), false);
        check(b"metric 1\n".repeat(10), false);
        check(b"metric 1\n".repeat(1_000), true);
        check(b"metric 1\n".repeat(100_000), true);
        let mut noise = vec![0; 100_000];
        runtime::Runtime::simulated(1).random.fill(&mut noise);
        check(noise, false);
        assert_eq!(pack(&Bytes::from(vec![0; OUTCOME_BYTES_MAX + 1])), None);
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let packed = zstd::bulk::compress(&vec![0; 200 << 20], LEVEL).expect("it compresses");
        let payload = Payload { bytes: packed.into(), unpacked_len: Some(100) };
        assert_eq!(unpack(&payload), None);
    }
}
