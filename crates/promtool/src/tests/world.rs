//! Running command lines and seeing what they print.

use std::{
    io::{self, Cursor, Write},
    sync::{Arc, Mutex},
};

use runtime::Runtime;

use crate::{Exit, World, run};

/// What a command left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) exit_code: u8,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A world, and a way to see what was printed there.
pub(super) fn world(runtime: Runtime, stdin: &str) -> (World, impl Fn(Exit) -> Outcome) {
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let world = World {
        runtime,
        stdin: Box::new(Cursor::new(stdin.to_owned().into_bytes())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
    };
    let seen = move |exit: Exit| Outcome {
        stdout: stdout.text(),
        stderr: stderr.text(),
        exit_code: exit.code(),
    };
    (world, seen)
}

/// Runs a command line in `runtime`, with `stdin`.
pub(super) async fn promtool(runtime: Runtime, args: &[&str], stdin: &str) -> Outcome {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let (mut world, seen) = world(runtime, stdin);
    let exit = run(&args, &mut world).await;
    seen(exit)
}

/// Upstream's tables are run in this folder; commands here are given whole paths instead.
pub(super) const FOLDER: &str = "prometheus/promtool";

/// The path of a fixture, whole.
pub(super) fn whole(path: &str) -> String {
    let folder = conformance::path(FOLDER).expect("the table is there, so the folder is");
    std::fs::canonicalize(folder).unwrap().join(path).display().to_string()
}

/// A text with whole paths to fixtures, as it would be in the folder.
pub(super) fn relative(text: &str) -> String {
    text.replace(&whole(""), "")
}
