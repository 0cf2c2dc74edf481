//! `check-config`.

use std::path::PathBuf;

use alertmanager::Template;
use config::alertmanager::{Config, load, parse};

use crate::{Outcome, World, arguments::Global};

pub(crate) fn run(
    global: &Global,
    mut world: World,
    files: &[PathBuf],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let disk = &*world.runtime.disk;
    if let Some(missing) = files.iter().find(|file| !disk.exists(file)) {
        anyhow::bail!("path '{}' does not exist", missing.display());
    }
    let mut n_failed = 0;
    if files.is_empty() {
        let Some(read) = world.stdin.take() else {
            anyhow::bail!("Failed to read from standard input");
        };
        outcome.stdout.push_str("Checking '/dev/stdin'");
        let config =
            read().map_err(anyhow::Error::from).and_then(|text| Ok(parse(&text, global.mode)?));
        n_failed += check(config, &world, outcome);
    }
    for file in files {
        outcome.stdout.push_str(&format!("Checking '{}'", file.display()));
        let config = load(&*world.runtime.disk, file, global.mode).map_err(anyhow::Error::from);
        n_failed += check(config, &world, outcome);
    }
    anyhow::ensure!(n_failed == 0, "failed to validate {n_failed} file(s)");
    Ok(())
}

/// Prints what is in a configuration; gives how often something was wrong.
fn check(config: anyhow::Result<Config>, world: &World, outcome: &mut Outcome) -> usize {
    let out = &mut outcome.stdout;
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            out.push_str(&format!("  FAILED: {error:#}\n\n"));
            return 1;
        }
    };
    out.push_str("  SUCCESS\nFound:\n - global config\n - route\n");
    let file = &config.file;
    let mut count = |n: usize, what: &str| out.push_str(&format!(" - {n} {what}\n"));
    count(file.inhibit_rules.len(), "inhibit rules");
    count(file.receivers.len(), "receivers");
    count(file.templates.len(), "templates");
    let mut n_failed = 0;
    if !file.templates.is_empty() {
        match read_templates(&config, world) {
            Ok(()) => out.push_str("  SUCCESS\n"),
            Err(error) => {
                out.push_str(&format!("  FAILED: {error:#}\n"));
                n_failed = 1;
            }
        }
    }
    for warning in &config.warnings {
        outcome.stderr.push_str(&format!("Warning: {warning}\n"));
    }
    outcome.stdout.push('\n');
    n_failed
}

fn read_templates(config: &Config, world: &World) -> anyhow::Result<()> {
    let disk = &*world.runtime.disk;
    let mut template = Template::new("http://localhost", world.runtime.clock.clone());
    for path in config.template_paths(disk)? {
        let text = disk.read_to_string(path.as_ref())?;
        template.parse(&crate::template::name_of(&path), &text)?;
    }
    Ok(())
}
