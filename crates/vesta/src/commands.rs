//! What our own subcommands share: arguments, the async runtime, listeners, signals.

use std::process::ExitCode;

use anyhow::Context as _;
use axum::Router;
use runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Parses the arguments of a subcommand; on `--help` or a mistake everything is said already.
#[expect(clippy::print_stderr, reason = "this is the command line")]
#[expect(clippy::print_stdout, reason = "this is the command line")]
pub(crate) fn parse<T: clap::Parser>(name: &str, args: &[String]) -> Result<T, ExitCode> {
    let words = std::iter::once(name.to_owned()).chain(args.iter().cloned());
    T::try_parse_from(words).map_err(|error| {
        if error.use_stderr() {
            eprint!("{}", error.render().ansi());
            ExitCode::from(2)
        } else {
            print!("{}", error.render().ansi());
            ExitCode::SUCCESS
        }
    })
}

/// Runs `main` with the real world and a token that SIGINT and SIGTERM cancel.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) fn run<F>(main: impl FnOnce(Runtime, CancellationToken) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let threads = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(threads) => threads,
        Err(error) => {
            eprintln!("vesta: start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = threads.block_on(async {
        let stop = CancellationToken::new();
        let signals = tokio::spawn(cancel_on_signal(stop.clone()));
        let outcome = main(Runtime::real(), stop).await;
        signals.abort();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vesta: {error:#}");
            ExitCode::FAILURE
        }
    }
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
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stop.cancel();
    Ok(())
}
