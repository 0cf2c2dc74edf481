use std::{collections::VecDeque, sync::Arc};

use model::Alert;
use parking_lot::Mutex;
use telemetry::Gauge;
use tokio::sync::Notify;

/// Alerts that wait for one Alertmanager; when it is full the oldest give way.
pub(crate) struct Queue {
    capacity: usize,
    /// Nothing else is locked under it.
    waiting: Mutex<VecDeque<Arc<Alert>>>,
    arrived: Notify,
    length: Gauge,
}

impl Queue {
    pub(crate) fn new(capacity: usize, length: Gauge) -> Queue {
        Queue { capacity, waiting: Mutex::default(), arrived: Notify::new(), length }
    }

    /// Adds `alerts`; says how many were dropped for them, or of them.
    pub(crate) fn push(&self, alerts: impl IntoIterator<Item = Arc<Alert>>) -> usize {
        let mut waiting = self.waiting.lock();
        waiting.extend(alerts);
        let surplus = waiting.len().saturating_sub(self.capacity);
        waiting.drain(..surplus);
        self.length.set(waiting.len() as f64);
        drop(waiting);
        self.arrived.notify_one();
        surplus
    }

    /// Takes up to `count` alerts, oldest first.
    pub(crate) fn take(&self, count: usize) -> Vec<Arc<Alert>> {
        let mut waiting = self.waiting.lock();
        let count = count.min(waiting.len());
        let batch = waiting.drain(..count).collect();
        self.length.set(waiting.len() as f64);
        batch
    }

    /// Completes once there is something to take.
    pub(crate) async fn wait(&self) {
        while self.waiting.lock().is_empty() {
            self.arrived.notified().await;
        }
    }
}
