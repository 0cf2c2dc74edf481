//! What is said to a running demo from another terminal: `vesta demo kill NAME`, `… start NAME`.
//!
//! By way of its folder: it notes there which processes it has, and looks there for wishes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use procfs::process;
use runtime::Runtime;
use rustix::process::{Pid, Signal, kill_process};

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Wish {
    /// kill -9 for a part of the running demo, as a power button would.
    Kill {
        /// As the demo's table has it.
        name: String,
    },
    /// Starts a part again that was killed.
    Start { name: String },
}

/// Does in the folder of a running demo what was wished for; says what was done.
pub(super) fn fulfil(runtime: &Runtime, folder: &Path, wish: &Wish) -> anyhow::Result<String> {
    match wish {
        Wish::Kill { name } => {
            let pid = running(runtime, folder, name)?;
            kill_process(pid, Signal::KILL).with_context(|| format!("kill {name}"))?;
            Ok(format!("{name} is gone (kill -9 {})", pid.as_raw_nonzero()))
        }
        Wish::Start { name } => {
            pid(runtime, folder, name)?;
            let path = wish_path(folder, name);
            runtime.disk.write_atomically(&path, b"").context("tell the demo")?;
            Ok(format!("{name} starts, if the demo runs and {name} does not"))
        }
    }
}

pub(super) fn note_pid(
    runtime: &Runtime,
    folder: &Path,
    name: &str,
    pid: u32,
) -> anyhow::Result<()> {
    let path = pid_path(folder, name);
    let write = runtime.disk.write_atomically(&path, format!("{pid}\n").as_bytes());
    write.with_context(|| format!("write {}", path.display()))
}

/// Whether `start NAME` was said; only once.
pub(super) fn take(runtime: &Runtime, folder: &Path, name: &str) -> bool {
    runtime.disk.remove_file(&wish_path(folder, name)).is_ok()
}

/// The process, if it is still the demo's: a number may belong to somebody else by now.
fn running(runtime: &Runtime, folder: &Path, name: &str) -> anyhow::Result<Pid> {
    let pid = pid(runtime, folder, name)?;
    let environment = process::Process::new(pid.as_raw_nonzero().get())
        .and_then(|process| process.environ())
        .unwrap_or_default();
    if !environment.contains_key(std::ffi::OsStr::new(super::PARENT_VARIABLE)) {
        bail!("{name} does not run");
    }
    Ok(pid)
}

fn pid(runtime: &Runtime, folder: &Path, name: &str) -> anyhow::Result<Pid> {
    let text = runtime.disk.read_to_string(&pid_path(folder, name)).with_context(|| {
        format!("the demo in {} has no {name}; its table has the names", folder.display())
    })?;
    text.trim().parse().ok().and_then(Pid::from_raw).context("there is no process number")
}

fn pid_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("logs").join(format!("{name}.pid"))
}

fn wish_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("logs").join(format!("{name}.start"))
}
