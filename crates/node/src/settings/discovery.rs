//! One function a mechanism, in the order of their names.

use ::discovery::{
    Config, consul, digitalocean, dns, docker, dockerswarm, ec2, eureka, file, gce, hetzner, http,
    ionos, kubernetes, lightsail, linode, nomad, puppetdb, scaleway, vultr,
};
use config::prometheus::sd::{self, Discovery};
use model::{Labels, TargetGroup};
use receivers::http_config::to_client;
use transport::client::{Secret, SigV4};

use super::Result;

/// The mechanisms that a section names; those that we don't have were warned of.
pub(crate) fn mechanisms(section: &Discovery) -> Result<Vec<Config>> {
    let mut found = Vec::new();
    macro_rules! add {
        ($($list:ident: $function:ident),* $(,)?) => {
            $(for section in section.$list.iter() {
                found.push($function(section)?);
            })*
        };
    }
    add! {
        consul_sd_configs: consul,
        dns_sd_configs: dns,
        docker_sd_configs: docker,
        dockerswarm_sd_configs: docker_swarm,
        ec2_sd_configs: ec2,
        eureka_sd_configs: eureka,
        file_sd_configs: file,
        gce_sd_configs: gce,
        hetzner_sd_configs: hetzner,
        http_sd_configs: http,
        kubernetes_sd_configs: kubernetes,
        ionos_sd_configs: ionos,
        lightsail_sd_configs: lightsail,
        linode_sd_configs: linode,
        nomad_sd_configs: nomad,
        puppetdb_sd_configs: puppetdb,
        scaleway_sd_configs: scaleway,
        vultr_sd_configs: vultr,
    }
    // Their databases were warned of.
    let droplets = section.digitalocean_sd_configs.iter();
    for section in droplets.filter(|section| section.role.as_str() == "droplets") {
        found.push(digital_ocean(section)?);
    }
    if !section.static_configs.is_empty() {
        let groups = section.static_configs.iter().enumerate();
        found.push(Config::Static(groups.map(|(idx, group)| to_group(idx, group)).collect()));
    }
    Ok(found)
}

fn to_group(idx: usize, group: &sd::Static) -> TargetGroup {
    let targets = group.targets.iter();
    TargetGroup {
        targets: targets.map(|target| Labels::from_pairs([("__address__", target)])).collect(),
        labels: Labels::from_pairs(group.labels.iter()),
        source: idx.to_string(),
    }
}

/// What is no port becomes one where nobody listens.
fn port(written: i64) -> u16 {
    u16::try_from(written).unwrap_or_default()
}

fn consul(section: &sd::Consul) -> Result<Config> {
    Ok(Config::Consul(consul::Config {
        server: section.server.clone(),
        scheme: section.scheme.clone(),
        path_prefix: section.path_prefix.clone(),
        token: section.token.0.clone(),
        datacenter: section.datacenter.clone(),
        namespace: section.namespace.clone(),
        partition: section.partition.clone(),
        tag_separator: section.tag_separator.clone(),
        allow_stale: section.allow_stale,
        refresh_interval: section.refresh_interval.0,
        services: section.services.clone(),
        tags: section.tags.clone(),
        node_meta: section.node_meta.clone(),
        filter: section.filter.clone(),
        health_filter: section.health_filter.clone(),
        http: to_client(&section.http)?,
    }))
}

fn digital_ocean(section: &sd::DigitalOcean) -> Result<Config> {
    Ok(Config::DigitalOcean(digitalocean::Config {
        http: to_client(&section.http)?,
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn dns(section: &sd::Dns) -> Result<Config> {
    Ok(Config::Dns(dns::Config {
        names: section.names.clone(),
        kind: match section.kind.to_uppercase().as_str() {
            "A" => dns::Kind::A,
            "AAAA" => dns::Kind::Aaaa,
            "MX" => dns::Kind::Mx,
            "NS" => dns::Kind::Ns,
            _ => dns::Kind::Srv,
        },
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn docker(section: &sd::Docker) -> Result<Config> {
    Ok(Config::Docker(docker::Config {
        host: section.host.clone(),
        http: to_client(&section.http)?,
        port: port(section.port),
        filters: docker_filters(section.filters.iter()),
        host_networking_host: section.host_networking_host.clone(),
        match_first_network: section.match_first_network,
        refresh_interval: section.refresh_interval.0,
    }))
}

fn docker_swarm(section: &sd::DockerSwarm) -> Result<Config> {
    Ok(Config::DockerSwarm(dockerswarm::Config {
        host: section.host.clone(),
        http: to_client(&section.http)?,
        role: match section.role.as_str() {
            "services" => dockerswarm::Role::Services,
            "tasks" => dockerswarm::Role::Tasks,
            _ => dockerswarm::Role::Nodes,
        },
        port: port(section.port),
        filters: docker_filters(section.filters.iter()),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn docker_filters<'a>(written: impl Iterator<Item = &'a sd::DockerFilter>) -> Vec<docker::Filter> {
    let filter =
        |it: &sd::DockerFilter| docker::Filter { name: it.name.clone(), values: it.values.clone() };
    written.map(filter).collect()
}

fn ec2(section: &sd::Ec2) -> Result<Config> {
    let secret_key = &section.secret_key;
    let filters = section.filters.iter();
    Ok(Config::Ec2(ec2::Config {
        endpoint: section.endpoint.clone(),
        http: to_client(&section.http)?,
        sigv4: SigV4 {
            region: section.region.clone(),
            access_key: section.access_key.clone(),
            secret_key: (!secret_key.is_empty()).then(|| Secret::Inline(secret_key.0.clone())),
            profile: section.profile.clone(),
            role_arn: section.role_arn.clone(),
            external_id: section.external_id.clone(),
            ..SigV4::default()
        },
        filters: filters
            .map(|it| docker::Filter { name: it.name.clone(), values: it.values.clone() })
            .collect(),
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn eureka(section: &sd::Eureka) -> Result<Config> {
    Ok(Config::Eureka(eureka::Config {
        server: section.server.clone(),
        http: to_client(&section.http)?,
        refresh_interval: section.refresh_interval.0,
    }))
}

fn file(section: &sd::File) -> Result<Config> {
    Ok(Config::File(file::Config {
        files: section.files.iter().map(|path| path.0.clone().into()).collect(),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn gce(section: &sd::Gce) -> Result<Config> {
    Ok(Config::Gce(gce::Config {
        project: section.project.clone(),
        zone: section.zone.clone(),
        filter: section.filter.clone(),
        tag_separator: section.tag_separator.clone(),
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn hetzner(section: &sd::Hetzner) -> Result<Config> {
    Ok(Config::Hetzner(hetzner::Config {
        http: to_client(&section.http)?,
        role: match section.role.as_str() {
            "robot" => hetzner::Role::Robot,
            _ => hetzner::Role::Cloud,
        },
        port: port(section.port),
        label_selector: section.label_selector.clone(),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn http(section: &sd::Http) -> Result<Config> {
    Ok(Config::Http(http::Config {
        url: section.url.clone(),
        http: to_client(&section.http)?,
        refresh_interval: section.refresh_interval.0,
    }))
}

fn kubernetes(section: &sd::Kubernetes) -> Result<Config> {
    let access = if !section.api_server.is_empty() {
        let http = Box::new(to_client(&section.http)?);
        kubernetes::Access::Server { url: section.api_server.0.clone(), http }
    } else if !section.kubeconfig_file.is_empty() {
        kubernetes::Access::Kubeconfig(section.kubeconfig_file.0.clone().into())
    } else {
        kubernetes::Access::InCluster
    };
    let selectors = section.selectors.iter();
    Ok(Config::Kubernetes(kubernetes::Config {
        role: kubernetes_role(&section.role),
        access,
        namespaces: section.namespaces.names.clone(),
        own_namespace: section.namespaces.own_namespace,
        selectors: selectors
            .map(|selector| kubernetes::Selector {
                role: kubernetes_role(&selector.role),
                label: selector.label.clone(),
                field: selector.field.clone(),
            })
            .collect(),
        attach: kubernetes::Attach {
            node: section.attach_metadata.node,
            namespace: section.attach_metadata.namespace,
        },
    }))
}

fn kubernetes_role(role: &sd::KubernetesRole) -> kubernetes::Role {
    match role.as_str() {
        "node" => kubernetes::Role::Node,
        "service" => kubernetes::Role::Service,
        "endpoints" => kubernetes::Role::Endpoints,
        "endpointslice" => kubernetes::Role::EndpointSlice,
        "ingress" => kubernetes::Role::Ingress,
        _ => kubernetes::Role::Pod,
    }
}

fn ionos(section: &sd::Ionos) -> Result<Config> {
    Ok(Config::Ionos(ionos::Config {
        http: to_client(&section.http)?,
        datacenter_id: section.datacenter_id.clone(),
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn lightsail(section: &sd::Lightsail) -> Result<Config> {
    let secret_key = &section.secret_key;
    Ok(Config::Lightsail(lightsail::Config {
        endpoint: section.endpoint.clone(),
        http: to_client(&section.http)?,
        sigv4: SigV4 {
            region: section.region.clone(),
            access_key: section.access_key.clone(),
            secret_key: (!secret_key.is_empty()).then(|| Secret::Inline(secret_key.0.clone())),
            profile: section.profile.clone(),
            role_arn: section.role_arn.clone(),
            external_id: section.external_id.clone(),
            ..SigV4::default()
        },
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn linode(section: &sd::Linode) -> Result<Config> {
    Ok(Config::Linode(linode::Config {
        http: to_client(&section.http)?,
        port: port(section.port),
        region: section.region.clone(),
        tag_separator: section.tag_separator.clone(),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn nomad(section: &sd::Nomad) -> Result<Config> {
    Ok(Config::Nomad(nomad::Config {
        server: section.server.clone(),
        http: to_client(&section.http)?,
        namespace: section.namespace.clone(),
        region: section.region.clone(),
        allow_stale: section.allow_stale,
        tag_separator: section.tag_separator.clone(),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn puppetdb(section: &sd::PuppetDb) -> Result<Config> {
    Ok(Config::PuppetDb(puppetdb::Config {
        url: section.url.clone(),
        http: to_client(&section.http)?,
        query: section.query.clone(),
        include_parameters: section.include_parameters,
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn scaleway(section: &sd::Scaleway) -> Result<Config> {
    let secret_key = match section.secret_key_file.0.as_str() {
        "" => Secret::Inline(section.secret_key.0.clone()),
        path => Secret::File(path.into()),
    };
    Ok(Config::Scaleway(scaleway::Config {
        api_url: section.api_url.clone(),
        http: to_client(&section.http)?,
        role: match section.role.as_str() {
            "baremetal" => scaleway::Role::BareMetal,
            _ => scaleway::Role::Instance,
        },
        project_id: section.project_id.clone(),
        zone: section.zone.clone(),
        secret_key,
        name_filter: section.name_filter.clone(),
        tags_filter: section.tags_filter.clone(),
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}

fn vultr(section: &sd::Vultr) -> Result<Config> {
    Ok(Config::Vultr(vultr::Config {
        http: to_client(&section.http)?,
        port: port(section.port),
        refresh_interval: section.refresh_interval.0,
    }))
}
