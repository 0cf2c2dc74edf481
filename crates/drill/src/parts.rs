//! The processes: started, stopped, killed, and never left behind.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::{links::Party, owner::Owners};

/// Tells a part that is Vesta that it ends with its parent.
const PARENT_VARIABLE: &str = "VESTA_DEMO";

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Also the name of its log.
    pub(crate) name: String,
    pub(crate) party: Option<Party>,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) address: String,
    /// Answers 200 once it does its job.
    pub(crate) ready_path: &'static str,
}

pub(crate) struct Parts {
    parts: Vec<(Part, Running)>,
    owners: Owners,
    folder: PathBuf,
    /// Makes the kernel end a process with its parent, where there is such a program.
    setpriv: Option<PathBuf>,
}

/// How a part is, and what to do when it ends.
#[derive(Default)]
struct Running {
    child: Option<Child>,
    /// Its end is wanted.
    is_stopping: bool,
    /// Then it is started again.
    starts_again: bool,
}

impl Parts {
    pub(crate) fn new(parts: Vec<Part>, owners: Owners, folder: PathBuf) -> Parts {
        let parts = parts.into_iter().map(|part| (part, Running::default())).collect();
        Parts { parts, owners, folder, setpriv: find_program("setpriv") }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().map(|(part, _)| part)
    }

    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(_, running)| running.child.is_some())
    }

    /// Starts a part, unless it runs.
    pub(crate) fn start(&mut self, name: &str) -> anyhow::Result<()> {
        let (setpriv, folder, owners) =
            (self.setpriv.clone(), self.folder.clone(), self.owners.clone());
        let Some((part, running)) = self.find_mut(name) else { return Ok(()) };
        if running.child.is_some() {
            // It is on its way out; then it comes back.
            running.starts_again = running.is_stopping;
            return Ok(());
        }
        let child = command(part, setpriv.as_deref(), &folder)?
            .spawn()
            .with_context(|| format!("start {name} ({})", part.program.display()))?;
        if let (Some(party), Some(pid)) = (part.party, child.id()) {
            owners.lock().insert(party, pid);
        }
        *running = Running { child: Some(child), is_stopping: false, starts_again: false };
        Ok(())
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, name: &str) {
        self.signal(name, Signal::KILL);
        self.expect_end(name, false);
    }

    /// SIGTERM; it starts again by itself if `starts_again`.
    pub(crate) fn terminate(&mut self, name: &str, starts_again: bool) {
        self.signal(name, Signal::TERM);
        self.expect_end(name, starts_again);
    }

    pub(crate) fn pause(&self, name: &str) {
        self.signal(name, Signal::STOP);
    }

    pub(crate) fn resume(&self, name: &str) {
        self.signal(name, Signal::CONT);
    }

    /// Notes which have ended, and starts those again that shall; says what ended unasked.
    pub(crate) fn look(&mut self) -> anyhow::Result<Vec<String>> {
        let (mut unasked, mut again) = (Vec::new(), Vec::new());
        for (part, running) in &mut self.parts {
            let Some(child) = &mut running.child else { continue };
            let Some(status) = child.try_wait()? else { continue };
            if !running.is_stopping {
                unasked.push(format!("{} ended by itself ({status})", part.name));
            }
            if running.starts_again {
                again.push(part.name.clone());
            }
            running.child = None;
        }
        for name in again {
            self.start(&name)?;
        }
        Ok(unasked)
    }

    /// Ends all at once; what they still had to say is of no interest.
    pub(crate) async fn stop(&mut self) {
        for (part, running) in &mut self.parts {
            let Some(mut child) = running.child.take() else { continue };
            if child.kill().await.is_err() {
                // It had ended already.
                self.owners.lock().retain(|party, _| Some(*party) != part.party);
            }
        }
    }

    fn signal(&self, name: &str, signal: Signal) {
        let id = self.find(name).and_then(|(_, running)| running.child.as_ref()?.id());
        if let Some(pid) = id.and_then(|id| Pid::from_raw(id as i32)) {
            // It is our child and not yet waited for: at worst it has ended a moment ago.
            kill_process(pid, signal).unwrap_or_default();
        }
    }

    fn expect_end(&mut self, name: &str, starts_again: bool) {
        if let Some((_, running)) = self.find_mut(name) {
            running.is_stopping = true;
            running.starts_again = starts_again;
        }
    }

    fn find(&self, name: &str) -> Option<&(Part, Running)> {
        self.parts.iter().find(|(part, _)| part.name == name)
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut (Part, Running)> {
        self.parts.iter_mut().find(|(part, _)| part.name == name)
    }
}

/// A program of the search path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn command(part: &Part, setpriv: Option<&Path>, folder: &Path) -> anyhow::Result<Command> {
    let mut command = match setpriv {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(&part.program);
            command
        }
        None => Command::new(&part.program),
    };
    let logs = folder.join("logs");
    command
        .args(&part.args)
        .envs(part.environment.iter().map(|(name, value)| (name, value)))
        .env(PARENT_VARIABLE, "1")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(open_log(&logs.join(format!("{}.out", part.name)))?)
        .stderr(open_log(&logs.join(format!("{}.log", part.name)))?)
        // Ctrl-C reaches the drill alone, which then stops the others.
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// A child's output wants a real file.
fn open_log(path: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("open {}", path.display()))
}
