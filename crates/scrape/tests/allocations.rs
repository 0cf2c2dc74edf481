//! A known series costs no allocation on its way from the socket to the store.
//!
//! Alone in its program, as it counts the allocations of all threads.

#![expect(unsafe_code, reason = "counting allocations takes an allocator")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use model::{Labels, TargetGroup, Timestamp};
use runtime::{Simulation, network::Network as _};
use scrape::{Config, Manager, Options};
use storage::{AppendError, Appendable, Appender, SeriesRef};
use telemetry::Registry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the allocator's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the allocator's contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the allocator's contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Knows every series and keeps nothing.
struct Nowhere(Arc<AtomicU64>);

impl Appendable for Nowhere {
    fn appender(&self) -> Box<dyn Appender> {
        Box::new(Nowhere(self.0.clone()))
    }
}

impl Appender for Nowhere {
    fn append(
        &mut self,
        series: SeriesRef,
        _: &Labels,
        _: Timestamp,
        _: f64,
    ) -> Result<SeriesRef, AppendError> {
        let n_samples = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(if series == SeriesRef::UNKNOWN { SeriesRef(n_samples + 1) } else { series })
    }

    fn append_known(
        &mut self,
        _: SeriesRef,
        _: Timestamp,
        _: f64,
    ) -> Option<Result<(), AppendError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(Ok(()))
    }

    fn commit(self: Box<Self>) -> storage::Result<()> {
        Ok(())
    }

    fn rollback(self: Box<Self>) {}
}

/// How many allocations a scrape of so many known series takes.
async fn allocations(n_series: usize) -> u64 {
    let body: String = (0..n_series)
        .map(|n| format!("requests_total{{code=\"200\",path=\"/some/path/{n}\"}} {n}.25\n"))
        .collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer: Arc<[u8]> = format!("{head}{body}").into_bytes().into();
    let simulation = Simulation::new(1);
    let listener = simulation.network.host("host").listen(":80").await.expect("it is free");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        let mut request = [0; 4096];
        // One connection, for all scrapes.
        while stream.read(&mut request).await.is_ok_and(|n_bytes| n_bytes > 0) {
            stream.write_all(&answer).await.expect("it is heard");
        }
    });
    let n_samples = Arc::new(AtomicU64::new(0));
    let appendable = Arc::new(Nowhere(n_samples.clone()));
    let registry = Registry::default();
    let manager = Manager::new(Options::default(), simulation.runtime(), appendable, &registry);
    let config = Config {
        job_name: "job".to_owned(),
        scrape_interval: Duration::from_secs(10),
        scrape_timeout: Duration::from_secs(5),
        ..Config::default()
    };
    manager.apply(vec![config], &Labels::empty()).expect("the configuration is fine");
    let target = Labels::from_pairs([("__address__", "host:80")]);
    let group = TargetGroup { targets: vec![target], ..TargetGroup::default() };
    manager.set_targets(&BTreeMap::from([("job".to_owned(), vec![Arc::new(group)])]));
    // The first scrapes get to know the series.
    simulation.clock.run_for(Duration::from_secs(50)).await;
    let (before, samples_before) =
        (ALLOCATIONS.load(Ordering::Relaxed), n_samples.load(Ordering::Relaxed));
    simulation.clock.run_for(Duration::from_secs(100)).await;
    let after = ALLOCATIONS.load(Ordering::Relaxed);
    let n_stored = n_samples.load(Ordering::Relaxed) - samples_before;
    assert!(n_stored >= 10 * n_series as u64, "{n_stored} samples");
    manager.stop().await;
    (after - before) / 10
}

#[tokio::test]
async fn known_series_allocate_nothing() {
    let (few, many) = (allocations(100).await, allocations(5100).await);
    // What grows are buffers, by doubling, and pieces in which the body comes.
    let for_a_series = many.saturating_sub(few) as f64 / 5000.0;
    assert!(for_a_series < 0.05, "{few} allocations for 100 series, {many} for 5,100");
}
