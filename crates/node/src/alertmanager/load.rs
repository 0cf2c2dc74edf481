//! From the files on the disk to everything that an Alertmanager needs, or to what is wrong.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alertmanager::{Config, Template, matcher::Mode, route::RouteConfig};
use config::alertmanager as file;
use md5::{Digest as _, Md5};
use runtime::Runtime;
use telemetry::trace::Tracer;

use crate::traces::notifying::traced;

/// Upstream's values for the root of the routes.
const GROUP_INTERVAL: Duration = Duration::from_secs(5 * 60);
const REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 3600);

/// How to load, again and again.
#[derive(Clone)]
pub(super) struct Loader {
    pub(super) path: PathBuf,
    pub(super) external_url: String,
    pub(super) mode: Mode,
    pub(super) retention: Duration,
    pub(super) runtime: Runtime,
    pub(super) tracer: Tracer,
}

/// A configuration with nothing left that could be wrong in itself.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) events: file::EventRecorder,
    pub(super) tracing: config::prometheus::Tracing,
    /// For operators to compare nodes by.
    pub(super) hash: f64,
    pub(super) warnings: Vec<String>,
}

impl Loader {
    /// Reads the file and all files that it names. Blocks on the disk.
    pub(super) fn load(&self) -> Result<Loaded, String> {
        let disk = &*self.runtime.disk;
        let file = file::load(disk, &self.path, self.mode).map_err(|error| error.to_string())?;
        let template = Arc::new(self.read_templates(&file)?);
        let route = file.route();
        let receivers = self.build_receivers(&file, &route, &template)?;
        let mut warnings = file.warnings.clone();
        let (events, tracing) = (file.file.event_recorder.clone(), file.file.tracing.clone());
        warn_of_intervals(&route, (GROUP_INTERVAL, REPEAT_INTERVAL), self.retention, &mut warnings);
        let config = Config {
            resolve_timeout: file.global().resolve_timeout.0,
            route,
            receivers,
            inhibit_rules: file.inhibit_rules(),
            time_intervals: file.time_intervals(),
            template,
            text: file.to_yaml().into(),
        };
        Ok(Loaded { config, events, tracing, hash: hash(&file.text), warnings })
    }

    fn read_templates(&self, file: &file::Config) -> Result<Template, String> {
        let disk = &*self.runtime.disk;
        let mut template = Template::new(&self.external_url, self.runtime.clock.clone());
        let paths =
            file.template_paths(disk).map_err(|error| format!("find templates: {error}"))?;
        for path in paths {
            let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
            let broken = |error: String| format!("template {path}: {error}");
            let text =
                disk.read_to_string(Path::new(&path)).map_err(|error| broken(error.to_string()))?;
            template.parse(&name, &text).map_err(|error| broken(error.to_string()))?;
        }
        Ok(template)
    }

    /// Those that a route names can send; the others are there to be listed.
    fn build_receivers(
        &self,
        file: &file::Config,
        route: &RouteConfig,
        template: &Arc<Template>,
    ) -> Result<Vec<alertmanager::Receiver>, String> {
        let named = route.receivers();
        let context =
            receivers::Context { runtime: self.runtime.clone(), template: template.clone() };
        let mut built = Vec::new();
        for receiver in file.receivers() {
            if named.contains(receiver.name.as_str()) {
                let receiver = receivers::build(receiver, &context);
                let receiver = receiver.map_err(|error| error.to_string())?;
                built.push(traced(receiver, &self.tracer));
            } else {
                tracing::info!(
                    receiver = receiver.name,
                    "skipping creation of receiver not referenced by any route"
                );
                built.push(alertmanager::Receiver {
                    name: receiver.name.clone(),
                    labels: receiver.labels.clone(),
                    integrations: Vec::new(),
                });
            }
        }
        Ok(built)
    }
}

/// Upstream's advice on intervals that do not do what they seem to; `inherited` are the group
/// interval and the repeat interval from above.
fn warn_of_intervals(
    route: &RouteConfig,
    inherited: (Duration, Duration),
    retention: Duration,
    warnings: &mut Vec<String>,
) {
    let group = route.group_interval.unwrap_or(inherited.0);
    let repeat = route.repeat_interval.unwrap_or(inherited.1);
    if repeat > retention {
        warnings.push("repeat_interval is greater than the data retention period. It can lead to notifications being repeated more often than expected.".to_owned());
    }
    if repeat < group {
        warnings.push("repeat_interval is less than group_interval. Notifications will not repeat until the next group_interval.".to_owned());
    }
    for child in &route.routes {
        warn_of_intervals(child, (group, repeat), retention, warnings);
    }
}

/// Upstream's: the first six bytes of the text's MD5 sum as a number.
pub(super) fn hash(text: &str) -> f64 {
    let sum = Md5::digest(text.as_bytes());
    let number =
        sum.iter().take(6).rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number as f64
}
