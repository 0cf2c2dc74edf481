//! Plays a plan, from one thing that is due to the next.

use std::{sync::Arc, time::Duration};

use rules::Definition;
use runtime::{Clock as _, Simulation, disk::SimulatedDisk};

use super::{
    Totals,
    plan::{Fault, Kind, LENGTH, Plan},
    recorded,
    server::{Outbox, Server, definitions},
    verdict::{Dark, Verdict},
};

struct World<'a> {
    plan: &'a Plan,
    simulation: Simulation,
    definitions: Vec<Definition>,
    outbox: Arc<Outbox>,
    verdict: Verdict<'a>,
    started: Duration,
    n_scrapes: u64,
    totals: Totals,
}

/// What comes of a plan, or what should not.
pub(super) fn live(plan: &Plan) -> Result<Totals, String> {
    let threads = tokio::runtime::Builder::new_current_thread().build();
    let threads = threads.map_err(|error| error.to_string())?;
    threads.block_on(World::new(plan).live())
}

impl World<'_> {
    fn new(plan: &Plan) -> World<'_> {
        let simulation = Simulation::new(plan.seed);
        let clock = simulation.clock.clone();
        World {
            plan,
            definitions: definitions(plan),
            outbox: Arc::new(Outbox::new(clock.clone())),
            verdict: Verdict::new(plan),
            started: clock.now(),
            simulation,
            n_scrapes: 0,
            totals: Totals { histories: 1, ..Totals::default() },
        }
    }

    async fn live(mut self) -> Result<Totals, String> {
        let disk = self.simulation.disk.clone();
        let mut server = self.start(disk).await?;
        let mut faults = self.plan.faults.iter().copied().peekable();
        let end = self.started + Duration::from_secs(LENGTH);
        loop {
            let next_fault = faults.peek().map(|fault| self.moment(fault.at));
            let next = self.next_due().min(next_fault.unwrap_or(Duration::MAX));
            if next > end {
                break;
            }
            // A fault may have become due while nothing ran.
            let wait = next.saturating_sub(self.simulation.clock.now());
            self.simulation.clock.advance(wait);
            if let Some(fault) = faults.next_if(|fault| self.moment(fault.at) <= next) {
                server = self.suffer(server, fault).await?;
            } else {
                self.run(&server).await?;
                let since = self.simulation.clock.now() - self.started;
                self.hear(since)?;
                self.totals.looks +=
                    self.verdict.look(since, &server.manager.statuses().groups())?;
            }
        }
        let now = self.simulation.clock.now();
        let span = (self.started, now);
        let found = recorded::check(&server, &self.definitions, self.verdict.dark(), span)?;
        (self.totals.recorded, self.totals.made_up) = found;
        server.stop().await;
        Ok(self.totals)
    }

    fn moment(&self, seconds: u64) -> Duration {
        self.started + Duration::from_secs(seconds)
    }

    /// The next slot of a group, or scrape.
    fn next_due(&self) -> Duration {
        let now = self.simulation.clock.now();
        let slots = self.definitions.iter().map(|group| group.slot_before(now) + group.interval);
        let scrape = Duration::from_secs(self.plan.scrape);
        let n_scrapes = ((now - self.started).as_nanos() / scrape.as_nanos()) as u32;
        let next_scrape = self.started + scrape * (n_scrapes + 1);
        slots.fold(next_scrape, Duration::min)
    }

    /// Does what is due now.
    async fn run(&mut self, server: &Server) -> Result<(), String> {
        let since = self.simulation.clock.now() - self.started;
        let scrape = Duration::from_secs(self.plan.scrape);
        if since.as_nanos().is_multiple_of(scrape.as_nanos()) {
            self.n_scrapes += 1;
            let instances = 0..self.plan.turns.len();
            let levels = instances.map(|instance| self.plan.level(instance, since.as_secs()).0);
            server.scrape(&levels.collect::<Vec<_>>(), self.n_scrapes);
        }
        server.settle().await
    }

    async fn start(&self, disk: SimulatedDisk) -> Result<Server, String> {
        Server::start(self.plan, &self.simulation, disk, self.outbox.clone()).await
    }

    /// The end of a process, and the one after it; or the same one, after a while.
    async fn suffer(&mut self, server: Server, fault: Fault) -> Result<Server, String> {
        let clock = self.simulation.clock.clone();
        let mut from = clock.now();
        let lasts = Duration::from_secs(fault.lasts);
        let server = match fault.kind {
            Kind::Pause => {
                self.totals.pauses += 1;
                clock.advance(lasts);
                server
            }
            Kind::Restart => {
                self.totals.restarts += 1;
                let disk = server.stop().await;
                clock.advance(lasts);
                self.start(disk).await?
            }
            Kind::Kill { operations } => {
                self.totals.kills += 1;
                from = self.run_out(&server, operations).await?;
                let disk = server.stop().await.after_kill();
                clock.advance(lasts);
                self.start(disk).await?
            }
        };
        let (from, to) = (from - self.started, clock.now() - self.started);
        let is_restart = fault.kind != Kind::Pause;
        self.verdict.note(Dark { from, to, is_restart });
        server.settle().await?;
        self.hear(to)?;
        Ok(server)
    }

    /// Lets the disk carry out so many more operations; since when it takes no more.
    async fn run_out(&mut self, server: &Server, operations: u64) -> Result<Duration, String> {
        let clock = self.simulation.clock.clone();
        let last = server.disk.operations() + operations;
        server.disk.stop_after(last);
        let mut from = clock.now();
        while server.disk.operations() < last {
            from = clock.now();
            clock.advance(self.next_due() - from);
            self.run(server).await?;
            self.hear(clock.now() - self.started)?;
        }
        Ok(from)
    }

    fn hear(&mut self, since: Duration) -> Result<(), String> {
        let sent = self.outbox.drain();
        self.totals.sent += sent.len();
        self.verdict.hear(self.started, since, sent)
    }
}
