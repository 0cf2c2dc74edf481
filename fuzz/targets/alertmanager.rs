//! Snapshot files of silences and of the notification log, which peers send, too: what is read is
//! written as the same.

#![no_main]

use alertmanager::{nflog, silence};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, bytes)) = bytes.split_first() else { return };
    match selector & 1 {
        0 => {
            let Ok(entries) = nflog::decode(bytes) else { return };
            let encoded = nflog::encode(&entries);
            let again = nflog::decode(&encoded).expect("our own snapshot");
            assert_eq!(nflog::encode(&again), encoded);
        }
        _ => {
            let Ok(records) = silence::decode(bytes) else { return };
            let encoded = silence::encode(&records);
            let again = silence::decode(&encoded).expect("our own snapshot");
            assert_eq!(silence::encode(&again), encoded);
        }
    }
});
