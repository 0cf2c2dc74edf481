//! The service that keeps the lease, where there is one.

use cluster::{
    core::Input,
    lease::store::{Action, Record, Version},
};

use super::{Event, World};

#[derive(Debug, Clone)]
pub(super) enum Answer {
    Record(Option<(Record, Version)>),
    Written(Option<Version>),
    Nothing,
}

impl World<'_> {
    pub(super) fn ask_store(&mut self, idx: usize) {
        let now = self.members[idx].clocks.monotonic(self.now);
        let Some(store) = &mut self.members[idx].mind.store else { return };
        let action = store.next(now);
        let word = store.word(now);
        self.members[idx].mind.valid_until =
            self.members[idx].mind.store.as_ref().and_then(|store| store.valid_until());
        self.handle(idx, Input::Word(word));
        let Some(action) = action else { return };
        let takes = 1 + self.dice.below(self.latency);
        if self.members[idx].store_cuts == 0 {
            self.at(self.now + takes, idx, Event::AtStore(action));
        } else {
            // It may still get there, long after we have given up.
            if self.dice.once_in(3) {
                let at = self.now + self.dice.below(10_000);
                self.at(at, idx, Event::AtStore(action.clone()));
            }
            self.at(self.now + 1_500, idx, Event::FromStore(action, Answer::Nothing));
        }
    }

    pub(super) fn at_store(&mut self, idx: usize, action: Action) {
        let answer = match &action {
            Action::Read => {
                let version = |n: u64| Version(n.to_string());
                let record = self.store.as_ref();
                Answer::Record(record.map(|(record, n)| (record.clone(), version(*n))))
            }
            Action::Write { record, version } => {
                let current = self.store.as_ref().map(|(_, n)| Version(n.to_string()));
                let is_same = current == *version;
                if is_same {
                    let n = self.store.as_ref().map_or(0, |(_, n)| *n) + 1;
                    self.store = Some((record.clone(), n));
                    Answer::Written(Some(Version(n.to_string())))
                } else {
                    Answer::Written(None)
                }
            }
        };
        let takes = 1 + self.dice.below(self.latency);
        let is_heard = self.members[idx].store_deaf == 0 && self.members[idx].store_cuts == 0;
        let answer = if is_heard { answer } else { Answer::Nothing };
        let takes = if is_heard { takes } else { 1_500 };
        self.at(self.now + takes, idx, Event::FromStore(action, answer));
    }

    pub(super) fn store_answers(&mut self, idx: usize, action: Action, answer: Answer) {
        let now = self.members[idx].clocks.monotonic(self.now);
        let Some(store) = &mut self.members[idx].mind.store else { return };
        let late = || "no answer in time".to_owned();
        match (action, answer) {
            (Action::Read, Answer::Record(record)) => store.was_read(now, Ok(record)),
            (Action::Write { .. }, Answer::Written(version)) => store.was_written(now, Ok(version)),
            (Action::Read, _) => store.was_read(now, Err(late())),
            (Action::Write { .. }, _) => store.was_written(now, Err(late())),
        }
        self.ask_store(idx);
    }
}
