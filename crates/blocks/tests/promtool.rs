//! Does upstream read what we write? Asks the real `promtool`, where it is installed.

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

use std::{path::Path, process::Command};

use blocks::{Chunk, Meta, Writer};
use chunks::{Encoding, XorChunk};
use model::Labels;
use runtime::Runtime;
use ulid::Ulid;

const START: i64 = 1_700_006_400_000;
const STEP_MS: i64 = 15_000;

/// What `promtool tsdb …` prints; `None` if it is not here.
fn promtool(command: &str, directory: &Path) -> Option<String> {
    let output = match Command::new("promtool").args(["tsdb", command]).arg(directory).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: promtool: {error}");
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool tsdb {command}: {errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Writes a block of 1,000 series with two chunks each; gives what a dump of it should print.
fn write(directory: &Path) -> Vec<String> {
    let mut series: Vec<Labels> = (0..1000)
        .map(|n| {
            Labels::from_pairs([
                ("__name__", "requests_total"),
                ("path", &format!("/{n}/\u{e9}\"\\\n")),
                ("job", if n % 2 == 0 { "even" } else { "odd" }),
            ])
        })
        .collect();
    series.sort();
    let mut symbols: Vec<&str> =
        series.iter().flat_map(|labels| labels.iter().flat_map(|(n, v)| [n, v])).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let number = |text: &str| symbols.binary_search(&text).expect("it is a symbol") as u32;
    let disk = Runtime::real().disk;
    let end = START + 240 * STEP_MS;
    let meta = Meta::new(Ulid::from_parts(START as u64, 1), START, end);
    let mut writer =
        Writer::create(&*disk, directory, meta, symbols.iter().copied()).expect("it is created");
    let mut lines = Vec::new();
    for (n, labels) in series.iter().enumerate() {
        let mut chunks = Vec::new();
        for start in [0, 120] {
            let mut chunk = XorChunk::default();
            for step in start..start + 120 {
                let (time, value) = (START + step * STEP_MS, (n as i64 + step * step) as f64);
                chunk.append(time, value);
                lines.push(format!("{labels} {value} {time}"));
            }
            let (start, end) = (START + start * STEP_MS, chunk.last_time());
            let bytes = chunk.into_bytes().into();
            chunks.push(Chunk { start, end, encoding: Encoding::Xor, bytes });
        }
        let labels: Vec<_> = labels.iter().map(|(n, v)| (number(n), number(v))).collect();
        writer.add(&labels, &chunks).expect("it is written");
    }
    let meta = writer.finish().expect("it is finished");
    assert_eq!((meta.stats.num_series, meta.stats.num_chunks), (1000, 2000));
    lines.sort();
    lines
}

#[test]
fn upstream_reads_our_blocks() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    // Upstream wants a log, be it empty.
    let wal = directory.path().join("wal");
    Runtime::real().disk.create_directories(&wal).expect("it can be written");
    let expected = write(directory.path());
    let Some(dump) = promtool("dump", directory.path()) else { return };
    let mut found: Vec<&str> = dump.lines().collect();
    found.sort_unstable();
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "promtool dumps something else");
    let list = promtool("list", directory.path()).expect("it was there a moment ago");
    assert!(list.contains("240000") && list.contains("2000"), "{list}");
    let analysis = promtool("analyze", directory.path()).expect("it was there a moment ago");
    assert!(analysis.contains("\nSeries: 1000\n"), "{analysis}");
}
