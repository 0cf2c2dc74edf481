//! Every mechanism against a service in memory that gives sample answers.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use axum::{Router, extract::Request, response::IntoResponse as _};
use http::{StatusCode, header};
use model::LabelsBuilder;
use parking_lot::Mutex;
use runtime::{Disk as _, Network as _, Simulation};
use tokio_util::sync::CancellationToken;
use transport::{
    client::{self, Secret},
    server::{
        guard::{ClientAuth, Guard, Settings, Tls},
        serve_guarded,
    },
};

use super::World;
use crate::{
    Config, consul, digitalocean, dns, docker, dockerswarm, eureka, hetzner, http as http_sd,
    ionos, kubernetes, linode, nomad, puppetdb, scaleway, vultr,
};

mod amazon;
mod clouds;
mod zookeeper;

/// Where a service listens that speaks TLS.
const TLS: &str = "unix:/tls";

/// Answers by `path?query`, or by the beginning of it; `hang` never ends. A word after a blank must
/// be in the body or in the header that names an action.
pub(super) type Answers = Arc<Mutex<BTreeMap<String, String>>>;

/// A service at `address` that gives `answers`.
pub(super) async fn serve(simulation: &Simulation, address: &str, answers: Answers) {
    let router = Router::new().fallback(move |request: Request| {
        let answers = answers.clone();
        async move {
            let asked = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
            let action = request.headers().get("x-amz-target");
            let action = action.and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
            let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("small");
            let said = format!("{action} {}", String::from_utf8_lossy(&body));
            let answer = {
                let answers = answers.lock();
                let fits = |(key, _): &(&String, &String)| match key.split_once(' ') {
                    Some((path, word)) => asked.starts_with(path) && said.contains(word),
                    None => asked.starts_with(key.as_str()),
                };
                answers.iter().filter(fits).max_by_key(|(key, _)| key.len()).map(|(_, a)| a.clone())
            };
            match answer.as_deref() {
                None => (StatusCode::NOT_FOUND, "not there").into_response(),
                Some("hang") => std::future::pending().await,
                Some(text) => {
                    let index = text.len().to_string();
                    let kind =
                        if text.starts_with('<') { "application/xml" } else { "application/json" };
                    (
                        [
                            (header::CONTENT_TYPE.as_str(), kind),
                            ("x-consul-index", &index),
                            ("x-subject-token", "secret"),
                        ],
                        text.to_owned(),
                    )
                        .into_response()
                }
            }
        }
    });
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !address.starts_with("unix:") => (host, format!(":{port}")),
        _ => ("127.0.0.1", address.to_owned()),
    };
    let network = simulation.network.host(host);
    let listener = network.listen(&port).await.expect("the address is free");
    let (limits, clock) = (transport::server::Limits::default(), simulation.clock.clone());
    let speaks_tls = address == TLS || [":443", ":9163"].iter().any(|it| address.ends_with(it));
    let guard = speaks_tls.then(|| guard(simulation));
    let (listeners, stop) = (vec![listener], CancellationToken::new());
    tokio::spawn(serve_guarded(listeners, router, limits, clock, stop, guard));
}

/// TLS with a certificate that nobody knows.
fn guard(simulation: &Simulation) -> Arc<Guard> {
    let made = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("it is easy");
    let disk: &dyn runtime::Disk = &simulation.disk;
    let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    disk.write_atomically(Path::new("/pem"), pem.as_bytes()).expect("memory has room");
    let parse = |_: &str, _: &Path| {
        let pem = || Secret::File("/pem".into());
        let tls = Tls {
            certificate: pem(),
            key: pem(),
            client_auth: ClientAuth::NoClientCert,
            client_ca: None,
            client_allowed_sans: Vec::new(),
            min_version: client::TlsVersion::Tls12,
            max_version: client::TlsVersion::Tls13,
            cipher_suites: Vec::new(),
            curve_preferences: Vec::new(),
        };
        Ok(Settings { tls: Some(tls), ..Settings::default() })
    };
    Arc::new(Guard::new(Path::new("/pem"), parse, simulation.runtime()).expect("it is right"))
}

pub(super) fn answers(pairs: &[(&str, &str)]) -> Answers {
    let pairs = pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
    Arc::new(Mutex::new(pairs.collect()))
}

impl World {
    /// All labels of all targets, a line each.
    pub(super) fn print_labels(&self) -> String {
        let mut out = String::new();
        for group in self.updates.borrow().values().flatten() {
            for target in &group.targets {
                let mut labels = LabelsBuilder::new(&group.labels);
                for (name, value) in target.iter() {
                    labels.set(name, value);
                }
                out.push_str(&format!("# {}\n", group.source));
                for (name, value) in labels.build().iter() {
                    out.push_str(&format!("{name}={value}\n"));
                }
            }
        }
        out
    }

    /// Lets mechanisms ask and be answered.
    pub(super) async fn settle(&self) {
        for _ in 0..20 {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            self.run_for(250).await;
        }
    }
}

impl World {
    /// Waits for targets; certificates are read on other threads, which time here does not wait for.
    async fn until_found(&self) -> String {
        for _ in 0..10_000 {
            for _ in 0..100 {
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
            self.run_for(10).await;
            let found = self.print_labels();
            if !found.is_empty() {
                return found;
            }
        }
        panic!("nothing is found");
    }
}

/// What `config` finds at a service, compared with `test_data/<name>.txt`.
async fn check(name: &str, config: Config, address: &str, pairs: &[(&str, &str)]) {
    let world = World::new();
    serve(&world.simulation, address, answers(pairs)).await;
    world.apply(&[("job", config)]);
    let found = world.until_found().await;
    world.manager.stop().await;
    compare(name, &found);
}

#[expect(clippy::disallowed_methods, reason = "expectations are files")]
pub(super) fn compare(name: &str, found: &str) {
    let path = format!("{}/src/test_data/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, found).expect("the sources can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{path}; UPDATE_EXPECT=1 rewrites it");
}

const REFRESH: Duration = Duration::from_secs(60);

fn plain() -> client::Config {
    client::Config::default()
}

/// A client for services with a fixed name that speak TLS: all of it goes to [`TLS`].
fn cloud() -> client::Config {
    let tls = client::Tls { insecure_skip_verify: true, ..client::Tls::default() };
    let unix_socket = TLS.strip_prefix("unix:").map(Into::into);
    client::Config { unix_socket, tls, ..plain() }
}

#[tokio::test]
async fn http_gives_groups() {
    let config = http_sd::Config {
        url: "http://sd/groups".to_owned(),
        http: plain(),
        refresh_interval: REFRESH,
    };
    let groups = r#"[{"targets":["a:1","b:1"],"labels":{"k":"v"}},{"targets":["c:1"]}]"#;
    check("http", Config::Http(config), "sd:80", &[("/groups", groups)]).await;
}

#[tokio::test]
async fn an_outage_keeps_the_last_targets_and_fewer_groups_are_fewer() {
    let world = World::new();
    let answers = answers(&[("/groups", r#"[{"targets":["a:1"]},{"targets":["b:1"]}]"#)]);
    serve(&world.simulation, "sd:80", answers.clone()).await;
    let url = "http://sd/groups".to_owned();
    let config = http_sd::Config { url, http: plain(), refresh_interval: REFRESH };
    world.apply(&[("job", Config::Http(config))]);
    world.settle().await;
    let url = "{__meta_url=\"http://sd/groups\"}";
    assert_eq!(world.print(), format!("job a:1 {url}\njob b:1 {url}\n"));
    answers.lock().clear();
    world.run_for(60_000).await;
    world.settle().await;
    assert_eq!(world.print(), format!("job a:1 {url}\njob b:1 {url}\n"));
    assert!(world.value("prometheus_sd_refresh_failures_total") >= 1.0);
    answers.lock().insert("/groups".to_owned(), r#"[{"targets":["c:1"]}]"#.to_owned());
    world.run_for(60_000).await;
    world.settle().await;
    assert_eq!(world.print(), format!("job c:1 {url}\n"));
    world.manager.stop().await;
}

#[tokio::test]
async fn dns_gives_targets() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new();
    world.simulation.disk.create_directories(Path::new("/etc")).expect("memory has room");
    world.write("/etc/resolv.conf", "nameserver 10.0.0.53\nsearch local\n").await;
    let listener = world.simulation.network.host("10.0.0.53").listen(":53").await.expect("free");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Ok(len) = stream.read_u16().await else { continue };
            let mut question = vec![0; usize::from(len)];
            stream.read_exact(&mut question).await.expect("it is sent");
            let is_short = question.get(12) == Some(&1) && question.get(14) == Some(&0);
            let mut answer = question.clone();
            answer[2] = 0x81;
            answer[3] = if is_short { 0x83 } else { 0x80 };
            if !is_short {
                answer[7] = 1;
                answer
                    .extend(b"\xc0\x0c\0\x21\0\x01\0\0\0\x05\0\x0b\0\0\0\0\x23\x8c\x02n1\xc0\x0e");
            }
            let len = u16::try_from(answer.len()).expect("it is short");
            stream.write_all(&[&len.to_be_bytes()[..], &answer].concat()).await.expect("heard");
        }
    });
    let names = vec!["x".to_owned()];
    let config = dns::Config { names, kind: dns::Kind::Srv, port: 0, refresh_interval: REFRESH };
    world.apply(&[("job", Config::Dns(config))]);
    // A datagram that nobody answers takes its time.
    world.settle().await;
    world.settle().await;
    world.settle().await;
    let found = world.print_labels();
    world.manager.stop().await;
    compare("dns", &found);
}

#[tokio::test]
async fn consul_gives_services() {
    let entry = r#"[{
      "Node":{"Node":"n1","Address":"10.0.0.1","Meta":{"rack-id":"7"},"TaggedAddresses":{"lan":"10.0.0.1"}},
      "Service":{"ID":"web-1","Service":"web","Tags":["a","b"],"Address":"","Port":80,"Meta":{"v":"1"}},
      "Checks":[{"CheckID":"c","Status":"passing"},{"CheckID":"d","Status":"warning"}]}]"#;
    let services = r#"{"consul":[],"web":["a","b"],"db":["a"]}"#;
    let (list, web) = (services.len(), entry.len());
    let pairs = [
        ("/v1/agent/self", r#"{"Config":{"Datacenter":"dc1"}}"#),
        ("/v1/catalog/services?wait=120000ms", services),
        (&*format!("/v1/catalog/services?wait=120000ms&index={list}"), "hang"),
        ("/v1/health/service/web?wait=120000ms", entry),
        (&*format!("/v1/health/service/web?wait=120000ms&index={web}"), "hang"),
    ];
    let config = consul::Config {
        server: "consul:8500".to_owned(),
        scheme: "http".to_owned(),
        path_prefix: String::new(),
        token: "t".to_owned(),
        datacenter: String::new(),
        namespace: String::new(),
        partition: String::new(),
        tag_separator: ",".to_owned(),
        allow_stale: true,
        refresh_interval: Duration::from_secs(30),
        services: Vec::new(),
        tags: vec!["b".to_owned()],
        node_meta: BTreeMap::new(),
        filter: String::new(),
        health_filter: String::new(),
        http: plain(),
    };
    check("consul", Config::Consul(config), "consul:8500", &pairs).await;
}

const CONTAINERS: &str = r#"[
  {"Id":"c1","Names":["/web"],"Labels":{"com.x":"y"},"HostConfig":{"NetworkMode":"net"},
   "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":53,"Type":"udp"}],
   "NetworkSettings":{"Networks":{"net":{"NetworkID":"n1","IPAddress":"172.18.0.2"}}}},
  {"Id":"c2","Names":["/side"],"Labels":{},"HostConfig":{"NetworkMode":"container:c1"},"Ports":[],
   "NetworkSettings":{"Networks":{}}},
  {"Id":"c3","Names":["/host"],"Labels":{},"HostConfig":{"NetworkMode":"host"},"Ports":[],
   "NetworkSettings":{"Networks":{"host":{"NetworkID":"n2","IPAddress":""}}}}]"#;
const NETWORKS: &str = r#"[{"Id":"n1","Name":"net","Scope":"local","Internal":false,"Ingress":false,"Labels":{"l":"m"}},
  {"Id":"n2","Name":"host","Scope":"local","Internal":false,"Ingress":false,"Labels":null}]"#;

#[tokio::test]
async fn docker_gives_containers() {
    let config = docker::Config {
        host: "unix:///var/run/docker.sock".to_owned(),
        http: plain(),
        port: 99,
        filters: vec![docker::Filter { name: "name".to_owned(), values: vec!["a".to_owned()] }],
        host_networking_host: "localhost".to_owned(),
        match_first_network: true,
        refresh_interval: REFRESH,
    };
    let containers = "/containers/json?filters=%7B%22name%22%3A%5B%22a%22%5D%7D";
    let pairs = [(containers, CONTAINERS), ("/networks", NETWORKS)];
    check("docker", Config::Docker(config), "unix:/var/run/docker.sock", &pairs).await;
}

#[tokio::test]
async fn swarm_gives_nodes_services_and_tasks() {
    let nodes = r#"[{"ID":"node1","Spec":{"Role":"manager","Availability":"active","Labels":{"a":"b"}},
      "Description":{"Hostname":"h1","Platform":{"Architecture":"x86_64","OS":"linux"},"Engine":{"EngineVersion":"27.0"}},
      "Status":{"State":"ready","Addr":"10.0.0.1"},"ManagerStatus":{"Leader":true,"Reachability":"reachable","Addr":"10.0.0.1:2377"}}]"#;
    let services = r#"[{"ID":"s1","Spec":{"Name":"web","Labels":{"x":"y"},"Mode":{"Replicated":{"Replicas":1}},
      "TaskTemplate":{"ContainerSpec":{"Image":"nginx:1"}}},
      "Endpoint":{"Ports":[{"Name":"http","Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}],
      "VirtualIPs":[{"NetworkID":"n1","Addr":"10.0.1.2/24"}]}}]"#;
    let tasks = r#"[{"ID":"t1","ServiceID":"s1","NodeID":"node1","Slot":1,"DesiredState":"running",
      "Spec":{"ContainerSpec":{"Labels":{"l":"m"}}},
      "Status":{"State":"running","ContainerStatus":{"ContainerID":"c1"},"PortStatus":{}},
      "NetworksAttachments":[{"Network":{"ID":"n1"},"Addresses":["10.0.1.3/24"]}]}]"#;
    let pairs =
        [("/nodes", nodes), ("/services", services), ("/tasks", tasks), ("/networks", NETWORKS)];
    use dockerswarm::Role::{Nodes, Services, Tasks};
    for (name, role) in [("nodes", Nodes), ("services", Services), ("tasks", Tasks)] {
        let config = dockerswarm::Config {
            host: "tcp://swarm:2375".to_owned(),
            http: plain(),
            role,
            port: 99,
            filters: Vec::new(),
            refresh_interval: REFRESH,
        };
        let name = format!("dockerswarm_{name}");
        check(&name, Config::DockerSwarm(config), "swarm:2375", &pairs).await;
    }
}

#[tokio::test]
async fn eureka_gives_instances() {
    let apps = r#"<applications><application><name>APP</name><instance><instanceId>h:app:80</instanceId>
      <hostName>h</hostName><app>APP</app><ipAddr>10.0.0.1</ipAddr><status>UP</status><port enabled="true">8080</port>
      <securePort enabled="false">443</securePort><countryId>1</countryId>
      <dataCenterInfo class="x"><name>MyOwn</name></dataCenterInfo>
      <metadata><a.b>c</a.b></metadata></instance></application></applications>"#;
    let config = eureka::Config {
        server: "http://eureka/eureka".to_owned(),
        http: plain(),
        refresh_interval: REFRESH,
    };
    check("eureka", Config::Eureka(config), "eureka:80", &[("/eureka/apps", apps)]).await;
}

#[tokio::test]
async fn nomad_gives_services() {
    let list = r#"[{"Namespace":"default","Services":[{"ServiceName":"web","Tags":["a"]}]}]"#;
    let web = r#"[{"ID":"i","ServiceName":"web","Namespace":"default","NodeID":"n","Datacenter":"dc1","JobID":"j",
      "AllocID":"al","Tags":["a"],"Address":"10.0.0.1","Port":80}]"#;
    let pairs =
        [("/v1/services?namespace=default&region=global&stale=", list), ("/v1/service/web", web)];
    let config = nomad::Config {
        server: "http://nomad:4646".to_owned(),
        http: plain(),
        namespace: "default".to_owned(),
        region: "global".to_owned(),
        allow_stale: true,
        tag_separator: ",".to_owned(),
        refresh_interval: REFRESH,
    };
    check("nomad", Config::Nomad(config), "nomad:4646", &pairs).await;
}

#[tokio::test]
async fn puppetdb_gives_resources() {
    let found = r#"[{"certname":"h1","resource":"r","type":"Class","title":"T","exported":false,"file":"/f","environment":"prod",
      "tags":["a","b"],"parameters":{"port":9,"list":["x","y"],"map":{"k":"v"},"nothing":null}}]"#;
    let config = puppetdb::Config {
        url: "http://puppetdb:8080".to_owned(),
        http: plain(),
        query: "resources { }".to_owned(),
        include_parameters: true,
        port: 9100,
        refresh_interval: REFRESH,
    };
    let pairs = [("/pdb/query/v4", found)];
    check("puppetdb", Config::PuppetDb(config), "puppetdb:8080", &pairs).await;
}

#[tokio::test]
async fn digitalocean_gives_droplets() {
    let droplets = r#"{"droplets":[{"id":1,"name":"d","status":"active","size_slug":"s","features":["ipv6"],"tags":["a","b"],
      "image":{"slug":"u","name":"Ubuntu"},"region":{"slug":"fra1"},"vpc_uuid":"v",
      "networks":{"v4":[{"ip_address":"10.0.0.1","type":"private"},{"ip_address":"1.2.3.4","type":"public"}],"v6":[]}}],"links":{}}"#;
    let databases = r#"{"databases":[{"id":"d1","name":"pg","engine":"pg","version":"16","status":"online","region":"fra1",
      "size":"db-s-1vcpu-2gb","num_nodes":2,"tags":["prod"],"connection":{"host":"pg.example.com","port":25060},
      "private_connection":{"host":"private-pg.example.com","port":25060}}],"links":{}}"#;
    let pairs = [("/v2/droplets", droplets), ("/v2/databases", databases)];
    use digitalocean::Role::{Databases, Droplets};
    for (name, role) in [("digitalocean", Droplets), ("digitalocean_databases", Databases)] {
        let config =
            digitalocean::Config { http: cloud(), role, port: 80, refresh_interval: REFRESH };
        check(name, Config::DigitalOcean(config), TLS, &pairs).await;
    }
}

#[tokio::test]
async fn hetzner_gives_servers() {
    let servers = r#"{"servers":[{"id":1,"name":"s","status":"running","public_net":{"ipv4":{"ip":"1.2.3.4"},"ipv6":{"ip":"fd00::/64"}},
      "private_net":[{"network":7,"ip":"10.0.0.1"}],"server_type":{"name":"cx","cores":2,"cpu_type":"shared","memory":4.0,"disk":40},
      "datacenter":{"name":"fsn1-dc14","location":{"name":"fsn1","network_zone":"eu-central"}},
      "image":{"name":"u","description":"U","os_flavor":"ubuntu","os_version":"24.04"},"labels":{"a-b":"c"}}],
      "meta":{"pagination":{"next_page":null}}}"#;
    let networks =
        r#"{"networks":[{"id":7,"name":"my-net"}],"meta":{"pagination":{"next_page":null}}}"#;
    let robot = r#"[{"server":{"server_ip":"1.2.3.4","server_number":5,"server_name":"r","product":"AX","dc":"FSN1-DC1",
      "status":"ready","cancelled":false,"subnet":[{"ip":"2a01::","mask":"64"}]}}]"#;
    let pairs = [("/v1/servers", servers), ("/v1/networks", networks), ("/server", robot)];
    for (name, role) in [("robot", hetzner::Role::Robot), ("hcloud", hetzner::Role::Cloud)] {
        let config = hetzner::Config {
            http: cloud(),
            role,
            port: 80,
            label_selector: String::new(),
            refresh_interval: REFRESH,
        };
        check(&format!("hetzner_{name}"), Config::Hetzner(config), TLS, &pairs).await;
    }
}

#[tokio::test]
async fn ionos_gives_servers() {
    let servers = r#"{"items":[{"id":"s","metadata":{"state":"AVAILABLE"},"properties":{"name":"n","availabilityZone":"ZONE_1",
      "cpuFamily":"INTEL","vmState":"RUNNING","type":"CUBE","bootVolume":{"id":"v"}},
      "entities":{"volumes":{"items":[{"id":"v","properties":{"image":"im"}}]},
      "nics":{"items":[{"properties":{"name":"my nic","ips":["1.2.3.4","1.2.3.5"]}}]}}}]}"#;
    let config = ionos::Config {
        http: cloud(),
        datacenter_id: "d".to_owned(),
        port: 80,
        refresh_interval: REFRESH,
    };
    let pairs = [("/cloudapi/v6/datacenters/d/servers", servers)];
    check("ionos", Config::Ionos(config), TLS, &pairs).await;
}

#[tokio::test]
async fn linode_gives_instances() {
    let instances = r#"{"data":[{"id":1,"label":"l","ipv4":["1.2.3.4","192.168.130.1","5.6.7.8"],"ipv6":"2a01::1/128","image":"i",
      "region":"eu","type":"g6","status":"running","group":"","hypervisor":"kvm","backups":{"enabled":true},"tags":["a"],
      "specs":{"disk":51200,"memory":2048,"vcpus":1,"gpus":0,"transfer":2000}}],"pages":1}"#;
    let ips = r#"{"data":[{"address":"1.2.3.4","rdns":"x.y"}],"pages":1}"#;
    let ranges = r#"{"data":[{"range":"2a02::","prefix":64,"route_target":"2a01::1"}],"pages":1}"#;
    let pairs = [
        ("/v4/linode/instances", instances),
        ("/v4/networking/ips", ips),
        ("/v4/networking/ipv6/ranges", ranges),
    ];
    let config = linode::Config {
        http: cloud(),
        port: 80,
        region: String::new(),
        tag_separator: ",".to_owned(),
        refresh_interval: REFRESH,
    };
    check("linode", Config::Linode(config), TLS, &pairs).await;
}

#[tokio::test]
async fn scaleway_gives_servers() {
    let instances = r#"{"servers":[{"id":"i","name":"n","hostname":"h","arch":"x86_64","image":{"id":"im","name":"U"},
      "location":{"cluster_id":"1","hypervisor_id":"2","node_id":"3"},"organization":"o","project":"p","state":"running",
      "commercial_type":"DEV1","zone":"fr-par-1","tags":["a"],"boot_type":"local","private_ip":"10.0.0.1",
      "public_ips":[{"family":"inet","address":"1.2.3.4"}],"security_group":{"id":"sg","name":"d"}}]}"#;
    let metal = r#"{"servers":[{"id":"b","name":"n","project_id":"p","status":"ready","offer_name":"EM","zone":"fr-par-1",
      "ips":[{"address":"1.2.3.5","version":"IPv4"}],"tags":[]}]}"#;
    let pairs = [("/instance/v1/zones/fr-par-1/servers", instances), ("/baremetal/v1", metal)];
    use scaleway::Role::{BareMetal, Instance};
    for (name, role) in [("instance", Instance), ("baremetal", BareMetal)] {
        let config = scaleway::Config {
            api_url: "http://scaleway".to_owned(),
            http: plain(),
            role,
            project_id: "p".to_owned(),
            zone: "fr-par-1".to_owned(),
            secret_key: Secret::Inline("s".to_owned()),
            name_filter: String::new(),
            tags_filter: Vec::new(),
            port: 80,
            refresh_interval: REFRESH,
        };
        let name = format!("scaleway_{name}");
        check(&name, Config::Scaleway(config), "scaleway:80", &pairs).await;
    }
}

#[tokio::test]
async fn vultr_gives_instances() {
    let instances = r#"{"instances":[{"id":"i","label":"l","os":"U","os_id":1,"region":"ams","plan":"p","main_ip":"1.2.3.4",
      "internal_ip":"10.0.0.1","v6_main_ip":"fd00::1","hostname":"h","server_status":"ok","vcpu_count":1,"ram":1024,
      "allowed_bandwidth":5,"disk":25,"features":["ipv6"],"tags":["a"]}],"meta":{"links":{"next":""}}}"#;
    let config = vultr::Config { http: cloud(), port: 80, refresh_interval: REFRESH };
    check("vultr", Config::Vultr(config), TLS, &[("/v2/instances", instances)]).await;
}

fn kubernetes_config(role: kubernetes::Role) -> Config {
    Config::Kubernetes(kubernetes::Config {
        role,
        access: kubernetes::Access::Server {
            url: "http://k8s".to_owned(),
            http: Box::new(plain()),
        },
        namespaces: Vec::new(),
        own_namespace: false,
        selectors: Vec::new(),
        attach: kubernetes::Attach {
            node: true,
            namespace: true,
            deployment: true,
            job: true,
            cronjob: true,
        },
    })
}

const NODES: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"n1","labels":{"zone":"a"}},
  "spec":{"providerID":"p://1"},"status":{"addresses":[{"type":"Hostname","address":"h1"},{"type":"InternalIP","address":"10.0.0.1"}],
  "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}]}"#;
const NAMESPACES: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"ns","labels":{"team":"x"}}}]}"#;
const PODS: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"p1","namespace":"ns","uid":"u1",
  "labels":{"app.kubernetes.io/name":"web"},"annotations":{"a":"b"},"ownerReferences":[{"kind":"ReplicaSet","name":"rs","controller":true}]},
  "spec":{"nodeName":"n1","containers":[{"name":"c","image":"i:1","ports":[{"name":"http","containerPort":80,"protocol":"TCP"},{"name":"metrics","containerPort":9100}]}],
  "initContainers":[{"name":"init","image":"i:0"}]},
  "status":{"phase":"Running","podIP":"10.1.0.1","hostIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}],
  "containerStatuses":[{"name":"c","containerID":"d://1"}]}},
  {"metadata":{"name":"j1","namespace":"ns","ownerReferences":[{"kind":"Job","name":"backup-1","controller":true}]},
  "spec":{"containers":[{"name":"c"}]},"status":{"phase":"Running","podIP":"10.1.0.3"}},
  {"metadata":{"name":"waits","namespace":"ns"},"spec":{"containers":[]},"status":{"phase":"Pending"}}]}"#;
const REPLICA_SETS: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"rs","namespace":"ns",
  "ownerReferences":[{"kind":"Deployment","name":"web","controller":true}]}}]}"#;
const JOBS: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"backup-1","namespace":"ns",
  "ownerReferences":[{"kind":"CronJob","name":"backup","controller":true}]}}]}"#;
const SERVICES: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"web","namespace":"ns","labels":{"l":"m"}},
  "spec":{"type":"ClusterIP","clusterIP":"10.2.0.1","ports":[{"name":"http","port":80,"protocol":"TCP"}]}}]}"#;
const ENDPOINTS: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"web","namespace":"ns"},
  "subsets":[{"ports":[{"name":"http","port":80,"protocol":"TCP"}],"addresses":[{"ip":"10.1.0.1","nodeName":"n1","targetRef":{"kind":"Pod","name":"p1","namespace":"ns"}}],
  "notReadyAddresses":[{"ip":"10.1.0.2","hostname":"h"}]}]}]}"#;
const SLICES: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"web-x","namespace":"ns","labels":{"kubernetes.io/service-name":"web"}},
  "addressType":"IPv4","ports":[{"name":"http","port":80,"protocol":"TCP"}],
  "endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"n1","zone":"a","targetRef":{"kind":"Pod","name":"p1","namespace":"ns"}}]}]}"#;
const INGRESSES: &str = r#"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"i","namespace":"ns"},
  "spec":{"ingressClassName":"nginx","tls":[{"hosts":["*.example.com"]}],"rules":[
  {"host":"a.example.com","http":{"paths":[{"path":"/x"}]}},{"host":"other.com","http":{"paths":[{}]}}]}}]}"#;

fn cluster() -> Vec<(&'static str, &'static str)> {
    vec![
        ("/api/v1/nodes?limit", NODES),
        ("/api/v1/nodes?watch", "hang"),
        ("/api/v1/namespaces?limit", NAMESPACES),
        ("/api/v1/namespaces?watch", "hang"),
        ("/api/v1/pods?limit", PODS),
        ("/api/v1/pods?watch", "hang"),
        ("/api/v1/services?limit", SERVICES),
        ("/api/v1/services?watch", "hang"),
        ("/api/v1/endpoints?limit", ENDPOINTS),
        ("/api/v1/endpoints?watch", "hang"),
        ("/apis/discovery.k8s.io/v1/endpointslices?limit", SLICES),
        ("/apis/discovery.k8s.io/v1/endpointslices?watch", "hang"),
        ("/apis/networking.k8s.io/v1/ingresses?limit", INGRESSES),
        ("/apis/networking.k8s.io/v1/ingresses?watch", "hang"),
        ("/apis/apps/v1/replicasets?limit", REPLICA_SETS),
        ("/apis/apps/v1/replicasets?watch", "hang"),
        ("/apis/batch/v1/jobs?limit", JOBS),
        ("/apis/batch/v1/jobs?watch", "hang"),
    ]
}

#[tokio::test]
async fn kubernetes_gives_every_role() {
    use kubernetes::Role::{EndpointSlice, Endpoints, Ingress, Node, Pod, Service};
    let roles = [
        ("node", Node),
        ("pod", Pod),
        ("service", Service),
        ("endpoints", Endpoints),
        ("endpointslice", EndpointSlice),
        ("ingress", Ingress),
    ];
    for (name, role) in roles {
        let name = format!("kubernetes_{name}");
        check(&name, kubernetes_config(role), "k8s:80", &cluster()).await;
    }
}

#[tokio::test]
async fn kubernetes_is_watched() {
    let world = World::new();
    let answers = answers(&cluster());
    let line = |kind: &str, name: &str, ip: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"object\":{{\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"ns\",\
             \"resourceVersion\":\"2\"}},\"spec\":{{\"containers\":[{{\"name\":\"c\"}}]}},\
             \"status\":{{\"podIP\":\"{ip}\"}}}}}}\n"
        )
    };
    let events = line("ADDED", "p2", "10.1.0.9") + &line("DELETED", "p1", "");
    let first =
        "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=1";
    answers.lock().insert(first.to_owned(), events);
    serve(&world.simulation, "k8s:80", answers).await;
    world.apply(&[("job", kubernetes_config(kubernetes::Role::Pod))]);
    world.settle().await;
    let found = world.print_labels();
    world.manager.stop().await;
    assert!(found.contains("__address__=10.1.0.9\n") && !found.contains("10.1.0.1\n"), "{found}");
}
