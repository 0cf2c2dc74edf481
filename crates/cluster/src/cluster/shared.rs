//! What the tasks of a member share, and the tasks that keep time.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use runtime::{BoxFuture, Runtime};
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{Options, links::Link, metrics::Metrics, turn::TurnEvent};
use crate::{
    MemberId, Moment,
    acks::Acknowledged,
    core::{Core, Input, Output, TICK},
    frame::{Frame, SlotId},
    info::Infos,
    lease::{Backend, Lease, View, gossip::Rank, store},
};

/// How often gossip is asked who is there.
const LOOK_EVERY: u32 = 2;
/// Whoever has not said what it is by then is nobody of ours.
const STRANGE: Duration = Duration::from_secs(30);
const STRANGERS_MAX: usize = 1000;
/// How often old acknowledgements are forgotten.
const FORGET_EVERY: u32 = 3000;

pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) runtime: Runtime,
    pub(super) gossip: gossip::Gossip,
    pub(super) infos: Arc<Infos>,
    pub(super) connect: Arc<dyn grpc::Connect>,
    pub(super) metrics: Metrics,
    pub(super) lease: Lease,
    pub(super) acks: Acknowledged,
    /// Outboxes and the lease's status are locked under this, nothing else.
    pub(super) state: Mutex<State>,
    /// The members that count, sorted. Nothing else is locked while this is held.
    known: RwLock<Arc<[MemberId]>>,
    pub(super) known_version: watch::Sender<u64>,
    pub(super) clock_is_wrong: watch::Sender<bool>,
    /// What went wrong with whom lately. Nothing else is locked while this is held.
    pub(super) troubles: Mutex<BTreeMap<MemberId, String>>,
    /// Whoever gossips without being a member, and since when, until that was said. Nothing else is
    /// locked while this is held.
    strangers: Mutex<BTreeMap<String, Option<Duration>>>,
    /// Members whose links a task looks after. Nothing else is locked while this is held.
    pub(super) dialled: Mutex<BTreeSet<MemberId>>,
    /// When this member was started, since the Unix epoch.
    pub(super) started: Duration,
    /// Where another service keeps the lease.
    store: Option<Arc<dyn store::Store>>,
    wants: mpsc::Sender<store::Want>,
    wanted: Mutex<Option<mpsc::Receiver<store::Want>>>,
    tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

pub(super) struct State {
    pub(super) core: Core,
    pub(super) links: BTreeMap<MemberId, Arc<Link>>,
    pub(super) turns: HashMap<SlotId, mpsc::Sender<TurnEvent>>,
}

impl Shared {
    pub(super) fn new(
        options: Options,
        runtime: Runtime,
        gossip: gossip::Gossip,
        infos: Arc<Infos>,
        connect: Arc<dyn grpc::Connect>,
        metrics: Metrics,
        store: Option<Arc<dyn store::Store>>,
    ) -> Shared {
        let now = Moment::of(&*runtime.clock);
        let among_members =
            matches!(options.lease, Backend::Gossip).then_some(options.lease_duration);
        let core = Core::new(options.id, now, options.fingerprint, among_members);
        let acks = Acknowledged::new(options.id, options.replication_factor > 0);
        let (wants, wanted) = mpsc::channel(16);
        Shared {
            lease: Lease::new(options.lease.name(), options.id, runtime.clock.clone()),
            state: Mutex::new(State { core, links: BTreeMap::new(), turns: HashMap::new() }),
            known: RwLock::new([options.id].into()),
            known_version: watch::Sender::new(0),
            clock_is_wrong: watch::Sender::new(false),
            options,
            runtime,
            gossip,
            infos,
            connect,
            metrics,
            acks,
            troubles: Mutex::default(),
            strangers: Mutex::default(),
            dialled: Mutex::default(),
            started: now.wall,
            store,
            wants,
            wanted: Mutex::new(Some(wanted)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Runs a task until it ends or the member stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.lease.lose();
        {
            let mut state = self.state.lock();
            state.links.values().for_each(|link| link.close());
            state.turns.clear();
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.lease.lose();
    }

    /// Tells the core something, and does what it says.
    pub(super) fn handle(&self, input: Input) {
        self.handle_in(&mut self.state.lock(), input);
    }

    /// Frames are queued in the order in which the core makes them, so under its lock.
    pub(super) fn handle_in(&self, state: &mut State, input: Input) {
        let now = Moment::of(&*self.runtime.clock);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let outputs = state.core.handle(now, input);
            if self.store.is_none() {
                // What is given up is not ours before others hear of it.
                let valid_until = state.core.valid_until(now.monotonic);
                let view = View { valid_until, holder: state.core.holder(), error: None };
                self.note_lease(&view, now.monotonic);
            }
            let lost = outputs.into_iter().filter_map(|output| state.act(output));
            inputs.extend(lost.map(Input::Unlinked));
        }
        let is_wrong = state.core.clock_error().is_some();
        let has_changed = self
            .clock_is_wrong
            .send_if_modified(|was| std::mem::replace(was, is_wrong) != is_wrong);
        if has_changed {
            self.say_clock(state.core.clock_error());
        }
    }

    fn note_lease(&self, view: &View, now: Duration) {
        let Some(change) = self.lease.update(view, now) else { return };
        self.metrics.lease_changes.increment();
        match change.holder {
            Some(holder) if change.is_mine => {
                info!(
                    component = "cluster",
                    epoch = change.epoch,
                    "This member writes from now on"
                );
                debug_assert_eq!(holder, self.options.id);
            }
            Some(holder) => {
                let holder = self.infos.name(holder);
                info!(component = "cluster", holder, epoch = change.epoch, "Another member writes");
            }
            None => warn!(component = "cluster", "No member writes at this moment"),
        }
    }

    fn say_clock(&self, error: Option<i64>) {
        match error {
            Some(millis) => {
                let seconds = millis as f64 / 1000.0;
                tracing::error!(
                    component = "cluster",
                    seconds_ahead = seconds,
                    "This machine's clock is wrong: nothing is scraped or evaluated until it is set"
                );
            }
            None => info!(component = "cluster", "This machine's clock is right again"),
        }
    }

    pub(super) async fn keep_time(self: Arc<Shared>) {
        let mut n_ticks: u32 = 0;
        loop {
            self.handle(Input::Tick);
            self.yield_with_wrong_clock();
            if n_ticks.is_multiple_of(LOOK_EVERY) {
                self.look_for_members();
            }
            n_ticks = n_ticks.wrapping_add(1);
            if n_ticks.is_multiple_of(FORGET_EVERY) {
                self.acks.forget_old();
            }
            self.runtime.clock.sleep(TICK).await;
        }
    }

    /// Takes over from gossip who is there; links to those that are new.
    fn look_for_members(self: &Arc<Shared>) {
        let mut known: Vec<MemberId> = vec![self.options.id];
        for member in self.gossip.members() {
            let id = member.name.parse::<MemberId>().ok();
            match id.filter(|id| self.infos.get(*id).is_some()) {
                Some(id) if id == self.options.id => {}
                Some(id) => known.push(id),
                None => self.note_stranger(&member),
            }
        }
        known.sort_unstable();
        if *self.known.read() != known[..].into() {
            *self.known.write() = known[..].into();
            self.known_version.send_modify(|version| *version += 1);
            self.handle(Input::Known(known.clone()));
        }
        for id in known {
            // The lower one dials.
            if id > self.options.id {
                super::links::keep(self, id);
            }
        }
    }

    /// Others than servers of ours speak gossip, too; they say nothing of themselves.
    fn note_stranger(&self, member: &gossip::Member) {
        let now = self.runtime.clock.monotonic();
        let mut strangers = self.strangers.lock();
        let is_full = strangers.len() >= STRANGERS_MAX;
        let Some(since) = strangers.get_mut(&member.name) else {
            if !is_full {
                strangers.insert(member.name.clone(), Some(now));
            }
            return;
        };
        if since.is_some_and(|since| now.saturating_sub(since) > STRANGE) {
            *since = None;
            warn!(
                component = "cluster",
                member = member.name,
                address = %member.address,
                "Whoever gossips here is no server of Vesta's: an Alertmanager? It is left alone"
            );
        }
    }

    pub(super) fn known(&self) -> Arc<[MemberId]> {
        self.known.read().clone()
    }

    pub(super) fn is_linked_to_all(&self) -> bool {
        let known = self.known();
        let state = self.state.lock();
        let mut others = known.iter().filter(|id| **id != self.options.id);
        others.all(|id| state.core.live().contains(id))
    }

    /// Whether somebody else could write.
    pub(super) fn has_successor(&self) -> bool {
        let state = self.state.lock();
        let can = |peer| state.core.word_of(peer).is_some_and(|word| word.rank < Rank::Leaving);
        state.core.live().iter().copied().any(can)
    }

    pub(super) fn is_held_by_another(&self) -> bool {
        let state = self.state.lock();
        let holder = state.core.holder().map(|(_, holder)| holder);
        let holds = |peer| state.core.word_of(peer).is_some_and(|word| word.is_holding);
        holder.is_some_and(|holder| holder != self.options.id && holds(holder))
    }

    pub(super) fn release(&self, leaves: bool) {
        self.want(store::Want::Release { leaves });
        // Before anybody hears of it.
        self.lease.lose();
        self.handle(Input::Release { leaves });
    }

    pub(super) fn set_unhealthy(&self, reason: Option<&str>) {
        if self.lease.set_unhealthy(reason) {
            match reason {
                Some(reason) => {
                    warn!(component = "cluster", reason, "This member would rather not write");
                }
                None => info!(component = "cluster", "This member can write again"),
            }
            self.want(store::Want::Healthy(reason.is_none()));
            self.handle(Input::Healthy(reason.is_none()));
            if reason.is_some() {
                self.yield_to_others();
            }
        }
    }

    /// Among members the core does so by itself.
    fn yield_to_others(&self) {
        if self.store.is_some() && self.lease.may_write() && self.has_successor() {
            self.release(false);
        }
    }

    fn yield_with_wrong_clock(&self) {
        if *self.clock_is_wrong.borrow() {
            self.yield_to_others();
        }
    }

    pub(super) fn clock_error(&self) -> Option<f64> {
        self.state.lock().core.clock_error().map(|millis| millis as f64 / 1000.0)
    }

    pub(super) fn acknowledge(&self, queue: &str, samples: &[(u64, i64)]) {
        let acks = self.acks.note(queue, samples);
        let state = self.state.lock();
        for link in state.links.values() {
            link.send(Frame::Acks(acks.clone()));
        }
    }

    pub(super) fn say_goodbye(&self) {
        let state = self.state.lock();
        for link in state.links.values() {
            link.send(Frame::Goodbye);
            link.close();
        }
    }

    pub(super) fn has_said_all(&self) -> bool {
        self.state.lock().links.values().all(|link| link.outbox.is_empty())
    }

    pub(super) fn want(&self, want: store::Want) {
        if self.store.is_some() && self.wants.try_send(want).is_err() {
            warn!(component = "cluster", "The lease's service does not keep up");
        }
    }

    /// The task that deals with another service, if one decides.
    pub(super) fn lease_keeper(self: &Arc<Shared>) -> Option<BoxFuture<'static, ()>> {
        let store = self.store.clone()?;
        let wanted = self.wanted.lock().take()?;
        let shared = self.clone();
        let settings = store::Settings {
            own: self.options.id,
            name: self.options.name.clone(),
            duration: self.options.lease_duration,
        };
        let runtime = self.runtime.clone();
        Some(Box::pin(store::keep(settings, store, runtime, wanted, move |view, word| {
            let mut state = shared.state.lock();
            shared.note_lease(view, shared.runtime.clock.monotonic());
            shared.handle_in(&mut state, Input::Word(word));
        })))
    }
}

impl State {
    /// Does what the core says; names a member whose link is lost with it.
    fn act(&mut self, output: Output) -> Option<MemberId> {
        match output {
            Output::Send(to, frame) => {
                let link = self.links.get(&to)?;
                if link.send(frame) {
                    return None;
                }
                warn!(component = "cluster", member = link.name, "A member does not read any more");
                self.unlink(to)
            }
            Output::Close(member) => self.unlink(member),
            Output::Fetch(id) => self.tell_turn(id, TurnEvent::Fetch),
            Output::Done(id, shared) => self.tell_turn(id, TurnEvent::Done(shared)),
            Output::LeftOut(id) => self.tell_turn(id, TurnEvent::LeftOut),
            Output::Unshared(id) => self.tell_turn(id, TurnEvent::Unshared),
        }
    }

    fn unlink(&mut self, member: MemberId) -> Option<MemberId> {
        let link = self.links.remove(&member)?;
        link.close();
        Some(member)
    }

    fn tell_turn(&mut self, id: SlotId, event: TurnEvent) -> Option<MemberId> {
        if let Some(turn) = self.turns.get(&id) {
            // It has room for every event of a turn; a turn that is over does not care.
            turn.try_send(event).unwrap_or_default();
        }
        None
    }
}
