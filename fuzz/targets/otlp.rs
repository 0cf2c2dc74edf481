//! An OTLP request; the first byte says in which encoding, and by which settings it is translated.

#![no_main]

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use remote::otlp::{Deltas, Options, Promoted, Receiver, Settings, Strategy};
use runtime::Simulation;
use storage::MemoryStorage;
use telemetry::Registry;

/// One that adds deltas up, and one that stores them and promotes whatever it can.
static RECEIVERS: OnceLock<([Receiver; 2], Arc<MemoryStorage>)> = OnceLock::new();

fn receivers() -> &'static ([Receiver; 2], Arc<MemoryStorage>) {
    RECEIVERS.get_or_init(|| {
        let (storage, runtime) = (Arc::new(MemoryStorage::default()), Simulation::new(1).runtime());
        let receiver = |deltas, type_and_unit_labels, settings| {
            let lookback = Duration::from_secs(300);
            let options = Options { deltas, type_and_unit_labels, metadata: true, lookback };
            let receiver = Receiver::new(storage.clone(), options, &runtime, &Registry::default());
            receiver.set_settings(settings);
            receiver
        };
        let promotes = Settings {
            strategy: Strategy::NoUtf8EscapingWithSuffixes,
            promoted: Promoted::AllBut(vec!["k".to_owned()]),
            keep_identifying_resource_attributes: true,
            convert_histograms_to_nhcb: true,
            promote_scope_metadata: true,
            ..Settings::default()
        };
        let merges = Settings {
            label_name_preserve_multiple_underscores: false,
            ..Settings::default()
        };
        let adds = receiver(Deltas::Accumulate, false, merges);
        ([adds, receiver(Deltas::Store, true, promotes)], storage)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, body)) = bytes.split_first() else { return };
    let (receivers, storage) = receivers();
    let receiver = &receivers[usize::from(selector >> 2 & 1)];
    let content_type = if selector & 2 == 0 { "application/x-protobuf" } else { "application/json" };
    let encoding = if selector & 1 == 0 { "" } else { "gzip" };
    let outcome = receiver.write(content_type, encoding, body);
    assert!([200, 400, 500].contains(&outcome.status), "{outcome:?}");
    storage.clear();
});
