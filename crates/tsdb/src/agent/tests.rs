//! An agent on a simulated disk, and what a reader of its log sees.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use model::{Labels, Metadata, MetricType, Timestamp, histogram::Histogram};
use runtime::{Disk, Runtime, Simulation};
use storage::{Appendable as _, Exemplar, ExemplarError, SeriesRef};
use wal::record::{self, Kind};

use crate::{Agent, AgentOptions};

const DIRECTORY: &str = "data-agent";

fn open(simulation: &Simulation) -> Agent {
    open_with(simulation, AgentOptions::default())
}

fn open_with(simulation: &Simulation, options: AgentOptions) -> Agent {
    Agent::open(&simulation.runtime(), Path::new(DIRECTORY), options).expect("it opens")
}

/// `{a="1"}` from `a=1`.
fn labels(text: &str) -> Labels {
    Labels::from_pairs(text.split_whitespace().map(|pair| pair.split_once('=').expect("a=b")))
}

/// Commits samples as `labels @time`, one a line; prints what each append said.
#[track_caller]
fn append(agent: &Agent, samples: &str) -> String {
    let mut appender = agent.appender();
    let mut said = Vec::new();
    for line in samples.trim().lines() {
        let (series, time) = line.trim().split_once(" @").expect("labels @time");
        let time = Timestamp::from_millis(time.parse().expect("a time"));
        said.push(match appender.append(SeriesRef::UNKNOWN, &labels(series), time, 1.0) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    appender.commit().expect("the disk is good");
    said.join(", ")
}

/// All samples that a reader of the log finds, by series: their times in the order of the log.
fn in_log(simulation: &Simulation) -> BTreeMap<String, Vec<i64>> {
    in_log_of(&*simulation.runtime().disk)
}

fn in_log_of(disk: &dyn Disk) -> BTreeMap<String, Vec<i64>> {
    let directory = Path::new(DIRECTORY).join("wal");
    let mut names = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    wal::tail::read_before(disk, &directory, u32::MAX, &mut |record, _| {
        let mut times = Vec::new();
        match Kind::of(record) {
            Some(Kind::Series) => {
                let mut named = Vec::new();
                record::decode_series(record, &mut named).expect("it is whole");
                names.extend(named.into_iter().map(|s| (s.series_ref, s.labels.to_string())));
            }
            Some(Kind::Samples) => {
                let mut samples = Vec::new();
                record::decode_samples(record, &mut samples).expect("it is whole");
                times.extend(samples.iter().map(|s| (s.series_ref, s.time)));
            }
            Some(Kind::Histograms) => {
                let mut samples = Vec::new();
                record::decode_histograms::<Histogram>(record, &mut samples).expect("whole");
                times.extend(samples.iter().map(|s| (s.series_ref, s.time)));
            }
            _ => {}
        }
        for (series_ref, time) in times {
            let name = names.get(&series_ref).expect("no sample comes before its series");
            found.entry(name.clone()).or_default().push(time);
        }
    })
    .expect("it is readable");
    found
}

/// [`in_log`] as `{a="1"} 10 20`, a line a series.
fn dump(simulation: &Simulation) -> String {
    let print = |(name, times): (String, Vec<i64>)| {
        let times: Vec<String> = times.iter().map(i64::to_string).collect();
        format!("{name} {}", times.join(" "))
    };
    in_log(simulation).into_iter().map(print).collect::<Vec<_>>().join("\n")
}

#[test]
fn samples_go_to_the_log_and_are_found_after_a_restart() {
    let simulation = Simulation::new(1);
    let agent = open(&simulation);
    assert_eq!(append(&agent, "a=1 @10\na=2 @10"), "ok, ok");
    assert_eq!(append(&agent, "a=1 @20"), "ok");
    drop(agent);
    let agent = open(&simulation);
    assert_eq!(agent.counters().active_series, 2);
    assert_eq!(append(&agent, "a=1 @20\na=2 @20\na=3 @1"), "out of order sample, ok, ok");
    assert_eq!(dump(&simulation), "{a=\"1\"} 10 20\n{a=\"2\"} 10 20\n{a=\"3\"} 1");
    assert_eq!(agent.counters().out_of_order, 1);
}

#[test]
fn late_samples_are_taken_within_the_window() {
    let simulation = Simulation::new(1);
    let out_of_order_window = Duration::from_millis(10);
    let agent = open_with(&simulation, AgentOptions { out_of_order_window, ..Default::default() });
    append(&agent, "a=1 @100");
    assert_eq!(append(&agent, "a=1 @91\na=1 @90"), "ok, out of order sample");
    assert_eq!(dump(&simulation), "{a=\"1\"} 100 91");
}

#[test]
fn what_was_not_committed_is_nowhere() {
    let simulation = Simulation::new(1);
    let agent = open(&simulation);
    let mut appender = agent.appender();
    let time = Timestamp::from_millis(1);
    appender.append(SeriesRef::UNKNOWN, &labels("a=1"), time, 1.0).expect("it is taken");
    appender.rollback();
    assert_eq!(dump(&simulation), "");
    assert_eq!(append(&agent, "a=1 @1"), "ok");
    assert_eq!(dump(&simulation), "{a=\"1\"} 1");
}

#[test]
fn a_power_cut_takes_no_more_than_what_was_not_synced() {
    let simulation = Simulation::new(1);
    let agent = open(&simulation);
    append(&agent, "a=1 @10");
    agent.sync().expect("the disk is good");
    append(&agent, "a=1 @20");
    drop(agent);
    for seed in 0..500 {
        let disk = simulation.disk.after_power_loss(seed);
        let runtime = Runtime { disk: Arc::new(disk), ..simulation.runtime() };
        let agent = Agent::open(&runtime, Path::new(DIRECTORY), AgentOptions::default());
        assert_eq!(append(&agent.expect("it opens"), "a=1 @30"), "ok");
        let times = in_log_of(&*runtime.disk).remove("{a=\"1\"}").expect("it is there");
        assert!(times == [10, 30] || times == [10, 20, 30], "seed {seed}: {times:?}");
    }
}

#[test]
fn handles_stay_good_and_histograms_and_exemplars_pass() {
    let simulation = Simulation::new(1);
    let agent = open(&simulation);
    let time = Timestamp::from_millis;
    let mut appender = agent.appender();
    let histogram = Histogram { count: 0, ..Histogram::default() };
    let handle = appender
        .append_histogram(SeriesRef::UNKNOWN, &labels("a=1"), time(1), histogram.into())
        .expect("it is taken");
    let exemplar = |at| Exemplar { labels: labels("trace_id=x"), value: 1.0, time: time(at) };
    assert_eq!(appender.append_exemplar(handle, &exemplar(5)), Ok(()));
    assert_eq!(appender.append_exemplar(handle, &exemplar(5)), Ok(()));
    assert_eq!(appender.append_exemplar(handle, &exemplar(4)), Err(ExemplarError::OutOfOrder));
    let metadata = Metadata { kind: MetricType::Gauge, ..Metadata::default() };
    appender.append_metadata(handle, &metadata);
    appender.commit().expect("the disk is good");
    let mut appender = agent.appender();
    assert_eq!(appender.append_known(handle, time(2), 1.0), Some(Ok(())));
    assert_eq!(appender.append_known(SeriesRef(77), time(2), 1.0), None);
    appender.commit().expect("the disk is good");
    assert_eq!(dump(&simulation), "{a=\"1\"} 1 2");
    let counters = agent.counters();
    assert_eq!((counters.histograms_appended, counters.floats_appended), (1, 1));
    assert_eq!(counters.exemplars_appended, 1);
}

/// Appends and truncates every ten minutes for `rounds`; gives the log's segments.
fn live(simulation: &Simulation, agent: &Agent, rounds: i64) -> Vec<u32> {
    for _ in 0..rounds {
        simulation.clock.advance(Duration::from_secs(600));
        let now = simulation.runtime().clock.now_millis();
        append(agent, &format!("live=1 @{now}\nonce={now} @{now}"));
        agent.truncate().expect("the disk is good");
    }
    let (disk, directory) = (simulation.runtime().disk, Path::new(DIRECTORY).join("wal"));
    let layout = wal::Layout::read(&*disk, &directory).expect("it is readable");
    layout.segments.into_iter().map(|segment| segment.number).collect()
}

#[test]
fn old_segments_and_series_go() {
    let simulation = Simulation::new(1);
    let agent = open(&simulation);
    let segments = live(&simulation, &agent, 60);
    assert!(segments.len() < 10, "{segments:?}");
    // Those of four hours, and the one that lives.
    let counters = agent.counters();
    assert!((24..=27).contains(&counters.active_series), "{counters:?}");
    assert!(counters.checkpoints > 5, "{counters:?}");
    // Whatever sample is still there has its name.
    let times = in_log(&simulation).remove("{live=\"1\"}").expect("it is there");
    assert!(times.is_sorted() && times.len() >= 24, "{times:?}");
    drop(agent);
    let again = open(&simulation);
    assert!(again.counters().active_series >= 24, "{:?}", again.counters());
}

#[test]
fn what_was_sent_goes_sooner() {
    let simulation = Simulation::new(1);
    let log_readers = wal::Readers::default();
    let hold = log_readers.hold(u32::MAX);
    let agent = open_with(&simulation, AgentOptions { log_readers, ..AgentOptions::default() });
    live(&simulation, &agent, 20);
    assert!(agent.counters().active_series <= 2, "{:?}", agent.counters());
    drop(hold);
}

#[test]
fn what_was_not_sent_stays_however_old_it_is() {
    let simulation = Simulation::new(1);
    let log_readers = wal::Readers::default();
    let hold = log_readers.hold(0);
    let agent = open_with(
        &simulation,
        AgentOptions { log_readers: log_readers.clone(), ..AgentOptions::default() },
    );
    let segments = live(&simulation, &agent, 60);
    assert_eq!(segments.first(), Some(&0), "{segments:?}");
    assert_eq!(in_log(&simulation)["{live=\"1\"}"].len(), 60);
    // Each has its name, though most are forgotten.
    assert_eq!(in_log(&simulation).len(), 61);
    hold.advance(u32::MAX);
    let segments = live(&simulation, &agent, 10);
    assert!(segments.len() < 15, "{segments:?}");
}

#[test]
fn a_reader_that_lies_too_far_behind_is_not_waited_for() {
    let simulation = Simulation::new(1);
    let log_readers = wal::Readers::default();
    let _hold = log_readers.hold(0);
    let options = AgentOptions { log_readers, log_readers_bytes_max: 1, ..Default::default() };
    let agent = open_with(&simulation, options);
    let segments = live(&simulation, &agent, 30);
    assert!(segments.len() < 10, "{segments:?}");
}

#[test]
fn a_damaged_segment_is_cut_off_where_it_is_damaged() {
    let simulation = Simulation::new(1);
    let agent = open(&simulation);
    append(&agent, "a=1 @10");
    append(&agent, "a=1 @20");
    drop(agent);
    let disk = simulation.runtime().disk;
    let path = Path::new(DIRECTORY).join("wal/00000000");
    let mut bytes = disk.read(&path).expect("it is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    disk.write_atomically(&path, &bytes).expect("the disk is good");
    let agent = open(&simulation);
    assert_eq!(agent.counters().corruptions, 1);
    assert_eq!(append(&agent, "a=1 @20"), "ok");
    assert_eq!(dump(&simulation), "{a=\"1\"} 10 20");
}
