//! `route`: the tree that says who hears of an alert.

use std::collections::{BTreeMap, HashSet};

use alertmanager::{
    matcher::Mode,
    route::{GroupBy, RouteConfig},
};

use super::{
    MatchRegexps, Matchers, Placed,
    matchers::{check_names, equal_matchers},
};
use crate::{
    decode::{Broken, List, Section},
    record,
    values::Duration,
};

/// Stands for all labels in `group_by`.
const ALL: &str = "...";

record! {
    pub struct Route: "config.plain" {
        receiver: Placed<String>,
        group_by: Option<Placed<Vec<String>>>,
        equals as "match": BTreeMap<String, String>,
        match_re: MatchRegexps,
        matchers: Matchers,
        mute_time_intervals: Placed<Vec<String>>,
        active_time_intervals: Placed<Vec<String>>,
        continues as "continue": bool = always,
        labels: Placed<BTreeMap<String, String>>,
        routes: List<Route>,
        group_wait: Option<Duration>,
        group_interval: Option<Duration>,
        repeat_interval: Option<Duration>,
    }
}

impl Section for Route {
    fn check(&mut self) -> Result<(), Broken> {
        check_names(self.equals.keys())?;
        if let Some(group_by) = &self.group_by {
            check_group_by(group_by).map_err(|broken| broken.or_at(group_by.line))?;
        }
        if self.group_interval == Some(Duration::ZERO) {
            return Err("group_interval cannot be zero".into());
        }
        if self.repeat_interval == Some(Duration::ZERO) {
            return Err("repeat_interval cannot be zero".into());
        }
        self.routes.refuse_null("empty or null route")
    }
}

fn check_group_by(names: &[String]) -> Result<(), Broken> {
    let has_all = names.iter().any(|name| name == ALL);
    if has_all && names.iter().any(|name| name != ALL) {
        return Err(
            "cannot have wildcard group_by (`...`) and other labels at the same time".into()
        );
    }
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(*name) && *name != ALL) {
        Some(name) => Err(format!("duplicated label {name:?} in group_by").into()),
        None => Ok(()),
    }
}

impl Route {
    /// Checks and understands what depends on the mode, here and below.
    pub(super) fn resolve(&mut self, mode: Mode) -> Result<(), Broken> {
        self.matchers.resolve(mode)?;
        if let Some(group_by) = &self.group_by {
            let is_wrong = |name: &&String| *name != ALL && !mode.is_label_name(name);
            if let Some(name) = group_by.iter().find(is_wrong) {
                let message = format!("invalid label name {name:?} in group_by list");
                return Err(Broken::at(group_by.line, message));
            }
        }
        if let Some(name) = self.labels.keys().find(|name| !mode.is_label_name(name)) {
            let message = format!("invalid label name {name:?} in route labels");
            return Err(Broken::at(self.labels.line, message));
        }
        for (line, route) in self.routes.with_lines() {
            route.resolve(mode).map_err(|broken| broken.or_at(line))?;
        }
        Ok(())
    }

    /// The root takes what nobody else does, at any time.
    pub(super) fn check_root(&self) -> Result<(), Broken> {
        if self.receiver.is_empty() {
            return Err("root route must specify a default receiver".into());
        }
        if !self.equals.is_empty() || self.match_re.is_given() || self.matchers.is_given() {
            return Err("root route must not have any matchers".into());
        }
        let mute = &self.mute_time_intervals;
        if !mute.is_empty() {
            let message = "root route must not have any mute time intervals";
            return Err(Broken::at(mute.line, message));
        }
        let active = &self.active_time_intervals;
        if !active.is_empty() {
            let message = "root route must not have any active time intervals";
            return Err(Broken::at(active.line, message));
        }
        Ok(())
    }

    pub(super) fn check_receivers(&self, known: &HashSet<&str>) -> Result<(), Broken> {
        for route in self.routes.iter() {
            route.check_receivers(known)?;
        }
        let name = self.receiver.as_str();
        if name.is_empty() || known.contains(name) {
            return Ok(());
        }
        Err(Broken::at(self.receiver.line, format!("undefined receiver {name:?} used in route")))
    }

    pub(super) fn check_intervals(&self, known: &HashSet<&str>) -> Result<(), Broken> {
        for route in self.routes.iter() {
            route.check_intervals(known)?;
        }
        for names in [&self.active_time_intervals, &self.mute_time_intervals] {
            if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
                let message = format!("undefined time interval {name:?} used in route");
                return Err(Broken::at(names.line, message));
            }
        }
        Ok(())
    }

    /// The route as it is meant.
    pub(super) fn meaning(&self) -> RouteConfig {
        let mut matchers: Vec<_> = equal_matchers(&self.equals).collect();
        matchers.extend(self.match_re.matchers().cloned());
        matchers.extend_from_slice(self.matchers.as_slice());
        let group_by = self.group_by.as_ref().map(|names| match names.as_slice() {
            [first, ..] if first == ALL => GroupBy::All,
            names => GroupBy::Labels(names.iter().cloned().collect()),
        });
        RouteConfig {
            receiver: Some(self.receiver.to_string()).filter(|name| !name.is_empty()),
            group_by,
            group_wait: self.group_wait.map(|Duration(wait)| wait),
            group_interval: self.group_interval.map(|Duration(interval)| interval),
            repeat_interval: self.repeat_interval.map(|Duration(interval)| interval),
            matchers,
            continues: self.continues,
            mute_time_intervals: self.mute_time_intervals.to_vec(),
            active_time_intervals: self.active_time_intervals.to_vec(),
            labels: BTreeMap::clone(&self.labels),
            routes: self.routes.iter().map(Route::meaning).collect(),
        }
    }
}
