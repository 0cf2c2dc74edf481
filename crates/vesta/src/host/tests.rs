use std::time::Duration;

use super::{collectors::COLLECTORS, page::Page};

#[test]
fn every_collector_of_this_machine_answers() {
    for collector in COLLECTORS {
        let mut page = Page::default();
        if let Err(error) = (collector.collect)(&mut page, Duration::from_secs(1)) {
            panic!("{}: {error}", collector.name);
        }
        for family in &page.families {
            assert!(family.name.starts_with("node_"), "{}", family.name);
            let is_counter = family.kind == telemetry::Kind::Counter;
            assert_eq!(is_counter, family.name.ends_with("_total"), "{}", family.name);
        }
    }
}
