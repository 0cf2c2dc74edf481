//! Bytes from outside never panic.

use runtime::Runtime;

use super::{
    messages::{Raw, histogram, label, sample, version1, version2},
    world::World,
};
use crate::Message;

/// Good requests, cut off and with bytes changed.
#[test]
fn broken_requests_neither_panic_nor_hang() {
    let histogram_series = Raw::default()
        .message(1, label("__name__", "h"))
        .message(2, sample(10, 1.0))
        .message(4, histogram(&super::tables::some_histogram(), 10));
    let requests = [
        (Message::Version1, version1("__name__=up a=1 @10 1 @20 2\n__name__=down @10 3")),
        (Message::Version1, Raw::default().message(1, histogram_series).0),
        (Message::Version2, version2("__name__=up a=1 @10 1 @20 2\n__name__=down @10 3")),
    ];
    let random = Runtime::simulated(7).random;
    for (message, request) in requests {
        for cut in 0..request.len() {
            World::new().write(message, &request[..cut]);
        }
        for _ in 0..5000 {
            let mut request = request.clone();
            for _ in 0..=random.u64() % 3 {
                let idx = random.u64() as usize % request.len();
                request[idx] = random.u64() as u8;
            }
            World::new().write(message, &request);
        }
    }
}
