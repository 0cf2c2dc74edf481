//! What lies between the hosts: packets get lost or come late.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use runtime::{
    BoxFuture, Clock as _, Network,
    clock::SimulatedClock,
    network::{Datagrams, Listener, SimulatedNetwork, Stream},
};

use super::plan::{Dice, Plan};

/// Whoever connects tries again after this time.
const CONNECT_AGAIN: Duration = Duration::from_secs(1);

/// The network as one host has it, with the troubles of a plan.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) host: SimulatedNetwork,
    pub(super) plan: Arc<Plan>,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) dice: Arc<Dice>,
}

pub(super) fn host(idx: usize) -> String {
    format!("10.0.0.{}", idx + 1)
}

impl Wire {
    /// Cuts, heals and slows all links as the plan has it now.
    pub(super) fn adjust(&self) {
        let (now, n_nodes) = (self.clock.monotonic(), self.plan.n_nodes());
        // The other half is added to each packet by chance.
        self.host.set_latency(self.plan.delay(now) / 2);
        for a in 0..n_nodes {
            for b in a + 1..n_nodes {
                match self.plan.are_apart(a, b, now) {
                    true => self.host.cut(&host(a), &host(b)),
                    false => self.host.heal(&host(a), &host(b)),
                }
            }
        }
    }

    fn is_lost(&self) -> bool {
        self.dice.chance(self.plan.loss(self.clock.monotonic()))
    }
}

impl Network for Wire {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            while self.is_lost() {
                self.clock.sleep(CONNECT_AGAIN).await;
            }
            self.host.connect(address).await
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.host.listen(address)
    }

    fn bind<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Datagrams>>> {
        Box::pin(async move {
            let socket = Arc::from(self.host.bind(address).await?);
            Ok(Box::new(Packets { socket, wire: self.clone() }) as Box<dyn Datagrams>)
        })
    }

    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.host.resolve(host)
    }

    fn outward_address(&self) -> BoxFuture<'_, io::Result<IpAddr>> {
        self.host.outward_address()
    }
}

struct Packets {
    socket: Arc<dyn Datagrams>,
    wire: Wire,
}

impl Datagrams for Packets {
    fn send<'a>(&'a self, bytes: &'a [u8], to: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let wire = &self.wire;
            if wire.is_lost() {
                return Ok(());
            }
            let late = wire.dice.duration(wire.plan.delay(wire.clock.monotonic()) / 2);
            if late.is_zero() {
                return self.socket.send(bytes, to).await;
            }
            // Under way nothing holds the port of a process that has ended.
            let (socket, clock) = (Arc::downgrade(&self.socket), wire.clock.clone());
            let bytes = bytes.to_vec();
            tokio::spawn(async move {
                clock.sleep(late).await;
                if let Some(socket) = socket.upgrade() {
                    // Nobody can tell.
                    socket.send(&bytes, to).await.unwrap_or_default();
                }
            });
            Ok(())
        })
    }

    fn receive<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> BoxFuture<'a, io::Result<(usize, SocketAddr)>> {
        self.socket.receive(buffer)
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_address()
    }
}
