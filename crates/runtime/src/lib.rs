//! What is the world outside? Clock, disk, network, randomness.
//!
//! Real in production ([`Runtime::real`]), simulated in tests ([`Simulation`]), where a seed
//! replays everything. Knows nothing of Prometheus. Nobody else asks the time, rolls dice, opens
//! files or sockets.

pub mod clock;
pub mod disk;
pub mod network;
pub mod random;
mod simulation;

use std::sync::Arc;

pub use clock::Clock;
pub use disk::Disk;
pub use network::Network;
pub use random::Random;
pub use simulation::Simulation;

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs work that blocks or computes for long, here and now, without holding up other tasks where
/// the Tokio runtime has other threads. On a single thread, as in simulation, it simply runs.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The world outside, as handed to every component. Cloning is four reference counts.
#[derive(Clone)]
pub struct Runtime {
    pub clock: Arc<dyn Clock>,
    pub disk: Arc<dyn Disk>,
    pub network: Arc<dyn Network>,
    pub random: Arc<dyn Random>,
}

impl Runtime {
    pub fn real() -> Runtime {
        Runtime {
            clock: Arc::new(clock::RealClock::default()),
            disk: Arc::new(disk::RealDisk),
            network: Arc::new(network::RealNetwork),
            random: Arc::new(random::RealRandom),
        }
    }
    /// A simulated world; keep the [`Simulation`] instead to move its clock or crash its disk.
    pub fn simulated(seed: u64) -> Runtime {
        Simulation::new(seed).runtime()
    }
}
