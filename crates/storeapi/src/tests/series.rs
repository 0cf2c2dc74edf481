//! What the server answers to `Series`, `LabelNames` and `LabelValues`.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use grpc::{Code, Request};
use model::{Labels, Matcher, TimeRange};
use proto::thanos::{
    LabelNamesRequest, LabelNamesResponse, LabelValuesRequest, LabelValuesResponse, SeriesRequest,
    SeriesResponse, ShardInfo,
    info::{InfoRequest, InfoResponse},
};
use storage::{
    Columns, LabelHints, LabelValues, Querier, Queryable, SelectHints, Series, SeriesSet,
};

use super::{Known, Setup, matchers, names, request, sources, store};
use crate::Limits;

const STORE: &str = r#"
    a{x="1"} 10=1 20=2
    a{x="2"} 10=3
    b 2000=5
"#;

#[track_caller]
fn check(found: Result<Vec<String>, grpc::Status>, expected: &[&str]) {
    assert_eq!(found.expect("it answers"), expected);
}

#[tokio::test]
async fn series_come_sorted_with_external_labels_that_win() {
    let setup = Setup::start(STORE, r#"{cluster="c", x="9"}"#).await;
    check(
        setup.series(request("a")).await,
        &[
            r#"{__name__="a", cluster="c", x="9"} 10=1 20=2"#,
            r#"{__name__="a", cluster="c", x="9"} 10=3"#,
        ],
    );
    // Its samples are all outside of the range.
    check(setup.series(request("b")).await, &[]);
}

#[tokio::test]
async fn labels_that_are_added_and_taken_off_do_not_disturb_the_order() {
    let text = "
        a{replica=\"1\", z=\"2\"} 1=1
        a{replica=\"2\", z=\"1\"} 1=2
        a{z=\"0\"} 1=3
    ";
    let setup = Setup::start(text, r#"{replica="7", y="y"}"#).await;
    let mut request = request("a");
    request.without_replica_labels = names(&["replica"]);
    check(
        setup.series(request).await,
        &[
            r#"{__name__="a", y="y", z="0"} 1=3"#,
            r#"{__name__="a", y="y", z="1"} 1=2"#,
            r#"{__name__="a", y="y", z="2"} 1=1"#,
        ],
    );
}

#[tokio::test]
async fn matchers_of_external_labels_are_decided_first() {
    let setup = Setup::start(STORE, r#"{cluster="c"}"#).await;
    let count = async |selector: &str| setup.series(request(selector)).await.map(|s| s.len());
    assert_eq!(count(r#"a{cluster="c"}"#).await.expect("it answers"), 2);
    assert_eq!(count(r#"a{cluster=~"d|c"}"#).await.expect("it answers"), 2);
    assert_eq!(count(r#"a{cluster="d"}"#).await.expect("it answers"), 0);
    let error = count(r#"{cluster="c"}"#).await.expect_err("nothing else is asked for");
    let words = (error.code(), error.message());
    assert_eq!(words, (Code::InvalidArgument, "no matchers specified (excluding external labels)"));
}

#[tokio::test]
async fn requests_say_how_much_they_want() {
    let setup = Setup::start(STORE, "").await;
    let base = || request("a");
    let only_labels = SeriesRequest { skip_chunks: true, ..base() };
    let labels = [r#"{__name__="a", x="1"}"#, r#"{__name__="a", x="2"}"#];
    check(setup.series(only_labels).await, &labels);
    let limited = SeriesRequest { limit: 1, ..base() };
    let expected =
        ["warning: results truncated due to limit", r#"{__name__="a", x="1"} 10=1 20=2"#];
    check(setup.series(limited).await, &expected);
    let batched = SeriesRequest { response_batch_size: 5, ..base() };
    let expected = r#"[{__name__="a", x="1"} 10=1 20=2; {__name__="a", x="2"} 10=3]"#;
    check(setup.series(batched).await, &[expected]);
    let late = SeriesRequest { min_time: 11, ..base() };
    check(setup.series(late).await, &[r#"{__name__="a", x="1"} 20=2"#]);
    let backwards = SeriesRequest { min_time: 5_000, ..base() };
    check(setup.series(backwards).await, &[]);
}

#[tokio::test]
async fn shards_share_the_series() {
    let text: String = (0..50).map(|idx| format!("a{{x=\"{idx}\"}} 1=1\n")).collect();
    let setup = Setup::start(&text, "").await;
    let shard =
        |shard_index, by| ShardInfo { shard_index, total_shards: 3, by, labels: names(&["x"]) };
    let mut sizes = Vec::new();
    for index in 0..3 {
        let shard_info = Some(shard(index, true));
        let part = setup.series(SeriesRequest { shard_info, ..request("a") }).await;
        sizes.push(part.expect("it answers").len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 50);
    assert!(sizes.iter().all(|size| *size > 5), "{sizes:?}");
    // Without x they are all alike.
    let shard_info = Some(shard(0, false));
    let part = setup.series(SeriesRequest { shard_info, ..request("a") }).await;
    assert!([0, 50].contains(&part.expect("it answers").len()));
}

#[tokio::test]
async fn long_series_come_in_several_messages() {
    let samples: String = (0..1_000).map(|t| format!(" {t}={}", f64::from(t).sqrt())).collect();
    let sources = sources(&store(&format!("a{samples}")), "", &Known::default());
    let setup = Setup::with(sources, Limits { frame_bytes: 2_000, ..Limits::default() }).await;
    let messages = setup.series(request("a")).await.expect("it answers");
    assert!(messages.len() > 2, "{}", messages.len());
    let n_samples: usize = messages.iter().map(|text| text.matches('=').count() - 1).sum();
    assert_eq!(n_samples, 1_000);
}

#[tokio::test]
async fn answers_have_limits() {
    let sources = sources(&store(STORE), "", &Known::default());
    let limits = Limits { samples: 2, ..Limits::default() };
    let setup = Setup::with(sources.clone(), limits).await;
    let error = setup.series(request("a")).await.expect_err("there are three samples");
    let words = (error.code(), error.message());
    assert_eq!(words, (Code::ResourceExhausted, "the answer has more than 2 samples"));
    let setup = Setup::with(sources, Limits { series: 1, ..Limits::default() }).await;
    let error = setup.series(request("a")).await.expect_err("there are two series");
    assert_eq!(error.message(), "the answer has more than 1 series");
}

#[tokio::test]
async fn bad_requests_get_clear_words() {
    let setup = Setup::start(STORE, "").await;
    let check = async |request: SeriesRequest, text: &str| {
        let error = setup.series(request).await.expect_err("it is refused");
        assert_eq!((error.code(), error.message()), (Code::InvalidArgument, text));
    };
    check(SeriesRequest::default(), "no matchers specified (excluding external labels)").await;
    let mut bad = request("a");
    bad.matchers[0].r#type = 17;
    check(bad, "unknown label matcher type 17").await;
    let mut bad = request("{x=~\"a\"}");
    bad.matchers[0].value = "(".to_owned();
    check(bad, "error parsing regexp: missing closing ): `(`").await;
}

#[tokio::test]
async fn whoever_does_not_read_is_given_up() {
    // More than fits into the window of a stream.
    let long = "x".repeat(100_000);
    let text: String = (0..100).map(|idx| format!("a{{x=\"{idx}{long}\"}} 1=1\n")).collect();
    let sources = sources(&store(&text), "", &Known::default());
    let timeout = Duration::from_secs(60);
    let limits = Limits { concurrency: 1, timeout, frame_bytes: 100_000, ..Limits::default() };
    let setup = Setup::with(sources, limits).await;
    let path = "/thanos.Store/Series";
    let unread = setup.channel.stream::<_, SeriesResponse>(path, Request::new(request("a")));
    let unread = unread.await.expect("it begins to answer").into_inner();
    let clock = setup.simulation.clock.clone();
    clock.run_for(timeout / 2).await;
    let (next, ()) = tokio::join!(setup.series(request("a{x=\"\"}")), clock.run_for(timeout));
    assert!(next.expect("there is a place again").is_empty());
    let messages: Vec<_> = unread.collect().await;
    let error = messages.last().and_then(|last| last.as_ref().err()).expect("it is cut off");
    let words = (error.code(), error.message());
    assert_eq!(words, (Code::DeadlineExceeded, "the answer was not read in time"));
}

/// Answers nothing but panics.
struct Broken;

impl Queryable for Broken {
    fn querier(&self, _: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Ok(Box::new(Broken))
    }
}

impl Querier for Broken {
    fn select(&self, _: bool, _: &SelectHints, _: &[Matcher]) -> storage::Result<SeriesSet> {
        Ok(SeriesSet { series: vec![Arc::new(Broken)], warnings: Vec::new() })
    }

    fn label_values(&self, _: &str, _: &LabelHints, _: &[Matcher]) -> storage::Result<LabelValues> {
        Err(storage::Error::NotReady)
    }

    fn label_names(&self, _: &LabelHints, _: &[Matcher]) -> storage::Result<LabelValues> {
        panic!("a bug")
    }
}

impl Series for Broken {
    fn labels(&self) -> Labels {
        super::labels("a")
    }

    fn read(&self, _: TimeRange, _: &mut Columns) -> storage::Result<()> {
        panic!("a bug")
    }
}

#[tokio::test]
async fn a_panic_ends_one_request_only() {
    let mut sources = sources(&store(STORE), "", &Known::default());
    sources.series = Arc::new(Broken);
    let setup = Setup::with(sources, Limits::default()).await;
    let error = setup.series(request("a")).await.expect_err("it panics");
    assert_eq!((error.code(), error.message()), (Code::Internal, "answering panicked"));
    let question = Request::new(LabelNamesRequest::default());
    let path = "/thanos.Store/LabelNames";
    let error = setup.channel.unary::<_, LabelNamesResponse>(path, question).await;
    assert_eq!(error.expect_err("it panics").code(), Code::Internal);
    let question = LabelValuesRequest { label: "x".to_owned(), ..LabelValuesRequest::default() };
    let path = "/thanos.Store/LabelValues";
    let error = setup.channel.unary::<_, LabelValuesResponse>(path, Request::new(question)).await;
    let error = error.expect_err("it is not ready");
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "storage is not ready"));
}

#[tokio::test]
async fn label_names_and_values_know_external_labels() {
    let setup = Setup::start(STORE, r#"{cluster="c"}"#).await;
    let ask = async |selector: &str, removed: &[&str], limit| {
        let question = LabelNamesRequest {
            end: 5_000,
            matchers: matchers(selector),
            without_replica_labels: names(removed),
            limit,
            ..LabelNamesRequest::default()
        };
        let path = "/thanos.Store/LabelNames";
        let answer = setup.channel.unary::<_, LabelNamesResponse>(path, Request::new(question));
        answer.await.expect("it answers").into_inner().names.join(" ")
    };
    assert_eq!(ask("a", &[], 0).await, "__name__ cluster x");
    assert_eq!(ask("b", &[], 0).await, "__name__ cluster");
    assert_eq!(ask("a", &["cluster"], 0).await, "__name__ x");
    assert_eq!(ask("a", &[], 2).await, "__name__ cluster");
    assert_eq!(ask(r#"a{cluster="d"}"#, &[], 0).await, "");

    let ask = async |label: &str, selector: &str| {
        let question = LabelValuesRequest {
            label: label.to_owned(),
            end: 5_000,
            matchers: matchers(selector),
            ..LabelValuesRequest::default()
        };
        let path = "/thanos.Store/LabelValues";
        let answer = setup.channel.unary::<_, LabelValuesResponse>(path, Request::new(question));
        answer.await.map(|answer| answer.into_inner().values.join(" "))
    };
    assert_eq!(ask("x", "a").await.expect("it answers"), "1 2");
    assert_eq!(ask("cluster", "a").await.expect("it answers"), "c");
    assert_eq!(ask("x", r#"a{cluster="d"}"#).await.expect("it answers"), "");
    let error = ask("", "a").await.expect_err("there is no label");
    assert_eq!(error.message(), "label name parameter cannot be empty");
}

#[tokio::test]
async fn info_says_what_can_be_asked() {
    let setup = Setup::start(STORE, r#"{cluster="c"}"#).await;
    let path = "/thanos.info.Info/Info";
    let answer = setup.channel.unary::<_, InfoResponse>(path, Request::new(InfoRequest {})).await;
    let info = answer.expect("it answers").into_inner();
    let store = info.store.expect("there is a store");
    assert_eq!((store.min_time, store.max_time), (7, i64::MAX));
    assert!(store.supports_sharding && store.supports_without_replica_labels);
    assert_eq!(
        crate::wire::read_labels(&info.label_sets[0].labels),
        Ok(super::labels(r#"{cluster="c"}"#))
    );
    assert_eq!(info.component_type, "sidecar");
    assert!(info.rules.is_some() && info.targets.is_some() && info.exemplars.is_some());
    assert!(info.metric_metadata.is_some());
}
