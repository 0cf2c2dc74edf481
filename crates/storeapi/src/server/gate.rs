//! How many requests are answered at once.

use std::sync::Arc;

use grpc::Status;
use runtime::{Clock, clock::timeout};
use telemetry::{Gauge, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;

pub(super) struct Gate {
    places: Arc<Semaphore>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    running: Gauge,
}

/// A place among those that are answered, for as long as it is held.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    running: Gauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.add(-1.0);
    }
}

impl Gate {
    pub(super) fn new(limits: Limits, clock: Arc<dyn Clock>, registry: &Registry) -> Gate {
        let running = registry
            .gauge("vesta_storeapi_requests_running", "Requests of the StoreAPI under way.");
        let n_places = limits.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Gate { places: Arc::new(Semaphore::new(n_places)), limits, clock, running }
    }

    pub(super) async fn enter(&self) -> Result<Place, Status> {
        let waiting = self.places.clone().acquire_owned();
        let waited = timeout(&*self.clock, self.limits.timeout, waiting).await;
        let permit = waited.and_then(Result::ok).ok_or_else(|| {
            let at_once = self.limits.concurrency;
            Status::resource_exhausted(format!("more than {at_once} requests at once"))
        })?;
        self.running.add(1.0);
        Ok(Place { _permit: permit, running: self.running.clone() })
    }
}
