//! `--lint`: which findings are looked for, and whether they are fatal.

use std::time::Duration;

/// What the linter of rules and configurations looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lint {
    pub(crate) duplicate_rules: bool,
    /// Intervals from this length on are too long; `None` if nobody asks.
    pub(crate) scrape_interval_max: Option<Duration>,
    pub(crate) fatal: bool,
}

/// What `check rules` can look for.
pub(crate) const RULE_LINTS: [&str; 3] = ["all", "duplicate-rules", "none"];
/// What `check config` can look for.
pub(crate) const CONFIG_LINTS: [&str; 4] =
    ["all", "duplicate-rules", "none", "too-long-scrape-interval"];

impl Lint {
    /// Reads a list with commas between; `none` beats all others.
    pub(crate) fn parse(list: &str, fatal: bool, lookback: Duration) -> Lint {
        let has = |wanted: &str| list.split(',').any(|item| item == wanted);
        let (all, none) = (has("all"), has("none"));
        let is_on = |name| !none && (all || has(name));
        let scrape_interval_max = is_on("too-long-scrape-interval").then_some(lookback);
        Lint { duplicate_rules: is_on("duplicate-rules"), scrape_interval_max, fatal }
    }
}
