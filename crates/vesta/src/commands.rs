//! What the subcommands share: arguments, logs, the async runtime, listeners, signals.

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use axum::Router;
use node::Signals;
use runtime::Runtime;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::flags::{Flag, Stop, Values};

/// Parses the arguments of a subcommand; on `--help` or a mistake everything is said already.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) fn parse<T: clap::Parser>(name: &str, args: &[String]) -> Result<T, ExitCode> {
    let words = std::iter::once(name.to_owned()).chain(args.iter().cloned());
    T::try_parse_from(words).map_err(|error| {
        if error.use_stderr() {
            eprint!("{}", error.render().ansi());
            ExitCode::from(2)
        } else {
            say(&error.render().ansi().to_string());
            ExitCode::SUCCESS
        }
    })
}

/// Prints to standard output; a reader that has enough (`vesta --help | head`) is no failure.
pub(crate) fn say(text: &str) {
    std::io::stdout().lock().write_all(text.as_bytes()).unwrap_or_default();
}

/// Says why a command line is not run, as kingpin does: a mistake on standard error, exit 2.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) fn explain(program: &str, stop: Stop) -> ExitCode {
    match stop {
        Stop::Print(text) => {
            say(&format!("{}\n", text.trim_end()));
            ExitCode::SUCCESS
        }
        Stop::Error(reason) => {
            eprintln!("{program}: error: {reason}, try --help");
            ExitCode::from(2)
        }
    }
}

/// Starts the log as `--log.level` and `--log.format` say.
pub(crate) fn start_logs(values: &Values) -> Result<(), ExitCode> {
    let wrong = |reason: String| explain("vesta", Stop::Error(reason));
    let level = values.text("log.level").parse().map_err(wrong)?;
    let format = values.text("log.format").parse().map_err(wrong)?;
    let clock = Runtime::real().clock;
    telemetry::log::start(level, format, move || clock.now().as_nanos() as i128);
    // A panic ends one task; whoever reads the log should hear of it in the log's form.
    std::panic::set_hook(Box::new(|panic| error!(err = %panic, "A task panicked")));
    Ok(())
}

pub(crate) fn warn_of_flags_without_effect(values: &Values, table: &'static [Flag]) {
    for (flag, reason) in values.without_effect(table) {
        warn!(flag, reason, "this flag has no effect yet");
    }
}

pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Runs a node until SIGINT or SIGTERM; SIGHUP makes it read its configuration again. Upstream's
/// programs end with different codes for the same trouble.
pub(crate) fn run_node<F>(
    exit_code: fn(&node::Error) -> u8,
    main: impl FnOnce(Runtime, Signals) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), node::Error>>,
{
    let outcome = block_on(|runtime, stop| async move {
        let (requests, reload) = mpsc::channel(1);
        let hangups = tokio::spawn(forward_hangups(requests));
        let outcome = main(runtime, Signals { stop, reload }).await;
        hangups.abort();
        Ok(outcome)
    });
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            failure.log();
            ExitCode::from(exit_code(&failure))
        }
        Err(failure) => {
            error!(error = format!("{failure:#}"), "stopped");
            ExitCode::FAILURE
        }
    }
}

/// Runs `main` with the real world and a token that SIGINT and SIGTERM cancel.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) fn run<F>(main: impl FnOnce(Runtime, CancellationToken) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    match block_on(main) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vesta: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn block_on<T, F>(main: impl FnOnce(Runtime, CancellationToken) -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start threads")?;
    threads.block_on(async {
        let stop = CancellationToken::new();
        let signals = tokio::spawn(cancel_on_signal(stop.clone()));
        let outcome = main(Runtime::real(), stop).await;
        signals.abort();
        outcome
    })
}

/// Listens on all `addresses` and serves `router` until `stop`.
pub(crate) async fn serve(
    runtime: &Runtime,
    addresses: &[String],
    router: Router,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = runtime.network.listen(address).await;
        listeners.push(listener.with_context(|| format!("listen on {address}"))?);
    }
    let limits = transport::server::Limits::default();
    transport::server::serve(listeners, router, limits, runtime.clock.clone(), stop).await;
    Ok(())
}

async fn cancel_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let signal = tokio::select! {
        _ = interrupt.recv() => "interrupt",
        _ = terminate.recv() => "terminated",
    };
    info!(signal, "Received an OS signal, exiting gracefully...");
    stop.cancel();
    Ok(())
}

/// A SIGHUP while another waits is the same wish.
async fn forward_hangups(requests: mpsc::Sender<()>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    while hangup.recv().await.is_some() {
        requests.try_send(()).unwrap_or_default();
    }
    Ok(())
}
