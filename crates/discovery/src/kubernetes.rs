//! `kubernetes_sd_configs`: nodes, pods, services, endpoints and ingresses of a cluster.
//!
//! Each kind of object that a role needs is listed and then watched by a task of its own; the loop
//! here keeps what they say and, when it has calmed down, works out the targets.

mod access;
mod endpoints;
mod objects;
mod reflector;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use model::TargetGroup;
use runtime::{BoxFuture, Runtime};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinSet};
use transport::client;

use self::{
    access::Server,
    reflector::{Change, Event, Reflector},
};
use crate::{Discoverer, Updates, found::get, refresh};

/// Changes that wait to be taken in.
const QUEUE: usize = 1024;
/// Changes come in bursts; targets are worked out when there was none for so long…
const CALM: Duration = Duration::from_millis(100);
/// … or so long after the first.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub role: Role,
    pub access: Access,
    /// Empty means all, unless it is our own.
    pub namespaces: Vec<String>,
    pub own_namespace: bool,
    pub selectors: Vec<Selector>,
    pub attach: Attach,
}

/// What becomes a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Node,
    Pod,
    Service,
    Endpoints,
    EndpointSlice,
    Ingress,
}

/// Where the API server is, and who we are there.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// The cluster that we run in, as its service account.
    InCluster,
    Kubeconfig(PathBuf),
    Server {
        url: String,
        http: Box<client::Config>,
    },
}

/// Which objects to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    pub role: Role,
    pub label: String,
    pub field: String,
}

/// Labels of other objects to add to targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attach {
    pub node: bool,
    pub namespace: bool,
    /// The name of a pod's deployment, of its job and of that one's schedule.
    pub deployment: bool,
    pub job: bool,
    pub cronjob: bool,
}

/// A kind of object, as the API server names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Nodes,
    Namespaces,
    Pods,
    Services,
    Endpoints,
    EndpointSlices,
    Ingresses,
    ReplicaSets,
    Jobs,
}

impl Kind {
    /// The path of all of them, or of those in a namespace.
    fn path(self, namespace: Option<&str>) -> String {
        let (group, name) = match self {
            Kind::Nodes => ("/api/v1", "nodes"),
            Kind::Namespaces => ("/api/v1", "namespaces"),
            Kind::Pods => ("/api/v1", "pods"),
            Kind::Services => ("/api/v1", "services"),
            Kind::Endpoints => ("/api/v1", "endpoints"),
            Kind::EndpointSlices => ("/apis/discovery.k8s.io/v1", "endpointslices"),
            Kind::Ingresses => ("/apis/networking.k8s.io/v1", "ingresses"),
            Kind::ReplicaSets => ("/apis/apps/v1", "replicasets"),
            Kind::Jobs => ("/apis/batch/v1", "jobs"),
        };
        match namespace.filter(|_| self.is_in_namespace()) {
            Some(namespace) => format!("{group}/namespaces/{namespace}/{name}"),
            None => format!("{group}/{name}"),
        }
    }

    fn is_in_namespace(self) -> bool {
        !matches!(self, Kind::Nodes | Kind::Namespaces)
    }

    /// The role whose selectors apply.
    fn role(self) -> Option<Role> {
        match self {
            Kind::Nodes => Some(Role::Node),
            Kind::Namespaces | Kind::ReplicaSets | Kind::Jobs => None,
            Kind::Pods => Some(Role::Pod),
            Kind::Services => Some(Role::Service),
            Kind::Endpoints => Some(Role::Endpoints),
            Kind::EndpointSlices => Some(Role::EndpointSlice),
            Kind::Ingresses => Some(Role::Ingress),
        }
    }
}

impl Config {
    /// The kinds of objects that targets are made of.
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds = match self.role {
            Role::Node => vec![Kind::Nodes],
            Role::Pod => vec![Kind::Pods],
            Role::Service => vec![Kind::Services],
            Role::Endpoints => vec![Kind::Endpoints, Kind::Services, Kind::Pods],
            Role::EndpointSlice => vec![Kind::EndpointSlices, Kind::Services, Kind::Pods],
            Role::Ingress => vec![Kind::Ingresses],
        };
        let has_pods = kinds.contains(&Kind::Pods);
        if self.attach.node && has_pods {
            kinds.push(Kind::Nodes);
        }
        if self.attach.deployment && has_pods {
            kinds.push(Kind::ReplicaSets);
        }
        if self.attach.cronjob && has_pods {
            kinds.push(Kind::Jobs);
        }
        if self.attach.namespace && self.role != Role::Node {
            kinds.push(Kind::Namespaces);
        }
        kinds
    }
}

/// Everything that is known of the cluster.
#[derive(Default)]
struct Cluster {
    /// By kind, then by `namespace/name`.
    objects: BTreeMap<Kind, BTreeMap<String, Arc<Value>>>,
    attach: Attach,
}

impl Cluster {
    fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Value> {
        let objects = self.objects.get(&kind)?;
        objects.get(&format!("{namespace}/{name}")).map(|object| &**object)
    }

    fn all(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        self.objects.get(&kind).into_iter().flat_map(|objects| objects.values().map(|o| &**o))
    }

    /// Takes in what changed in a namespace, or everywhere.
    fn apply(&mut self, kind: Kind, namespace: Option<&str>, change: Change) {
        let objects = self.objects.entry(kind).or_default();
        match change {
            Change::All(new) => {
                let prefix = namespace.map(|namespace| format!("{namespace}/"));
                let is_elsewhere = |key: &String| match &prefix {
                    Some(prefix) => !key.starts_with(prefix.as_str()),
                    None => false,
                };
                objects.retain(|key, _| is_elsewhere(key));
                objects.extend(new.into_iter().map(|object| (key(&object), Arc::new(object))));
            }
            Change::One(object) => drop(objects.insert(key(&object), Arc::new(object))),
            Change::Gone(object) => drop(objects.remove(&key(&object))),
        }
    }

    fn groups(&self, role: Role) -> Vec<TargetGroup> {
        match role {
            Role::Node => self.all(Kind::Nodes).map(objects::node).collect(),
            Role::Pod => self.all(Kind::Pods).map(|pod| objects::pod(pod, self)).collect(),
            Role::Service => {
                self.all(Kind::Services).map(|service| objects::service(service, self)).collect()
            }
            Role::Ingress => {
                self.all(Kind::Ingresses).map(|ingress| objects::ingress(ingress, self)).collect()
            }
            Role::Endpoints => {
                let all = self.all(Kind::Endpoints);
                all.map(|endpoints| endpoints::endpoints(endpoints, self)).collect()
            }
            Role::EndpointSlice => {
                let all = self.all(Kind::EndpointSlices);
                all.map(|slice| endpoints::slice(slice, self)).collect()
            }
        }
    }
}

fn key(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!("{}/{}", get(metadata, "namespace"), get(metadata, "name"))
}

/// Watches a cluster.
pub(crate) struct Kubernetes {
    config: Config,
    server: Arc<Server>,
    runtime: Runtime,
}

impl Kubernetes {
    pub(crate) fn new(config: &Config, runtime: &Runtime) -> Result<Kubernetes, String> {
        let server = Arc::new(Server::new(&config.access, runtime)?);
        Ok(Kubernetes { config: config.clone(), server, runtime: runtime.clone() })
    }

    /// A task for each kind of object in each namespace, and how many they are.
    fn watch(&self, events: &mpsc::Sender<Event>) -> (JoinSet<()>, usize) {
        let mut namespaces: Vec<Option<String>> =
            self.config.namespaces.iter().cloned().map(Some).collect();
        if self.config.own_namespace {
            namespaces.push(Some(self.server.namespace.clone()));
        }
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        let mut tasks = JoinSet::new();
        for kind in self.config.kinds() {
            let places = if kind.is_in_namespace() { &namespaces[..] } else { &[None] };
            for namespace in places {
                let selector = self.config.selectors.iter();
                let selector =
                    selector.into_iter().find(|selector| Some(selector.role) == kind.role());
                let reflector = Reflector {
                    server: self.server.clone(),
                    runtime: self.runtime.clone(),
                    kind,
                    namespace: namespace.clone(),
                    selector: selector.cloned(),
                    events: events.clone(),
                };
                tasks.spawn(reflector.run());
            }
        }
        let n_tasks = tasks.len();
        (tasks, n_tasks)
    }
}

impl Discoverer for Kubernetes {
    fn run(self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let (sender, mut events) = mpsc::channel(QUEUE);
            // They end when this future is dropped.
            let (_tasks, n_tasks) = self.watch(&sender);
            let mut cluster = Cluster { attach: self.config.attach, ..Cluster::default() };
            let mut listed = BTreeSet::new();
            let mut last = None;
            let clock = self.runtime.clock.clone();
            while let Some(event) = events.recv().await {
                let until = clock.monotonic() + PATIENCE;
                let mut next = Some(event);
                while let Some(Event { kind, namespace, change }) = next {
                    if matches!(change, Change::All(_)) {
                        listed.insert((kind, namespace.clone()));
                    }
                    cluster.apply(kind, namespace.as_deref(), change);
                    next = if clock.monotonic() < until {
                        runtime::clock::timeout(&*clock, CALM, events.recv()).await.flatten()
                    } else {
                        None
                    };
                }
                // Half of the picture would look as if the other half were gone.
                if listed.len() < n_tasks {
                    continue;
                }
                let groups = runtime::blocking(|| cluster.groups(self.config.role));
                if let Some(changes) = refresh::changes(&mut last, groups) {
                    updates.send(changes);
                }
            }
        })
    }
}
