use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use model::Labels;

use super::Alertmanager;
use crate::{
    alert::{self, Alert, Fingerprint},
    history::{HistoryFilter, Told},
    integration::{Notification, Reason, Store},
    matcher::{self, Matcher},
    nflog::ReceiverKey,
    pipeline,
    route::Route,
    shared::Generation,
    silence::{Query, Silence, State},
    time::Time,
    view::{
        AlertFilter, AlertState, AlertStatus, AlertView, GroupView, ReceiverView, SilenceView,
        StatusView, silence_has_matchers,
    },
};

/// Alerts whose status is found before the lock is let go for others.
const STATUS_BATCH: usize = 256;

/// A group as it was when somebody asked.
struct Snapshot {
    labels: Labels,
    route: Arc<Route>,
    key: Arc<str>,
    muted_by: Vec<String>,
    alerts: Vec<(Fingerprint, Arc<Alert>)>,
}

impl Alertmanager {
    /// The alerts that `filter` lets through and that are not over, by fingerprint.
    pub fn alerts(&self, filter: &AlertFilter) -> Vec<AlertView> {
        let Some(generation) = self.shared.generation() else { return Vec::new() };
        let now = self.now();
        let alerts: Vec<(Fingerprint, Arc<Alert>)> = {
            let state = self.shared.state.lock();
            state.alerts.iter().map(|(id, alert)| (id, alert.clone())).collect()
        };
        let mut views = Vec::new();
        for (fingerprint, alert) in alerts {
            if alert.ends_at.is_some_and(|end| end < now)
                || !matcher::all_match(&filter.matchers, &alert.labels)
            {
                continue;
            }
            let routes = generation.root.find(&alert.labels);
            let receivers: Vec<String> =
                routes.iter().map(|route| route.options.receiver.clone()).collect();
            if !filter.wants_receivers(&receivers, &generation) {
                continue;
            }
            let status = AlertStatus::default();
            views.push(AlertView { alert, fingerprint, receivers, status });
        }
        self.fill_statuses(views.iter_mut(), now);
        views.retain(|view| filter.wants_status(&view.status));
        views.sort_unstable_by_key(|view| view.fingerprint);
        views
    }

    /// The groups that have alerts that `filter` lets through, by labels and receiver.
    pub fn groups(&self, filter: &AlertFilter) -> Vec<GroupView> {
        let Some(generation) = self.shared.generation() else { return Vec::new() };
        let now = self.now();
        let wants = |receiver: &String, muted_by: &[String]| {
            filter.wants_receivers(std::slice::from_ref(receiver), &generation)
                && (filter.muted || muted_by.is_empty())
        };
        let mut snapshots: Vec<Snapshot> = {
            let state = self.shared.state.lock();
            let groups = state.dispatcher.iter().flat_map(|dispatcher| dispatcher.groups());
            let wanted = groups.filter(|it| wants(&it.route.options.receiver, &it.muted_by));
            wanted
                .map(|group| Snapshot {
                    labels: group.labels.clone(),
                    route: group.route.clone(),
                    key: group.key.clone(),
                    muted_by: group.muted_by.clone(),
                    alerts: group.alerts().map(|(id, alert, _)| (id, alert.clone())).collect(),
                })
                .collect()
        };
        snapshots.sort_by(|a, b| {
            alert::compare_labels(&a.labels, &b.labels)
                .then_with(|| a.route.options.receiver.cmp(&b.route.options.receiver))
                .then_with(|| a.route.id.cmp(&b.route.id))
        });
        let receivers = receivers_of_alerts(&snapshots);
        let mut groups: Vec<GroupView> = snapshots
            .into_iter()
            .map(|group| self.group_view(group, filter, &receivers, &generation, now))
            .collect();
        self.fill_statuses(groups.iter_mut().flat_map(|group| group.alerts.iter_mut()), now);
        for group in &mut groups {
            group.alerts.retain(|view| filter.wants_status(&view.status));
            group.alerts.sort_unstable_by_key(|view| view.fingerprint);
        }
        groups.retain(|group| !group.alerts.is_empty());
        groups
    }

    fn group_view(
        &self,
        group: Snapshot,
        filter: &AlertFilter,
        receivers: &HashMap<Fingerprint, Vec<String>>,
        generation: &Generation,
        now: Time,
    ) -> GroupView {
        let route_labels = self.rendered_labels(&group, generation, now);
        let wanted = group.alerts.into_iter().filter(|(_, alert)| {
            alert.ends_at.is_none_or(|end| end >= now)
                && matcher::all_match(&filter.matchers, &alert.labels)
        });
        let alerts = wanted.map(|(fingerprint, alert)| AlertView {
            alert,
            fingerprint,
            receivers: receivers.get(&fingerprint).cloned().unwrap_or_default(),
            status: AlertStatus { muted_by: group.muted_by.clone(), ..AlertStatus::default() },
        });
        GroupView {
            alerts: alerts.collect(),
            labels: group.labels,
            receiver: group.route.options.receiver.clone(),
            route_labels,
            key: group.key.to_string(),
            route_id: group.route.id.clone(),
        }
    }

    /// The labels of the group's route, rendered.
    fn rendered_labels(
        &self,
        group: &Snapshot,
        generation: &Generation,
        now: Time,
    ) -> BTreeMap<String, String> {
        let options = &group.route.options;
        if options.labels.is_empty() {
            return BTreeMap::new();
        }
        let notification = Notification {
            group_key: group.key.to_string(),
            group_labels: group.labels.clone(),
            receiver: options.receiver.clone(),
            alerts: group.alerts.iter().map(|(_, alert)| alert.clone()).collect(),
            now,
            repeat_interval: options.repeat_interval,
            reason: Reason::Unknown,
            route_labels: BTreeMap::new(),
            store: Store::default(),
        };
        let data = generation.template.data(&notification);
        pipeline::route_labels(generation, &options.labels, &data)
    }

    /// Finds what keeps each alert quiet now; time intervals are there already.
    fn fill_statuses<'a>(&self, views: impl Iterator<Item = &'a mut AlertView>, now: Time) {
        let mut views = views.peekable();
        while views.peek().is_some() {
            let mut state = self.shared.state.lock();
            for view in views.by_ref().take(STATUS_BATCH) {
                let muted_by = std::mem::take(&mut view.status.muted_by);
                let status = state.status(view.fingerprint, &view.alert.labels, now);
                view.status = status.with_muted_by(&muted_by);
            }
        }
    }

    /// The silences in one of `states` that have all `matchers` in one set: active ones by their
    /// end, pending ones by their start, expired ones by their end, latest first.
    pub fn silences(&self, states: &[State], matchers: &[Matcher]) -> Vec<SilenceView> {
        let now = self.now();
        self.shared.metrics.silences.queries.increment();
        let start = self.shared.runtime.clock.monotonic();
        let mut views: Vec<SilenceView> = {
            let state = self.shared.state.lock();
            let all = state.silences.query(&Query::default(), now).unwrap_or_default();
            let with_state = all.into_iter().map(|silence| (silence.state(now), silence));
            with_state
                .filter(|(state, silence)| {
                    states.contains(state) && silence_has_matchers(silence, matchers)
                })
                .map(|(state, silence)| SilenceView { silence: silence.clone(), state })
                .collect()
        };
        views.sort_by(compare_silences);
        let duration = self.shared.runtime.clock.monotonic() - start;
        self.shared.metrics.silences.query_duration.observe_duration(duration);
        views
    }

    pub fn silence(&self, id: &str) -> Option<SilenceView> {
        let now = self.now();
        let silence: Silence = self.shared.state.lock().silences.get(id)?.clone();
        Some(SilenceView { state: silence.state(now), silence })
    }

    /// The receivers whose labels all `matchers` match, in the order of the configuration.
    pub fn receivers(&self, matchers: &[Matcher]) -> Vec<ReceiverView> {
        let Some(generation) = self.shared.generation() else { return Vec::new() };
        let views = generation.receiver_views.iter();
        views.filter(|view| view.matches(matchers)).cloned().collect()
    }

    /// The tree of routes in force; nothing before there is a configuration.
    pub fn routes(&self) -> Option<Arc<Route>> {
        Some(self.shared.generation()?.root.clone())
    }

    /// All ways to tell the receivers, in the order of the configuration.
    pub fn integrations(&self) -> Vec<ReceiverKey> {
        let Some(generation) = self.shared.generation() else { return Vec::new() };
        let views = generation.receiver_views.iter();
        let receivers = views.filter_map(|view| generation.receivers.get(&view.name));
        let keys = receivers.flat_map(|receiver| {
            receiver.integrations.iter().map(|integration| ReceiverKey {
                group_name: receiver.name.clone(),
                integration: integration.name().to_owned(),
                idx: integration.idx() as u32,
            })
        });
        keys.collect()
    }

    /// The latest notifications of this node, and those of others that it has heard of.
    pub fn history(&self, filter: &HistoryFilter) -> Vec<Told> {
        self.shared.state.lock().history.query(filter)
    }

    pub fn status(&self) -> StatusView {
        let generation = self.shared.generation();
        StatusView {
            started_at: self.shared.started.time,
            cluster: self.shared.cluster.status(),
            config: generation.map_or_else(|| Arc::from(""), |it| it.text.clone()),
        }
    }
}

impl AlertFilter {
    /// Whether one of `names` is wanted.
    fn wants_receivers(&self, names: &[String], generation: &Generation) -> bool {
        let by_name =
            self.receiver.as_ref().is_none_or(|regex| names.iter().any(|it| regex.is_match(it)));
        by_name
            && (self.receiver_matchers.is_empty() || {
                let mut views = generation.receiver_views.iter();
                views
                    .any(|view| names.contains(&view.name) && view.matches(&self.receiver_matchers))
            })
    }

    fn wants_status(&self, status: &AlertStatus) -> bool {
        (self.active || status.state != AlertState::Active)
            && (self.silenced || status.silenced_by.is_empty())
            && (self.inhibited || status.inhibited_by.is_empty())
    }
}

impl ReceiverView {
    fn matches(&self, matchers: &[Matcher]) -> bool {
        let value = |name: &str| self.labels.get(name).map_or("", String::as_str);
        matchers.iter().all(|matcher| matcher.matches(value(&matcher.name)))
    }
}

/// Which receivers the groups take each alert to, sorted.
fn receivers_of_alerts(groups: &[Snapshot]) -> HashMap<Fingerprint, Vec<String>> {
    let mut receivers: HashMap<Fingerprint, Vec<String>> = HashMap::new();
    for group in groups {
        for (fingerprint, _) in &group.alerts {
            let names = receivers.entry(*fingerprint).or_default();
            names.push(group.route.options.receiver.clone());
        }
    }
    for names in receivers.values_mut() {
        names.sort_unstable();
    }
    receivers
}

fn compare_silences(a: &SilenceView, b: &SilenceView) -> std::cmp::Ordering {
    a.state.cmp(&b.state).then_with(|| match a.state {
        State::Active => a.silence.ends_at.cmp(&b.silence.ends_at),
        State::Pending => a.silence.starts_at.cmp(&b.silence.starts_at),
        State::Expired => b.silence.ends_at.cmp(&a.silence.ends_at),
    })
}
