//! `check service-discovery`: what would a job scrape?

use std::{collections::BTreeMap, io::Write as _, path::Path, time::Duration};

use config::{
    glob::glob,
    prometheus::{
        Options, Scrape, load,
        sd::{mechanisms, static_groups},
    },
};
use model::{Labels, TargetGroup};
use serde_json::{Value, json};

use super::target_files;
use crate::{Exit, World, arguments::CheckDiscovery};

pub(crate) async fn run(world: &mut World, check: &CheckDiscovery) -> anyhow::Result<Exit> {
    let disk = world.runtime.disk.clone();
    let config = match load(&*disk, &check.file, &Options::default()) {
        Ok(config) => config,
        Err(error) => {
            writeln!(world.stderr, "Cannot load config: {error}")?;
            return Ok(Exit::Failure);
        }
    };
    let Some(job) = config.scrapes.iter().find(|job| job.job_name == check.job) else {
        writeln!(world.stderr, "Job {} not found. Select one of:", check.job)?;
        for job in &config.scrapes {
            writeln!(world.stderr, "\t{}", job.job_name)?;
        }
        return Ok(Exit::Failure);
    };
    let mut groups = groups(world, job)?;
    groups.extend(ask(world, job, check.timeout.0).await?);
    let targets = preview(&target_files::job(job)?, &groups);
    let text = serde_json::to_string_pretty(&targets)?;
    world.stdout.write_all(escape_html(&text).as_bytes())?;
    Ok(Exit::Success)
}

/// What others find who have to be asked, for as long as it takes them to answer all.
async fn ask(
    world: &mut World,
    job: &Scrape,
    timeout: Duration,
) -> anyhow::Result<Vec<TargetGroup>> {
    let mut mechanisms = mechanisms(&job.discovery)?;
    mechanisms
        .retain(|it| !matches!(it, discovery::Config::Static(_) | discovery::Config::File(_)));
    if mechanisms.is_empty() {
        return Ok(Vec::new());
    }
    let metrics = discovery::Metrics::register(&telemetry::Registry::default());
    let options = discovery::Options::named("promtool");
    let manager = discovery::Manager::new(options, world.runtime.clone(), &metrics);
    let set = job.job_name.clone();
    for reason in manager.apply(BTreeMap::from([(set.clone(), mechanisms)])) {
        writeln!(world.stderr, "Could not create new discoverer: {reason}")?;
    }
    // Nobody says that there is nothing more to come.
    world.runtime.clock.sleep(timeout).await;
    let found = manager.updates().borrow().get(&set).cloned().unwrap_or_default();
    manager.stop().await;
    Ok(found.iter().map(|group| TargetGroup::clone(group)).collect())
}

/// What is known at once, so that nobody has to wait.
fn groups(world: &World, job: &Scrape) -> anyhow::Result<Vec<TargetGroup>> {
    let disk = &*world.runtime.disk;
    let mut groups = static_groups(&job.discovery);
    for pattern in job.discovery.file_sd_configs.iter().flat_map(|section| &section.files) {
        for path in glob(disk, &pattern.0)? {
            let mut found = target_files::read(disk, Path::new(&path))?;
            for (idx, group) in found.iter_mut().enumerate() {
                // The label that says where a target was found.
                let mut labels = model::LabelsBuilder::new(&group.labels);
                labels.set("__meta_filepath", &path);
                group.labels = labels.build();
                group.source = format!("{path}:{idx}");
            }
            groups.extend(found);
        }
    }
    Ok(groups)
}

/// Each target before and after relabelling, each pair once.
pub(crate) fn preview(job: &scrape::Config, groups: &[TargetGroup]) -> Vec<Value> {
    let mut previews = Vec::new();
    for group in groups {
        for target in &group.targets {
            let (discovered, outcome) = scrape::preview(job, target, &group.labels);
            let preview = match outcome {
                Ok(labels) => {
                    json!({"discoveredLabels": pairs(&discovered), "labels": pairs(&labels)})
                }
                Err(error) => json!({
                    "discoveredLabels": pairs(&discovered), "labels": {}, "error": error
                }),
            };
            if !previews.contains(&preview) {
                previews.push(preview);
            }
        }
    }
    previews
}

fn pairs(labels: &Labels) -> Value {
    labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// Go's JSON is safe within HTML.
fn escape_html(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
