//! Groups running each at its own moments, replaced on reload, ended in order.

mod progress;
mod run;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use model::Timestamp;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use self::progress::Progress;
use crate::{Definition, Group, GroupStatus, Helpers, Settings, World, file};

/// What to do after a pause or a restart. Ours; the default is what upstream does: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Evaluations of recording rules that were missed are made up for if they are not older.
    pub catch_up: Duration,
    /// After so long all targets that are there have been scraped again; until then an alert that
    /// was active is not over.
    pub settle: Duration,
}

/// Runs rule groups. Dropping it without [`Manager::stop`] cancels them at their next pause.
pub struct Manager {
    world: World,
    settings: Arc<ArcSwap<Settings>>,
    recovery: Arc<ArcSwap<Recovery>>,
    helpers: Option<Helpers>,
    /// By the key of a group, those that record what it reads.
    sources: Arc<ArcSwap<Sources>>,
    groups: BTreeMap<String, Running>,
    /// Waits before the series of removed groups are ended.
    farewells: JoinSet<()>,
    statuses: Statuses,
    /// Whether there was an update: only what the first one brings has a state to restore.
    restored: bool,
    stop: CancellationToken,
}

type Sources = BTreeMap<String, Vec<Progress>>;

/// A group and the task that owns its state.
struct Running {
    definition: Definition,
    status: Arc<ArcSwap<GroupStatus>>,
    progress: Progress,
    stop: CancellationToken,
    task: JoinHandle<Option<Group>>,
}

impl Running {
    fn goes_on_as(&self, definition: &Definition) -> bool {
        self.definition == *definition && !self.task.is_finished()
    }
}

/// The groups as users see them. Cloning shares them.
#[derive(Clone, Default)]
pub struct Statuses(Arc<ArcSwap<Vec<Arc<ArcSwap<GroupStatus>>>>>);

impl Statuses {
    /// All groups, by file, then as written there.
    pub fn groups(&self) -> Vec<Arc<GroupStatus>> {
        self.0.load().iter().map(|status| status.load_full()).collect()
    }
}

impl Manager {
    /// A manager without groups.
    pub fn new(world: World, settings: Settings) -> Manager {
        Manager {
            world,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            recovery: Arc::default(),
            helpers: None,
            sources: Arc::default(),
            groups: BTreeMap::new(),
            farewells: JoinSet::new(),
            statuses: Statuses::default(),
            restored: false,
            stop: CancellationToken::new(),
        }
    }

    /// Evaluates independent rules of a group side by side, with the help of `helpers`.
    pub fn with_helpers(mut self, helpers: Helpers) -> Manager {
        self.helpers = Some(helpers);
        self
    }

    /// What to do after a pause or a restart, from now on.
    pub fn set_recovery(&self, recovery: Recovery) {
        self.recovery.store(Arc::new(recovery));
    }

    pub fn statuses(&self) -> Statuses {
        self.statuses.clone()
    }

    /// Whether every group has done what was due by `now`, since the epoch. Simulations wait for it.
    pub fn is_up_to(&self, now: Duration) -> bool {
        let is_up_to = |group: &Running| {
            let done = *group.progress.done.borrow();
            done + group.progress.interval > now
        };
        self.groups.values().all(is_up_to)
    }

    /// Runs exactly the groups of `files` (name and content) from now on. Groups that stay the
    /// same go on undisturbed; changed ones keep the state of the rules that stay.
    pub async fn update(&mut self, settings: Settings, files: Vec<(String, Vec<file::Group>)>) {
        let definitions = definitions(&settings, files);
        let sources = match self.recovery.load().catch_up.is_zero() {
            true => BTreeMap::new(),
            false => progress::sources(&definitions),
        };
        self.settings.store(Arc::new(settings));
        let mut old = std::mem::take(&mut self.groups);
        for running in old.values() {
            if !definitions.contains(&running.definition) {
                // All at once, so that their last evaluations end side by side.
                running.stop.cancel();
            }
        }
        let mut order = Vec::new();
        let is_complete = CancellationToken::new();
        for definition in definitions {
            let key = definition.key();
            let running = match old.remove(&key) {
                Some(running) if running.goes_on_as(&definition) => running,
                previous => self.start(definition, previous, &is_complete).await,
            };
            order.push(running.status.clone());
            self.groups.insert(key, running);
        }
        self.statuses.0.store(Arc::new(order));
        self.sources.store(Arc::new(self.progress_of(sources)));
        is_complete.cancel();
        for (key, running) in old {
            self.world.metrics.remove_group(&key);
            if let Ok(Some(group)) = running.task.await {
                self.bid_farewell(group);
            }
        }
        self.restored = true;
    }

    /// Ends all groups after the evaluation that they are in. Nothing is marked as ended: the
    /// server may be back soon.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for running in std::mem::take(&mut self.groups).into_values() {
            if let Err(error) = running.task.await {
                tracing::error!(%error, "rule group ended badly");
            }
        }
        while self.farewells.join_next().await.is_some() {}
    }

    async fn start(
        &mut self,
        definition: Definition,
        previous: Option<Running>,
        is_complete: &CancellationToken,
    ) -> Running {
        let mut group = Group::new(definition.clone(), self.restored);
        if let Some(helpers) = &self.helpers {
            group = group.with_helpers(helpers.clone());
        }
        if let Some(previous) = previous
            && let Ok(Some(old)) = previous.task.await
        {
            group.adopt(old);
        }
        let interval = definition.interval.as_secs_f64();
        self.world.metrics.add_group(&definition.key(), definition.rules.len(), interval);
        let status = Arc::new(ArcSwap::from_pointee(group.status()));
        let stop = self.stop.child_token();
        let (done, progress) = watch::channel(Duration::ZERO);
        let progress = Progress { interval: definition.interval, done: progress };
        let runner = run::Runner {
            world: self.world.clone(),
            settings: self.settings.clone(),
            status: status.clone(),
            stop: stop.clone(),
            is_complete: is_complete.clone(),
            recovery: self.recovery.clone(),
            sources: self.sources.clone(),
            done,
            is_first: !self.restored,
        };
        let task = tokio::spawn(runner.run(group));
        Running { definition, status, progress, stop, task }
    }

    fn progress_of(&self, sources: BTreeMap<String, BTreeSet<String>>) -> Sources {
        let progress = |keys: BTreeSet<String>| {
            let groups = keys.iter().filter_map(|key| self.groups.get(key));
            groups.map(|group| group.progress.clone()).collect()
        };
        sources.into_iter().map(|(key, sources)| (key, progress(sources))).collect()
    }

    /// Ends the series of a removed group, after two intervals: a renamed group or rule may go on
    /// writing them.
    fn bid_farewell(&mut self, group: Group) {
        let World { clock, .. } = &self.world;
        let at = Timestamp::from_millis(clock.now_millis());
        let wait = clock.sleep(group.definition().interval * 2);
        let (world, settings, stop) =
            (self.world.clone(), self.settings.clone(), self.stop.clone());
        self.farewells.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = wait => {
                    let end = move || group.end_series(&world, &settings.load(), at);
                    if let Err(error) = tokio::task::spawn_blocking(end).await {
                        tracing::error!(%error, "ending the series of a removed group failed");
                    }
                }
            }
        });
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The groups of `files`; a file that is named twice counts once.
fn definitions(settings: &Settings, files: Vec<(String, Vec<file::Group>)>) -> Vec<Definition> {
    let mut definitions = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, groups) in files {
        if !seen.insert(file.clone()) {
            continue;
        }
        definitions.extend(groups.into_iter().map(|group| Definition {
            file: file.clone(),
            name: group.name,
            interval: group.interval.unwrap_or(settings.interval),
            query_offset: group.query_offset,
            limit: group.limit,
            rules: group.rules.into_iter().map(Arc::new).collect(),
        }));
    }
    definitions
}
