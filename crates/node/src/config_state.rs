use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use runtime::Clock;
use telemetry::{Gauge, Registry};

/// Whether the configuration on the disk is the one that runs.
#[derive(Clone)]
pub(crate) struct ConfigState {
    /// When a configuration was applied last, since the Unix epoch.
    last_success: Arc<ArcSwapOption<Duration>>,
    /// Since when the file is not the one that runs; nothing while it is.
    failing_since: Arc<ArcSwapOption<Duration>>,
    successful: Gauge,
    success_time: Gauge,
    clock: Arc<dyn Clock>,
}

/// The names of the two metrics; upstream's programs differ in their prefix.
pub(crate) struct Names {
    pub(crate) successful: &'static str,
    pub(crate) success_time: &'static str,
}

impl ConfigState {
    pub(crate) fn register(registry: &Registry, names: &Names, clock: Arc<dyn Clock>) -> Self {
        ConfigState {
            last_success: Arc::default(),
            failing_since: Arc::default(),
            successful: registry.gauge(
                names.successful,
                "Whether the last configuration reload attempt was successful.",
            ),
            success_time: registry.gauge(
                names.success_time,
                "Timestamp of the last successful configuration reload.",
            ),
            clock,
        }
    }

    pub(crate) fn note(&self, success: bool) {
        self.successful.set(f64::from(u8::from(success)));
        let now = self.clock.now();
        if success {
            self.success_time.set(now.as_secs_f64());
            self.last_success.store(Some(Arc::new(now)));
            self.failing_since.store(None);
        } else if self.failing_since.load().is_none() {
            self.failing_since.store(Some(Arc::new(now)));
        }
    }

    pub(crate) fn is_successful(&self) -> bool {
        self.successful.get() == 1.0
    }

    pub(crate) fn failing_since(&self) -> Option<Duration> {
        self.failing_since.load().as_deref().copied()
    }

    pub(crate) fn last_success(&self) -> Option<Duration> {
        self.last_success.load().as_deref().copied()
    }
}
