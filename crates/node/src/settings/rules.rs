use config::prometheus::File;
use rules::{Settings, alerting::Restore};

use super::alerting::external_labels;
use crate::server::Options;

/// What the evaluation of all groups depends on.
pub(crate) fn settings(file: &File, options: &Options) -> Settings {
    Settings {
        interval: file.global.evaluation_interval.0,
        query_offset: file.global.rule_query_offset.0,
        resend_delay: options.rules.resend_delay,
        restore: Restore {
            outage_tolerance: options.rules.outage_tolerance,
            grace_period: options.rules.grace_period,
        },
        external_labels: external_labels(file),
        external_url: options.web.external_url.trim_end_matches('/').to_owned(),
    }
}
