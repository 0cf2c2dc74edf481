//! How long it takes until a member with an empty disk has what another one has: 100,000 series
//! over two hours, a sample every 15 seconds, over loopback.
//!
//! `cargo bench -p repair -- [series] [samples]`

#![expect(clippy::print_stdout, reason = "it is for people")]

use std::{path::Path, sync::Arc, time::Duration};

use grpc::Plain;
use model::{Labels, TimeRange};
use repair::{Backfill, Member, Repair, Settings, Sources, Written};
use runtime::Runtime;
use storage::Columns;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;
use tsdb::{Database, History, Options};

const STEP_MS: i64 = 15_000;
const RETENTION: Duration = Duration::from_secs(3 * 3600);

struct Writer(Arc<Database>);

impl Backfill for Writer {
    fn write(
        &self,
        series: &mut (dyn Iterator<Item = (Labels, Columns)> + Send),
    ) -> Result<Written, String> {
        let histories = series.map(|(labels, samples)| History { labels, samples });
        let done = self.0.replace(histories).map_err(|error| error.to_string())?;
        Ok(Written { added: done.added, replaced: done.replaced })
    }
}

/// A third does not change, a third counts, a third goes up and down.
fn history(idx: u64, start: i64, n_samples: i64) -> History {
    let text = |number: u64| number.to_string();
    let labels = Labels::from_pairs([
        ("__name__", format!("metric_{}_total", idx % 200).as_str()),
        ("instance", &format!("host-{}.example.org:9100", idx / 200)),
        ("job", "node"),
        ("device", &text(idx % 7)),
    ]);
    let mut samples = Columns::default();
    let (mut value, mut random) = (idx as f64, idx);
    for step in 0..n_samples {
        random = storage::mix(random.wrapping_add(0x9e37_79b9_7f4a_7c15));
        match idx % 3 {
            0 => {}
            1 => value += (random % 100) as f64,
            _ => value = (random % 10_000) as f64 / 100.0,
        }
        samples.push(start + step * STEP_MS, value);
    }
    History { labels, samples }
}

/// A server for `repair`, and where it is.
async fn serve(repair: &Repair, runtime: &Runtime, stop: &CancellationToken) -> String {
    let listener = runtime.network.listen("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_address().expect("it listens").to_string();
    let router = grpc::finish(repair.router());
    let (clock, stop) = (runtime.clock.clone(), stop.clone());
    let limits = transport::server::Limits::default();
    tokio::spawn(transport::server::serve(vec![listener], router, limits, clock, stop));
    address
}

fn member(
    directory: &Path,
    database: &Arc<Database>,
    others: Vec<Member>,
    runtime: &Runtime,
) -> Repair {
    let known = database.clone();
    let sources = Sources {
        series: database.clone(),
        writer: Arc::new(Writer(database.clone())),
        oldest: Arc::new(move || known.time_range().map(|range| range.start)),
        delete: Arc::new(|_, _| Err("it does not".to_owned())),
        members: Arc::new(move || others.clone()),
        connect: Arc::new(Plain(runtime.network.clone())),
    };
    let settings = Settings {
        retention: RETENTION,
        bytes_per_second: 0,
        ..Settings::new(directory.join("cluster_repair"))
    };
    Repair::new(settings, sources, runtime, &Registry::default()).expect("the disk is fine")
}

#[tokio::main]
async fn main() {
    let numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let numbers: Vec<u64> = numbers.collect();
    let n_series = numbers.first().copied().unwrap_or(100_000);
    let n_samples = numbers.get(1).copied().unwrap_or(480) as i64;
    let runtime = Runtime::real();
    let directory = std::env::temp_dir().join(format!("vesta-repair-{}", std::process::id()));
    let open = |name: &str| {
        let directory = directory.join(name);
        runtime.disk.create_directories(&directory).expect("the disk is fine");
        let database = Database::open(&runtime, &directory, Options::default());
        (Arc::new(database.expect("it opens")), directory)
    };
    let ((full, full_directory), (empty, empty_directory)) = (open("full"), open("empty"));

    let begin = runtime.clock.monotonic();
    let start = runtime.clock.now_millis() - 600_000 - n_samples * STEP_MS;
    let histories = (0..n_series).map(|idx| history(idx, start, n_samples));
    let filled = runtime::blocking(|| full.backfill(histories)).expect("it is written");
    println!("filled: {filled:?} in {:?}", runtime.clock.monotonic() - begin);

    let stop = CancellationToken::new();
    let server = member(&full_directory, &full, Vec::new(), &runtime);
    let address = serve(&server, &runtime, &stop).await;
    let name = "full".to_owned();
    let other = Member { id: name.clone(), name, address, is_live: true, is_replica: true };
    let repair = member(&empty_directory, &empty, vec![other], &runtime);
    let begin = runtime.clock.monotonic();
    let running = tokio::spawn(repair.clone().run(stop.clone()));
    let all = filled.added;
    loop {
        runtime.clock.sleep(Duration::from_millis(100)).await;
        let status = repair.status();
        if status.samples_added >= all && status.running.is_none() {
            break;
        }
        if let Some(error) = &status.peers[0].error {
            println!("{error}");
            break;
        }
    }
    let took = runtime.clock.monotonic() - begin;
    let status = repair.status();
    stop.cancel();
    running.await.expect("no panic");
    println!(
        "repaired: {} samples of {n_series} series, {} bytes, in {took:?}; {} windows compared; holes now: {:?}",
        status.samples_added,
        status.bytes_received,
        status.windows_compared,
        repair.holes_within(TimeRange::ALL),
    );

    // Once more from the beginning, when all is equal.
    let stop = CancellationToken::new();
    let address = serve(&server, &runtime, &stop).await;
    let name = "full".to_owned();
    let other = Member { id: name.clone(), name, address, is_live: true, is_replica: true };
    let directory_again = empty_directory.join("again");
    runtime.disk.create_directories(&directory_again).expect("the disk is fine");
    let again = member(&directory_again, &empty, vec![other], &runtime);
    let begin = runtime.clock.monotonic();
    let running = tokio::spawn(again.clone().run(stop.clone()));
    while again.holes().millis() > 300_000 {
        runtime.clock.sleep(Duration::from_millis(10)).await;
    }
    println!("compared again, all equal, in {:?}", runtime.clock.monotonic() - begin);
    stop.cancel();
    running.await.expect("no panic");
    drop((full, empty, repair, again, server));
    runtime.disk.remove_directory(&directory).expect("the disk is fine");
}
