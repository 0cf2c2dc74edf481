//! `test rules`: do rules yield what their tests expect of given series?
//!
//! A file is read (`file`), each of its tests is played on a store of its own (`play`, `store`),
//! what differs is told (`compare`), and all of it can be had as XML (`junit`).

mod compare;
mod file;
mod junit;
mod play;
mod store;

use std::{collections::HashMap, io::Write as _, path::Path, time::Duration};

use config::glob::glob;
use model::names::ValidationScheme;
use re2::Regex;
use rules::file::Group;
use runtime::Disk;

use crate::{
    Exit, World,
    arguments::{CheckRules, Global, TestRules},
    check::{self, describe},
    lint::Lint,
};
use file::{Test, TestFile};
use junit::Suite;
use play::{Outcome, Player};

const EVALUATION_INTERVAL: Duration = Duration::from_secs(60);

pub(crate) fn run(global: &Global, world: &mut World, test: &TestRules) -> anyhow::Result<Exit> {
    let run = match test.run.as_slice() {
        [] => None,
        patterns => Some(Regex::new(&patterns.join("|"))?),
    };
    let mut suites = Vec::new();
    for path in &test.files {
        writeln!(world.stdout, "Unit Testing:  {}", path.display())?;
        let mut suite = Suite::new(path, world.runtime.clock.now_millis());
        let runner = Runner { global, test, run: run.as_ref() };
        let errors = runner.run_file(world, path, &mut suite)?;
        if errors.is_empty() {
            writeln!(world.stdout, "  SUCCESS")?;
        } else {
            writeln!(world.stderr, "  FAILED:")?;
            for error in &errors {
                writeln!(world.stderr, "{error}")?;
                writeln!(world.stdout)?;
            }
        }
        writeln!(world.stdout)?;
        suites.push((suite, errors.is_empty()));
    }
    let passed = suites.iter().all(|(_, passed)| *passed);
    if let Some(path) = &test.junit {
        let xml = junit::to_xml(suites.iter().map(|(suite, _)| suite));
        world.runtime.disk.write_atomically(path, xml.as_bytes())?;
    }
    Ok(if passed { Exit::Success } else { Exit::Failure })
}

/// What holds for all files.
struct Runner<'a> {
    global: &'a Global,
    test: &'a TestRules,
    /// Only tests whose name it finds are run.
    run: Option<&'a Regex>,
}

impl Runner<'_> {
    /// Everything that is wrong with a file or its tests, as text.
    fn run_file(
        &self,
        world: &mut World,
        path: &Path,
        suite: &mut Suite,
    ) -> anyhow::Result<Vec<String>> {
        let (file, groups) = match self.read(world, path)? {
            Ok(read) => read,
            Err(errors) => {
                suite.abort(&errors.join("\n"));
                return Ok(errors);
            }
        };
        let interval = file.evaluation_interval.unwrap_or(EVALUATION_INTERVAL);
        let player = Player {
            global: self.global,
            test: self.test,
            clock: world.runtime.clock.clone(),
            interval,
            fuzzy: file.fuzzy_compare,
            groups: &groups,
        };
        let mut errors = Vec::new();
        for (idx, test) in file.tests.iter().enumerate().filter(|(_, test)| self.wants(test)) {
            let name =
                if test.name.is_empty() { format!("unnamed#{idx}") } else { test.name.clone() };
            let Outcome { failures, debug } = runtime::blocking(|| player.play(&name, test));
            world.stdout.write_all(debug.as_bytes())?;
            suite.add_case(&name, &failures);
            errors.extend(failures);
        }
        Ok(errors)
    }

    fn wants(&self, test: &Test) -> bool {
        self.run.is_none_or(|run| run.is_match(&test.name))
    }

    /// The file, and the groups of the rule files that it names, in order of evaluation.
    #[expect(clippy::type_complexity, reason = "the inner error is what users did wrong")]
    fn read(
        &self,
        world: &mut World,
        path: &Path,
    ) -> anyhow::Result<Result<(TestFile, Vec<(String, Group)>), Vec<String>>> {
        let disk = world.runtime.disk.clone();
        let text = match disk.read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return Ok(Err(vec![format!("open {}: {}", path.display(), describe(&error))]));
            }
        };
        let file = match file::parse(&text, self.test.ignore_unknown_fields) {
            Ok(file) => file,
            Err(error) => return Ok(Err(vec![error])),
        };
        let (rule_files, unmatched) = find_rules(&*disk, path, &file)?;
        for pattern in unmatched {
            writeln!(world.stderr, "  WARNING: no file match pattern {pattern}")?;
        }
        let order = match order(&file.group_eval_order) {
            Ok(order) => order,
            Err(error) => return Ok(Err(vec![error])),
        };
        // Upstream reads rules for each test; without one they may be anything.
        if !file.tests.iter().any(|test| self.wants(test)) {
            return Ok(Ok((file, Vec::new())));
        }
        let mut groups = match self.read_rules(&*disk, &rule_files) {
            Ok(groups) => groups,
            Err(errors) => return Ok(Err(errors)),
        };
        // Groups that the order does not name come first, with its first one.
        groups.sort_by_key(|(_, group)| order.get(&group.name).copied().unwrap_or_default());
        Ok(Ok((file, groups)))
    }

    fn read_rules(
        &self,
        disk: &dyn Disk,
        files: &[String],
    ) -> Result<Vec<(String, Group)>, Vec<String>> {
        let as_written = CheckRules {
            lint: Lint::default(),
            ignore_unknown_fields: self.test.ignore_unknown_fields,
            files: Vec::new(),
        };
        let mut groups = Vec::new();
        for file in files {
            let text = disk
                .read_to_string(Path::new(file))
                .map_err(|error| vec![format!("{file}: open {file}: {}", describe(&error))])?;
            let parsed =
                check::rules::parse(self.global, &as_written, &text, ValidationScheme::Utf8)
                    .map_err(|errors| {
                        errors.iter().map(|it| format!("{file}: {it}")).collect::<Vec<_>>()
                    })?;
            groups.extend(parsed.into_iter().map(|group| (file.clone(), group)));
        }
        Ok(groups)
    }
}

/// The rule files that the patterns find, seen from the test file; and the patterns that find none.
fn find_rules(
    disk: &dyn Disk,
    path: &Path,
    file: &TestFile,
) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let (mut found, mut unmatched) = (Vec::new(), Vec::new());
    for pattern in &file.rule_files {
        let pattern = folder.join(pattern).display().to_string();
        let paths = glob(disk, &pattern)?;
        if paths.is_empty() {
            unmatched.push(pattern);
        }
        // What two patterns find counts once.
        for path in paths {
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    Ok((found, unmatched))
}

fn order(names: &[String]) -> Result<HashMap<String, usize>, String> {
    let mut order = HashMap::new();
    for (idx, name) in names.iter().enumerate() {
        if order.insert(name.clone(), idx).is_some() {
            return Err(format!("group name repeated in evaluation order: {name}"));
        }
    }
    Ok(order)
}
