//! The usual programs, each on a free port, with a folder of their own.

use std::path::Path;

use acceptance::{Process, free_port, program, vesta};
use tempfile::TempDir;

/// A running program and where it listens.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

/// A folder, and programs that are started in it.
pub(crate) struct Bed {
    folder: TempDir,
}

impl Bed {
    pub(crate) fn new() -> Bed {
        Bed { folder: tempfile::tempdir().expect("there is a place for temporary files") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the test's folder can be written");
    }

    /// `vesta host`: something real to scrape that is always there.
    pub(crate) fn host(&self) -> Running {
        let port = free_port();
        let args = ["host".to_owned(), format!("--web.listen-address=127.0.0.1:{port}")];
        let mut process = Process::start(&vesta(), self.path(), "host", &args);
        process.wait_until_ready(port, "/metrics");
        Running { process, port }
    }

    /// `vesta server` with the configuration `text`.
    pub(crate) fn vesta_server(&self, name: &str, text: &str) -> Running {
        self.server(&vesta(), &["server"], name, text, free_port())
    }

    /// Upstream's server with the configuration `text`, if it is installed.
    pub(crate) fn prometheus(&self, name: &str, text: &str) -> Option<Running> {
        Some(self.server(&program("prometheus")?, &[], name, text, free_port()))
    }

    pub(crate) fn server(
        &self,
        program: &Path,
        command: &[&str],
        name: &str,
        text: &str,
        port: u16,
    ) -> Running {
        self.server_with(program, command, name, text, port, &[])
    }

    /// The same with more flags.
    pub(crate) fn server_with(
        &self,
        program: &Path,
        command: &[&str],
        name: &str,
        text: &str,
        port: u16,
        flags: &[&str],
    ) -> Running {
        self.write(&format!("{name}.yml"), text);
        let mut args: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        args.push(format!("--config.file={name}.yml"));
        args.push(format!("--storage.tsdb.path={name}-data"));
        args.push(format!("--web.listen-address=127.0.0.1:{port}"));
        args.push("--web.enable-lifecycle".to_owned());
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let mut process = Process::start(program, self.path(), name, &args);
        process.wait_until_ready(port, "/-/ready");
        Running { process, port }
    }

    /// `vesta alertmanager` with the configuration `text`.
    pub(crate) fn vesta_alertmanager(&self, name: &str, text: &str) -> Running {
        self.alertmanager(&vesta(), &["alertmanager"], name, text)
    }

    /// Upstream's Alertmanager with the configuration `text`, if it is installed.
    pub(crate) fn upstream_alertmanager(&self, name: &str, text: &str) -> Option<Running> {
        Some(self.alertmanager(&program("prometheus-alertmanager")?, &[], name, text))
    }

    fn alertmanager(&self, program: &Path, command: &[&str], name: &str, text: &str) -> Running {
        let port = free_port();
        self.write(&format!("{name}.yml"), text);
        let mut args: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        args.push(format!("--config.file={name}.yml"));
        args.push(format!("--storage.path={name}-data"));
        args.push(format!("--web.listen-address=127.0.0.1:{port}"));
        args.push("--cluster.listen-address=".to_owned());
        let mut process = Process::start(program, self.path(), name, &args);
        process.wait_until_ready(port, "/-/ready");
        Running { process, port }
    }

    /// `vesta webhook`; its output is what was notified.
    pub(crate) fn webhook(&self) -> Running {
        let port = free_port();
        let args = ["webhook".to_owned(), format!("--web.listen-address=127.0.0.1:{port}")];
        let mut process = Process::start(&vesta(), self.path(), "webhook", &args);
        process.wait_until_ready(port, "/-/ready");
        Running { process, port }
    }
}

/// A configuration that scrapes `targets` every second.
pub(crate) fn scrape_config(job: &str, targets: &[u16]) -> String {
    let targets: Vec<String> = targets.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         scrape_configs:\n  - job_name: {job}\n    static_configs:\n      - targets: [{}]\n",
        targets.join(", ")
    )
}
