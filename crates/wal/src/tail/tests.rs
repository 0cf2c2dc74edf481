use runtime::Simulation;

use super::*;
use crate::{Compression, Options, Writer};

const DIRECTORY: &str = "wal";

struct World {
    simulation: Simulation,
    writer: Writer,
}

impl World {
    fn new() -> World {
        let simulation = Simulation::new(1);
        let options =
            Options { segment_bytes: 4 * PAGE_BYTES as u64, compression: Compression::None };
        let disk = simulation.runtime().disk;
        let writer = Writer::open(disk, Path::new(DIRECTORY), options).expect("it opens");
        World { simulation, writer }
    }

    fn disk(&self) -> Arc<dyn Disk> {
        self.simulation.runtime().disk
    }

    fn tail(&self, from: Position) -> Tail {
        Tail::new(self.disk(), Path::new(DIRECTORY), from)
    }
}

/// Reads to the end: records with the positions behind them, and what came between.
fn read_all(tail: &mut Tail) -> (Vec<(Vec<u8>, Position)>, Vec<Step>) {
    let (mut records, mut steps) = (Vec::new(), Vec::new());
    loop {
        let mut each = |record: &[u8], end| records.push((record.to_vec(), end));
        match tail.read(&mut each).expect("the disk is good") {
            Step::End => return (records, steps),
            Step::More => {}
            step => steps.push(step),
        }
    }
}

fn record(idx: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (idx * 31 + at) as u8 | 1).collect()
}

#[test]
fn what_is_appended_is_read_once_over_many_segments() {
    let mut world = World::new();
    let mut tail = world.tail(Position::default());
    let (mut written, mut read) = (Vec::new(), Vec::new());
    for idx in 0..300 {
        let record = record(idx, 1 + idx * 37 % 5000);
        world.writer.append(&[&record]).expect("the disk is good");
        written.push(record);
        if idx % 7 == 0 {
            read.extend(read_all(&mut tail).0);
        }
    }
    read.extend(read_all(&mut tail).0);
    assert!(read.iter().map(|(record, _)| record).eq(&written));
    assert!(tail.position().segment > 3);
    assert!(read.is_sorted_by_key(|(_, end)| *end));
}

#[test]
fn reading_goes_on_from_every_position() {
    let mut world = World::new();
    for idx in 0..40 {
        world.writer.append(&[&record(idx, 9000)]).expect("the disk is good");
    }
    let (all, _) = read_all(&mut world.tail(Position::default()));
    for (idx, (_, end)) in all.iter().enumerate() {
        let (rest, _) = read_all(&mut world.tail(*end));
        assert_eq!(rest.len(), all.len() - idx - 1, "{end:?}");
        assert!(rest.iter().eq(&all[idx + 1..]));
    }
}

/// A reader may see any part of a write.
#[test]
fn what_is_written_in_part_is_not_there_yet() {
    let mut world = World::new();
    for idx in 0..12 {
        world.writer.append(&[&record(idx, 7000)]).expect("the disk is good");
    }
    let bytes = world.disk().read(&Path::new(DIRECTORY).join("00000000")).expect("it is there");
    let simulation = Simulation::new(2);
    let disk = simulation.runtime().disk;
    disk.create_directories(Path::new(DIRECTORY)).expect("the disk is good");
    let mut file = disk.create(&Path::new(DIRECTORY).join("00000000")).expect("the disk is good");
    let mut tail = Tail::new(disk.clone(), Path::new(DIRECTORY), Position::default());
    let mut read = Vec::new();
    let mut begin = 0;
    for end in (0..bytes.len()).step_by(1).filter(|end| end % 11 < 3).chain([bytes.len()]) {
        file.write_all(&bytes[begin..end]).expect("the disk is good");
        begin = end;
        read.extend(read_all(&mut tail).0);
    }
    assert_eq!(read.len(), 12);
    for (idx, (found, _)) in read.iter().enumerate() {
        assert_eq!(*found, record(idx, 7000));
    }
}

#[test]
fn a_torn_end_is_passed_by_once_there_is_another_segment() {
    let mut world = World::new();
    world.writer.append(&[b"one", b"two"]).expect("the disk is good");
    let path = Path::new(DIRECTORY).join("00000000");
    world.disk().append(&path).expect("it is there").write_all(&[1, 0, 9, 1]).expect("room");
    let mut tail = world.tail(Position::default());
    assert_eq!(read_all(&mut tail).0.len(), 2);
    let mut writer =
        Writer::open(world.disk(), Path::new(DIRECTORY), Options::default()).expect("it opens");
    writer.append(&[b"three"]).expect("the disk is good");
    let (records, steps) = read_all(&mut tail);
    assert_eq!(records.iter().map(|(record, _)| record.as_slice()).collect::<Vec<_>>(), [b"three"]);
    assert_eq!(steps, [Step::Corrupt]);
}

#[test]
fn segments_that_are_gone_are_said_to_be_lost() {
    let mut world = World::new();
    for idx in 0..40 {
        world.writer.append(&[&record(idx, 9000)]).expect("the disk is good");
    }
    for name in ["00000000", "00000001"] {
        world.disk().remove_file(&Path::new(DIRECTORY).join(name)).expect("it is there");
    }
    let mut tail = world.tail(Position::default());
    let (records, steps) = read_all(&mut tail);
    assert_eq!(steps, [Step::Lost]);
    assert_eq!(records[0].1.segment, 2);
}

#[test]
fn records_longer_than_a_window_are_read() {
    let simulation = Simulation::new(1);
    let disk = simulation.runtime().disk;
    let options = Options { compression: Compression::None, ..Options::default() };
    let mut writer = Writer::open(disk.clone(), Path::new(DIRECTORY), options).expect("it opens");
    let long = record(1, 5 * WINDOW_BYTES);
    writer.append(&[b"before", &long, b"after"]).expect("the disk is good");
    let mut tail = Tail::new(disk, Path::new(DIRECTORY), Position::default());
    let (records, _) = read_all(&mut tail);
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].0, long);
}

#[test]
fn a_batch_that_was_cut_off_is_in_no_ones_way() {
    for room in 0..80 {
        let mut world = World::new();
        let mut tail = world.tail(Position::default());
        world.writer.append(&[b"one"]).expect("there is room");
        read_all(&mut tail);
        // Of the batch some is seen before it goes again.
        world.simulation.disk.fill_up_after(room);
        world.simulation.disk.stop_after(world.simulation.disk.operations() + 1);
        world.writer.append(&[&record(1, 20), &record(2, 60)]).expect_err("the disk is full");
        read_all(&mut tail);
        world.simulation.disk.fill_up_after(u64::MAX);
        world.simulation.disk.stop_after(u64::MAX);
        world.writer.append(&[]).expect("it is cut off");
        read_all(&mut tail);
        world.writer.append(&[b"two"]).expect("there is room again");
        world.writer.next_segment().expect("there is room again");
        world.writer.append(&[b"three"]).expect("there is room again");
        let (records, steps) = read_all(&mut tail);
        let records: Vec<&[u8]> = records.iter().map(|(record, _)| record.as_slice()).collect();
        assert_eq!(records, [b"two".as_slice(), b"three"], "with room for {room} bytes");
        assert_eq!(steps, [], "with room for {room} bytes");
    }
}
