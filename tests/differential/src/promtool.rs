//! Does `vesta promtool` judge files as the real promtool does?
//!
//! Hand-written files, good and bad, and good ones with random damage; each is given to both. What
//! counts is the exit code, and which files and groups of rules are said to be good. The real one
//! is the promtool of the search path, 2.42 in Debian: where 3.14 means to judge otherwise stands
//! in [`differences`], with the reason, and is checked, too.

mod configs;
mod damage;
pub mod differences;
mod rules;
mod unit_tests;

use std::{
    fmt,
    io::{Cursor, Write},
    path::Path,
    sync::Arc,
};

use acceptance::run as run_program;
use parking_lot::Mutex;
use promtool::World;
use runtime::Runtime;

/// A command, and the files that it is to judge.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    /// Words of the command; the first file follows.
    pub command: Vec<&'static str>,
    pub files: Vec<(&'static str, String)>,
}

/// What a promtool said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub exit_code: i32,
    /// The lines that say what is good and what is not, without reasons.
    pub words: Vec<String>,
    /// All that it printed.
    pub output: String,
}

/// The hand-written cases of all commands, then `n_damaged` damaged files of each.
pub fn cases(seed: u64, n_damaged: u64) -> Vec<Case> {
    let mut cases = rules::cases();
    cases.extend(configs::cases());
    cases.extend(unit_tests::cases());
    let goods = [rules::good(), configs::good(), unit_tests::good()];
    for good in &goods {
        cases.extend((0..n_damaged).map(|n| damage::damaged(good, seed, n)));
    }
    cases
}

/// What the real promtool says in `folder`, which is empty.
pub fn theirs(program: &Path, folder: &Path, case: &Case) -> Verdict {
    let path = write(folder, case);
    let args: Vec<&str> = case.command.iter().copied().chain([&*path]).collect();
    let output = run_program(program, &args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    verdict(output.status.code().unwrap_or(-1), &stdout, &stderr)
}

/// What ours says.
pub fn ours(folder: &Path, case: &Case) -> Verdict {
    let path = write(folder, case);
    let args: Vec<String> =
        case.command.iter().copied().chain([&*path]).map(str::to_owned).collect();
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let mut world = World {
        runtime: Runtime::real(),
        stdin: Box::new(Cursor::new(Vec::new())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
    };
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.expect("a thread can be started");
    let exit = threads.block_on(promtool::run(&args, &mut world));
    verdict(i32::from(exit.code()), &stdout.text(), &stderr.text())
}

fn write(folder: &Path, case: &Case) -> String {
    for (name, text) in &case.files {
        std::fs::write(folder.join(name), text).expect("the folder is ours");
    }
    let (first, _) = case.files.first().expect("a case has a file");
    folder.join(first).display().to_string()
}

fn verdict(exit_code: i32, stdout: &str, stderr: &str) -> Verdict {
    let lines = stdout.lines().chain(stderr.lines()).map(str::trim);
    let words = lines.filter_map(|line| {
        let is_failure = line.starts_with("FAILED");
        // A path stands in some of them.
        let is_success = line.starts_with("SUCCESS");
        let is_count = is_success && line.ends_with("found");
        match (is_failure, is_success) {
            (true, _) => Some("FAILED".to_owned()),
            (_, true) if is_count => Some(line.to_owned()),
            (_, true) => Some("SUCCESS".to_owned()),
            _ => None,
        }
    });
    Verdict { exit_code, words: words.collect(), output: format!("{stdout}{stderr}") }
}

impl Verdict {
    pub fn is_like(&self, other: &Verdict) -> bool {
        self.exit_code == other.exit_code && self.words == other.words
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}:", self.exit_code)?;
        for line in self.output.lines().filter(|line| !line.trim().is_empty()) {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

/// Where ours prints.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
