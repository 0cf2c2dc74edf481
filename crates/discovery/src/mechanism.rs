use std::sync::Arc;

use model::TargetGroup;
use runtime::{BoxFuture, Runtime};

use crate::{
    Metrics,
    publish::Provided,
    refresh::{Polled as _, Refresh},
};

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

/// The mechanisms: what their settings are called, in which file they are, their name in metrics
/// and logs. Some watch; the others ask now and then.
macro_rules! mechanisms {
    (
        watching { $($watching:ident($watching_file:ident::$discoverer:ident) = $watching_name:literal,)* }
        asking { $($asking:ident($file:ident) = $name:literal,)* }
    ) => {
        /// One entry of `*_sd_configs` or `static_configs`: a mechanism with its settings.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Config {
            /// All groups of one `static_configs`.
            Static(Vec<TargetGroup>),
            File(crate::file::Config),
            $($watching(crate::$watching_file::Config),)*
            $($asking(crate::$file::Config),)*
        }

        impl Config {
            /// The mechanism's name in metrics and logs.
            pub fn mechanism(&self) -> &'static str {
                match self {
                    Config::Static(_) => "static",
                    Config::File(_) => "file",
                    $(Config::$watching(_) => $watching_name,)*
                    $(Config::$asking(_) => $name,)*
                }
            }
        }

        /// Makes the mechanism for the set; the error says why it cannot work at all.
        pub(crate) fn build(
            config: &Config,
            set: &str,
            runtime: &Runtime,
            metrics: &Metrics,
        ) -> Result<Mechanism, String> {
            let running: Box<dyn Discoverer> = match config {
                Config::Static(groups) => return Ok(Mechanism::Fixed(groups.clone())),
                Config::File(config) => Box::new(crate::file::Files::new(
                    config.clone(),
                    runtime.clone(),
                    metrics.file.clone(),
                )),
                $(Config::$watching(config) => {
                    Box::new(crate::$watching_file::$discoverer::new(config, runtime)?)
                })*
                $(Config::$asking(config) => Box::new(Refresh {
                    lookup: config.lookup(runtime)?,
                    interval: config.refresh_interval,
                    runtime: runtime.clone(),
                    metrics: metrics.of_refreshes($name, set),
                    mechanism: $name,
                    set: set.to_owned(),
                }),)*
            };
            Ok(Mechanism::Running(running))
        }
    };
}

mechanisms! {
    watching {
        Consul(consul::Consul) = "consul",
        Kubernetes(kubernetes::Kubernetes) = "kubernetes",
        Nerve(nerve::Nerve) = "nerve",
        Serverset(serverset::Serverset) = "serverset",
    }
    asking {
        Azure(azure) = "azure",
        DigitalOcean(digitalocean) = "digitalocean",
        Dns(dns) = "dns",
        Docker(docker) = "docker",
        DockerSwarm(dockerswarm) = "dockerswarm",
        Ec2(ec2) = "ec2",
        Ecs(ecs) = "ecs",
        Elasticache(elasticache) = "elasticache",
        Eureka(eureka) = "eureka",
        Gce(gce) = "gce",
        Hetzner(hetzner) = "hetzner",
        Http(http) = "http",
        Ionos(ionos) = "ionos",
        Kuma(kuma) = "kuma",
        Lightsail(lightsail) = "lightsail",
        Linode(linode) = "linode",
        Marathon(marathon) = "marathon",
        Msk(msk) = "msk",
        Nomad(nomad) = "nomad",
        Oci(oci) = "oci",
        OpenStack(openstack) = "openstack",
        Outscale(outscale) = "outscale",
        OvhCloud(ovhcloud) = "ovhcloud",
        PuppetDb(puppetdb) = "puppetdb",
        Rds(rds) = "rds",
        Scaleway(scaleway) = "scaleway",
        Stackit(stackit) = "stackit",
        Triton(triton) = "triton",
        Uyuni(uyuni) = "uyuni",
        Vultr(vultr) = "vultr",
    }
}
