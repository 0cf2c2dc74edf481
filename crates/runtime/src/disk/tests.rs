use std::path::Path;

use super::{Disk, SimulatedDisk};

/// The disk's files as `path: content` lines, directories with a slash.
fn print(disk: &SimulatedDisk) -> String {
    fn walk(disk: &SimulatedDisk, directory: &Path, out: &mut String) {
        for entry in disk.list(directory).expect("it is a directory") {
            let path = directory.join(&entry.name);
            if entry.is_directory {
                out.push_str(&format!("{}/\n", path.display()));
                walk(disk, &path, out);
            } else {
                let bytes = (disk as &dyn Disk).read(&path).expect("it is a file");
                out.push_str(&format!("{}: {}\n", path.display(), bytes.escape_ascii()));
            }
        }
    }
    let mut out = String::new();
    walk(disk, Path::new(""), &mut out);
    out
}

/// Does `work`, one line a step, and prints the disk.
///
/// ```text
/// mkdir wal | write wal/1 abc | sync wal/1 | syncdir wal | mv a b | rm a | cut a 2
/// ```
fn run(disk: &SimulatedDisk, work: &str) -> std::io::Result<()> {
    for line in work.trim().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["mkdir", path] => disk.create_directories(Path::new(path))?,
            ["create", path] => drop(disk.create(Path::new(path))?),
            ["write", path, text] => disk.append(Path::new(path))?.write_all(text.as_bytes())?,
            ["sync", path] => disk.append(Path::new(path))?.sync()?,
            ["cut", path, len] => {
                let len = len.parse().expect("a length is a number");
                disk.append(Path::new(path))?.set_len(len)?;
            }
            ["syncdir", path] => disk.sync_directory(Path::new(path))?,
            ["mv", from, to] => disk.rename(Path::new(from), Path::new(to))?,
            ["ln", from, to] => disk.hard_link(Path::new(from), Path::new(to))?,
            ["rm", path] => disk.remove_file(Path::new(path))?,
            _ => panic!("what is {line:?}?"),
        }
    }
    Ok(())
}

fn check(work: &str, after_kill: &str, after_each_power_loss: &[&str]) {
    let disk = SimulatedDisk::default();
    run(&disk, work).expect("nothing fails on this disk");
    assert_eq!(print(&disk), print(&disk.after_kill()), "a kill loses nothing");
    assert_eq!(print(&disk).trim(), after_kill.trim());
    let mut seen: Vec<String> = (0..200).map(|seed| print(&disk.after_power_loss(seed))).collect();
    seen.sort();
    seen.dedup();
    let mut expected: Vec<String> = after_each_power_loss
        .iter()
        .map(|image| image.trim().lines().map(|line| format!("{line}\n")).collect())
        .collect();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn synced_bytes_survive_and_tails_tear() {
    check(
        "
create wal
write wal ab
sync wal
syncdir .
write wal cd
",
        "wal: abcd",
        &["wal: ab", "wal: abc", "wal: abcd", "wal: ab\\x00", "wal: ab\\x00\\x00"],
    );
}

#[test]
fn names_are_durable_once_their_directory_is_synced() {
    check(
        "
mkdir data
syncdir .
write data/x.tmp 1
sync data/x.tmp
mv data/x.tmp data/x
",
        "data/\ndata/x: 1",
        &["data/", "data/\ndata/x.tmp: 1", "data/\ndata/x: 1"],
    );
    check(
        "
mkdir data
syncdir .
write data/x 1
sync data/x
syncdir data
",
        "data/\ndata/x: 1",
        &["data/\ndata/x: 1"],
    );
}

#[test]
fn of_several_changes_of_names_the_first_may_remain() {
    check(
        "
write a 1
sync a
syncdir .
mv a b
ln b c
",
        "b: 1\nc: 1",
        &["a: 1", "b: 1", "b: 1\nc: 1"],
    );
}

/// A disk writes sectors in any order.
#[test]
fn later_sectors_may_be_there_without_earlier_ones() {
    let disk = SimulatedDisk::default();
    disk.append(Path::new("x")).and_then(|mut x| x.write_all(&[7; 2048])).expect("there is room");
    disk.sync_directory(Path::new("")).expect("it is there");
    let is_hole = |seed: &u64| {
        let image = disk.after_power_loss(*seed);
        let bytes = (&image as &dyn Disk).read(Path::new("x")).expect("it is durable");
        let first_zero = bytes.iter().position(|byte| *byte == 0);
        first_zero.is_some_and(|begin| bytes[begin..].contains(&7))
    };
    assert!((0..200).filter(is_hole).count() > 10);
}

#[test]
fn a_cut_file_is_the_old_or_the_new_one() {
    check(
        "
write x abc
sync x
syncdir .
cut x 1
",
        "x: a",
        &["x: a", "x: abc"],
    );
}

#[test]
fn hard_links_share_what_is_written() {
    check(
        "
write x a
ln x y
write y b
sync x
syncdir .
",
        "x: ab\ny: ab",
        &["x: ab\ny: ab"],
    );
}

#[test]
fn work_can_be_stopped_after_each_operation() {
    let work = "write x a\nsync x\nsyncdir .\nrm x";
    let whole = SimulatedDisk::default();
    run(&whole, work).expect("nothing fails on this disk");
    let images: Vec<String> = (0..=whole.operations())
        .map(|operations| {
            let disk = SimulatedDisk::default();
            disk.stop_after(operations);
            let is_cut = run(&disk, work).is_err();
            assert_eq!(is_cut, operations < whole.operations());
            print(&disk.after_kill())
        })
        .collect();
    // Opening for append is a change of its own: it may create the file.
    assert_eq!(images, ["", "x: \n", "x: a\n", "x: a\n", "x: a\n", "x: a\n", ""]);
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = SimulatedDisk::default();
    disk.fill_up_after(3);
    run(&disk, "write x ab").expect("two bytes fit");
    let error = run(&disk, "write x cd").expect_err("only one byte is left");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(print(&disk), "x: abc\n");
}

#[test]
fn a_lock_is_held_by_one_until_it_is_dropped() {
    let disk = SimulatedDisk::default();
    let path = Path::new("lock");
    let guard = disk.lock(path).expect("nobody holds it");
    assert!(disk.lock(path).is_err());
    drop(guard);
    assert!(disk.lock(path).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn files_of_the_kernel_are_read_whole() {
    let disk: &dyn Disk = &super::RealDisk;
    let status = disk.read_to_string(Path::new("/proc/self/status")).expect("there is always one");
    assert!(status.starts_with("Name:") && status.ends_with('\n'), "{status}");
    assert_eq!(disk.read(Path::new("/dev/null")).expect("there is always one"), b"");
}
