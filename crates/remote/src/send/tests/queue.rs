use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use model::{Labels, names::ValidationScheme};
use relabel::{RawRule, Rule};

use super::world::{World, config};
use crate::{
    Message,
    send::{Config, Metadata},
};

const SECOND: Duration = Duration::from_secs(1);

/// `{__name__="up", i="1"} 5 @10`
fn up(series: u64, time: i64, value: f64) -> String {
    format!("{{__name__=\"up\", i=\"{series}\"}} {value} @{time}")
}

async fn started(config: Config) -> World {
    let mut world = World::new().await;
    world.apply(vec![config]).await;
    for series in 1..=5 {
        world.name(&[(series, &[("__name__", "up"), ("i", &series.to_string())])]);
    }
    world
}

#[tokio::test]
async fn what_is_logged_is_sent() {
    for message in Message::ALL {
        let mut world = started(Config { message, ..config() }).await;
        world.append(&[(1, 10, 1.0), (2, 10, 2.0)]);
        world.append(&[(1, 20, 3.0)]);
        world.run_for(SECOND).await;
        let sent = [up(1, 10, 1.0), up(2, 10, 2.0), up(1, 20, 3.0)];
        assert_eq!(world.receiver.taken(), sent, "{message}");
        assert_eq!(world.metric("storage_samples_total"), 3.0);
        assert_eq!(world.metric("storage_samples_pending"), 0.0);
        world.stop().await;
    }
}

#[tokio::test]
async fn exemplars_are_sent_with_samples_of_their_series() {
    for message in Message::ALL {
        let mut world = started(Config { message, ..config() }).await;
        world.append(&[(1, 10, 1.0), (2, 10, 2.0)]);
        world.append_exemplars(&[(1, 9, ("trace", "a")), (77, 9, ("trace", "b"))]);
        world.run_for(SECOND).await;
        // Its sample was sent already.
        world.append_exemplars(&[(2, 11, ("trace", "c"))]);
        world.run_for(SECOND).await;
        world.append(&[(2, 20, 3.0)]);
        world.run_for(SECOND).await;
        let exemplar = |name: &str, time: i64| format!("exemplar {{trace=\"{name}\"}} 1 @{time}");
        let sent =
            [up(1, 10, 1.0), up(2, 10, 2.0), exemplar("a", 9), up(2, 20, 3.0), exemplar("c", 11)];
        assert_eq!(world.receiver.taken(), sent, "{message}");
        assert_eq!(world.metric("storage_exemplars_total"), 2.0);
        assert_eq!(world.metric("storage_exemplars_dropped_total"), 1.0);
        assert_eq!(world.metric("storage_exemplars_pending"), 0.0);
        world.stop().await;
        let mut world = started(Config { message, send_exemplars: false, ..config() }).await;
        world.append(&[(1, 10, 1.0)]);
        world.append_exemplars(&[(1, 9, ("trace", "a"))]);
        world.run_for(SECOND).await;
        assert_eq!(world.receiver.taken(), [up(1, 10, 1.0)], "{message}");
        world.stop().await;
    }
}

#[tokio::test]
async fn metadata_is_sent_from_time_to_time_where_samples_have_no_room_for_it() {
    for (message, n_sent) in [(Message::Version1, 6.0), (Message::Version2, 0.0)] {
        let interval = Duration::from_secs(60);
        let metadata = Metadata { send: true, interval, max_per_send: 2 };
        let mut world = started(Config { message, metadata, ..config() }).await;
        // It took some time to start.
        world.run_for(SECOND * 40).await;
        assert_eq!(world.metric("storage_metadata_total"), n_sent, "{message}");
        assert_eq!(*world.receiver.n_requests.lock(), n_sent as u32 / 3 * 2, "{message}");
        world.stop().await;
    }
}

#[tokio::test]
async fn what_was_logged_before_a_queue_exists_is_not_sent() {
    let mut world = World::new().await;
    world.name(&[(1, &[("__name__", "up"), ("i", "1")])]);
    world.append(&[(1, 10, 1.0)]);
    world.apply(vec![config()]).await;
    world.append(&[(1, 20, 2.0)]);
    world.run_for(SECOND).await;
    assert_eq!(world.receiver.taken(), [up(1, 20, 2.0)]);
    world.stop().await;
}

#[tokio::test]
async fn external_labels_and_rules_make_the_labels() {
    let drop = Rule::new(
        RawRule {
            source_labels: vec!["i".to_owned()],
            regex: Some("2".to_owned()),
            action: "drop".to_owned(),
            ..RawRule::default()
        },
        ValidationScheme::Utf8,
    );
    let config = Config {
        external_labels: Labels::from_pairs([("dc", "one"), ("i", "other")]),
        write_relabel: vec![drop.expect("a good rule")],
        ..config()
    };
    let mut world = started(config).await;
    world.append(&[(1, 10, 1.0), (2, 10, 2.0), (77, 10, 3.0)]);
    world.run_for(SECOND).await;
    assert_eq!(world.receiver.taken(), ["{__name__=\"up\", dc=\"one\", i=\"1\"} 1 @10"]);
    assert_eq!(world.metric("storage_samples_dropped_total"), 2.0);
    world.stop().await;
}

#[tokio::test]
async fn an_outage_loses_nothing_and_holds_the_log() {
    let mut world = started(config()).await;
    world.receiver.status.store(503, Relaxed);
    let mut expected = Vec::new();
    for time in 1..=3000 {
        for series in 1..=5 {
            expected.push(up(series, time, 1.0));
        }
        world.append(&[
            (1, time, 1.0),
            (2, time, 1.0),
            (3, time, 1.0),
            (4, time, 1.0),
            (5, time, 1.0),
        ]);
    }
    world.run_for(Duration::from_secs(300)).await;
    assert!(world.receiver.taken().is_empty());
    assert_eq!(world.readers.oldest(), Some(0));
    assert!(world.metric("samples_retried_total") > 100.0);
    assert!(world.metric("kept_bytes") > 30_000.0, "{}", world.metric("kept_bytes"));
    world.receiver.status.store(0, Relaxed);
    world.run_for(Duration::from_secs(120)).await;
    let mut received = world.receiver.taken();
    received.sort_unstable();
    expected.sort_unstable();
    assert!(received == expected, "{} of {}", received.len(), expected.len());
    assert!(world.readers.oldest() > Some(0));
    assert_eq!(world.metric("kept_bytes"), 0.0);
    assert_eq!(world.metric("lag_seconds"), 0.0);
    world.stop().await;
    assert_eq!(world.readers.oldest(), None);
}

#[tokio::test]
async fn what_is_refused_for_good_is_dropped() {
    let mut world = started(config()).await;
    world.receiver.status.store(400, Relaxed);
    world.append(&[(1, 10, 1.0)]);
    world.run_for(SECOND).await;
    world.receiver.status.store(0, Relaxed);
    world.append(&[(1, 20, 2.0)]);
    world.run_for(SECOND).await;
    assert_eq!(world.receiver.taken(), [up(1, 20, 2.0)]);
    assert_eq!(world.metric("samples_failed_total"), 1.0);
    world.stop().await;
}

#[tokio::test]
async fn a_receiver_may_ask_for_patience() {
    let mut world = started(config()).await;
    world.receiver.status.store(503, Relaxed);
    *world.receiver.retry_after.lock() = Some("100");
    world.append(&[(1, 10, 1.0)]);
    world.run_for(Duration::from_secs(90)).await;
    assert_eq!(*world.receiver.n_requests.lock(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_restart_loses_and_doubles_nothing() {
    let mut world = started(config()).await;
    world.append(&[(1, 10, 1.0), (2, 10, 2.0)]);
    world.run_for(SECOND).await;
    // Not even time to read it.
    world.append(&[(1, 20, 3.0)]);
    let mut world = world.restarted().await;
    world.append(&[(2, 20, 4.0)]);
    world.apply(vec![config()]).await;
    world.append(&[(1, 30, 5.0)]);
    world.run_for(SECOND).await;
    let sent = [up(1, 10, 1.0), up(2, 10, 2.0), up(1, 20, 3.0), up(2, 20, 4.0), up(1, 30, 5.0)];
    assert_eq!(world.receiver.taken(), sent);
    world.stop().await;
}

/// Killed at any moment: nothing is lost, and no more than the requests under way are repeated.
#[tokio::test]
async fn a_kill_repeats_the_batch_under_way_at_most() {
    for pause_ms in [0, 50, 100, 150, 250, 400, 1000] {
        let mut world = started(config()).await;
        let mut expected = Vec::new();
        for time in 1..=40 {
            let samples: Vec<_> = (1..=5).map(|series| (series, time, 1.0)).collect();
            expected.extend((1..=5).map(|series| up(series, time, 1.0)));
            world.append(&samples);
        }
        world.run_for(Duration::from_millis(pause_ms)).await;
        let mut world = world.after_kill().await;
        world.apply(vec![config()]).await;
        world.run_for(SECOND).await;
        let received = world.receiver.taken();
        let mut distinct = received.clone();
        distinct.sort_unstable();
        distinct.dedup();
        expected.sort_unstable();
        assert_eq!(distinct, expected, "after {pause_ms} ms");
        let n_repeated = received.len() - distinct.len();
        assert!(n_repeated <= 10, "{n_repeated} repeated after {pause_ms} ms");
        world.stop().await;
    }
}

#[tokio::test]
async fn settings_that_stay_leave_a_queue_alone() {
    let mut world = started(config()).await;
    world.append(&[(1, 10, 1.0)]);
    world.run_for(SECOND).await;
    world.apply(vec![config()]).await;
    world.append(&[(1, 20, 2.0)]);
    world.run_for(SECOND).await;
    // Another setting: the position stays, too.
    let changed =
        Config { fingerprint: 2, external_labels: Labels::from_pairs([("a", "b")]), ..config() };
    world.apply(vec![changed]).await;
    world.append(&[(1, 30, 3.0)]);
    world.run_for(SECOND).await;
    let changed = "{__name__=\"up\", a=\"b\", i=\"1\"} 3 @30".to_owned();
    assert_eq!(world.receiver.taken(), [up(1, 10, 1.0), up(1, 20, 2.0), changed]);
    world.stop().await;
}

#[tokio::test]
async fn more_shards_are_started_when_one_is_too_slow() {
    let mut world = started(config()).await;
    world.simulation.network.set_latency(Duration::from_millis(300));
    let mut n_sent = 0;
    for time in 1..=600 {
        let samples: Vec<_> = (1..=5).map(|series| (series, time, 1.0)).collect();
        world.append(&samples);
        n_sent += samples.len();
        world.run_for(Duration::from_millis(50)).await;
    }
    assert!(world.metric("storage_shards") > 1.0, "{}", world.metric("storage_shards"));
    world.run_for(Duration::from_secs(120)).await;
    let received = world.receiver.taken();
    assert_eq!(received.len(), n_sent);
    for series in 1..=5 {
        let part = format!("i=\"{series}\"");
        let times: Vec<i64> = received
            .iter()
            .filter(|sample| sample.contains(&part))
            .map(|sample| sample.rsplit('@').next().unwrap().parse().unwrap())
            .collect();
        assert!(times.is_sorted(), "samples of series {series} came out of order");
    }
    world.stop().await;
}
