//! The HTTP surface: there from the first moment, and the last to go.

use std::sync::Arc;

use api::prometheus::{
    Origins, Search, State,
    pages::Pages,
    targets::{GlobalUrl, Targets},
};
use runtime::network::Listener;
use transport::server::Limits;

use super::{
    Options, Server,
    cluster::{AllTargets, ClusterAdapter},
    surface::{AdminAdapter, EngineAdapter, RulesAdapter, StatusAdapter, TargetsAdapter},
};
use crate::{
    Error, Result, build,
    listen::{Web, guard},
    reload, traces,
};

impl Server {
    /// Starts to serve; what is not there yet answers "not ready".
    pub(super) fn start_web(
        &self,
        listeners: Vec<Box<dyn Listener>>,
        wishes: reload::Handle,
    ) -> Result<Web> {
        let router = api::prometheus::router(self.surface(wishes)?);
        let router = traces::traced(router, self.components.queries.tracer());
        let web = &self.options.web;
        let limits = Limits {
            connections: web.connections_max,
            read_timeout: web.read_timeout,
            ..Limits::default()
        };
        let guard = guard(web.config_file.as_deref(), &self.runtime)?;
        Ok(Web::start(listeners, router, limits, self.runtime.clock.clone(), guard))
    }

    fn surface(&self, wishes: reload::Handle) -> Result<State> {
        let Options { web, query, .. } = &*self.options;
        let cors = Origins::new(&web.cors_origin)
            .map_err(|error| Error::Flag { flag: "web.cors.origin", reason: error.to_string() })?;
        let status = StatusAdapter {
            options: self.options.clone(),
            started: self.runtime.clock.now(),
            shown: self.shown.clone(),
            config_state: self.config_state.clone(),
            storage: self.storage.clone(),
            replay: self.replay.clone(),
            readiness: self.readiness.clone(),
            notifier: self.components.notifier.clone(),
            tasks: tokio::runtime::Handle::current(),
        };
        let lifecycle: Arc<dyn api::prometheus::lifecycle::Lifecycle> = Arc::new(wishes);
        let admin: Arc<dyn api::prometheus::admin::Admin> = Arc::new(AdminAdapter {
            storage: self.storage.clone(),
            directory: self.options.storage.directory.clone(),
            runtime: self.runtime.clone(),
            members: self.clustering.as_ref().map(|clustering| clustering.repair.clone()),
            tasks: tokio::runtime::Handle::current(),
        });
        let shown = self.shown.clone();
        Ok(State {
            engine: Arc::new(EngineAdapter { queries: self.components.queries.clone() }),
            storage: Arc::new(self.components.fanout.clone()),
            targets: self.targets(),
            rules: Arc::new(RulesAdapter(self.components.rule_statuses())),
            status: Arc::new(status),
            lifecycle: web.enable_lifecycle.then_some(lifecycle),
            remote_write: self.remote_write_receiver(),
            remote_read: self.options.agent.is_none().then(|| self.remote_read_server()),
            otlp: self.otlp.clone(),
            admin: web.enable_admin_api.then_some(admin),
            search: self
                .options
                .has_feature("search-api")
                .then_some(Search { limit_max: web.search_limit_max }),
            profiles: web.profiles.clone(),
            pages: Pages {
                title: web.page_title.clone(),
                external_url: web.external_url.clone(),
                consoles: web.consoles.clone(),
                console_libraries: web.console_libraries.clone(),
                user_assets: web.user_assets.clone(),
            },
            listeners_max: web.listeners_max,
            cluster: self.clustering.as_ref().map(|clustering| {
                Arc::new(ClusterAdapter::of(clustering, self.components.scrape.clone()))
                    as Arc<dyn api::prometheus::cluster::Cluster>
            }),
            readiness: self.readiness.clone(),
            is_agent: self.options.agent.is_some(),
            registry: self.registry.clone(),
            runtime: self.runtime.clone(),
            build_info: build::info(build::PROMETHEUS),
            global_url: global_url(&self.options),
            cors,
            product: match self.options.agent {
                Some(_) => "Prometheus Agent".to_owned(),
                None => "Prometheus Server".to_owned(),
            },
            route_prefix: web.route_prefix.clone(),
            external_path: external_path(&web.external_url),
            external_labels: Arc::new(move || shown.external_labels()),
            lookback_delta: query.lookback,
        })
    }

    /// Those of all members, where each has its own.
    fn targets(&self) -> Arc<dyn Targets> {
        let scrape = self.components.scrape.clone();
        let own = TargetsAdapter { scrape, shown: self.shown.clone() };
        match &self.clustering {
            Some(clustering) => Arc::new(AllTargets::new(own, clustering.members.clone())),
            None => Arc::new(own),
        }
    }
}

fn global_url(options: &Options) -> GlobalUrl {
    let url = &options.web.external_url;
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    GlobalUrl {
        listen_address: options.web.listen_addresses.first().cloned().unwrap_or_default(),
        host: rest.split('/').next().unwrap_or_default().to_owned(),
        scheme: scheme.to_owned(),
    }
}

/// What follows the host in the external URL, with the slash in front.
fn external_path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"))
}
