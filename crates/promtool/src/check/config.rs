//! `check config`: a configuration and the files that it refers to.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;
use config::{
    glob::glob,
    http::Tls,
    prometheus::{
        Alertmanagers, Config, File, Options, Scrape, load, relabel_rules,
        sd::{Discovery, static_groups},
    },
};
use model::labels::quote;
use runtime::Disk;

use super::{
    check_exists,
    rules::{Findings, check_files},
    target_files::{self, check_alertmanagers, check_targets},
};
use crate::{
    Exit, World,
    arguments::{CheckConfig, Global},
    lint::Lint,
};

pub(crate) fn run(global: &Global, world: &mut World, check: &CheckConfig) -> anyhow::Result<Exit> {
    check.rules.lint.warn(&mut world.stdout)?;
    let mut findings = Findings::default();
    for path in &check.files {
        writeln!(world.stdout, "Checking {}", path.display())?;
        let found = check_config(world, path, check);
        let rule_files = match &found {
            Ok(found) => found.rule_files.as_slice(),
            Err(_) => &[],
        };
        match &found {
            Ok(_) => {
                if !rule_files.is_empty() {
                    writeln!(world.stdout, "  SUCCESS: {} rule files found", rule_files.len())?;
                }
                let shown = path.display();
                writeln!(world.stdout, " SUCCESS: {shown} is valid prometheus config file syntax")?;
            }
            Err(error) => {
                findings = Findings { failed: true, has_errors: true };
                writeln!(world.stderr, "  FAILED: {}", crate::explain(error))?;
            }
        }
        writeln!(world.stdout)?;
        if check.syntax_only {
            continue;
        }
        if let Ok(found) = &found {
            findings.failed |= lint_intervals(world, &found.config.scrapes, &check.rules.lint)?;
            let names = found.config.file.global.scheme();
            let rules = check_files(global, world, &check.rules, rule_files, names)?;
            findings.failed |= rules.failed;
            findings.has_errors |= rules.has_errors;
        }
    }
    Ok(match findings {
        Findings { has_errors: true, .. } => Exit::Failure,
        Findings { failed: true, .. } if check.rules.lint.fatal => Exit::Lint,
        _ => Exit::Success,
    })
}

/// A configuration that is valid, and the rule files that it names.
struct Valid {
    config: Config,
    rule_files: Vec<String>,
}

fn check_config(world: &mut World, path: &Path, check: &CheckConfig) -> anyhow::Result<Valid> {
    let disk = world.runtime.disk.clone();
    let options = Options { agent: check.agent, ..Options::default() };
    let config = load(&*disk, path, &options)?;
    let mut warnings = Vec::new();
    let mut checker = Checker { disk: &*disk, whole: !check.syntax_only, warnings: &mut warnings };
    let rule_files = if check.syntax_only { Vec::new() } else { find_rules(&*disk, &config.file)? };
    let outcome = checker.check(&config);
    for warning in warnings {
        writeln!(world.stdout, "  WARNING: {warning}")?;
    }
    outcome?;
    Ok(Valid { config, rule_files })
}

/// The rule files; one that is named without wildcards must be there.
fn find_rules(disk: &dyn Disk, file: &File) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for pattern in &file.rule_files {
        let paths = glob(disk, &pattern.0)?;
        anyhow::ensure!(
            pattern.0.contains('*') || !paths.is_empty(),
            "{} does not point to an existing file",
            quote(&pattern.0)
        );
        found.extend(paths);
    }
    Ok(found)
}

/// Says which job is scraped so rarely that its series would have gaps; one is enough.
fn lint_intervals(world: &mut World, scrapes: &[Scrape], lint: &Lint) -> anyhow::Result<bool> {
    let Some(max) = lint.scrape_interval_max else { return Ok(false) };
    let Some(job) = scrapes.iter().find(|job| job.scrape_interval.0 >= max) else {
        return Ok(false);
    };
    let (name, interval) = (&job.job_name, model::duration::format(job.scrape_interval.0));
    writeln!(
        world.stderr,
        "  FAILED: too long scrape interval found, data point will be marked as stale - job: {name}, interval: {interval}"
    )?;
    Ok(true)
}

/// Looks at what a configuration refers to.
struct Checker<'a> {
    disk: &'a dyn Disk,
    /// Also at files, not only at what the text itself says.
    whole: bool,
    warnings: &'a mut Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, config: &Config) -> anyhow::Result<()> {
        for job in &config.scrapes {
            self.check_job(job)?;
        }
        for set in config.file.alerting.alertmanagers.iter() {
            self.check_set(set, config)?;
        }
        Ok(())
    }

    fn check_job(&mut self, job: &Scrape) -> anyhow::Result<()> {
        if let Some(authorization) = job.http.authorization.as_ref().filter(|_| self.whole) {
            let file = &authorization.credentials_file.0;
            check_exists(self.disk, file, "authorization credentials or bearer token file")?;
        }
        self.check_tls(&job.http.tls_config)?;
        for kubernetes in job.discovery.kubernetes_sd_configs.iter() {
            self.check_tls(&kubernetes.http.tls_config)?;
        }
        let settings = target_files::job(job)?;
        for group in static_groups(&job.discovery) {
            check_targets(&settings, &group)?;
        }
        for (path, groups) in
            self.read_targets(&job.discovery, || format!("in scrape job {}", quote(&job.job_name)))?
        {
            for group in groups {
                check_targets(&settings, &group)
                    .with_context(|| format!("checking SD file {}", quote(&path)))?;
            }
        }
        Ok(())
    }

    fn check_set(&mut self, set: &Alertmanagers, config: &Config) -> anyhow::Result<()> {
        let names = config.file.global.scheme();
        let rules = relabel_rules(&set.relabel_configs, names)?;
        for group in static_groups(&set.discovery) {
            check_alertmanagers(set, &rules, &group)?;
        }
        for (_, groups) in
            self.read_targets(&set.discovery, || "in alertmanager config".to_owned())?
        {
            for group in groups {
                check_alertmanagers(set, &rules, &group)?;
            }
        }
        Ok(())
    }

    fn check_tls(&self, tls: &Tls) -> anyhow::Result<()> {
        if !self.whole {
            return Ok(());
        }
        check_exists(self.disk, &tls.cert_file.0, "client cert file")?;
        check_exists(self.disk, &tls.key_file.0, "client key file")
    }

    /// The groups in the files of `file_sd_configs`, with the pattern that led to them.
    fn read_targets(
        &mut self,
        discovery: &Discovery,
        place: impl Fn() -> String,
    ) -> anyhow::Result<Vec<(String, Vec<model::TargetGroup>)>> {
        let mut all = Vec::new();
        if !self.whole {
            return Ok(all);
        }
        for pattern in discovery.file_sd_configs.iter().flat_map(|section| &section.files) {
            let pattern = &pattern.0;
            let paths = glob(self.disk, pattern)?;
            if paths.is_empty() {
                let (file, place) = (quote(pattern), place());
                self.warnings.push(format!("file {file} for file_sd {place} does not exist"));
            }
            for path in paths {
                let groups = target_files::read(self.disk, Path::new(&path))
                    .with_context(|| format!("checking SD file {}", quote(pattern)))?;
                all.push((pattern.clone(), groups));
            }
        }
        Ok(all)
    }
}
