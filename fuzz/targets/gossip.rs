//! Packets and streams of other members; the first byte says which.

#![no_main]

use gossip::wire::{message::Message, packet, stream::Decoder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, bytes)) = bytes.split_first() else { return };
    if selector & 1 == 0 {
        let _ = packet::read("", bytes, |message| {
            let written = message.to_bytes();
            assert!(Message::parse(&written).is_ok(), "{message:?}");
        });
        return;
    }
    // In pieces: what comes of it must not depend on them.
    let whole = format!("{:?}", Decoder::new("").feed(bytes));
    let mut decoder = Decoder::new("");
    let step = usize::from(selector >> 1) + 1;
    for piece in bytes.chunks(step) {
        match decoder.feed(piece) {
            Ok(None) => {}
            done => {
                assert_eq!(format!("{done:?}"), whole);
                return;
            }
        }
    }
});
