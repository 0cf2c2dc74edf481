use std::time::Duration;

use node::server::Options;

use super::{ABOUT, FLAGS, Stop, flags, to_options};

fn options(args: &str) -> Result<Options, Stop> {
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let values = flags::parse(clap::Command::new("server").about(ABOUT), FLAGS, &args)?;
    to_options(&values)
}

/// What a command line is taken to mean, as far as `show` shows it.
fn check<T>(args: &str, show: impl Fn(Options) -> T, expected: T)
where
    T: PartialEq + std::fmt::Debug,
{
    let options = options(args).unwrap_or_else(|stop| panic!("{args}: {stop:?}"));
    assert_eq!(show(options), expected, "{args}");
}

fn check_refused(args: &str, expected: &str) {
    match options(args) {
        Err(Stop::Error(reason)) => assert_eq!(reason, expected, "{args}"),
        other => panic!("{args}: {other:?}"),
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn files_are_looked_at_as_often_as_asked_but_not_more_than_once_a_second() {
    let show = |options: Options| options.auto_reload;
    check("", show, None);
    check("--config.auto-reload-interval=5s", show, None);
    check("--config.auto-reload", show, Some(seconds(30)));
    check("--config.auto-reload --config.auto-reload-interval=5m", show, Some(seconds(300)));
    check("--config.auto-reload --config.auto-reload-interval=10ms", show, Some(seconds(1)));
    check("--enable-feature=auto-reload-config", show, Some(seconds(30)));
}

#[test]
fn connections_and_readers_have_limits() {
    let show = |options: Options| {
        let web = options.web;
        (web.connections_max, web.read_timeout, web.listeners_max, web.search_limit_max)
    };
    check("", show, (512, seconds(300), 16, 10_000));
    let args = "--web.max-connections=7 --web.read-timeout=10s \
                --web.max-notifications-subscribers=2 --web.search.max-limit=0";
    check(args, show, (7, seconds(10), 2, 0));
    check_refused("--web.max-connections=-1", "--web.max-connections: it must not be negative");
}

#[test]
fn operators_have_pages_of_their_own() {
    let show = |options: Options| {
        let web = options.web;
        let folders = [Some(web.consoles), Some(web.console_libraries), web.user_assets];
        let folders = folders.map(|folder| folder.map(|path| path.display().to_string()));
        (web.page_title, folders.map(Option::unwrap_or_default))
    };
    let title = "Prometheus Time Series Collection and Processing Server".to_owned();
    let folders = ["consoles", "console_libraries", ""].map(str::to_owned);
    check("", show, (title, folders));
    let args = "--web.page-title=Ours --web.console.templates=a --web.console.libraries=b \
                --web.user-assets=c";
    check(args, show, ("Ours".to_owned(), ["a", "b", "c"].map(str::to_owned)));
}

#[test]
fn queries_have_limits() {
    let show = |options: Options| {
        let query = options.query;
        (query.lookback, query.timeout, query.concurrency_max, query.samples_max)
    };
    check("", show, (seconds(300), seconds(120), 20, 50_000_000));
    let args = "--query.lookback-delta=1m --query.timeout=3s --query.max-concurrency=4 \
                --query.max-samples=5";
    check(args, show, (seconds(60), seconds(3), 4, 5));
}

#[test]
fn features_are_a_list_of_lists() {
    let show = |options: Options| options.features.join(" ");
    check("", show, String::new());
    let args = "--enable-feature=a,b --enable-feature=c,,";
    check(args, show, "a b c".to_owned());
    // What nobody knows is only warned of.
    check("--enable-feature=nonsense", show, "nonsense".to_owned());
}

#[test]
fn the_data_directory_is_locked_unless_told_otherwise() {
    let show = |options: Options| options.storage.lock;
    check("", show, true);
    check("--storage.tsdb.no-lockfile", show, false);
}

#[test]
fn remote_reads_have_limits() {
    let show = |options: Options| {
        let read = options.remote_read;
        (read.samples_max, read.concurrency_max, read.frame_bytes_max)
    };
    check("", show, (50_000_000, 10, 1 << 20));
    let args = "--storage.remote.read-sample-limit=1 --storage.remote.read-concurrent-limit=2 \
                --storage.remote.read-max-bytes-in-frame=3";
    check(args, show, (1, 2, 3));
}

#[test]
fn the_route_prefix_is_the_path_of_the_url_unless_given() {
    let show = |options: Options| options.web.route_prefix;
    check("", show, "/".to_owned());
    check("--web.external-url=http://a/prom/", show, "/prom".to_owned());
    check("--web.external-url=http://a/prom --web.route-prefix=/", show, "/".to_owned());
    check("--web.route-prefix=x/", show, "/x".to_owned());
}
