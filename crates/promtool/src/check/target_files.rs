//! Targets that a configuration lists, or names files with: would they do?

use std::path::Path;

use config::prometheus::{Alertmanagers, Scrape, relabel_rules};
use model::{LabelsBuilder, TargetGroup, labels::quote, names::ValidationScheme};
use runtime::Disk;

use super::describe;

/// The groups in a file of `file_sd_configs`.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> anyhow::Result<Vec<TargetGroup>> {
    let shown = path.display();
    let bytes =
        disk.read(path).map_err(|error| anyhow::anyhow!("open {shown}: {}", describe(&error)))?;
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    anyhow::ensure!(
        ["json", "yml", "yaml"].contains(&&*ending),
        "invalid file extension: {}",
        quote(&if ending.is_empty() { String::new() } else { format!(".{ending}") })
    );
    let mut groups = discovery::file::parse(path, &bytes).map_err(anyhow::Error::msg)?;
    for (idx, group) in groups.iter_mut().enumerate() {
        group.source = idx.to_string();
    }
    Ok(groups)
}

/// What of a job has to do with its targets' labels; how they are scraped is left at defaults.
pub(crate) fn job(section: &Scrape) -> anyhow::Result<scrape::Config> {
    let names = section.metric_name_validation_scheme.scheme().unwrap_or(ValidationScheme::Utf8);
    Ok(scrape::Config {
        job_name: section.job_name.clone(),
        params: section.params.clone(),
        scrape_interval: section.scrape_interval.0,
        scrape_timeout: section.scrape_timeout.0,
        scrape_native_histograms: section.scrape_native_histograms.unwrap_or_default(),
        always_scrape_classic_histograms: section
            .always_scrape_classic_histograms
            .unwrap_or_default(),
        convert_classic_histograms_to_nhcb: section
            .convert_classic_histograms_to_nhcb
            .unwrap_or_default(),
        metrics_path: section.metrics_path.clone(),
        scheme: section.scheme.clone(),
        relabel_rules: relabel_rules(&section.relabel_configs, names)?,
        ..scrape::Config::default()
    })
}

/// Refuses a group with a target that the job could not scrape.
pub(crate) fn check_targets(job: &scrape::Config, group: &TargetGroup) -> anyhow::Result<()> {
    for (idx, target) in group.targets.iter().enumerate() {
        let (_, outcome) = scrape::preview(job, target, &group.labels);
        outcome.map_err(|error| {
            anyhow::anyhow!("instance {idx} in group {}: {error}", group.source)
        })?;
    }
    Ok(())
}

/// Refuses a group with an Alertmanager that could not be reached.
pub(crate) fn check_alertmanagers(
    set: &Alertmanagers,
    rules: &[relabel::Rule],
    group: &TargetGroup,
) -> anyhow::Result<()> {
    for target in &group.targets {
        let mut labels = LabelsBuilder::new(target);
        labels.set("__scheme__", &set.scheme).set("__alerts_path__", &set.path_prefix);
        for (name, value) in group.labels.iter().filter(|(name, _)| target.get(name).is_none()) {
            labels.set(name, value);
        }
        if !relabel::apply(rules, &mut labels) {
            continue;
        }
        let address = labels.get("__address__");
        anyhow::ensure!(!address.contains('/'), "{} is not a valid hostname", quote(address));
    }
    Ok(())
}
