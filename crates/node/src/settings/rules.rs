use std::time::Duration;

use config::prometheus::{Config, File};
use rules::{Recovery, Settings, alerting::Restore};

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

/// Nobody waits longer than this for targets that are scraped seldom.
const SETTLE_MAX: Duration = Duration::from_secs(5 * 60);

/// What rules do after a pause or a restart.
pub(crate) fn recovery(config: &Config, options: &Options) -> Recovery {
    let intervals = config.scrapes.iter().map(|scrape| scrape.scrape_interval.0);
    let longest = intervals.fold(config.file.global.scrape_interval.0, Duration::max);
    // Rates need two scrapes.
    let settle = (longest * 2).min(SETTLE_MAX);
    Recovery { catch_up: options.rules.catch_up, settle }
}
