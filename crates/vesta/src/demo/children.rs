use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use runtime::Runtime;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};
use tokio_util::sync::CancellationToken;
use transport::client::{Client, Config, Limits, Request};

use super::{
    notification,
    plan::{PAIR, Process},
    say, wishes,
};

/// Tells a child that it belongs to a demo and ends with it.
pub(crate) const PARENT_VARIABLE: &str = "VESTA_DEMO";

/// How long a child may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// The running processes, in the order in which they were started.
pub(super) struct Children {
    running: Vec<Running>,
    notifications: Option<Lines<BufReader<ChildStdout>>>,
    folder: PathBuf,
    /// Who of the pair writes, as far as it was said already.
    writer: Option<&'static str>,
}

struct Running {
    process: Process,
    child: Child,
    /// Its end was said already.
    ended: bool,
}

impl Children {
    pub(super) fn start(
        runtime: &Runtime,
        processes: &[Process],
        folder: &Path,
    ) -> anyhow::Result<Children> {
        let (running, notifications, writer) = Default::default();
        let mut children = Children { running, notifications, folder: folder.to_owned(), writer };
        for process in processes {
            let child = children.spawn(runtime, process)?;
            children.running.push(Running { process: process.clone(), child, ended: false });
        }
        Ok(children)
    }

    fn spawn(&mut self, runtime: &Runtime, process: &Process) -> anyhow::Result<Child> {
        let program = std::env::current_exe().context("find the program itself")?;
        let log = self.folder.join("logs").join(format!("{}.log", process.name));
        let log = open_log(&log)?;
        let is_webhook = process.name == "webhook";
        let mut child = Command::new(&program)
            .args(&process.args)
            .env(PARENT_VARIABLE, "1")
            .stdin(Stdio::null())
            .stdout(if is_webhook { Stdio::piped() } else { Stdio::null() })
            .stderr(log)
            // Ctrl-C reaches the demo alone, which then stops the others in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", process.name))?;
        if let Some(output) = child.stdout.take() {
            self.notifications = Some(BufReader::new(output).lines());
        }
        if let Some(pid) = child.id() {
            wishes::note_pid(runtime, &self.folder, process.name, pid)?;
        }
        Ok(child)
    }

    pub(super) fn pid(&self, name: &str) -> Option<u32> {
        self.running.iter().find(|running| running.process.name == name)?.child.id()
    }

    pub(super) async fn wait_until_ready(
        &mut self,
        runtime: &Runtime,
        limit: Duration,
    ) -> anyhow::Result<()> {
        let client = Client::new(Config::default(), runtime.clone())?;
        let give_up = runtime.clock.monotonic() + limit;
        for running in &mut self.running {
            let name = running.process.name;
            let url = format!("http://{}{}", running.process.address, running.process.ready_path);
            while !answers(&client, &url).await? {
                if let Some(status) = running.child.try_wait()? {
                    bail!("{name} stopped at once ({status}): see logs/{name}.log");
                }
                if runtime.clock.monotonic() > give_up {
                    bail!("{name} is not ready after {limit:?}: see logs/{name}.log");
                }
                runtime.clock.sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Prints each notification, and each process that ends by itself, until `stop`.
    pub(super) async fn show_notifications_until(
        &mut self,
        runtime: &Runtime,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let client = Client::new(Config::default(), runtime.clone())?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                line = next_line(&mut self.notifications) => match line {
                    Some(line) => say(notification::describe(&line).trim_end()),
                    None => self.notifications = None,
                },
                () = runtime.clock.sleep(Duration::from_secs(1)) => {
                    self.tell_of_the_ended();
                    self.start_those_wished_for(runtime);
                    self.tell_who_writes(&client).await;
                }
            }
        }
    }

    /// `vesta demo start NAME` was typed somewhere.
    fn start_those_wished_for(&mut self, runtime: &Runtime) {
        for index in 0..self.running.len() {
            let process = self.running[index].process.clone();
            let is_wished = wishes::take(runtime, &self.folder, process.name);
            if !is_wished || !self.running[index].ended {
                continue;
            }
            match self.spawn(runtime, &process) {
                Ok(child) => {
                    self.running[index] = Running { process, child, ended: false };
                    say(&format!("● {} starts again", self.running[index].process.name));
                }
                Err(error) => say(&format!("● {error:#}")),
            }
        }
    }

    async fn tell_who_writes(&mut self, client: &Client) {
        for name in PAIR {
            let find = |running: &&Running| running.process.name == name && !running.ended;
            let Some(running) = self.running.iter().find(find) else { continue };
            let url = format!("http://{}/-/leader", running.process.address);
            let leads = answers(client, &url).await.unwrap_or(false);
            if leads && self.writer != Some(name) {
                self.writer = Some(name);
                say(&format!("◆ {name} writes to the remote storage"));
            }
        }
    }

    fn tell_of_the_ended(&mut self) {
        for running in self.running.iter_mut().filter(|running| !running.ended) {
            if let Ok(Some(status)) = running.child.try_wait() {
                running.ended = true;
                let name = running.process.name;
                say(&format!("● {name} has ended ({status}); vesta demo start {name}"));
            }
        }
    }

    /// Stops all in the reverse order of their start; who doesn't stop in time is killed.
    pub(super) async fn stop(mut self, runtime: &Runtime) {
        while let Some(mut running) = self.running.pop() {
            let pid = running.child.id().and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
            let Some(pid) = pid else { continue };
            let asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let end = running.child.wait();
            let ended = runtime::clock::timeout(&*runtime.clock, STOP_LIMIT, end).await.is_some();
            if asked.is_err() || !ended {
                say(&format!("{} does not stop: killing it", running.process.name));
                running.child.kill().await.unwrap_or_default();
            }
        }
    }
}

async fn answers(client: &Client, url: &str) -> anyhow::Result<bool> {
    let limits = Limits { timeout: Duration::from_secs(2), body_bytes: 16 << 20 };
    let response = client.send(Request::get(url.parse()?), &limits).await;
    Ok(response.is_ok_and(|response| response.status.is_success()))
}

/// The next line of the webhook; never, once there is no webhook any more.
async fn next_line(lines: &mut Option<Lines<BufReader<ChildStdout>>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "a child's standard error wants a real file")]
fn open_log(path: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::File::create(path).with_context(|| format!("create {}", path.display()))
}
