//! Blocks on a simulated disk.

mod damage;
mod upstream;

use std::path::{Path, PathBuf};

use chunks::{Encoding, XorChunk};
use model::{Labels, MatchKind, Matcher, TimeRange};
use runtime::{Disk, Simulation};
use storage::{Columns, LabelHints, Queryable as _, SelectHints};
use ulid::Ulid;

use crate::{Block, Chunk, Meta, Writer};

const PARENT: &str = "data";

/// A series as `a=1 b=2 | 1=10 2=20 | 5=50`: labels, then its chunks as `time=value …`.
fn parse(line: &str) -> (Labels, Vec<Chunk<'static>>) {
    let mut parts = line.trim().split('|');
    let labels = parts.next().unwrap_or_default();
    let labels = labels.split_whitespace().map(|pair| pair.split_once('=').expect("a=b"));
    let chunk = |samples: &str| {
        let samples = samples.split_whitespace().map(|sample| {
            let (time, value) = sample.split_once('=').expect("time=value");
            (time.parse().expect("a time"), value.parse().expect("a value"))
        });
        chunk_of(samples)
    };
    (Labels::from_pairs(labels), parts.map(chunk).collect())
}

fn chunk_of(samples: impl IntoIterator<Item = (i64, f64)>) -> Chunk<'static> {
    let mut chunk = XorChunk::default();
    let mut start = None;
    for (time, value) in samples {
        start.get_or_insert(time);
        chunk.append(time, value);
    }
    let end = chunk.last_time();
    let bytes = chunk.into_bytes().into();
    Chunk { start: start.expect("a chunk has a sample"), end, encoding: Encoding::Xor, bytes }
}

/// Writes series, which are sorted here, as a block.
fn write(disk: &dyn Disk, mut series: Vec<(Labels, Vec<Chunk<'_>>)>) -> PathBuf {
    series.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut symbols: Vec<&str> =
        series.iter().flat_map(|(labels, _)| labels.iter().flat_map(|(n, v)| [n, v])).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let chunks = || series.iter().flat_map(|(_, chunks)| chunks);
    let min_time = chunks().map(|chunk| chunk.start).min().unwrap_or(0);
    let max_time = chunks().map(|chunk| chunk.end).max().unwrap_or(0) + 1;
    let ulid = Ulid::from_parts(1_700_000_000_000, 7);
    let meta = Meta::new(ulid, min_time, max_time);
    let mut writer = Writer::create(disk, Path::new(PARENT), meta, symbols.iter().copied())
        .expect("it is created");
    for (labels, chunks) in &series {
        writer.add(&numbers(&symbols, labels), chunks).expect("it is written");
    }
    writer.finish().expect("it is finished");
    Path::new(PARENT).join(ulid.to_string())
}

fn numbers(symbols: &[&str], labels: &Labels) -> Vec<(u32, u32)> {
    let number = |text: &str| symbols.binary_search(&text).expect("it is a symbol") as u32;
    labels.iter().map(|(name, value)| (number(name), number(value))).collect()
}

fn open(simulation: &Simulation, text: &str) -> Block {
    let disk = simulation.runtime().disk;
    let series = text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect();
    let directory = write(&*disk, series);
    Block::open(&*disk, &directory).expect("it opens")
}

/// `a=1`, `a!=1`, `a=~1|2`, `a!~1`, several separated by commas.
fn matchers(text: &str) -> Vec<Matcher> {
    let parse = |text: &str| {
        let kinds = [
            ("=~", MatchKind::Regex),
            ("!~", MatchKind::NotRegex),
            ("!=", MatchKind::NotEqual),
            ("=", MatchKind::Equal),
        ];
        let found = kinds.iter().find_map(|(sign, kind)| Some((text.split_once(sign)?, *kind)));
        let ((name, value), kind) = found.expect("a matcher has a sign");
        Matcher::new(kind, name, value).expect("the pattern is right")
    };
    text.split(',').filter(|text| !text.is_empty()).map(parse).collect()
}

fn dump(block: &Block, range: (i64, i64), text: &str) -> String {
    let range = TimeRange::from_millis(range.0, range.1);
    let querier = block.querier(range).expect("a block answers");
    let set = querier.select(true, &SelectHints::new(range), &matchers(text)).expect("it selects");
    let mut out = String::new();
    for series in set.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).expect("it reads");
        let samples = columns.times.iter().zip(&columns.values);
        let samples: String = samples.map(|(time, value)| format!(" {time}={value}")).collect();
        out.push_str(&format!("{}{samples}\n", series.labels()));
    }
    out
}

const SERIES: &str = "
    __name__=up job=a | 1=1 2=1 | 5=0 6=1
    __name__=up job=b | 2=2 3=2
    __name__=down job=b zone=x | 4=4
";

fn check(range: (i64, i64), matchers: &str, expected: &str) {
    let simulation = Simulation::new(1);
    let block = open(&simulation, SERIES);
    let expected: String = expected
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(dump(&block, range, matchers), expected, "{matchers} in {range:?}");
}

#[test]
fn all_that_was_written_is_read() {
    let expected = r#"
        {__name__="down", job="b", zone="x"} 4=4
        {__name__="up", job="a"} 1=1 2=1 5=0 6=1
        {__name__="up", job="b"} 2=2 3=2
    "#;
    check((i64::MIN, i64::MAX), "", expected);
}

#[test]
fn a_range_cuts_chunks() {
    check((2, 5), "job=a", r#"{__name__="up", job="a"} 2=1 5=0"#);
    check((3, 4), "job=a", "");
    check((7, 9), "", "");
}

#[test]
fn matchers_select() {
    check(
        (0, 9),
        "zone=",
        "{__name__=\"up\", job=\"a\"} 1=1 2=1 5=0 6=1\n{__name__=\"up\", job=\"b\"} 2=2 3=2",
    );
    check((0, 9), "job=~b|c,__name__!=up", r#"{__name__="down", job="b", zone="x"} 4=4"#);
    check((0, 9), "job!~a,zone!~x", r#"{__name__="up", job="b"} 2=2 3=2"#);
    check((0, 9), "nothing=here", "");
    check((0, 9), "job=c", "");
}

#[test]
fn label_questions_are_answered_from_the_index() {
    let simulation = Simulation::new(1);
    let block = open(&simulation, SERIES);
    let querier = block.querier(TimeRange::ALL).expect("a block answers");
    let values = |name: &str, text: &str| {
        let answer = querier.label_values(name, &LabelHints::default(), &matchers(text));
        answer.expect("it answers").values.join(" ")
    };
    assert_eq!(values("job", ""), "a b");
    assert_eq!(values("job", "__name__=down"), "b");
    assert_eq!(values("zone", "job=a"), "");
    let names = |text: &str| {
        let answer = querier.label_names(&LabelHints::default(), &matchers(text));
        answer.expect("it answers").values.join(" ")
    };
    assert_eq!(names(""), "__name__ job zone");
    assert_eq!(names("job=a"), "__name__ job");
}

#[test]
fn what_is_deleted_is_hidden_also_after_reopening() {
    let simulation = Simulation::new(1);
    let block = open(&simulation, SERIES);
    let disk = simulation.runtime().disk;
    let delete = |start, end, text: &str| {
        let range = TimeRange::from_millis(start, end);
        block.delete(&*disk, range, &matchers(text)).expect("it deletes")
    };
    assert!(delete(2, 5, "job=a"));
    assert!(delete(0, 9, "zone=x"));
    assert!(!delete(0, 9, "job=c"));
    assert!(!delete(100, 200, "job=a"));
    let expected = "{__name__=\"up\", job=\"a\"} 1=1 6=1\n{__name__=\"up\", job=\"b\"} 2=2 3=2\n";
    assert_eq!(dump(&block, (0, 9), ""), expected);
    let again = Block::open(&*disk, block.directory()).expect("it opens");
    assert_eq!(dump(&again, (0, 9), ""), expected);
    assert_eq!(again.tombstones().len(), 2);
}

#[test]
fn many_values_are_found_one_by_one() {
    let simulation = Simulation::new(1);
    let text: String = (0..500).map(|n| format!("n={n:03} parity={} | 1={n}\n", n % 2)).collect();
    let block = open(&simulation, &text);
    for n in 0..500 {
        let expected = format!("{{n=\"{n:03}\", parity=\"{}\"}} 1={n}\n", n % 2);
        assert_eq!(dump(&block, (0, 9), &format!("n={n:03}")), expected);
    }
    for absent in ["", "0000", "0005", "500", "zzz"] {
        assert_eq!(dump(&block, (0, 9), &format!("parity=~.+,n={absent}")), "", "{absent:?}");
    }
    assert_eq!(dump(&block, (0, 9), "parity=1").lines().count(), 250);
}

#[test]
fn chunks_go_on_in_a_new_segment() {
    let simulation = Simulation::new(1);
    let disk = simulation.runtime().disk;
    let directory = Path::new(PARENT);
    let writer = crate::segments::SegmentWriter::create(&*disk, directory).expect("it is created");
    let mut writer = writer.with_segment_bytes_max(100);
    let references: Vec<u64> =
        (0..10u8).map(|n| writer.write(Encoding::Xor, &[n; 20]).expect("it is written")).collect();
    writer.finish().expect("it is finished");
    let segments = crate::segments::Segments::open(&*disk, directory).expect("it opens");
    for (n, reference) in references.iter().enumerate() {
        let (_, bytes) = segments.chunk(*reference).expect("it is there");
        assert_eq!(bytes, [n as u8; 20]);
    }
    assert_eq!(references.last().map(|reference| reference >> 32), Some(3));
    assert!(segments.chunk(99 << 32).is_err());
}

#[test]
fn series_out_of_order_are_refused() {
    let simulation = Simulation::new(1);
    let disk = simulation.runtime().disk;
    let meta = Meta::new(Ulid::from_parts(1, 1), 0, 1);
    let symbols = ["a", "b", "n"].into_iter();
    let mut writer =
        Writer::create(&*disk, Path::new(PARENT), meta, symbols).expect("it is created");
    let add =
        |writer: &mut Writer<'_>, value: u32| writer.add(&[(2, value)], &[chunk_of([(0, 1.0)])]);
    add(&mut writer, 1).expect("it is the first");
    assert!(add(&mut writer, 0).is_err());
    assert!(add(&mut writer, 1).is_err());
    assert!(add(&mut writer, 3).is_err(), "it is no symbol");
    writer.abort().expect("it goes");
    assert!(disk.list(Path::new(PARENT)).expect("it is there").is_empty());
}
