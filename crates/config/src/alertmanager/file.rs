//! The file as a whole.

use std::collections::HashSet;

use alertmanager::{interval::TimeIntervals, matcher::Mode};
use receivers::{Global, Receiver};

use super::{EventRecorder, InhibitRule, NamedInterval, Placed, Route};
use crate::{
    decode::{Broken, List, Section, Setting as _, Style},
    prometheus::Tracing,
    record,
    values::FilePath,
};

record! {
    /// All of `alertmanager.yml`.
    pub struct File: "config.plain" {
        global: Option<Placed<Global>>,
        route: Option<Placed<Route>>,
        inhibit_rules: List<InhibitRule>,
        receivers: List<Receiver>,
        templates: Vec<FilePath> = always,
        mute_time_intervals: List<NamedInterval>,
        time_intervals: List<NamedInterval>,
        tracing: Tracing,
        event_recorder: EventRecorder,
    }
}

impl Section for File {}

impl File {
    /// The file as it takes effect, for people to read.
    pub fn to_yaml(&self, style: Style) -> String {
        crate::yaml::print(&self.encode(style))
    }

    /// Understands matchers, fills in what is inherited, and checks what parts say of each other.
    pub(super) fn resolve(&mut self, mode: Mode) -> Result<(), Broken> {
        if let Some(route) = &mut self.route {
            let line = route.line;
            route.resolve(mode).map_err(|broken| broken.or_at(line))?;
        }
        self.inhibit_rules.refuse_null("empty or null inhibit rule")?;
        for (line, rule) in self.inhibit_rules.with_lines() {
            rule.resolve(mode).map_err(|broken| broken.or_at(line))?;
        }
        self.resolve_receivers()?;
        self.check_route()
    }

    fn resolve_receivers(&mut self) -> Result<(), Broken> {
        let global = self.global.get_or_insert_with(Placed::default_section);
        global.check_alternatives().map_err(|broken| broken.or_at(global.line))?;
        self.receivers.refuse_null("missing name in receiver")?;
        let mut names = HashSet::new();
        for (line, receiver) in self.receivers.with_lines() {
            if !names.insert(receiver.name.clone()) {
                let name = &receiver.name;
                let message = format!("notification config name {name:?} is not unique");
                return Err(Broken::at(line, message));
            }
            receiver.inherit(global).map_err(|broken| broken.or_at(line))?;
        }
        Ok(())
    }

    fn check_route(&mut self) -> Result<(), Broken> {
        let Some(route) = &self.route else { return Err("no routes provided".into()) };
        route.check_root().map_err(|broken| broken.or_at(route.line))?;
        let receivers = self.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
        route.check_receivers(&receivers)?;
        let mut intervals = HashSet::new();
        let lists = [
            ("mute time interval", &mut self.mute_time_intervals),
            ("time interval", &mut self.time_intervals),
        ];
        for (what, list) in lists {
            list.refuse_null(&format!("missing name in {what}"))?;
            for (line, interval) in list.with_lines() {
                let name = interval.name.as_str();
                if !intervals.insert(name) {
                    return Err(Broken::at(line, format!("{what} {name:?} is not unique")));
                }
            }
        }
        route.check_intervals(&intervals)?;
        if route.continues {
            return Err(Broken::at(route.line, "cannot have continue in root route"));
        }
        Ok(())
    }

    /// What holds for all, defaults filled in.
    pub fn global(&self) -> &Global {
        self.global.as_ref().expect("resolving fills it in")
    }

    pub(super) fn root(&self) -> &Route {
        self.route.as_ref().expect("resolving refuses a file without")
    }

    pub(super) fn intervals(&self) -> TimeIntervals {
        let all = self.mute_time_intervals.iter().chain(self.time_intervals.iter());
        all.map(|interval| (interval.name.clone(), interval.meaning())).collect()
    }

    /// Makes relative paths relative to `directory`: those of templates, in each `http_config`,
    /// and of the event recorder. Files of secrets stay relative to where the server runs.
    pub(super) fn resolve_paths(&mut self, directory: &str) {
        self.templates.set_directory(directory);
        if let Some(global) = &mut self.global {
            global.http_config.set_directory(directory);
        }
        for (_, receiver) in self.receivers.with_lines() {
            receiver.set_http_directory(directory);
        }
        self.event_recorder.set_directory(directory);
    }
}

impl Placed<Global> {
    fn default_section() -> Placed<Global> {
        Placed::from(Global::defaults())
    }
}
