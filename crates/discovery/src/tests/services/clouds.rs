//! Clouds, hosters and schedulers with an API of their own.

use std::{path::Path, time::Duration};

use transport::client::{self, Secret, SigV4};

use super::{REFRESH, TLS, World, answers, check, cloud, compare, plain, serve};
use crate::{
    Config, azure, gce, kuma, marathon, oci, openstack, outscale, ovhcloud, stackit, triton, uyuni,
};

fn secret() -> Secret {
    Secret::Inline("secret".to_owned())
}

#[tokio::test]
async fn azure_gives_machines_and_those_of_scale_sets() {
    let subscription = "/subscriptions/sub/resourceGroups/rg/providers";
    let machine = |id: &str, name: &str| {
        format!(
            r#"{{"id":"{id}","name":"{name}","location":"westeurope","tags":{{"a.b":"c"}},"properties":{{
            "hardwareProfile":{{"vmSize":"Standard_B2s"}},"osProfile":{{"computerName":"{name}-host"}},
            "storageProfile":{{"osDisk":{{"osType":"Linux"}}}},
            "networkProfile":{{"networkInterfaces":[{{"id":"{id}/nic"}}]}}}}}}"#
        )
    };
    let list = |machines: &str, next: &str| format!(r#"{{"value":[{machines}]{next}}}"#);
    let (one, two, of_set, off) = (
        format!("{subscription}/Microsoft.Compute/virtualMachines/vm1"),
        format!("{subscription}/Microsoft.Compute/virtualMachines/vm2"),
        format!("{subscription}/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0"),
        format!("{subscription}/Microsoft.Compute/virtualMachines/off"),
    );
    let page2 = "https://management.azure.com/page2";
    let next = format!(r#","nextLink":"{page2}""#);
    let nic = |primary: &str, private: &str, public: &str| {
        format!(
            r#"{{"properties":{{{primary}"ipConfigurations":[{{"properties":{{"privateIPAddress":"{private}"{public}}}}}]}}}}"#
        )
    };
    let public = r#","publicIPAddress":{"properties":{"ipAddress":"1.2.3.4"}}"#;
    let primary = r#""primary":true,"#;
    let all = "/subscriptions/sub/providers/Microsoft.Compute";
    let set = format!("{subscription}/Microsoft.Compute/virtualMachineScaleSets/set");
    let pairs = [
        (
            "/t/oauth2/v2.0/token client_secret=secret".to_owned(),
            r#"{"access_token":"x","expires_in":3599}"#.to_owned(),
        ),
        (format!("{all}/virtualMachines?"), list(&machine(&one, "vm1"), &next)),
        (
            "/page2".to_owned(),
            list(&format!("{},{}", machine(&two, "vm2"), machine(&off, "off")), ""),
        ),
        (
            format!("{all}/virtualMachineScaleSets?"),
            list(&format!(r#"{{"id":"{set}","name":"set"}}"#), ""),
        ),
        (format!("{set}/virtualMachines?"), list(&machine(&of_set, "set_0"), "")),
        (format!("{one}/nic?"), nic(primary, "10.0.0.1", public)),
        // The second machine's interface is just being removed.
        (format!("{of_set}/nic?"), nic(primary, "10.0.0.3", "")),
        (format!("{off}/nic?"), nic("", "10.0.0.4", "")),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let config = azure::Config {
        environment: "AzurePublicCloud".to_owned(),
        authentication: azure::Authentication::OAuth,
        subscription_id: "sub".to_owned(),
        tenant_id: "t".to_owned(),
        client_id: "c".to_owned(),
        client_secret: Some(secret()),
        resource_group: String::new(),
        http: cloud(),
        port: 80,
        refresh_interval: REFRESH,
    };
    check("azure", Config::Azure(config), TLS, &pairs).await;
}

#[tokio::test]
async fn openstack_gives_every_role() {
    let token = r#"{"token":{"catalog":[
      {"type":"compute","endpoints":[{"interface":"internal","region":"r1","url":"http://no"},
        {"interface":"public","region":"r1","url":"http://os/compute/v2.1"}]},
      {"type":"network","endpoints":[{"interface":"public","region_id":"r1","url":"http://os/network/"}]},
      {"type":"load-balancer","endpoints":[{"interface":"public","region":"r1","url":"http://os/lb/v2.0"}]}]}}"#;
    let hypervisors = r#"{"hypervisors":[{"id":1,"host_ip":"10.0.0.1","hypervisor_hostname":"h1","hypervisor_type":"QEMU",
      "state":"up","status":"enabled"}]}"#;
    let first = r#"{"servers":[{"id":"s1","name":"n1","status":"ACTIVE","tenant_id":"t1","user_id":"u1","flavor":{"id":"f1"},
      "image":{"id":"i1"},"metadata":{"a-b":"c"},"addresses":{"private":[{"addr":"10.1.0.1"},{"addr":"5.6.7.8"}],"other":[{"addr":"10.2.0.1"}]}}],
      "servers_links":[{"rel":"next","href":"http://os/compute/v2.1/servers/detail?marker=s1"}]}"#;
    let second = r#"{"servers":[{"id":"s2","name":"n2","status":"SHUTOFF","tenant_id":"t1","user_id":"u1","flavor":{"original_name":"m1.small"},
      "image":"","metadata":{},"addresses":{"private":[{"addr":"10.1.0.2"}]}},{"id":"s3","addresses":{}}]}"#;
    let ports = r#"{"ports":[{"id":"p1","device_id":"s1"},{"id":"p2","device_id":"lb"}]}"#;
    let floating = r#"{"floatingips":[{"port_id":"p1","fixed_ip_address":"10.1.0.1","floating_ip_address":"5.6.7.8","tenant_id":"t1"},
      {"port_id":"p2","fixed_ip_address":"10.3.0.1","floating_ip_address":"5.6.7.9","tenant_id":"t1"},{"port_id":null,"floating_ip_address":"5.6.7.10"}]}"#;
    let balancers = r#"{"loadbalancers":[{"id":"l1","name":"lb","vip_address":"10.3.0.1","vip_port_id":"p2","provider":"amphora",
      "operating_status":"ONLINE","provisioning_status":"ACTIVE","availability_zone":"az","project_id":"t1","tags":["a","b"]},{"id":"l2"}]}"#;
    let listeners = r#"{"listeners":[{"protocol":"HTTP","protocol_port":80,"loadbalancers":[{"id":"l1"},{"id":"l2"}]},
      {"protocol":"PROMETHEUS","protocol_port":8088,"loadbalancers":[{"id":"l1"}]}]}"#;
    let pairs = [
        (r#"/identity/v3/auth/tokens "password":"secret""#, token),
        ("/compute/v2.1/os-hypervisors/detail", hypervisors),
        ("/compute/v2.1/servers/detail?all_tenants=true", first),
        ("/compute/v2.1/servers/detail?marker=s1", second),
        ("/network/v2.0/ports", ports),
        ("/network/v2.0/floatingips", floating),
        ("/lb/v2.0/lbaas/loadbalancers", balancers),
        ("/lb/v2.0/lbaas/listeners", listeners),
    ];
    use openstack::Role::{Hypervisor, Instance, LoadBalancer};
    let roles =
        [("hypervisor", Hypervisor), ("instance", Instance), ("loadbalancer", LoadBalancer)];
    for (name, role) in roles {
        let who = |name: &str| openstack::Who { id: String::new(), name: name.to_owned() };
        let config = openstack::Config {
            credentials: openstack::Credentials {
                endpoint: "http://os/identity".to_owned(),
                user: who("me"),
                password: Some(secret()),
                application: openstack::Who::default(),
                application_secret: None,
                scope: openstack::Scope { project: who("project"), domain: who("default") },
            },
            role,
            region: "r1".to_owned(),
            all_tenants: true,
            availability: "public".to_owned(),
            tls: Default::default(),
            port: 80,
            refresh_interval: REFRESH,
        };
        check(&format!("openstack_{name}"), Config::OpenStack(config), "os:80", &pairs).await;
    }
}

#[tokio::test]
async fn ovhcloud_gives_servers() {
    let vps = r#"{"name":"abc","displayName":"ABC","cluster":"cl","keymap":null,"zone":"z","offerType":"ssd","memoryLimit":2048,"vcore":1,
      "netbootMode":"local","state":"running","monitoringIpBlocks":[],"model":{"name":"vps-value","offer":"VPS","version":"2019v1",
      "datacenter":["gra","sbg"],"memory":2048,"vcore":1,"disk":40,"maximumAdditionnalIp":16}}"#;
    let dedicated = r#"{"name":"abcde","serverId":1234,"commercialRange":"Advance-1","datacenter":"gra3","linkSpeed":1000,"noIntervention":false,
      "os":"debian12_64","rack":"R1","reverse":"abcde.example.com","state":"ok","supportLevel":"pro"}"#;
    let pairs = [
        ("/auth/time", "1700000000"),
        ("/vps", r#"["abc"]"#),
        ("/vps/abc", vps),
        ("/vps/abc/ips", r#"["2001:db8::1","192.0.2.1"]"#),
        ("/dedicated/server", r#"["abcde"]"#),
        ("/dedicated/server/abcde", dedicated),
        ("/dedicated/server/abcde/ips", r#"["192.0.2.2/32","2001:db8::/64"]"#),
    ];
    use ovhcloud::Kind::{DedicatedServer, Vps};
    for (name, service) in [("vps", Vps), ("dedicated_server", DedicatedServer)] {
        let config = ovhcloud::Config {
            endpoint: "http://ovh".to_owned(),
            application_key: "app".to_owned(),
            application_secret: secret(),
            consumer_key: secret(),
            service,
            refresh_interval: REFRESH,
        };
        check(&format!("ovhcloud_{name}"), Config::OvhCloud(config), "ovh:80", &pairs).await;
    }
}

#[tokio::test]
async fn outscale_gives_machines() {
    let first = r#"{"Vms":[{"VmId":"i-1","State":"running","PrivateIp":"10.0.0.1","PublicIp":"1.2.3.4",
      "Placement":{"SubregionName":"eu-west-2a"},"Tags":[{"Key":"Name","Value":"web"}]}],"NextPageToken":"next"}"#;
    let second =
        r#"{"Vms":[{"VmId":"i-2","State":"running","PublicIp":"1.2.3.5"},{"VmId":"i-3"}]}"#;
    let pairs = [("/ReadVms", first), (r#"/ReadVms "NextPageToken":"next""#, second)];
    let config = outscale::Config {
        endpoint: "http://outscale".to_owned(),
        http: plain(),
        sigv4: SigV4 {
            region: "eu-west-2".to_owned(),
            access_key: "KEY".to_owned(),
            secret_key: Some(secret()),
            ..SigV4::default()
        },
        port: 80,
        refresh_interval: REFRESH,
    };
    check("outscale", Config::Outscale(config), "outscale:80", &pairs).await;
}

#[tokio::test]
async fn stackit_gives_servers() {
    let servers = r#"{"items":[{"id":"s1","name":"n","availabilityZone":"eu01-3","machineType":"g1.1","status":"ACTIVE","powerStatus":"RUNNING",
      "labels":{"a-b":"c"},"nics":[{"ipv4":"10.0.0.1","networkName":"my net","publicIp":"192.0.2.1"}]},{"id":"s2","nics":[]}]}"#;
    let config = stackit::Config {
        endpoint: "http://stackit/".to_owned(),
        region: "eu01".to_owned(),
        project: "p1".to_owned(),
        service_account_key: None,
        private_key: None,
        credentials_file: String::new(),
        http: plain(),
        port: 80,
        refresh_interval: REFRESH,
    };
    let pairs = [("/v1/projects/p1/servers?details=true", servers)];
    check("stackit", Config::Stackit(config), "stackit:80", &pairs).await;
}

#[tokio::test]
async fn triton_gives_containers_and_nodes() {
    let containers = r#"{"containers":[{"groups":["a","b"],"server_uuid":"s","vm_alias":"web","vm_brand":"lx","vm_image_uuid":"i","vm_uuid":"v"}]}"#;
    let nodes = r#"{"cns":[{"server_uuid":"s","server_hostname":"h"}]}"#;
    let pairs = [("/v1/discover?groups=a%2Cb", containers), ("/v1/gz/discover", nodes)];
    use triton::Role::{ComputeNode, Container};
    for (name, role, groups) in
        [("container", Container, vec!["a", "b"]), ("cn", ComputeNode, vec![])]
    {
        let config = triton::Config {
            role,
            dns_suffix: "triton.example.com".to_owned(),
            endpoint: "triton.example.com".to_owned(),
            groups: groups.into_iter().map(str::to_owned).collect(),
            port: 9163,
            version: 1,
            tls: cloud().tls,
            refresh_interval: REFRESH,
        };
        let name = format!("triton_{name}");
        check(&name, Config::Triton(config), "triton.example.com:9163", &pairs).await;
    }
}

#[tokio::test]
async fn uyuni_gives_exporters() {
    let method = |value: &str| {
        format!(
            "<?xml version=\"1.0\"?><methodResponse><params><param><value>{value}</value></param></params></methodResponse>"
        )
    };
    let list = |members: &str| {
        method(&format!("<array><data><value><struct>{members}</struct></value></data></array>"))
    };
    let member = |name: &str, value: &str| {
        format!("<member><name>{name}</name><value>{value}</value></member>")
    };
    let group = |name: &str| format!("<value><struct>{}</struct></value>", member("name", name));
    let groups =
        format!("<array><data>{}{}</data></array>", group("front &amp; back"), group("all"));
    let systems = list(&(member("id", "<i4>7</i4>") + &member("system_groups", &groups)));
    let endpoints = list(
        &[
            member("system_id", "<int>7</int>"),
            member("endpoint_name", "node"),
            member("port", "<int>9100</int>"),
            member("path", "/metrics"),
            member("module", "m"),
            member("exporter_name", "node_exporter"),
            member("tls_enabled", "<boolean>1</boolean>"),
        ]
        .concat(),
    );
    let networks = list(
        &[
            member("system_id", "<int>7</int>"),
            member("hostname", "h1"),
            member("primary_fqdn", "h1.example.com"),
        ]
        .concat(),
    );
    let pairs = [
        ("/rpc/api auth.login", &*method("token")),
        ("/rpc/api system.listSystemGroupsForSystemsWithEntitlement", &systems),
        ("/rpc/api system.monitoring.listEndpoints", &endpoints),
        ("/rpc/api system.getNetworkForSystems", &networks),
    ];
    let config = uyuni::Config {
        server: "http://uyuni".to_owned(),
        username: "me".to_owned(),
        password: secret(),
        entitlement: "monitoring_entitled".to_owned(),
        separator: ",".to_owned(),
        http: plain(),
        refresh_interval: REFRESH,
    };
    check("uyuni", Config::Uyuni(config), "uyuni:80", &pairs).await;
}

#[tokio::test]
async fn marathon_gives_tasks() {
    let apps = r#"{"apps":[
      {"id":"/mapped","labels":{"a-b":"c"},"container":{"docker":{"image":"i:1"},"portMappings":[{"hostPort":0,"containerPort":80,"labels":{"prometheus":"yes"}}]},
       "tasks":[{"id":"t1","host":"h1","ports":[31000]}]},
      {"id":"/network","container":{"docker":{"image":"i:2","portMappings":[{"containerPort":8080,"hostPort":0}]}},"networks":[{"mode":"container","name":"n"}],
       "tasks":[{"id":"t2","host":"h1","ports":[31001],"ipAddresses":[{"ipAddress":"10.0.0.2"}]}]},
      {"id":"/defined","container":{},"requirePorts":true,"portDefinitions":[{"port":9000,"labels":{"x":"y"}},{"port":9001}],
       "tasks":[{"id":"t3","host":"h2","ports":[1,2]}]},
      {"id":"/plain","container":{},"tasks":[{"id":"t4","host":"h3","ports":[31002]}]}]}"#;
    let config = marathon::Config {
        servers: vec!["http://marathon".to_owned()],
        auth_token: Some(secret()),
        http: plain(),
        refresh_interval: REFRESH,
    };
    let pairs = [("/v2/apps/?embed=apps.tasks", apps)];
    check("marathon", Config::Marathon(config), "marathon:80", &pairs).await;
}

#[tokio::test]
async fn kuma_gives_assignments() {
    let assignments = r#"{"version_info":"v1","nonce":"n1","resources":[{"@type":"type.googleapis.com/kuma.observability.v1.MonitoringAssignment",
      "mesh":"default","service":"redis","labels":{"team":"x"},"targets":[{"name":"redis-01","scheme":"http","address":"10.0.0.1:5670",
      "metricsPath":"/metrics","labels":{"kuma.io/zone":"a"}}]}]}"#;
    let path = "/v3/discovery:monitoringassignments?fetch-timeout=2m";
    let config = kuma::Config {
        server: "http://kuma:5676".to_owned(),
        client_id: "me".to_owned(),
        fetch_timeout: Duration::from_secs(120),
        http: plain(),
        refresh_interval: REFRESH,
    };
    let pairs = [(&*format!("{path} \"id\":\"me\""), assignments)];
    check("kuma", Config::Kuma(config), "kuma:5676", &pairs).await;
}

#[tokio::test]
async fn gce_gives_instances() {
    let instances = r#"{"items":[{"id":"1","name":"n","status":"RUNNING","machineType":"https://x/e2-small","zone":"https://x/europe-west1-b",
      "tags":{"items":["a","b"]},"labels":{"k-l":"v"},"metadata":{"items":[{"key":"ssh-keys","value":"none"}]},
      "networkInterfaces":[{"name":"nic0","network":"https://x/default","subnetwork":"https://x/sub","networkIP":"10.0.0.1",
      "accessConfigs":[{"type":"ONE_TO_ONE_NAT","natIP":"1.2.3.4"}]}]},{"id":"2","networkInterfaces":[]}]}"#;
    let base = "/compute/v1/projects/p/zones/europe-west1-b/instances?maxResults=500&filter=";
    let token = r#"{"access_token":"x","expires_in":3599,"token_type":"Bearer"}"#;
    let world = World::new();
    let metadata = "/computeMetadata/v1/instance/service-accounts/default/token";
    let google = answers(&[(metadata, token)]);
    serve(&world.simulation, "metadata.google.internal:80", google).await;
    let first = r#"{"items":[],"nextPageToken":"p 2"}"#;
    let pages = answers(&[(base, first), (&format!("{base}&pageToken=p+2"), instances)]);
    serve(&world.simulation, "compute.googleapis.com:443", pages).await;
    let config = gce::Config {
        project: "p".to_owned(),
        zone: "europe-west1-b".to_owned(),
        filter: String::new(),
        tag_separator: ",".to_owned(),
        http: client::Config { tls: cloud().tls, ..plain() },
        port: 80,
        refresh_interval: REFRESH,
    };
    world.apply(&[("job", Config::Gce(config))]);
    let found = world.until_found().await;
    world.manager.stop().await;
    compare("gce", &found);
}

#[tokio::test]
async fn oci_gives_instances_of_all_compartments() {
    let world = World::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("there is entropy");
    let disk: &dyn runtime::Disk = &world.simulation.disk;
    disk.write_atomically(Path::new("/key"), key.serialize_pem().as_bytes()).expect("room");
    let instances = r#"[{"id":"i1","displayName":"n","lifecycleState":"RUNNING","shape":"VM.Standard","availabilityDomain":"AD-1","faultDomain":"FD-1",
      "imageId":"im","region":"eu-frankfurt-1","compartmentId":"c1","freeformTags":{"My-Tag":"v"},
      "definedTags":{"Oracle-Tags":{"CreatedBy":"me","n":42,"list":["a"]}}}]"#;
    let attachments = r#"[{"vnicId":"gone","lifecycleState":"DETACHED"},{"vnicId":"v1","lifecycleState":"ATTACHED"}]"#;
    let compartments =
        r#"[{"id":"c1","lifecycleState":"ACTIVE"},{"id":"c2","lifecycleState":"DELETED"}]"#;
    let vnic = r#"{"id":"v1","isPrimary":true,"privateIp":"10.0.0.1","publicIp":"1.2.3.4"}"#;
    let pairs = answers(&[
        ("/20160918/compartments?compartmentId=tenancy", compartments),
        ("/20160918/instances?compartmentId=tenancy", "[]"),
        ("/20160918/instances?compartmentId=c1", instances),
        ("/20160918/vnicAttachments?compartmentId=c1&instanceId=i1", attachments),
        ("/20160918/vnics/v1", vnic),
    ]);
    serve(&world.simulation, TLS, pairs).await;
    let config = oci::Config {
        authentication: oci::Authentication::ApiKey(oci::ApiKey {
            tenancy: "tenancy".to_owned(),
            user: "user".to_owned(),
            fingerprint: "aa:bb".to_owned(),
            key_file: "/key".into(),
            has_passphrase: false,
        }),
        region: "eu-frankfurt-1".to_owned(),
        compartments: Vec::new(),
        http: cloud(),
        port: 9100,
        refresh_interval: REFRESH,
    };
    world.apply(&[("job", Config::Oci(config))]);
    let found = world.until_found().await;
    world.manager.stop().await;
    compare("oci", &found);
}

#[tokio::test]
async fn oci_instances_speak_for_themselves() {
    let world = World::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("there is entropy");
    let mut wanted = rcgen::CertificateParams::default();
    let unit = rcgen::DnType::OrganizationalUnitName;
    wanted.distinguished_name.push(unit, "opc-tenant:tenancy");
    let certificate = wanted.self_signed(&key).expect("it is easy").pem();
    let metadata = answers(&[
        ("/opc/v2/identity/cert.pem", &certificate),
        ("/opc/v2/identity/intermediate.pem", &certificate),
        ("/opc/v2/identity/key.pem", &key.serialize_pem()),
    ]);
    serve(&world.simulation, "169.254.169.254:80", metadata).await;
    // {"exp":4102444800}
    let token = r#"{"token":"e30.eyJleHAiOjQxMDI0NDQ4MDB9.e30"}"#;
    let login = answers(&[(r#"/v1/x509 "publicKey":"#, token)]);
    serve(&world.simulation, "auth.eu-frankfurt-1.oraclecloud.com:443", login).await;
    let core = answers(&[
        ("/20160918/instances?compartmentId=c1", r#"[{"id":"i1","displayName":"n"}]"#),
        ("/20160918/vnicAttachments", r#"[{"vnicId":"v1","lifecycleState":"ATTACHED"}]"#),
        ("/20160918/vnics/v1", r#"{"id":"v1","isPrimary":true,"publicIp":"1.2.3.4"}"#),
    ]);
    serve(&world.simulation, "iaas.eu-frankfurt-1.oraclecloud.com:443", core).await;
    let config = oci::Config {
        authentication: oci::Authentication::InstancePrincipal,
        region: "eu-frankfurt-1".to_owned(),
        compartments: vec!["c1".to_owned()],
        http: client::Config { tls: cloud().tls, ..plain() },
        port: 9100,
        refresh_interval: REFRESH,
    };
    world.apply(&[("job", Config::Oci(config))]);
    let found = world.until_found().await;
    world.manager.stop().await;
    compare("oci_instance_principal", &found);
}
