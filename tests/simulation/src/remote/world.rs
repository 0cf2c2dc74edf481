//! Plays a plan, from one thing that is due to the next.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use runtime::{Clock as _, Simulation, disk::SimulatedDisk};

use super::{
    Totals,
    ends::{Door, Samples, Sender, Taker, samples},
    plan::{HOUR, Kind, Plan, QUIET},
};

/// How often both ends look after their data, in seconds.
const UPKEEP: u64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    End(usize),
    Begin(usize),
    Scrape,
    Upkeep,
}

/// An end, or what it has left.
enum Life<T> {
    Up(T),
    /// With how many reasons.
    Down(SimulatedDisk, usize),
}

struct World<'a> {
    plan: &'a Plan,
    simulation: Simulation,
    started: Duration,
    door: Arc<Door>,
    /// There but for moments.
    sender: Option<Life<Sender>>,
    taker: Option<Life<Taker>>,
    /// Each life has a host of its own: what it has left under way can't arrive any more.
    n_lives: usize,
    n_cuts: usize,
}

/// What comes of a plan, or what should not.
pub(super) fn live(plan: &Plan) -> Result<Totals, String> {
    let threads = tokio::runtime::Builder::new_current_thread().build();
    let threads = threads.map_err(|error| error.to_string())?;
    threads.block_on(async { World::new(plan).live().await })
}

impl World<'_> {
    fn new(plan: &Plan) -> World<'_> {
        let simulation = Simulation::new(plan.seed);
        let disk = || SimulatedDisk::new(simulation.clock.clone());
        World {
            plan,
            started: simulation.clock.now(),
            door: Arc::default(),
            sender: Some(Life::Down(disk(), 0)),
            taker: Some(Life::Down(disk(), 0)),
            simulation,
            n_lives: 0,
            n_cuts: 0,
        }
    }

    async fn live(mut self) -> Result<Totals, String> {
        self.start_taker().await?;
        self.start_sender().await?;
        for (at, event) in self.events() {
            self.run_until(at).await;
            match event {
                Event::Scrape => {
                    if let Some(Life::Up(sender)) = &self.sender {
                        sender.scrape(self.plan);
                    }
                }
                Event::Upkeep => self.look_after()?,
                Event::Begin(fault) => self.begin(self.plan.faults[fault].kind).await,
                Event::End(fault) => self.end(self.plan.faults[fault].kind).await?,
            }
        }
        self.run_until(HOUR + QUIET).await;
        self.judge()
    }

    /// All that is due, in order.
    fn events(&self) -> Vec<(u64, Event)> {
        let mut events = Vec::new();
        for (idx, fault) in self.plan.faults.iter().enumerate() {
            events.push((fault.at, Event::Begin(idx)));
            // At once it would be none.
            events.push((fault.at + fault.lasts.max(1), Event::End(idx)));
        }
        let every = |seconds: u64| (0..HOUR / seconds).map(move |n| n * seconds);
        events.extend(every(self.plan.scrape).map(|at| (at, Event::Scrape)));
        events.extend(every(UPKEEP).map(|at| (at, Event::Upkeep)));
        events.sort();
        events
    }

    async fn run_until(&self, at: u64) {
        let clock = &self.simulation.clock;
        let wait = (self.started + Duration::from_secs(at)).saturating_sub(clock.now());
        clock.run_for(wait).await;
    }

    fn look_after(&self) -> Result<(), String> {
        if let Some(Life::Up(sender)) = &self.sender {
            sender.database.maintain().map_err(|error| format!("upkeep: {error}"))?;
        }
        if let Some(Life::Up(taker)) = &self.taker {
            taker.database.maintain().map_err(|error| format!("upkeep: {error}"))?;
        }
        Ok(())
    }

    async fn begin(&mut self, kind: Kind) {
        match kind {
            Kind::SenderStops | Kind::SenderDies { .. } => self.end_sender(kind).await,
            Kind::ReceiverStops | Kind::ReceiverDies { .. } => self.end_taker(kind).await,
            Kind::Cut => {
                self.n_cuts += 1;
                self.simulation.network.cut(&self.host(), "receiver");
            }
            Kind::Busy => drop(self.door.busy.fetch_add(1, Relaxed)),
            Kind::Slow { latency } => {
                self.simulation.network.set_latency(Duration::from_millis(latency));
            }
        }
    }

    async fn end(&mut self, kind: Kind) -> Result<(), String> {
        match kind {
            Kind::SenderStops | Kind::SenderDies { .. } => match &mut self.sender {
                Some(Life::Down(_, reasons)) if *reasons > 1 => *reasons -= 1,
                _ => self.start_sender().await?,
            },
            Kind::ReceiverStops | Kind::ReceiverDies { .. } => match &mut self.taker {
                Some(Life::Down(_, reasons)) if *reasons > 1 => *reasons -= 1,
                _ => self.start_taker().await?,
            },
            Kind::Cut => {
                self.n_cuts -= 1;
                if self.n_cuts == 0 {
                    self.simulation.network.heal(&self.host(), "receiver");
                }
            }
            Kind::Busy => drop(self.door.busy.fetch_sub(1, Relaxed)),
            Kind::Slow { .. } => self.simulation.network.set_latency(Duration::ZERO),
        }
        Ok(())
    }

    fn host(&self) -> String {
        format!("sender-{}", self.n_lives)
    }

    async fn start_sender(&mut self) -> Result<(), String> {
        let Some(Life::Down(disk, _)) = self.sender.take() else {
            return Err("the sender starts twice".to_owned());
        };
        self.n_lives += 1;
        if self.n_cuts > 0 {
            self.simulation.network.cut(&self.host(), "receiver");
        }
        let sender = Sender::start(self.plan, &self.simulation, disk, &self.host()).await?;
        self.sender = Some(Life::Up(sender));
        Ok(())
    }

    async fn end_sender(&mut self, kind: Kind) {
        self.sender = match self.sender.take() {
            Some(Life::Up(sender)) => {
                let disk = match kind {
                    Kind::SenderDies { operations } => {
                        self.run_out(&sender.disk, operations).await;
                        // Its tasks go on, but nothing of them reaches anybody.
                        self.simulation.network.cut(&self.host(), "receiver");
                        sender.disk.after_kill()
                    }
                    _ => sender.stop().await,
                };
                Some(Life::Down(disk, 1))
            }
            Some(Life::Down(disk, reasons)) => Some(Life::Down(disk, reasons + 1)),
            None => None,
        };
    }

    async fn start_taker(&mut self) -> Result<(), String> {
        let Some(Life::Down(disk, _)) = self.taker.take() else {
            return Err("the receiver starts twice".to_owned());
        };
        let taker = Taker::start(&self.simulation, disk, self.door.clone()).await?;
        self.taker = Some(Life::Up(taker));
        Ok(())
    }

    async fn end_taker(&mut self, kind: Kind) {
        self.taker = match self.taker.take() {
            Some(Life::Up(taker)) => {
                let disk = match kind {
                    Kind::ReceiverDies { operations } => {
                        self.run_out(&taker.disk, operations).await;
                        taker.kill().await
                    }
                    _ => taker.stop().await,
                };
                Some(Life::Down(disk, 1))
            }
            Some(Life::Down(disk, reasons)) => Some(Life::Down(disk, reasons + 1)),
            None => None,
        };
    }

    /// Lets a disk carry out so many more operations, or for a while.
    async fn run_out(&self, disk: &SimulatedDisk, operations: u64) {
        let end = disk.operations() + operations;
        disk.stop_after(end);
        for _ in 0..20 {
            if disk.operations() >= end {
                break;
            }
            self.simulation.clock.run_for(Duration::from_millis(100)).await;
        }
    }

    /// Both ends have the same, and nothing is kept for later.
    fn judge(&self) -> Result<Totals, String> {
        let (Some(Life::Up(sender)), Some(Life::Up(taker))) = (&self.sender, &self.taker) else {
            return Err("an end is not up in the end".to_owned());
        };
        let (sent, received) = (samples(&sender.database)?, samples(&taker.database)?);
        if let Some(difference) = self.difference(&sent, &received) {
            return Err(difference);
        }
        if sender.holds_what_was_sent() {
            return Err("the log is kept although everything was sent".to_owned());
        }
        Ok(Totals {
            histories: 1,
            faults: self.plan.faults.len(),
            samples: sent.len(),
            requests: self.door.requests.load(Relaxed),
            taken: self.door.taken.load(Relaxed),
        })
    }

    fn difference(&self, sent: &Samples, received: &Samples) -> Option<String> {
        let seconds = |time: i64| (time - self.started.as_millis() as i64) as f64 / 1000.0;
        let lacking = sent.iter().filter(|(key, _)| !received.contains_key(*key));
        let n_lacking = lacking.clone().count();
        if let Some(((series, time), _)) = lacking.clone().next() {
            let at = seconds(*time);
            return Some(format!("{n_lacking} samples lack, the first is {series} at {at} s"));
        }
        let differs = |((series, time), value): (&(String, i64), &u64)| {
            let expected = sent.get(&(series.clone(), *time));
            (expected != Some(value)).then(|| {
                format!("{series} at {} s is {value:x} instead of {expected:x?}", seconds(*time))
            })
        };
        received.iter().find_map(differs)
    }
}
