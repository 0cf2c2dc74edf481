use std::sync::Arc;

use api::alertmanager::State;
use runtime::network::Listener;
use transport::server::Limits;

use super::{Node, STOP_LIMIT};
use crate::{
    Result, build,
    listen::{Web, guard},
    reload, traces,
};

impl Node {
    pub(super) fn start_web(
        &self,
        listeners: Vec<Box<dyn Listener>>,
        wishes: reload::Handle,
    ) -> Result<Web> {
        let router = api::alertmanager::router(State {
            alertmanager: self.handle.clone(),
            reload: Arc::new(wishes),
            registry: self.registry.clone(),
            runtime: self.runtime.clone(),
            build_info: build::info(build::ALERTMANAGER),
            mode: self.features.mode,
            route_prefix: self.options.route_prefix.clone(),
            get_concurrency: self.options.get_concurrency.unwrap_or_default(),
            timeout: self.options.request_timeout,
        });
        let router = traces::traced(router, self.traces.tracer.clone());
        let limits = Limits { drain_timeout: STOP_LIMIT, ..Limits::default() };
        let guard = guard(self.options.web_config_file.as_deref(), &self.runtime)?;
        Ok(Web::start(listeners, router, limits, self.runtime.clock.clone(), guard))
    }
}
