//! From a script's text to its commands.

mod eval;
mod expect;
mod load;
mod values;

use std::time::Duration;

use model::{Timestamp, duration};

pub use load::Load;

pub use eval::Eval;
pub(crate) use eval::{Expected, ExpectedSeries, Steps, When};
pub(crate) use expect::{Annotation, Annotations, Expectations, Outcome};
pub(crate) use values::{Point, general};

/// A script, read and checked.
#[derive(Debug)]
pub struct Script {
    pub commands: Vec<Command>,
}

/// A step of a script.
#[derive(Debug)]
#[non_exhaustive]
pub enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// What is wrong with a script. Lines count from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("line {line}: invalid command {text:?}")]
    UnknownCommand { line: usize, text: String },
    #[error("error in load (line {line}): {reason}")]
    Load { line: usize, reason: String },
    #[error("error in eval {query} (line {line}): {reason}")]
    Eval { line: usize, query: String, reason: String },
}

/// The lines of a script, with a place in it.
pub(crate) struct Lines<'a> {
    lines: Vec<&'a str>,
    /// The next line, from zero.
    at: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let without_comment = |line: &'a str| if line.starts_with('#') { "" } else { line };
        Lines { lines: text.lines().map(str::trim).map(without_comment).collect(), at: 0 }
    }

    /// The next line of the present block; `None` once a blank line, or the end, is reached.
    fn next_in_block(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied().filter(|line| !line.is_empty())?;
        self.at += 1;
        Some(line)
    }

    /// The number of the line that was read last, from one.
    fn number(&self) -> usize {
        self.at
    }

    /// Goes on to the next line that is not blank; `false` at the end.
    fn skip_blank(&mut self) -> bool {
        while self.lines.get(self.at).is_some_and(|line| line.is_empty()) {
            self.at += 1;
        }
        self.at < self.lines.len()
    }
}

impl Script {
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let mut lines = Lines::new(text);
        let mut commands = Vec::new();
        while lines.skip_blank() {
            let Some(line) = lines.next_in_block() else { break };
            let word = line.split_whitespace().next().unwrap_or_default().to_lowercase();
            commands.push(match word.as_str() {
                "clear" => Command::Clear,
                word if word.starts_with("load") => Command::Load(load::parse(line, &mut lines)?),
                word if word.starts_with("eval") => {
                    Command::Eval(Box::new(eval::parse(line, &mut lines)?))
                }
                _ => {
                    let text = line.to_owned();
                    return Err(ScriptError::UnknownCommand { line: lines.number(), text });
                }
            });
        }
        Ok(Script { commands })
    }

    /// How many evaluations it has.
    pub fn n_evals(&self) -> usize {
        self.commands.iter().filter(|command| matches!(command, Command::Eval(_))).count()
    }
}

/// The first word and what follows it.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(|c: char| c.is_whitespace()).unwrap_or((text, ""))
}

/// A moment, written as the time since the epoch.
fn moment(text: &str) -> Result<Timestamp, duration::Error> {
    Ok(Timestamp::from_millis(duration::parse(text)?.as_millis() as i64))
}

fn step(text: &str) -> Result<Duration, duration::Error> {
    duration::parse(text)
}
