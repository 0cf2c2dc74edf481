use std::collections::BTreeSet;

use super::truth::{N_SERIES, Sample, SeriesIdx};

/// What a database may hold: all of `must`, nothing but `may`.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    pub(super) must: BTreeSet<Sample>,
    pub(super) may: BTreeSet<Sample>,
}

/// What has been done to the database, and what therefore must and may be in it.
#[derive(Debug, Clone)]
pub struct Model {
    /// What is there when the process is killed.
    pub(super) kill: Window,
    /// What is there when the power is lost: whatever was done since the last sync may be undone.
    pub(super) power: Window,
    /// Floats of the commit at hand, in order: they are in one record, so all are there or none.
    pub(super) batch: Vec<Sample>,
    /// Samples that come late into a stretch that was deleted may be hidden with it.
    deleted: Vec<(SeriesIdx, i64, i64)>,
    newest: [i64; N_SERIES as usize],
    /// Older samples may be gone.
    retention_ms: i64,
    /// Blocks end later than their samples by this at most.
    slack_ms: i64,
}

impl Model {
    pub(super) fn new(retention_ms: i64, slack_ms: i64) -> Model {
        Model {
            kill: Window::default(),
            power: Window::default(),
            batch: Vec::new(),
            deleted: Vec::new(),
            newest: [i64::MIN; N_SERIES as usize],
            retention_ms,
            slack_ms,
        }
    }

    /// Samples were taken and are about to be committed.
    pub(super) fn begin_commit(&mut self, samples: &[Sample], batch: Vec<Sample>) {
        for (series, time) in samples {
            self.kill.may.insert((*series, *time));
            self.power.may.insert((*series, *time));
            let newest = &mut self.newest[usize::from(*series)];
            *newest = (*newest).max(*time);
        }
        self.batch = batch;
        let hidden = |sample: &Sample| self.is_deleted(*sample);
        if self.batch.iter().any(hidden) {
            self.batch.clear();
        }
    }

    pub(super) fn end_commit(&mut self, samples: &[Sample]) {
        let there = samples.iter().copied().filter(|sample| !self.is_deleted(*sample));
        let there: Vec<Sample> = there.collect();
        self.kill.must.extend(there);
        self.batch.clear();
    }

    /// Gives what is about to be deleted.
    pub(super) fn begin_delete(&mut self, series: &[SeriesIdx], from: i64, to: i64) -> Vec<Sample> {
        let is_deleted = |(s, time): &Sample| series.contains(s) && (from..=to).contains(time);
        let doomed: Vec<Sample> = self.kill.may.iter().copied().filter(is_deleted).collect();
        for sample in &doomed {
            self.kill.must.remove(sample);
        }
        self.power.must.retain(|sample| !is_deleted(sample));
        for s in series {
            // What is appended later is not meant.
            self.deleted.push((*s, from, to.min(self.newest[usize::from(*s)])));
        }
        doomed
    }

    pub(super) fn end_delete(&mut self, doomed: &[Sample]) {
        for sample in doomed {
            self.kill.may.remove(sample);
        }
    }

    /// Everything that was done so far is durable.
    pub(super) fn synced(&mut self) {
        self.power = self.kill.clone();
    }

    /// A process was killed, and this is what the next one has found.
    pub(super) fn go_on_after_kill(&mut self, found: BTreeSet<Sample>) {
        self.power.must.retain(|sample| found.contains(sample));
        self.batch.clear();
        self.kill = Window { must: found.clone(), may: found };
    }

    /// The power was lost, and nobody has looked yet at what is left.
    pub(super) fn begin_after_power_loss(&mut self) {
        self.kill = self.power.clone();
        self.batch.clear();
    }

    /// The power was lost, and this is what was found.
    pub(super) fn go_on_after_power_loss(&mut self, found: BTreeSet<Sample>) {
        self.go_on_after_kill(found);
        self.power = self.kill.clone();
    }

    fn is_deleted(&self, (series, time): Sample) -> bool {
        self.deleted.iter().any(|(s, from, to)| *s == series && (*from..=*to).contains(&time))
    }

    /// Compares with what was found in a database.
    pub(super) fn check(&self, window: &Window, found: &BTreeSet<Sample>) -> Result<(), String> {
        let newest = self.newest.iter().copied().max().unwrap_or(i64::MIN);
        let horizon = match self.retention_ms {
            0 => i64::MIN,
            retention => newest.saturating_add(self.slack_ms).saturating_sub(retention),
        };
        if let Some((series, time)) = found.iter().find(|sample| !window.may.contains(sample)) {
            return Err(format!("series {series} at {time} is there but should not be"));
        }
        let is_wanted = |(_, time): &&Sample| *time >= horizon;
        let lost = window.must.iter().filter(is_wanted).find(|sample| !found.contains(sample));
        if let Some((series, time)) = lost {
            return Err(format!("series {series} at {time} is lost"));
        }
        Ok(())
    }

    /// A commit is there as a whole or not at all, unless the power was lost: then the log may
    /// have lost the name of a series and kept its sample.
    pub(super) fn check_commit(&self, found: &BTreeSet<Sample>) -> Result<(), String> {
        let n_found = self.batch.iter().filter(|sample| found.contains(sample)).count();
        if n_found > 0 && n_found < self.batch.len() {
            return Err(format!("{n_found} of {} samples of a commit are there", self.batch.len()));
        }
        Ok(())
    }
}
