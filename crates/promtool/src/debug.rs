//! `debug …`: what those who look into a problem want, in one archive.

mod archive;

use std::{io::Write as _, time::Duration};

use anyhow::Context as _;

use crate::{
    Exit, World,
    arguments::{Debug, DebugTarget, Global},
    http_client::Server,
};

const ARCHIVE: &str = "debug.tar.gz";
/// Profiles run for half a minute on the server.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Files of the archive, and where they come from.
const PROFILES: [(&str, &str); 7] = [
    ("cpu.pb", "/debug/pprof/profile?seconds=30"),
    ("block.pb", "/debug/pprof/block"),
    ("goroutine.pb", "/debug/pprof/goroutine"),
    ("heap.pb", "/debug/pprof/heap"),
    ("mutex.pb", "/debug/pprof/mutex"),
    ("threadcreate.pb", "/debug/pprof/threadcreate"),
    ("trace.pb", "/debug/pprof/trace?seconds=30"),
];
const METRICS: [(&str, &str); 1] = [("metrics.txt", "/metrics")];

pub(crate) async fn run(global: &Global, world: &mut World, debug: &Debug) -> anyhow::Result<Exit> {
    let files: Vec<(&str, &str)> = match debug.target {
        DebugTarget::Pprof => PROFILES.to_vec(),
        DebugTarget::Metrics => METRICS.to_vec(),
        DebugTarget::All => PROFILES.iter().chain(&METRICS).copied().collect(),
    };
    match collect(global, world, debug, &files).await {
        Ok(()) => Ok(Exit::Success),
        Err(error) => {
            writeln!(world.stderr, "error completing debug command: {}", crate::explain(&error))?;
            Ok(Exit::Failure)
        }
    }
}

async fn collect(
    global: &Global,
    world: &mut World,
    debug: &Debug,
    files: &[(&str, &str)],
) -> anyhow::Result<()> {
    let mut server = Server::new(global, world, &debug.server, &[])?;
    server.timeout = TIMEOUT;
    let mut archive = archive::Archive::new(world.runtime.clock.now_millis() / 1000);
    for (name, path) in files {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut url = server.url(path);
        url.set_query((!query.is_empty()).then_some(query));
        writeln!(world.stdout, "collecting: {url}")?;
        world.stdout.flush()?;
        let request = transport::client::Request::get(url.clone());
        let response = server.send(request).await.context("error executing HTTP request")?;
        let status = response.status;
        anyhow::ensure!(status.is_success(), "get {url}: server returned HTTP status {status}");
        archive.add(name, &response.body);
    }
    let bytes = archive.finish()?;
    world.runtime.disk.write_atomically(ARCHIVE.as_ref(), &bytes)?;
    writeln!(
        world.stdout,
        "Compiling debug information complete, all files written in {ARCHIVE:?}."
    )?;
    Ok(())
}
