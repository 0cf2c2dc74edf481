//! `test …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Command;

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// File path to store JUnit XML test results
    #[arg(long, global = true, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(subcommand)]
    command: TestCommand,
}

#[derive(Debug, Subcommand)]
enum TestCommand {
    /// Unit tests for rules
    Rules(RulesFlags),
}

#[derive(Debug, Args)]
struct RulesFlags {
    /// Only run the tests whose name this regular expression finds; can be repeated
    #[arg(long)]
    run: Vec<String>,
    /// Print how the tests go, and all their data
    #[arg(long)]
    debug: bool,
    /// Print what differs instead of what was expected and what came
    #[arg(long)]
    diff: bool,
    /// Ignore unknown fields in the test files and rule files
    #[arg(long)]
    ignore_unknown_fields: bool,
    /// The unit test files
    #[arg(required = true, value_name = "TEST_RULE_FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct TestRules {
    pub(crate) junit: Option<PathBuf>,
    pub(crate) run: Vec<String>,
    pub(crate) debug: bool,
    pub(crate) diff: bool,
    pub(crate) ignore_unknown_fields: bool,
    pub(crate) files: Vec<PathBuf>,
    /// Parts of the language that only tests of this program turn off.
    pub(crate) at_modifier: bool,
    pub(crate) negative_offset: bool,
}

impl Test {
    pub(super) fn meaning(self) -> Command {
        let TestCommand::Rules(flags) = self.command;
        Command::TestRules(TestRules {
            junit: self.junit,
            run: flags.run,
            debug: flags.debug,
            diff: flags.diff,
            ignore_unknown_fields: flags.ignore_unknown_fields,
            files: flags.files,
            at_modifier: true,
            negative_offset: true,
        })
    }
}
