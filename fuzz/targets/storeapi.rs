//! Series as a peer sends them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use proto::thanos::Series;
use storage::{Columns, Mark};
use storeapi::wire;

fuzz_target!(|bytes: &[u8]| {
    let Ok(series) = Series::decode(bytes) else { return };
    let _ = wire::read_labels(&series.labels);
    let mut columns = Columns::default();
    if wire::append_chunks(&series.chunks, Mark::default(), &mut columns).is_ok() {
        assert!(columns.times.is_sorted_by(|a, b| a < b));
        assert!(columns.histogram_times.is_sorted_by(|a, b| a < b));
        // What is kept can be sent on, and read again.
        let mut again = Columns::default();
        let sent = wire::chunks(&columns);
        assert!(wire::append_chunks(&sent, Mark::default(), &mut again).is_ok());
        assert_eq!(again.times, columns.times);
        assert_eq!(again.histogram_times, columns.histogram_times);
    }
    let mut scratch = Columns::default();
    for chunk in series.chunks {
        if let Ok(Some(chunk)) = wire::read_chunk(chunk, &mut scratch) {
            let mut columns = Columns::default();
            chunk.read(&mut columns).expect("it was read before");
        }
    }
});
