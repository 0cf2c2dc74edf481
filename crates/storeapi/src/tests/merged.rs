//! Reads that are completed by peers.

use std::sync::Arc;

use model::TimeRange;
use storage::{Columns, LabelHints, Queryable as _, SelectHints};

use super::{Setup, store};
use crate::{Ask, Merged, Peer};

/// The answer for `selector` of a local store and one peer that is asked for `stretches`.
async fn ask(
    local: &str,
    peer: Peer,
    stretches: &[(i64, i64)],
    selector: &str,
    budget: usize,
) -> String {
    let stretches: Vec<TimeRange> =
        stretches.iter().map(|(start, end)| TimeRange::from_millis(*start, *end)).collect();
    let choose = move |_| vec![Ask { peer: peer.clone(), stretches: stretches.clone() }];
    let merged = Merged::new(Arc::new(store(local)), Arc::new(choose), budget);
    let selector = selector.to_owned();
    // As queries run: on a thread that may block.
    tokio::task::spawn_blocking(move || answer(&merged, &selector)).await.expect("no panic")
}

fn answer(merged: &Merged, selector: &str) -> String {
    let range = TimeRange::from_millis(0, 1_000);
    let querier = merged.querier(range).expect("memory does not fail");
    let matchers = promql_syntax::parse_metric_selector(selector).expect("a test's selector");
    let set = querier.select(true, &SelectHints::new(range), &matchers).expect("it answers");
    let mut lines = Vec::new();
    for series in &set.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).expect("it can be read");
        let samples = columns.times.iter().zip(&columns.values).map(|(t, v)| format!(" {t}={v}"));
        lines.push(format!("{}{}", series.labels(), samples.collect::<String>()));
    }
    lines.extend(set.warnings.iter().map(|warning| format!("warning: {warning}")));
    let names = querier.label_names(&LabelHints::default(), &matchers).expect("it answers");
    let values = querier.label_values("x", &LabelHints::default(), &matchers);
    let values = values.expect("it answers").values;
    lines.push(format!("{} / {}", names.values.join(" "), values.join(" ")));
    lines.join("\n")
}

const REMOTE: &str = r#"
    a{x="1"} 10=1 20=2 30=3 40=4
    a{x="3"} 20=7
"#;

const LOCAL: &str = r#"
    a{x="1"} 10=1 40=9
    a{x="2"} 10=5
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holes_are_filled_and_nothing_else_is_touched() {
    let setup = Setup::start(REMOTE, r#"{cluster="c"}"#).await;
    let found = ask(LOCAL, setup.peer(r#"{cluster="c"}"#), &[(15, 25)], "a", 1 << 20).await;
    let expected = r#"{__name__="a", x="1"} 10=1 20=2 40=9
{__name__="a", x="2"} 10=5
{__name__="a", x="3"} 20=7
__name__ x / 1 2 3"#;
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_samples_differ_the_rule_decides() {
    let setup = Setup::start(REMOTE, "").await;
    let found = ask(LOCAL, setup.peer(""), &[(0, 15), (25, 90)], "a{x=\"1\"}", 1 << 20).await;
    let expected = "{__name__=\"a\", x=\"1\"} 10=1 30=3 40=9\n__name__ x / 1";
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_holes_nobody_is_asked() {
    let setup = Setup::start(REMOTE, "").await;
    setup.simulation.network.cut("10.0.0.1", "10.0.0.2");
    let found = ask(LOCAL, setup.peer(""), &[], "a{x=\"2\"}", 1 << 20).await;
    assert_eq!(found, "{__name__=\"a\", x=\"2\"} 10=5\n__name__ x / 2");
    let found = ask(LOCAL, setup.peer(""), &[(2_000, 3_000)], "a{x=\"2\"}", 1 << 20).await;
    assert_eq!(found, "{__name__=\"a\", x=\"2\"} 10=5\n__name__ x / 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_away_is_a_warning() {
    let setup = Setup::start(REMOTE, "").await;
    // Nobody listens there, so that no time has to pass.
    let away = setup.peer_behind(super::channel(&setup.simulation, "10.0.0.1:9"), "");
    let found = ask(LOCAL, away, &[(0, 100)], "a{x=\"2\"}", 1 << 20).await;
    let expected = "{__name__=\"a\", x=\"2\"} 10=5\n\
        warning: member b: connect to 10.0.0.1:9: connection refused\n\
        __name__ x / 2";
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_have_a_budget() {
    let remote: String = (0..500).map(|idx| format!("a{{x=\"{idx}\"}} 20=1\n")).collect();
    let setup = Setup::start(&remote, "").await;
    let found = ask("", setup.peer(""), &[(0, 100)], "a", 50_000).await;
    let warning =
        "warning: member b: answers of members take more than 50000 bytes: the rest is left out";
    assert!(found.contains(warning), "{found}");
    let n_series = found.matches("20=1").count();
    assert!((100..400).contains(&n_series), "{n_series}");
}

#[tokio::test]
async fn a_server_of_thanos_is_read_without_our_labels() {
    // It knows nothing of our header and adds its external labels.
    let remote = r#"a{cluster="c", region="r", x="1"} 20=2"#;
    let setup = Setup::start(remote, "").await;
    let request = super::request("a");
    let plain = setup.series(request).await.expect("it answers");
    assert_eq!(plain, [r#"{__name__="a", cluster="c", region="r", x="1"} 20=2"#]);
    let ours = super::labels(r#"{cluster="c", region="other"}"#);
    let shown = super::labels(r#"a{cluster="c", region="r", x="1"}"#);
    let left = super::labels(r#"a{region="r", x="1"}"#);
    assert_eq!(crate::peer::without(&shown, &ours), left);
}
