//! What a target says, in each of the three formats; the first byte says which.

#![no_main]

use exposition::{Entry, Error, Parser, protobuf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((selector, body)) = bytes.split_first() else { return };
    let parser = match selector % 5 {
        0 => Parser::text(body),
        1 => Parser::openmetrics(body),
        2 => Parser::openmetrics(body).with_start_timestamps(),
        number => {
            let options =
                protobuf::Options { native_histograms: true, classic_histograms: number == 4 };
            let _ = protobuf::read(body, options, |entry| -> Result<(), Error> {
                look(&entry);
                Ok(())
            });
            return;
        }
    };
    for entry in parser {
        let Ok(entry) = entry else { return };
        look(&entry);
    }
});

fn look(entry: &Entry<'_>) {
    let series = match entry {
        Entry::Series(series) => series,
        Entry::Histogram(histogram) => {
            for exemplar in &histogram.exemplars {
                let _ = exemplar.labels();
            }
            &histogram.series
        }
        _ => return,
    };
    let _ = (series.labels().map(|labels| labels.clone()), series.labels_with_type_and_unit());
    if let Some(exemplar) = &series.exemplar {
        let _ = exemplar.labels();
    }
}
