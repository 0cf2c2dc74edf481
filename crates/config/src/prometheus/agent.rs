//! What may not be configured in agent mode.

use super::File;

/// The first section that an agent has no use for.
pub(super) fn refused_section(file: &File) -> Option<&'static str> {
    let alerts =
        !file.alerting.alertmanagers.is_empty() || !file.alerting.alert_relabel_configs.is_empty();
    [
        ("alerting", alerts),
        ("rule_files", !file.rule_files.is_empty()),
        ("remote_read", !file.remote_read.is_empty()),
    ]
    .into_iter()
    .find(|(_, present)| *present)
    .map(|(section, _)| section)
}
