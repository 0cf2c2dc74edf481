//! From sections of service discovery to the mechanisms that they ask for: for each, the settings
//! that have the same name in both, then those that have not.

use std::path::PathBuf;

use discovery::{
    Config, aws, azure, consul, digitalocean, dns, docker, dockerswarm, ec2, ecs, elasticache,
    eureka, file, gce, hetzner, http, ionos, kubernetes, kuma, lightsail, linode, marathon, msk,
    nerve, nomad, oci, openstack, outscale, ovhcloud, puppetdb, rds, scaleway, serverset, stackit,
    triton, uyuni, vultr,
};
use model::{Labels, TargetGroup};
use receivers::http_config;
use transport::client::{self, Error, Secret, SigV4};

use super::{self as sd, Discovery};
use crate::{
    decode::List,
    http::{HttpClient, Tls},
    values,
};

type Result<T, E = Error> = std::result::Result<T, E>;

/// What a written value means to a mechanism.
trait Means<T> {
    fn means(&self) -> Result<T>;
}

macro_rules! value {
    ($it:ident, $field:ident) => {
        $it.$field.means()?
    };
    ($it:ident, $field:ident, $value:expr) => {
        $value
    };
}

macro_rules! settings {
    ($it:ident => $variant:ident($file:ident) { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        Config::$variant($file::Config { $($field: value!($it, $field $(, $value)?)),* })
    };
}

/// Who asks one of Amazon's services.
macro_rules! account {
    ($it:ident) => {
        aws::Account {
            endpoint: $it.endpoint.clone(),
            http: $it.http.means()?,
            sigv4: SigV4 {
                region: $it.region.clone(),
                access_key: $it.access_key.clone(),
                secret_key: $it.secret_key.means()?,
                profile: $it.profile.clone(),
                role_arn: $it.role_arn.clone(),
                external_id: $it.external_id.clone(),
                ..SigV4::default()
            },
        }
    };
}

macro_rules! all {
    ($section:ident: $($list:ident as $it:ident => $variant:ident($file:ident) $fields:tt)*) => {{
        let mut found = Vec::new();
        $(for $it in $section.$list.iter() {
            found.push(settings!($it => $variant($file) $fields));
        })*
        found
    }};
}

/// The mechanisms that a section asks for.
pub fn mechanisms(section: &Discovery) -> Result<Vec<Config>> {
    let mut found = all! { section:
        azure_sd_configs as it => Azure(azure) {
            environment, subscription_id, tenant_id, client_id, client_secret, resource_group, http,
            port, refresh_interval, authentication: it.authentication_method.means()?,
        }
        consul_sd_configs as it => Consul(consul) {
            server, scheme, path_prefix, token, datacenter, namespace, partition, tag_separator,
            allow_stale, services, tags, node_meta, filter, health_filter, http, refresh_interval,
        }
        digitalocean_sd_configs as it => DigitalOcean(digitalocean) {
            role, http, port, refresh_interval,
        }
        dns_sd_configs as it => Dns(dns) { names, kind, port, refresh_interval }
        docker_sd_configs as it => Docker(docker) {
            host, filters, host_networking_host, match_first_network, http, port, refresh_interval,
        }
        dockerswarm_sd_configs as it => DockerSwarm(dockerswarm) {
            host, role, filters, http, port, refresh_interval,
        }
        ec2_sd_configs as it => Ec2(ec2) {
            account: account!(it), filters, port, refresh_interval,
        }
        ecs_sd_configs as it => Ecs(ecs) {
            account: account!(it), clusters, port, request_concurrency, refresh_interval,
        }
        elasticache_sd_configs as it => Elasticache(elasticache) {
            account: account!(it), clusters, request_concurrency, refresh_interval,
        }
        eureka_sd_configs as it => Eureka(eureka) { server, http, refresh_interval }
        file_sd_configs as it => File(file) { files, refresh_interval }
        gce_sd_configs as it => Gce(gce) {
            project, zone, filter, tag_separator, http: client::Config::default(), port,
            refresh_interval,
        }
        hetzner_sd_configs as it => Hetzner(hetzner) {
            role, label_selector, http, port, refresh_interval,
        }
        http_sd_configs as it => Http(http) { url, http, refresh_interval }
        ionos_sd_configs as it => Ionos(ionos) { datacenter_id, http, port, refresh_interval }
        kubernetes_sd_configs as it => Kubernetes(kubernetes) {
            role, access: kubernetes_access(it)?, namespaces: it.namespaces.names.clone(),
            own_namespace: it.namespaces.own_namespace, selectors, attach: kubernetes::Attach {
                node: it.attach_metadata.node,
                namespace: it.attach_metadata.namespace,
                deployment: it.attach_metadata.deployment,
                job: it.attach_metadata.job,
                cronjob: it.attach_metadata.cronjob,
            },
        }
        kuma_sd_configs as it => Kuma(kuma) {
            server, client_id, fetch_timeout, http, refresh_interval,
        }
        lightsail_sd_configs as it => Lightsail(lightsail) {
            account: account!(it), port, refresh_interval,
        }
        linode_sd_configs as it => Linode(linode) {
            region, tag_separator, http, port, refresh_interval,
        }
        marathon_sd_configs as it => Marathon(marathon) {
            servers, auth_token: text_or_file(&it.auth_token, &it.auth_token_file), http,
            refresh_interval,
        }
        msk_sd_configs as it => Msk(msk) {
            account: account!(it), clusters, port, request_concurrency, refresh_interval,
        }
        nerve_sd_configs as it => Nerve(nerve) { servers, paths, timeout }
        nomad_sd_configs as it => Nomad(nomad) {
            server, namespace, region, allow_stale, tag_separator, http, refresh_interval,
        }
        oci_sd_configs as it => Oci(oci) {
            authentication: oci_authentication(it), region, compartments, http, port,
            refresh_interval,
        }
        openstack_sd_configs as it => OpenStack(openstack) {
            credentials: openstack_credentials(it)?, role, region, all_tenants, availability,
            tls: it.tls_config.means()?, port, refresh_interval,
        }
        outscale_sd_configs as it => Outscale(outscale) {
            endpoint, http, sigv4: SigV4 {
                region: it.region.clone(),
                access_key: it.access_key.clone(),
                secret_key: text_or_file(&it.secret_key, &it.secret_key_file),
                ..SigV4::default()
            },
            port, refresh_interval,
        }
        ovhcloud_sd_configs as it => OvhCloud(ovhcloud) {
            endpoint, application_key, application_secret, consumer_key, service, refresh_interval,
        }
        puppetdb_sd_configs as it => PuppetDb(puppetdb) {
            url, query, include_parameters, http, port, refresh_interval,
        }
        rds_sd_configs as it => Rds(rds) {
            account: account!(it), clusters, filters, port, request_concurrency, refresh_interval,
        }
        scaleway_sd_configs as it => Scaleway(scaleway) {
            api_url, role, project_id, zone, name_filter, tags_filter, http, port, refresh_interval,
            secret_key: text_or_file(&it.secret_key, &it.secret_key_file)
                .unwrap_or(Secret::Inline(String::new())),
        }
        serverset_sd_configs as it => Serverset(serverset) { servers, paths, timeout }
        stackit_sd_configs as it => Stackit(stackit) {
            endpoint, region, project, http, port, refresh_interval,
            service_account_key:
                text_or_path(&it.service_account_key, &it.service_account_key_path),
            private_key: text_or_path(&it.private_key, &it.private_key_path),
            credentials_file: it.credentials_file_path.clone(),
        }
        triton_sd_configs as it => Triton(triton) {
            role, dns_suffix, endpoint, groups, version, tls: it.tls_config.means()?, port,
            refresh_interval,
        }
        uyuni_sd_configs as it => Uyuni(uyuni) {
            server, username, password, entitlement, separator, http, refresh_interval,
        }
        vultr_sd_configs as it => Vultr(vultr) { http, port, refresh_interval }
    };
    for of_amazon in section.aws_sd_configs.iter() {
        found.push(one_of_amazon(of_amazon)?);
    }
    let fixed = static_groups(section);
    if !fixed.is_empty() {
        found.push(Config::Static(fixed));
    }
    Ok(found)
}

/// The groups of `static_configs`.
pub fn static_groups(section: &Discovery) -> Vec<TargetGroup> {
    let to_group = |(idx, group): (usize, &sd::Static)| {
        let targets = group.targets.iter();
        TargetGroup {
            targets: targets.map(|target| Labels::from_pairs([("__address__", target)])).collect(),
            labels: Labels::from_pairs(group.labels.iter()),
            source: idx.to_string(),
        }
    };
    section.static_configs.iter().enumerate().map(to_group).collect()
}

/// An entry of `aws_sd_configs` is one for the service that its role names.
fn one_of_amazon(written: &sd::Aws) -> Result<Config> {
    let mut it = written.clone();
    if it.port == 0 {
        it.port = 80;
    }
    if it.refresh_interval == values::Duration::ZERO {
        it.refresh_interval = values::Duration::from_secs(60);
    }
    Ok(match it.role.as_str() {
        "ecs" => settings!(it => Ecs(ecs) {
            account: account!(it), clusters, port, request_concurrency: 20, refresh_interval,
        }),
        "elasticache" => settings!(it => Elasticache(elasticache) {
            account: account!(it), clusters, request_concurrency: 10, refresh_interval,
        }),
        "lightsail" => settings!(it => Lightsail(lightsail) {
            account: account!(it), port, refresh_interval,
        }),
        "msk" => settings!(it => Msk(msk) {
            account: account!(it), clusters, port, request_concurrency: 10, refresh_interval,
        }),
        "rds" => settings!(it => Rds(rds) {
            account: account!(it), clusters, filters, port, request_concurrency: 10,
            refresh_interval,
        }),
        _ => settings!(it => Ec2(ec2) {
            account: account!(it), filters, port, refresh_interval,
        }),
    })
}

fn text_or_file(text: &values::Secret, file: &values::FilePath) -> Option<Secret> {
    text_or_path(text, &file.0)
}

fn text_or_path(text: &values::Secret, path: &str) -> Option<Secret> {
    match (text.0.as_str(), path) {
        ("", "") => None,
        ("", path) => Some(Secret::File(path.into())),
        (text, _) => Some(Secret::Inline(text.to_owned())),
    }
}

fn kubernetes_access(it: &sd::Kubernetes) -> Result<kubernetes::Access> {
    Ok(if !it.api_server.is_empty() {
        let http = Box::new(it.http.means()?);
        kubernetes::Access::Server { url: it.api_server.0.clone(), http }
    } else if !it.kubeconfig_file.is_empty() {
        kubernetes::Access::Kubeconfig(it.kubeconfig_file.0.clone().into())
    } else {
        kubernetes::Access::InCluster
    })
}

fn oci_authentication(it: &sd::Oci) -> oci::Authentication {
    if it.auth == "instance_principal" {
        return oci::Authentication::InstancePrincipal;
    }
    oci::Authentication::ApiKey(oci::ApiKey {
        tenancy: it.tenancy.clone(),
        user: it.user.clone(),
        fingerprint: it.fingerprint.clone(),
        key_file: it.key_file.0.clone().into(),
        has_passphrase: !it.key_passphrase.is_empty() || !it.key_passphrase_file.is_empty(),
    })
}

fn openstack_credentials(it: &sd::OpenStack) -> Result<openstack::Credentials> {
    let who = |id: &str, name: &str| openstack::Who { id: id.to_owned(), name: name.to_owned() };
    Ok(openstack::Credentials {
        endpoint: it.identity_endpoint.clone(),
        user: who(&it.userid, &it.username),
        password: it.password.means()?,
        application: who(&it.application_credential_id, &it.application_credential_name),
        application_secret: it.application_credential_secret.means()?,
        scope: openstack::Scope {
            project: who(&it.project_id, &it.project_name),
            domain: who(&it.domain_id, &it.domain_name),
        },
    })
}

/// The value itself.
impl<T: Clone> Means<T> for T {
    fn means(&self) -> Result<T> {
        Ok(self.clone())
    }
}

impl Means<client::Config> for HttpClient {
    fn means(&self) -> Result<client::Config> {
        http_config::to_client(self)
    }
}

impl Means<client::Tls> for Tls {
    fn means(&self) -> Result<client::Tls> {
        http_config::tls(self)
    }
}

/// What is no port becomes one where nobody listens.
impl Means<u16> for i64 {
    fn means(&self) -> Result<u16> {
        Ok(u16::try_from(*self).unwrap_or_default())
    }
}

impl Means<usize> for i64 {
    fn means(&self) -> Result<usize> {
        Ok(usize::try_from(*self).unwrap_or(1))
    }
}

impl Means<std::time::Duration> for values::Duration {
    fn means(&self) -> Result<std::time::Duration> {
        Ok(self.0)
    }
}

impl Means<String> for values::Secret {
    fn means(&self) -> Result<String> {
        Ok(self.0.clone())
    }
}

impl Means<Secret> for values::Secret {
    fn means(&self) -> Result<Secret> {
        Ok(Secret::Inline(self.0.clone()))
    }
}

impl Means<Option<Secret>> for values::Secret {
    fn means(&self) -> Result<Option<Secret>> {
        Ok((!self.is_empty()).then(|| Secret::Inline(self.0.clone())))
    }
}

impl Means<Vec<PathBuf>> for Vec<values::FilePath> {
    fn means(&self) -> Result<Vec<PathBuf>> {
        Ok(self.iter().map(|path| path.0.clone().into()).collect())
    }
}

impl Means<docker::Filter> for sd::DockerFilter {
    fn means(&self) -> Result<docker::Filter> {
        Ok(docker::Filter { name: self.name.clone(), values: self.values.clone() })
    }
}

impl Means<docker::Filter> for sd::AwsFilter {
    fn means(&self) -> Result<docker::Filter> {
        Ok(docker::Filter { name: self.name.clone(), values: self.values.clone() })
    }
}

impl Means<kubernetes::Selector> for sd::Selector {
    fn means(&self) -> Result<kubernetes::Selector> {
        let (label, field) = (self.label.clone(), self.field.clone());
        Ok(kubernetes::Selector { role: self.role.means()?, label, field })
    }
}

impl<T, W: Means<T>> Means<Vec<T>> for List<W> {
    fn means(&self) -> Result<Vec<T>> {
        self.iter().map(Means::means).collect()
    }
}

/// Words were checked when they were read, so that the last choice is all that is left.
macro_rules! words {
    ($($written:ty => $meant:ty { $($word:literal: $choice:ident,)* _: $last:ident })*) => {
        $(impl Means<$meant> for $written {
            fn means(&self) -> Result<$meant> {
                Ok(match self.as_str() {
                    $($word => <$meant>::$choice,)*
                    _ => <$meant>::$last,
                })
            }
        })*
    };
}

words! {
    String => azure::Authentication {
        "ManagedIdentity": ManagedIdentity, "SDK": Sdk, "WorkloadIdentity": WorkloadIdentity,
        _: OAuth
    }
    sd::DigitalOceanRole => digitalocean::Role { "databases": Databases, _: Droplets }
    String => dockerswarm::Role { "services": Services, "tasks": Tasks, _: Nodes }
    sd::HetznerRole => hetzner::Role { "robot": Robot, _: Cloud }
    sd::KubernetesRole => kubernetes::Role {
        "node": Node, "service": Service, "endpoints": Endpoints, "endpointslice": EndpointSlice,
        "ingress": Ingress, _: Pod
    }
    sd::OpenStackRole => openstack::Role {
        "hypervisor": Hypervisor, "loadbalancer": LoadBalancer, _: Instance
    }
    String => ovhcloud::Kind { "dedicated_server": DedicatedServer, _: Vps }
    sd::ScalewayRole => scaleway::Role { "baremetal": BareMetal, _: Instance }
    String => triton::Role { "cn": ComputeNode, _: Container }
}

impl Means<dns::Kind> for String {
    fn means(&self) -> Result<dns::Kind> {
        Ok(match self.to_uppercase().as_str() {
            "A" => dns::Kind::A,
            "AAAA" => dns::Kind::Aaaa,
            "MX" => dns::Kind::Mx,
            "NS" => dns::Kind::Ns,
            _ => dns::Kind::Srv,
        })
    }
}
