use config::prometheus::sd::{self, Discovery};
use discovery::{Config, file};
use model::{Labels, TargetGroup};

/// The mechanisms that a section names; those that we don't have were warned of.
pub(crate) fn mechanisms(section: &Discovery) -> Vec<Config> {
    let files = section.file_sd_configs.iter().map(|section| {
        Config::File(file::Config {
            files: section.files.iter().map(|path| path.0.clone().into()).collect(),
            refresh_interval: section.refresh_interval.0,
        })
    });
    let mut mechanisms: Vec<Config> = files.collect();
    if !section.static_configs.is_empty() {
        let groups = section.static_configs.iter().enumerate();
        mechanisms.push(Config::Static(groups.map(|(idx, group)| to_group(idx, group)).collect()));
    }
    mechanisms
}

fn to_group(idx: usize, group: &sd::Static) -> TargetGroup {
    let targets = group.targets.iter();
    TargetGroup {
        targets: targets.map(|target| Labels::from_pairs([("__address__", target)])).collect(),
        labels: Labels::from_pairs(group.labels.iter()),
        source: idx.to_string(),
    }
}
