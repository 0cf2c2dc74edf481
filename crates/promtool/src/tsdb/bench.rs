//! `tsdb bench write`: how fast does the database take samples here?

use std::{io::Write as _, path::Path, time::Duration};

use anyhow::Context as _;
use model::{Labels, Timestamp};
use storage::{Appendable as _, SeriesRef};
use tsdb::{Database, Options};

use crate::{Exit, World, arguments::BenchWrite, time::plain};

const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);

pub(crate) fn run(world: &mut World, bench: &BenchWrite) -> anyhow::Result<Exit> {
    let runtime = world.runtime.clone();
    let clock = &runtime.clock;
    writeln!(world.stdout, ">> start stage=readData")?;
    let began = clock.monotonic();
    let series = read_series(world, bench)?;
    let took = clock.monotonic() - began;
    writeln!(world.stdout, ">> completed stage=readData duration={took:?}")?;
    let folder = bench.out.join("storage");
    if runtime.disk.exists(&folder) {
        runtime.disk.remove_directory(&folder)?;
    }
    let options = Options { retention: Duration::from_secs(15 * 24 * 3600), ..Options::default() };
    let database = Database::open(&runtime, &folder, options)?;
    writeln!(world.stdout, ">> start stage=ingestScrapes")?;
    let began = clock.monotonic();
    let n_samples = ingest(&database, &series, bench.scrapes)?;
    let took = clock.monotonic() - began;
    let rate = n_samples as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);
    writeln!(world.stdout, ">> completed stage=ingestScrapes duration={took:?}")?;
    writeln!(world.stdout, " > total samples={n_samples}")?;
    writeln!(world.stdout, " > samples/sec={}", plain(rate.round()))?;
    writeln!(world.stdout, ">> start stage=stopStorage")?;
    let began = clock.monotonic();
    database.sync()?;
    drop(database);
    let took = clock.monotonic() - began;
    writeln!(world.stdout, ">> completed stage=stopStorage duration={took:?}")?;
    Ok(Exit::Success)
}

/// The series to write: those of a file, a JSON object a line, or made up.
fn read_series(world: &World, bench: &BenchWrite) -> anyhow::Result<Vec<Labels>> {
    let Some(file) = &bench.file else {
        let label = |idx: usize| {
            let (job, instance) = (format!("job-{}", idx / 1000), format!("host-{}", idx % 1000));
            Labels::from_pairs([
                (model::METRIC_NAME, "bench_metric"),
                ("job", &job),
                ("instance", &instance),
            ])
        };
        return Ok((0..bench.metrics).map(label).collect());
    };
    let text = world
        .runtime
        .disk
        .read_to_string(Path::new(file))
        .with_context(|| format!("read {}", file.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(bench.metrics);
    let labels = lines.map(|line| {
        let pairs: std::collections::BTreeMap<String, String> = serde_json::from_str(line)?;
        Ok(Labels::from_pairs(pairs))
    });
    labels.collect()
}

fn ingest(database: &Database, series: &[Labels], scrapes: usize) -> anyhow::Result<usize> {
    let mut known = vec![SeriesRef::UNKNOWN; series.len()];
    let mut time = Timestamp::default();
    for scrape in 0..scrapes {
        time = time + SCRAPE_INTERVAL;
        let mut appender = database.appender();
        for (labels, known) in series.iter().zip(&mut known) {
            *known = appender.append(*known, labels, time, 123_456.0 + scrape as f64)?;
        }
        appender.commit()?;
    }
    Ok(series.len() * scrapes)
}
