//! `target_info`: one series a resource, with what is known of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use model::{Labels, Metadata, MetricType};

use super::{
    Settings,
    labels::{self, Base},
    point::{Attributes, millis},
    sink::{Sample, Sink, Value},
    translate::{Failures, Warnings},
};

pub(super) const NAME: &str = "target_info";

const LOOKBACK_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// A request may tell of any stretch of time; in between it only gets so many samples.
const BETWEEN_MAX: usize = 100_000;

/// The series of a request, with the times of their samples: the same resource may come more than
/// once, and its samples must go out in order.
#[derive(Default)]
pub(super) struct TargetInfo {
    times: BTreeMap<Labels, BTreeSet<i64>>,
    n_between: usize,
}

impl TargetInfo {
    /// Notes that `resource` was there from `earliest` to `latest`, in nanoseconds. There has to be
    /// a sample wherever somebody looks back for one.
    pub(super) fn note(
        &mut self,
        resource: &Attributes<'_>,
        (earliest, latest): (u64, u64),
        lookback: Duration,
        settings: &Settings,
        warnings: &mut Warnings,
    ) -> Result<(), String> {
        // With nothing but job and instance it would say nothing.
        if resource.iter().all(|(name, _)| labels::is_identifying(name)) {
            return Ok(());
        }
        let keeps = settings.keep_identifying_resource_attributes;
        let is_ignored = |name: &str| !keeps && labels::is_identifying(name);
        let attributes = labels::of_attributes(resource, is_ignored, settings, warnings)?;
        let context = labels::of_identity(resource);
        let base = Base::new(&attributes, &context)?;
        if !base.has("job") && !base.has("instance") {
            return Ok(());
        }
        let lookback = if lookback.is_zero() { LOOKBACK_DEFAULT } else { lookback };
        let interval = u64::try_from(lookback.as_nanos() / 2).unwrap_or(u64::MAX).max(1);
        let times = self.times.entry(base.series(NAME)).or_default();
        let mut time = earliest;
        while time < latest && self.n_between < BETWEEN_MAX {
            times.insert(millis(time));
            self.n_between += 1;
            time = time.saturating_add(interval);
        }
        times.insert(millis(latest));
        Ok(())
    }

    pub(super) fn write(self, sink: &mut dyn Sink, failures: &mut Failures) {
        let metadata = Metadata {
            kind: MetricType::Gauge,
            unit: String::new(),
            help: "Target metadata".to_owned(),
        };
        for (labels, times) in self.times {
            for time in times {
                let outcome = sink.append(Sample {
                    labels: labels.clone(),
                    family: NAME,
                    metadata: &metadata,
                    start: 0,
                    time,
                    value: Value::Float(1.0),
                    exemplars: &[],
                });
                if let Err(failure) = outcome {
                    failures.add(failure);
                    break;
                }
            }
        }
    }
}
