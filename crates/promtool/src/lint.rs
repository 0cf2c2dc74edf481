//! `--lint`: which findings are looked for, and whether they are fatal.

use std::{io::Write, time::Duration};

use model::labels::quote;

/// What the linter of rules and configurations looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lint {
    pub(crate) duplicate_rules: bool,
    /// Intervals from this length on are too long; `None` if nobody asks.
    pub(crate) scrape_interval_max: Option<Duration>,
    pub(crate) fatal: bool,
    /// What was asked for and nobody knows.
    pub(crate) unknown: Vec<String>,
}

impl Lint {
    /// Reads what `check rules` is to look for: a list with commas between.
    pub(crate) fn of_rules(list: &str, fatal: bool) -> Lint {
        let items = || list.split(',').filter(|_| !list.is_empty());
        let known = ["all", "duplicate-rules", "none"];
        let unknown = items().filter(|item| !known.contains(item)).map(str::to_owned);
        Lint {
            duplicate_rules: items().any(|item| item == "all" || item == "duplicate-rules"),
            scrape_interval_max: None,
            fatal,
            unknown: unknown.collect(),
        }
    }

    /// Reads what `check config` is to look for; here `none` beats all others.
    pub(crate) fn of_config(list: &str, fatal: bool, lookback: Duration) -> Lint {
        let items: Vec<&str> = list.split(',').collect();
        if items.contains(&"none") {
            return Lint { fatal, ..Lint::default() };
        }
        let (intervals, rules): (Vec<&str>, Vec<&str>) =
            items.into_iter().partition(|item| *item == "too-long-scrape-interval");
        let has_intervals = !intervals.is_empty() || rules.contains(&"all");
        Lint {
            scrape_interval_max: has_intervals.then_some(lookback),
            ..Lint::of_rules(&rules.join(","), fatal)
        }
    }

    /// Says what nobody knows; upstream goes on without it.
    pub(crate) fn warn(&self, stdout: &mut dyn Write) -> std::io::Result<()> {
        for option in &self.unknown {
            writeln!(stdout, "WARNING: unknown lint option: {}", quote(option))?;
        }
        Ok(())
    }
}
