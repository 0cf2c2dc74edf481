use std::sync::Arc;

use model::{FloatHistogram, Labels, Timestamp};

/// Something that answers instant queries; the call may take long and blocks.
pub trait Query: Send + Sync {
    /// The vector that `expr` evaluates to at `time`; a scalar is one sample without labels. The
    /// error is the text that users see.
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String>;

    /// The same on behalf of a rule, for those who note who asks.
    fn instant_for(
        &self,
        _asker: &RuleGroup<'_>,
        expr: &str,
        time: Timestamp,
    ) -> Result<Vec<Sample>, String> {
        self.instant(expr, time)
    }
}

/// A group of rules, as a log of queries names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleGroup<'a> {
    pub file: &'a str,
    pub name: &'a str,
}

/// One element of a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: Labels,
    pub value: SampleValue,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// Something that brings alerts to Alertmanagers; the call only queues them.
pub trait Notify: Send + Sync {
    fn send(&self, alerts: Vec<model::Alert>);
}
