//! The file as a whole.

use std::collections::HashSet;

use super::{
    Alerting, Global, Otlp, RemoteRead, RemoteWrite, Runtime, Scrape, Storage, Tracing, Tsdb,
    alerting::validate_rules,
};
use crate::{
    decode::{Broken, List, Section, Setting as _, Style},
    record,
    values::FilePath,
};

record! {
    /// All of `prometheus.yml`.
    pub struct File: "config.plain" {
        global: Global = always,
        runtime: Runtime,
        alerting: Alerting,
        rule_files: Vec<FilePath>,
        scrape_config_files: Vec<FilePath>,
        scrape_configs: List<Scrape>,
        storage: Storage,
        tracing: Tracing,
        remote_write: List<RemoteWrite>,
        remote_read: List<RemoteRead>,
        otlp: Otlp,
    }
}

impl Section for File {
    fn defaults() -> File {
        let mut file = File {
            global: Global::standard(),
            runtime: Runtime::defaults(),
            otlp: Otlp::defaults(),
            ..File::default()
        };
        file.fill_storage();
        file
    }

    fn check(&mut self) -> Result<(), Broken> {
        // A section that is there but empty means the same as none.
        if self.global == Global::default() {
            self.global = Global::standard();
        }
        if self.runtime == Runtime::default() {
            self.runtime = Runtime::defaults();
        }
        self.fill_storage();
        refuse_patterns(&self.rule_files, "rule file")?;
        refuse_patterns(&self.scrape_config_files, "scrape config file")?;
        self.check_scrapes()?;
        self.alerting.validate(self.global.scheme())?;
        self.check_remotes()
    }
}

impl File {
    /// The file as it takes effect, for people to read.
    pub fn to_yaml(&self, style: Style) -> String {
        crate::yaml::print(&self.encode(style))
    }

    fn fill_storage(&mut self) {
        let tsdb = self.storage.tsdb.get_or_insert_with(Tsdb::default);
        tsdb.retention.get_or_insert_default();
    }

    fn check_scrapes(&mut self) -> Result<(), Broken> {
        self.scrape_configs.refuse_null("empty or null scrape config section")?;
        let mut names = HashSet::new();
        for (line, scrape) in self.scrape_configs.with_lines() {
            scrape.inherit(&self.global).map_err(|broken| broken.or_at(line))?;
            if !names.insert(scrape.job_name.clone()) {
                let name = &scrape.job_name;
                let message = format!("found multiple scrape configs with job name {name:?}");
                return Err(Broken::at(line, message));
            }
        }
        Ok(())
    }

    fn check_remotes(&mut self) -> Result<(), Broken> {
        let scheme = self.global.scheme();
        self.remote_write.refuse_null("empty or null remote write config section")?;
        let mut names = HashSet::new();
        for (line, remote) in self.remote_write.with_lines() {
            refuse_repeated(&mut names, &remote.name, "write")
                .map_err(|broken| broken.or_at(line))?;
            validate_rules(&mut remote.write_relabel_configs, scheme)?;
        }
        self.remote_read.refuse_null("empty or null remote read config section")?;
        let mut names = HashSet::new();
        for (line, remote) in self.remote_read.with_lines() {
            refuse_repeated(&mut names, &remote.name, "read")
                .map_err(|broken| broken.or_at(line))?;
        }
        Ok(())
    }
}

/// A name may be left out; upstream then makes one up.
fn refuse_repeated(names: &mut HashSet<String>, name: &str, what: &str) -> Result<(), Broken> {
    if !name.is_empty() && !names.insert(name.to_owned()) {
        return Err(format!("found multiple remote {what} configs with job name {name:?}").into());
    }
    Ok(())
}

/// A star may stand only in the last part of a path.
fn refuse_patterns(paths: &[FilePath], what: &str) -> Result<(), Broken> {
    let is_wrong =
        |path: &&FilePath| path.0.split_once('*').is_some_and(|(_, after)| after.contains('/'));
    match paths.iter().find(is_wrong) {
        Some(path) => Err(format!("invalid {what} path {:?}", path.0).into()),
        None => Ok(()),
    }
}
