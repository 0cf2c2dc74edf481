//! What series mean, in the log.

use std::path::Path;

use model::{Metadata, MetricType, Timestamp};
use runtime::{Disk as _, Simulation};
use storage::{Appendable as _, SeriesRef};
use wal::record::{self, Kind};

use super::world::{labels, open};
use crate::Database;

fn append(database: &Database, time: i64, help: &str) {
    let mut appender = database.appender();
    let time = Timestamp::from_millis(time);
    let found = appender.append(SeriesRef::UNKNOWN, &labels("a=1"), time, 1.0).expect("it is new");
    let metadata =
        Metadata { kind: MetricType::Counter, help: help.to_owned(), ..Metadata::default() };
    appender.append_metadata(found, &metadata);
    appender.commit().expect("it is written");
}

/// The help texts in the log, in order.
fn logged(simulation: &Simulation) -> Vec<String> {
    let disk = simulation.disk.after_kill();
    let layout = wal::Layout::read(&disk, Path::new("data/wal")).expect("it is there");
    let mut metadata = Vec::new();
    for segment in layout.segments {
        let bytes = disk.map(&segment.path).expect("it is there");
        let mut reader = wal::Reader::new(&bytes);
        while let Some(record) = reader.next_record().expect("it is whole") {
            if Kind::of(record) == Some(Kind::Metadata) {
                record::decode_metadata(record, &mut metadata).expect("it is whole");
            }
        }
    }
    metadata.into_iter().map(|metadata| metadata.metadata.help).collect()
}

#[test]
fn metadata_is_logged_when_it_changes() {
    let simulation = Simulation::new(1);
    let database = open(&simulation);
    append(&database, 1, "one");
    append(&database, 2, "one");
    append(&database, 3, "two");
    assert_eq!(logged(&simulation), ["one", "two"]);
    drop(database);
    let database = open(&simulation);
    append(&database, 4, "two");
    assert_eq!(logged(&simulation), ["one", "two"], "replay has told what is known");
}
