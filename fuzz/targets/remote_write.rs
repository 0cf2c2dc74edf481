//! A remote write request; the first byte says which version, and whether we pack it.

#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use remote::{Message, Receiver, ReceiverOptions};
use runtime::Simulation;
use storage::MemoryStorage;
use telemetry::Registry;

static RECEIVER: OnceLock<(Receiver, Arc<MemoryStorage>)> = OnceLock::new();

fn receiver() -> &'static (Receiver, Arc<MemoryStorage>) {
    RECEIVER.get_or_init(|| {
        let storage = Arc::new(MemoryStorage::default());
        let options =
            ReceiverOptions { accepted: Message::ALL.to_vec(), type_and_unit_labels: true, metadata: true };
        let runtime = Simulation::new(1).runtime();
        (Receiver::new(storage.clone(), options, &runtime, &Registry::default()), storage)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, body)) = bytes.split_first() else { return };
    let message = Message::ALL[usize::from(selector & 1)];
    let (receiver, storage) = receiver();
    let outcome = match selector & 2 {
        0 => receiver.write(message, body),
        _ => {
            let packed = snap::raw::Encoder::new().compress_vec(body).expect("it is short");
            receiver.write(message, &packed)
        }
    };
    assert!([200, 204, 400, 500].contains(&outcome.status), "{outcome:?}");
    storage.clear();
});
