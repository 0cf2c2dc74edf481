use std::sync::Arc;

use model::TargetGroup;
use runtime::{BoxFuture, Runtime};

use crate::{Config, Metrics, file, publish::Provided};

/// A way to find targets that goes on for as long as somebody wants them.
///
/// It says what it finds through [`Updates`] and keeps quiet about what has not changed. When it
/// cannot look, it counts and logs that: what it said before stays true. Its future is dropped when
/// nobody wants the targets any more.
pub trait Discoverer: Send {
    fn run(self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()>;
}

/// How a mechanism says what it found.
#[derive(Clone)]
pub struct Updates(pub(crate) Arc<Provided>);

impl Updates {
    /// Replaces the groups of these sources; a group without targets removes its source.
    pub fn send(&self, groups: Vec<TargetGroup>) {
        self.0.update(groups);
    }
}

/// What stands behind a [`Config`].
pub(crate) enum Mechanism {
    /// Known without looking.
    Fixed(Vec<TargetGroup>),
    Running(Box<dyn Discoverer>),
}

/// The table of mechanisms; the error says why one cannot work at all.
pub(crate) fn build(
    config: &Config,
    runtime: &Runtime,
    metrics: &Metrics,
) -> Result<Mechanism, String> {
    Ok(match config {
        Config::Static(groups) => Mechanism::Fixed(groups.clone()),
        Config::File(config) => Mechanism::Running(Box::new(file::Files::new(
            config.clone(),
            runtime.clone(),
            metrics.file.clone(),
        ))),
    })
}
