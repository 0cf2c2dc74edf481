use std::{path::Path, sync::Arc};

use hashbrown::HashSet;
use model::Labels;
use proptest::prelude::*;
use runtime::{Disk, disk::SimulatedDisk};

use crate::{
    Compression, Layout, Options, PAGE_BYTES, Reader, Writer,
    checkpoint::{self, Keep},
    record::{self, Kind, Sample, Series},
    repair,
};

const DIRECTORY: &str = "wal";

fn options(compression: Compression) -> Options {
    Options { segment_bytes: 4 * PAGE_BYTES as u64, compression }
}

fn writer(disk: &SimulatedDisk, compression: Compression) -> Writer {
    Writer::open(Arc::new(disk.clone()), Path::new(DIRECTORY), options(compression))
        .expect("the disk is good")
}

/// Every record in the log, the checkpoint first.
fn read(disk: &SimulatedDisk) -> Vec<Vec<u8>> {
    let layout = Layout::read(disk, Path::new(DIRECTORY)).expect("the directory is good");
    let mut segments = Vec::new();
    if let Some(checkpoint) = &layout.checkpoint {
        segments = Layout::read(disk, &checkpoint.path).expect("a directory as well").segments;
    }
    segments.extend_from_slice(layout.segments_after_checkpoint());
    let mut records = Vec::new();
    for segment in segments {
        let bytes = disk.map(&segment.path).expect("it is a file");
        let mut reader = Reader::new(&bytes);
        while let Some(record) = reader.next_record().expect("nothing is damaged") {
            records.push(record.to_vec());
        }
    }
    records
}

/// Bytes that do not compress well.
fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 23) as u8).collect()
}

fn check(records: &[Vec<u8>], compression: Compression) {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, compression);
    for record in records {
        log.append(&[record]).expect("the disk is good");
    }
    assert_eq!(read(&disk), records, "{compression:?}");
}

#[test]
fn records_of_all_sizes_come_back() {
    let page = PAGE_BYTES - 7;
    let sizes = [1, 100, page - 1, page, page + 1, page - 7, 2 * page, 3 * page, 4 * page, 10, 7];
    let records: Vec<Vec<u8>> = sizes.into_iter().map(noise).collect();
    check(&records, Compression::None);
    check(&records, Compression::Snappy);
    check(&records, Compression::Zstd);
    check(&vec![vec![7; 200_000]; 5], Compression::Snappy);
    check(&vec![vec![7; 200_000]; 5], Compression::Zstd);
}

#[test]
fn a_record_does_not_cross_segments() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    for _ in 0..5 {
        log.append(&[&noise(3 * PAGE_BYTES)]).expect("the disk is good");
    }
    assert_eq!(log.segment(), 4);
    assert_eq!(log.take_finished().len(), 4);
    let entries = disk.list(Path::new(DIRECTORY)).expect("it is there");
    let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["00000000", "00000001", "00000002", "00000003", "00000004"]);
    for name in &names[..4] {
        let len = disk.metadata(&Path::new(DIRECTORY).join(name)).expect("it is there").len;
        assert_eq!(len % PAGE_BYTES as u64, 0, "a segment ends with a whole page");
    }
}

#[test]
fn what_was_appended_survives_a_kill() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::Snappy);
    log.append(&[b"one", b"two"]).expect("the disk is good");
    assert_eq!(read(&disk.after_kill()), [b"one", b"two"]);
}

#[test]
fn what_was_synced_survives_a_loss_of_power() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::Snappy);
    log.append(&[&noise(3 * PAGE_BYTES)]).expect("the disk is good");
    log.append(&[&noise(2 * PAGE_BYTES)]).expect("the disk is good");
    log.sync().expect("the disk is good");
    disk.sync_directory(Path::new("")).expect("the disk is good");
    for seed in 0..20 {
        assert_eq!(read(&disk.after_power_loss(seed)).len(), 2);
    }
}

#[test]
fn of_a_batch_without_room_nothing_is_left_and_writing_goes_on_when_there_is_some() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    log.append(&[b"one"]).expect("there is room");
    disk.fill_up_after(12);
    for _ in 0..3 {
        let error = log.append(&[b"two", b"three"]).expect_err("the disk is full");
        assert_eq!(error.to_string(), "write wal/00000000: no storage space");
        assert!(!error.is_of_sync());
        assert_eq!(read(&disk.after_kill()), [b"one"]);
    }
    disk.fill_up_after(u64::MAX);
    log.append(&[b"four"]).expect("there is room again");
    assert_eq!(read(&disk.after_kill()), [b"one".as_slice(), b"four"]);
    assert_eq!(log.stats().writes_failed, 3);
}

#[test]
fn a_batch_without_room_leaves_nothing_in_any_segment() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    log.append(&[b"one"]).expect("there is room");
    disk.fill_up_after(7 * PAGE_BYTES as u64);
    let record = noise(3 * PAGE_BYTES);
    log.append(&[&record, &record, &record]).expect_err("the disk is full");
    assert!(log.segment() > 0, "it had come to another segment");
    assert_eq!(read(&disk.after_kill()), [b"one"]);
    disk.fill_up_after(u64::MAX);
    log.append(&[b"two"]).expect("there is room again");
    assert_eq!(read(&disk.after_kill()), [b"one", b"two"]);
}

#[test]
fn what_cannot_be_cut_off_is_in_the_way_until_it_can() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    log.append(&[b"one"]).expect("there is room");
    disk.fill_up_after(3);
    // The write is still let through, the cut is not.
    disk.stop_after(disk.operations() + 1);
    log.append(&[b"two"]).expect_err("the disk is full");
    disk.fill_up_after(u64::MAX);
    let error = log.append(&[b"three"]).expect_err("the disk is stopped");
    assert_eq!(error.to_string(), "truncate wal/00000000: the simulated disk was stopped");
    disk.stop_after(u64::MAX);
    log.append(&[b"four"]).expect("all is well");
    assert_eq!(read(&disk.after_kill()), [b"one".as_slice(), b"four"]);
}

#[test]
fn what_belongs_together_is_in_one_segment() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    let record = noise(PAGE_BYTES * 3 / 4);
    for n in 1..20 {
        log.append(&[&record, &record]).expect("there is room");
        let layout = Layout::read(&disk, Path::new(DIRECTORY)).expect("it is there");
        for segment in &layout.segments[..layout.segments.len() - 1] {
            let bytes = (&disk as &dyn Disk).read(&segment.path).expect("it is there");
            let mut reader = Reader::new(&bytes);
            let mut n_records = 0;
            while reader.next_record().expect("it is whole").is_some() {
                n_records += 1;
            }
            assert_eq!(n_records % 2, 0, "after {n} batches");
        }
    }
}

#[test]
fn after_a_failed_sync_a_writer_takes_nothing_more() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    log.append(&[b"one"]).expect("there is room");
    // Padding and the new file are let through, the sync of the directory is not.
    disk.stop_after(disk.operations() + 2);
    let error = log.next_segment().expect_err("the disk is stopped");
    assert!(error.is_of_sync(), "{error}");
    disk.stop_after(u64::MAX);
    let error = log.append(&[b"two"]).expect_err("nobody knows what is durable");
    assert_eq!(error.to_string(), "write wal: an earlier sync failed");
}

#[test]
fn repair_keeps_what_is_before_the_damage_and_drops_what_is_after() {
    let disk = SimulatedDisk::default();
    let mut log = writer(&disk, Compression::None);
    for _ in 0..3 {
        log.append(&[&noise(PAGE_BYTES), &noise(2 * PAGE_BYTES)]).expect("the disk is good");
    }
    drop(log);
    let directory = Path::new(DIRECTORY);
    let layout = Layout::read(&disk, directory).expect("it is there");
    let damaged = &layout.segments[1];
    let mut bytes = (&disk as &dyn Disk).read(&damaged.path).expect("it is there");
    bytes[2 * PAGE_BYTES] ^= 1;
    disk.create(&damaged.path).and_then(|mut file| file.write_all(&bytes)).expect("it works");

    let mut reader = Reader::new(&bytes);
    assert!(reader.next_record().expect("the first is good").is_some());
    let corruption = reader.next_record().expect_err("the second is not");
    repair(&disk, directory, damaged, &corruption).expect("the disk is good");

    let lens: Vec<usize> = read(&disk).iter().map(Vec::len).collect();
    assert_eq!(lens, [PAGE_BYTES, 2 * PAGE_BYTES, PAGE_BYTES]);
    let mut log = writer(&disk, Compression::None);
    assert_eq!(log.segment(), 2, "writing goes on in a segment of its own");
    log.append(&[b"more"]).expect("the disk is good");
    assert_eq!(read(&disk).len(), 4);
}

/// Two series, samples at 1000, 2000, … 6000, one a segment; a checkpoint of segments 0 to 3 that
/// keeps series 1 and samples from 3000 on.
fn log_with_checkpoint(disk: &SimulatedDisk) -> Writer {
    let mut log = writer(disk, Compression::Snappy);
    let series = |series_ref: u64| Series {
        series_ref,
        labels: Labels::from_pairs([("n", series_ref.to_string())]),
    };
    let mut encoded = Vec::new();
    record::encode_series(&[series(1), series(2)], &mut encoded);
    log.append(&[&encoded]).expect("the disk is good");
    for n in 1..=6 {
        let mut encoded = Vec::new();
        record::encode_samples(
            &[Sample { series_ref: 1, time: n * 1000, value: 0.0 }],
            &mut encoded,
        );
        log.append(&[&encoded]).expect("the disk is good");
        log.next_segment().expect("the disk is good");
    }
    log
}

fn write_checkpoint(disk: &SimulatedDisk, last: u32) -> crate::Result<()> {
    let keep = Keep {
        series: &|series_ref| series_ref == 1,
        late_log: None,
        min_time: 3000,
        deletions_min_time: 3000,
    };
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (path, options) = (Path::new(DIRECTORY), options(Compression::Zstd));
    checkpoint::write(&disk, path, last, &keep, &mut HashSet::new(), &options)?;
    checkpoint::remove_obsolete(&*disk, Path::new(DIRECTORY))
}

/// Numbers of series and times of samples.
fn contents(disk: &SimulatedDisk) -> (Vec<u64>, Vec<i64>) {
    let (mut series, mut samples) = (Vec::new(), Vec::new());
    for record in read(disk) {
        match Kind::of(&record) {
            Some(Kind::Series) => record::decode_series(&record, &mut series).expect("ours"),
            _ => record::decode_samples(&record, &mut samples).expect("ours"),
        }
    }
    let times = samples.into_iter().map(|sample| sample.time).collect();
    (series.into_iter().map(|series| series.series_ref).collect(), times)
}

#[test]
fn a_checkpoint_stands_for_the_segments_that_it_replaces() {
    let disk = SimulatedDisk::default();
    let _log = log_with_checkpoint(&disk);
    assert_eq!(contents(&disk), (vec![1, 2], vec![1000, 2000, 3000, 4000, 5000, 6000]));
    write_checkpoint(&disk, 3).expect("the disk is good");
    assert_eq!(contents(&disk), (vec![1], vec![3000, 4000, 5000, 6000]));
    write_checkpoint(&disk, 4).expect("the disk is good");
    assert_eq!(contents(&disk), (vec![1], vec![3000, 4000, 5000, 6000]));
    let entries = disk.list(Path::new(DIRECTORY)).expect("it is there");
    let names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["00000005", "00000006", "checkpoint.00000004"]);
}

#[test]
fn a_crash_while_a_checkpoint_is_written_loses_nothing() {
    let count = SimulatedDisk::default();
    let _log = log_with_checkpoint(&count);
    let before = count.operations();
    write_checkpoint(&count, 3).expect("the disk is good");
    for n_operations in before..count.operations() {
        let disk = SimulatedDisk::default();
        let mut log = log_with_checkpoint(&disk);
        log.sync().expect("the disk is good");
        disk.sync_directory(Path::new("")).expect("the disk is good");
        let extra = disk.operations() - before;
        disk.stop_after(n_operations + extra);
        assert!(write_checkpoint(&disk, 3).is_err(), "the disk was stopped");
        for image in [disk.after_kill(), disk.after_power_loss(n_operations)] {
            let (series, times) = contents(&image);
            assert!(series.contains(&1), "crash after {n_operations}");
            assert!(times.ends_with(&[3000, 4000, 5000, 6000]), "crash after {n_operations}");
        }
    }
}

proptest! {
    #[test]
    fn random_records_come_back(
        sizes in prop::collection::vec(1usize..100_000, 1..20),
        kind in 0usize..3,
    ) {
        let compression = [Compression::None, Compression::Snappy, Compression::Zstd][kind];
        check(&sizes.into_iter().map(noise).collect::<Vec<_>>(), compression);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut reader = Reader::new(&bytes);
        while let Ok(Some(_)) = reader.next_record() {}
    }
}

/// A log in a new directory, which is not durable by itself.
#[test]
fn what_is_synced_survives_a_loss_of_power_in_a_new_directory() {
    let disk = SimulatedDisk::default();
    disk.create_directories(Path::new("data")).expect("there is room");
    disk.sync_directory(Path::new(".")).expect("it is there");
    let path = Path::new("data/wbl");
    let mut writer =
        Writer::open(Arc::new(disk.clone()), path, options(Compression::None)).expect("it opens");
    writer.append(&[b"late"]).expect("there is room");
    writer.sync().expect("the disk is good");
    for seed in 0..20 {
        let image = disk.after_power_loss(seed);
        let layout = Layout::read(&image, path).expect("the disk is good");
        assert_eq!(layout.segments.len(), 1, "seed {seed}");
    }
}

/// The process that wrote them was killed before it could.
#[test]
fn earlier_segments_are_synced_with_the_new_one() {
    let disk = SimulatedDisk::default();
    let mut first = writer(&disk, Compression::None);
    first.append(&[b"one"]).expect("there is room");
    first.next_segment().expect("there is room");
    first.append(&[b"two"]).expect("there is room");
    drop(first);
    let disk = disk.after_kill();
    writer(&disk, Compression::None).sync().expect("the disk is good");
    for seed in 0..20 {
        assert_eq!(read(&disk.after_power_loss(seed)), [b"one", b"two"], "seed {seed}");
    }
}

/// Series 1 has another number, 2, of which nobody knows whether samples still have it.
#[test]
fn a_number_stays_in_checkpoints_as_long_as_samples_have_it() {
    let late_log = Path::new("late");
    let check = |time: i64, late_time: Option<i64>, expected: &[u64]| {
        let disk = SimulatedDisk::default();
        let mut log = log_with_checkpoint(&disk);
        let sample = |time| [Sample { series_ref: 2, time, value: 0.0 }];
        let mut encoded = Vec::new();
        record::encode_samples(&sample(time), &mut encoded);
        log.append(&[&encoded]).expect("the disk is good");
        if let Some(time) = late_time {
            let mut late = Writer::open(Arc::new(disk.clone()), late_log, Options::default())
                .expect("the disk is good");
            let mut encoded = Vec::new();
            record::encode_samples(&sample(time), &mut encoded);
            late.append(&[&encoded]).expect("the disk is good");
        }
        let keep = Keep {
            series: &|series_ref| series_ref == 1,
            late_log: Some(late_log),
            min_time: 3000,
            deletions_min_time: 3000,
        };
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let (path, options) = (Path::new(DIRECTORY), options(Compression::None));
        let mut undecided = HashSet::from([2]);
        checkpoint::write(&shared, path, log.segment(), &keep, &mut undecided, &options)
            .expect("the disk is good");
        assert_eq!(contents(&disk).0, expected);
        assert_eq!(undecided.contains(&2), expected.contains(&2));
    };
    check(2999, None, &[1]);
    check(3000, None, &[1, 2]);
    check(2999, Some(5), &[1, 2]);
}
