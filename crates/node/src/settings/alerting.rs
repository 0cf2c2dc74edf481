use config::prometheus::{Alertmanagers, File, relabel_rules};
use model::{Labels, names::ValidationScheme};
use notifier::{Config, SetConfig};
use receivers::http_config;

use super::Result;

/// Which Alertmanagers hear of alerts, and what alerts look like there.
pub(crate) fn notifier(file: &File) -> Result<Config> {
    let names = file.global.scheme();
    let sets = file.alerting.alertmanagers.iter().map(|section| set(section, names));
    Ok(Config {
        external_labels: external_labels(file),
        alert_relabel: relabel_rules(&file.alerting.alert_relabel_configs, names)?,
        sets: sets.collect::<Result<_>>()?,
    })
}

pub(crate) fn external_labels(file: &File) -> Labels {
    Labels::from_pairs(file.global.external_labels.iter())
}

fn set(section: &Alertmanagers, names: ValidationScheme) -> Result<SetConfig> {
    let mut http = http_config::to_client(&section.http)?;
    if let Some(sigv4) = &section.sigv4 {
        // As upstream does, which signs for its own cloud's Prometheus here, too.
        http.authentication = http_config::sigv4(sigv4, "aps");
    }
    Ok(SetConfig {
        scheme: section.scheme.clone(),
        path_prefix: section.path_prefix.clone(),
        timeout: section.timeout.0,
        http,
        relabel: relabel_rules(&section.relabel_configs, names)?,
        alert_relabel: relabel_rules(&section.alert_relabel_configs, names)?,
    })
}
