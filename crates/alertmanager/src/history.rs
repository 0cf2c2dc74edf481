//! What has been told lately: a bounded list that people can ask.

use std::{collections::VecDeque, time::Duration};

use model::Labels;

use crate::{integration::Reason, nflog::ReceiverKey, time::Time};

/// Longer complaints of receivers are cut.
const ERROR_BYTES_MAX: usize = 1024;

/// One notification, or an attempt at one.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When it was over.
    pub at: Time,
    pub group_key: String,
    /// Empty for those of other nodes, which do not say.
    pub group_labels: Labels,
    pub receiver: ReceiverKey,
    pub reason: Reason,
    pub n_firing: usize,
    pub n_resolved: usize,
    pub outcome: Outcome,
    pub n_attempts: u32,
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// What the last attempt said.
    Failed(String),
    /// Another node has told it.
    ByPeer,
}

impl Outcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Sent => "sent",
            Outcome::Failed(_) => "failed",
            Outcome::ByPeer => "peer",
        }
    }
}

/// Which notifications are wanted.
#[derive(Debug, Clone, Default)]
pub struct HistoryFilter {
    /// The name of the receiver must match all of it.
    pub receiver: Option<re2::Regex>,
    pub since: Option<Time>,
    /// At most so many, the latest first; `None` is all.
    pub limit: Option<usize>,
}

/// The latest notifications.
#[derive(Debug)]
pub(crate) struct History {
    /// In the order in which they became known.
    told: VecDeque<Told>,
    capacity: usize,
}

impl History {
    pub(crate) fn new(capacity: usize) -> History {
        History { told: VecDeque::new(), capacity }
    }

    pub(crate) fn push(&mut self, mut told: Told) {
        if self.capacity == 0 {
            return;
        }
        if let Outcome::Failed(error) = &mut told.outcome {
            let end = error.floor_char_boundary(ERROR_BYTES_MAX);
            error.truncate(end);
        }
        if self.told.len() == self.capacity {
            self.told.pop_front();
        }
        self.told.push_back(told);
    }

    /// The latest first.
    pub(crate) fn query(&self, filter: &HistoryFilter) -> Vec<Told> {
        let mut wanted: Vec<&Told> = self.told.iter().rev().filter(|it| filter.wants(it)).collect();
        // What peers tell at a join is older than when we hear of it.
        wanted.sort_by_key(|told| std::cmp::Reverse(told.at));
        wanted.into_iter().take(filter.limit.unwrap_or(usize::MAX)).cloned().collect()
    }
}

impl HistoryFilter {
    fn wants(&self, told: &Told) -> bool {
        let name = &told.receiver.group_name;
        self.receiver.as_ref().is_none_or(|regex| regex.is_match(name))
            && self.since.is_none_or(|since| told.at >= since)
    }
}
