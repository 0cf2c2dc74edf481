use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use crate::{get, wait_for};

/// A running program; it is killed when the test is done with it.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`; what it prints goes to `folder/name.log`.
    pub fn start(program: &Path, folder: &Path, name: &str, args: &[String]) -> Process {
        Process::start_with(program, folder, name, args, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(
        program: &Path,
        folder: &Path,
        name: &str,
        args: &[String],
        variables: &[(&str, String)],
    ) -> Process {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).expect("the test's folder can be written");
        let errors = output.try_clone().expect("a file can be shared");
        let child = Command::new(program)
            .args(args)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("start {}: {error}", program.display()));
        Process { child, log }
    }

    /// Waits until `path` on `port` answers 200; on failure the end of the log is shown.
    pub fn wait_until_ready(&mut self, port: u16, path: &str) {
        let log = self.log.clone();
        let what = format!("http://127.0.0.1:{port}{path}, see {}", log.display());
        wait_for(&what, Duration::from_secs(60), || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("ended with {status}:\n{}", self.output());
            }
            get(port, path).filter(|answer| answer.status == 200)
        });
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, as a power button would.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process is ours");
    }

    /// Waits for its end; nothing after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let started = std::time::Instant::now();
        while started.elapsed() < limit {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill and nobody to wait for.
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

/// The binary under test.
pub fn vesta() -> PathBuf {
    if let Some(path) = std::env::var_os("VESTA_BIN") {
        return PathBuf::from(path);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")),
        PathBuf::from,
    );
    let path = target.join("release/vesta");
    assert!(
        path.exists(),
        "{} is missing: cargo build --release, or set VESTA_BIN",
        path.display()
    );
    path
}

/// A program of the search path, if it is there.
pub fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Runs a program to its end.
pub fn run(program: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("run {}: {error}", program.display()))
}
