use std::{sync::Arc, time::Duration};

use crate::{
    Runtime, clock::SimulatedClock, disk::SimulatedDisk, network::SimulatedNetwork,
    random::SeededRandom,
};

/// 2026-01-01T00:00:00Z
const START: Duration = Duration::from_secs(1_767_225_600);

/// A world of its own, in which the same seed gives the same story.
pub struct Simulation {
    pub clock: Arc<SimulatedClock>,
    pub disk: SimulatedDisk,
    pub network: SimulatedNetwork,
    pub random: Arc<SeededRandom>,
}

impl Simulation {
    pub fn new(seed: u64) -> Simulation {
        let clock = Arc::new(SimulatedClock::starting_at(START));
        Simulation {
            disk: SimulatedDisk::new(clock.clone()),
            network: SimulatedNetwork::new(clock.clone()),
            random: Arc::new(SeededRandom::new(seed)),
            clock,
        }
    }

    /// What the components under test are given.
    pub fn runtime(&self) -> Runtime {
        Runtime {
            clock: self.clock.clone(),
            disk: Arc::new(self.disk.clone()),
            network: Arc::new(self.network.clone()),
            random: self.random.clone(),
        }
    }
}
