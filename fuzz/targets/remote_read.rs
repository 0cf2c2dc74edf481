//! A remote read request; the first byte says whether we pack it.

#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use model::Labels;
use remote::read::{Answer, Options, Server};
use storage::{Columns, MemoryStorage};
use telemetry::Registry;

static SERVER: OnceLock<Server> = OnceLock::new();

fn server() -> &'static Server {
    SERVER.get_or_init(|| {
        let storage = MemoryStorage::default();
        let mut columns = Columns::default();
        (0..300).for_each(|step| columns.push(step * 1000, step as f64));
        storage.insert(Labels::from_pairs([("__name__", "up"), ("job", "a")]), columns);
        let options = Options { samples_max: 1000, concurrency_max: 0, frame_bytes_max: 1000 };
        let external_labels = Arc::new(|| Labels::from_pairs([("replica", "1")]));
        Server::new(Arc::new(storage), options, external_labels, &Registry::default())
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, body)) = bytes.split_first() else { return };
    let answer = match selector & 1 {
        0 => server().read(body),
        _ => {
            let packed = snap::raw::Encoder::new().compress_vec(body).expect("it is short");
            server().read(&packed)
        }
    };
    if let Ok(Answer::Stream(stream)) = answer {
        let _ = stream.run(&mut |_| true);
    }
});
