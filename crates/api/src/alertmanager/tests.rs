mod answers;
mod any_bytes;
mod tables;

use std::{collections::BTreeMap, sync::Arc};

use ::alertmanager::{
    Alertmanager, Config, GroupBy, Mode, Options, Receiver, RouteConfig, Template, TimeIntervals,
    cluster::Alone,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::BodyExt as _;
use runtime::{BoxFuture, Simulation};
use tower::ServiceExt as _;

use super::{BuildInfo, Reload, State, router};

/// Reloads as told.
struct Reloads(Result<(), String>);

impl Reload for Reloads {
    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}

/// An Alertmanager behind its API, and the world around both.
struct World {
    simulation: Simulation,
    alertmanager: Arc<Alertmanager>,
    state: Box<dyn Fn(State) -> State>,
    mode: Mode,
    tasks: tokio::runtime::Runtime,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("it is text"))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A configuration whose receivers have no integrations.
fn config(route: RouteConfig, receivers: Vec<Receiver>, simulation: &Simulation) -> Config {
    Config {
        resolve_timeout: std::time::Duration::from_secs(300),
        route,
        receivers,
        inhibit_rules: Vec::new(),
        time_intervals: TimeIntervals::default(),
        template: Arc::new(Template::new("http://am", simulation.runtime().clock)),
        text: "".into(),
    }
}

fn receiver(name: &str, labels: &[(&str, &str)]) -> Receiver {
    let mut all: BTreeMap<String, String> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.insert("name".to_owned(), name.to_owned());
    Receiver { name: name.to_owned(), labels: all, integrations: Vec::new() }
}

impl World {
    fn new() -> World {
        let names = GroupBy::Labels(["alertname".to_owned()].into());
        let route = RouteConfig {
            receiver: Some("team-X".to_owned()),
            group_by: Some(names),
            ..RouteConfig::default()
        };
        World::with(route, vec![receiver("team-X", &[]), receiver("team-Y", &[])], Mode::default())
    }

    fn with(route: RouteConfig, receivers: Vec<Receiver>, mode: Mode) -> World {
        let simulation = Simulation::new(1);
        let tasks = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
        let options = Options { mode, ..Options::new("data") };
        let registry = telemetry::Registry::default();
        let config = config(route, receivers, &simulation);
        let alertmanager = tasks.block_on(async {
            let runtime = simulation.runtime();
            let alertmanager =
                Alertmanager::open(options, runtime, &registry, Arc::new(Alone)).expect("it opens");
            alertmanager.apply(config).await;
            Arc::new(alertmanager)
        });
        World { simulation, alertmanager, state: Box::new(|state| state), mode, tasks }
    }

    /// The world with another state for the API.
    fn with_state(self, change: impl Fn(State) -> State + 'static) -> World {
        World { state: Box::new(change), ..self }
    }

    fn router(&self) -> Router {
        let state = State {
            alertmanager: self.alertmanager.clone(),
            reload: Arc::new(Reloads(Ok(()))),
            registry: telemetry::Registry::default(),
            runtime: self.simulation.runtime(),
            build_info: BuildInfo { version: "0.34.0".to_owned(), ..BuildInfo::default() },
            mode: self.mode,
            route_prefix: "/".to_owned(),
            get_concurrency: 0,
            timeout: None,
        };
        router((self.state)(state))
    }

    fn send(&self, request: Request<Body>) -> Answer {
        let router = self.router();
        self.tasks.block_on(async {
            let response = router.oneshot(request).await.expect("a router always answers");
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.expect("it ends well").to_bytes();
            let body = String::from_utf8_lossy(&bytes).into_owned();
            Answer { status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }

    fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("it is a URL"))
    }

    fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).expect("it is a URL"))
    }

    fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.into().into()).expect("it is a URL"))
    }
}
