//! `ecs_sd_configs`: the tasks of services in Amazon's container clusters.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::{Value, json};
use tracing::error;

use crate::{
    aws::{self, Account, Api},
    ec2,
    found::{Found, each, get, group, host_port, list, texts},
    refresh::{Lookup, Polled},
    service::for_each,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub account: Account,
    /// Their ARNs; none means all of the region.
    pub clusters: Vec<String>,
    pub port: u16,
    pub request_concurrency: usize,
    pub refresh_interval: Duration,
}

/// How many of each can be described in one request.
const CLUSTERS_AT_ONCE: usize = 100;
const SERVICES_AT_ONCE: usize = 10;
const TASKS_AT_ONCE: usize = 100;

pub(crate) struct Ecs {
    config: Config,
    api: Api,
    /// Knows the machines that tasks run on.
    ec2: Api,
}

/// What is known of where the tasks of a service run.
#[derive(Default)]
struct Places {
    /// Machines by the container instance that they are.
    machines: BTreeMap<String, Value>,
    /// Public addresses by network interface.
    public_ips: BTreeMap<String, String>,
}

impl Polled for Config {
    type Lookup = Ecs;

    fn lookup(&self, runtime: &Runtime) -> Result<Ecs, String> {
        let api = self.account.api(runtime, "ecs", "ECS")?;
        let own = Account { endpoint: String::new(), ..self.account.clone() };
        Ok(Ecs { config: self.clone(), api, ec2: own.api(runtime, "ec2", "ECS")? })
    }
}

impl Lookup for Ecs {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let arns = match self.config.clusters.as_slice() {
            [] => self.list("ListClusters", "clusterArns", json!({})).await?,
            clusters => clusters.to_vec(),
        };
        let clusters = self
            .describe("DescribeClusters", "clusters", &arns, CLUSTERS_AT_ONCE, json!({}))
            .await?;
        let this = &*self;
        let n_at_once = self.config.request_concurrency;
        let found = for_each(&clusters, n_at_once, |cluster| this.cluster(cluster));
        let targets = found.await?.into_iter().flatten().collect();
        Ok(vec![group(self.api.region.clone(), targets)])
    }
}

impl Ecs {
    async fn call(&self, action: &str, question: &Value) -> Result<Value, String> {
        self.api.call(&format!("AmazonEC2ContainerServiceV20141113.{action}"), question).await
    }

    /// The ARNs of a list.
    async fn list(&self, action: &str, key: &str, question: Value) -> Result<Vec<String>, String> {
        let question = &question;
        let pages = aws::pages("nextToken", |next| async move {
            let mut question = question.clone();
            if let Some(token) = next {
                question["nextToken"] = json!(token);
            }
            self.call(action, &question).await
        });
        Ok(pages.await?.iter().flat_map(|page| texts(&page[key])).collect())
    }

    /// What stands behind ARNs, with tags.
    async fn describe(
        &self,
        action: &str,
        key: &str,
        arns: &[String],
        n_a_request: usize,
        question: Value,
    ) -> Result<Vec<Value>, String> {
        let n_at_once = self.config.request_concurrency;
        let question = &question;
        let answers = for_each(arns.chunks(n_a_request), n_at_once, |arns| async move {
            let mut question = question.clone();
            question[key] = json!(arns);
            question["include"] = json!(["TAGS"]);
            self.call(action, &question).await
        });
        Ok(answers.await?.iter().flat_map(|answer| each(&answer[key])).cloned().collect())
    }

    async fn cluster(&self, cluster: &Value) -> Result<Vec<Labels>, String> {
        let question = json!({ "cluster": get(cluster, "clusterArn") });
        let arns = self.list("ListServices", "serviceArns", question.clone()).await?;
        let services = self
            .describe("DescribeServices", "services", &arns, SERVICES_AT_ONCE, question.clone())
            .await?;
        let mut targets = Vec::new();
        for service in &services {
            let mut of_service = question.clone();
            of_service["serviceName"] = service["serviceName"].clone();
            let arns = self.list("ListTasks", "taskArns", of_service).await?;
            let tasks = self
                .describe("DescribeTasks", "tasks", &arns, TASKS_AT_ONCE, question.clone())
                .await?;
            let places = self.places(&question, &tasks).await;
            let found = tasks
                .iter()
                .filter_map(|task| Some(self.target(cluster, service, task, &places)?.labels()));
            targets.extend(found);
        }
        Ok(targets)
    }

    /// Who may not look there still gets the tasks that can be reached without.
    async fn places(&self, question: &Value, tasks: &[Value]) -> Places {
        let machines = match self.machines(question, tasks).await {
            Ok(machines) => machines,
            Err(err) => {
                error!(err, "Failed to describe EC2 instances");
                BTreeMap::new()
            }
        };
        let public_ips = match self.public_ips(tasks).await {
            Ok(public_ips) => public_ips,
            Err(err) => {
                error!(err, "Failed to describe network interfaces");
                BTreeMap::new()
            }
        };
        Places { machines, public_ips }
    }

    async fn machines(
        &self,
        question: &Value,
        tasks: &[Value],
    ) -> Result<BTreeMap<String, Value>, String> {
        let arns = tasks.iter().map(|task| get(task, "containerInstanceArn").to_owned());
        let mut arns: Vec<String> = arns.filter(|arn| !arn.is_empty()).collect();
        arns.sort();
        arns.dedup();
        let mut machines = BTreeMap::new();
        for arns in arns.chunks(TASKS_AT_ONCE) {
            let mut question = question.clone();
            question["containerInstances"] = json!(arns);
            let answer = self.call("DescribeContainerInstances", &question).await?;
            let instances: BTreeMap<&str, &str> = each(&answer["containerInstances"])
                .map(|it| (get(it, "ec2InstanceId"), get(it, "containerInstanceArn")))
                .collect();
            let ids = (1..).zip(instances.keys());
            let ids: Vec<_> =
                ids.map(|(n, id)| (format!("InstanceId.{n}"), (*id).to_owned())).collect();
            let pages = match ids.as_slice() {
                [] => continue,
                ids => ec2::describe_instances(&self.ec2, ids).await?,
            };
            let reservations = pages.iter().flat_map(|page| list(&page["reservationSet"]));
            for machine in reservations.flat_map(|it| list(&it["instancesSet"])) {
                if let Some(arn) = instances.get(get(machine, "instanceId")) {
                    machines.insert((*arn).to_owned(), machine.clone());
                }
            }
        }
        Ok(machines)
    }

    async fn public_ips(&self, tasks: &[Value]) -> Result<BTreeMap<String, String>, String> {
        let ids = tasks.iter().map(|task| interface(task, "networkInterfaceId"));
        let ids: Vec<&str> = ids.filter(|id| !id.is_empty()).collect();
        let mut public_ips = BTreeMap::new();
        for ids in ids.chunks(TASKS_AT_ONCE) {
            let ids = (1..).zip(ids);
            let ids: Vec<_> =
                ids.map(|(n, id)| (format!("NetworkInterfaceId.{n}"), (*id).to_owned())).collect();
            let answer = self.ec2.query(ec2::VERSION, "DescribeNetworkInterfaces", &ids).await?;
            for it in list(&answer["networkInterfaceSet"]) {
                let (id, ip) = (get(it, "networkInterfaceId"), get(&it["association"], "publicIp"));
                if !ip.is_empty() {
                    public_ips.insert(id.to_owned(), ip.to_owned());
                }
            }
        }
        Ok(public_ips)
    }

    /// Nothing for a task without an address.
    fn target(
        &self,
        cluster: &Value,
        service: &Value,
        task: &Value,
        places: &Places,
    ) -> Option<Found> {
        let has_interface = attachment(task).is_some();
        let machine = places.machines.get(get(task, "containerInstanceArn"));
        let machine = machine.unwrap_or(&Value::Null);
        // A task has an address of its own, or is behind a port of its machine.
        let (mode, ip, subnet, public_ip) = if has_interface {
            let public_ip = places.public_ips.get(interface(task, "networkInterfaceId"));
            let public_ip = public_ip.map_or("", String::as_str);
            let (ip, subnet) = (interface(task, "privateIPv4Address"), interface(task, "subnetId"));
            ("awsvpc", ip, subnet, public_ip)
        } else {
            let (ip, subnet) = (get(machine, "privateIpAddress"), get(machine, "subnetId"));
            ("bridge", ip, subnet, get(machine, "ipAddress"))
        };
        if ip.is_empty() {
            return None;
        }
        let mut found = Found::at(&host_port(ip, self.config.port));
        for (name, value) in [
            ("ip_address", ip),
            ("network_mode", mode),
            ("public_ip", public_ip),
            ("region", &self.api.region),
            ("subnet_id", subnet),
        ] {
            found.set(&format!("__meta_ecs_{name}"), value);
        }
        let cluster_labels = [("cluster", "/clusterName"), ("cluster_arn", "/clusterArn")];
        found.copy("__meta_ecs_", cluster, &cluster_labels);
        let service_labels = [
            ("service", "/serviceName"),
            ("service_arn", "/serviceArn"),
            ("service_status", "/status"),
        ];
        found.copy("__meta_ecs_", service, &service_labels);
        add_task(&mut found, task);
        let machine_labels = [
            ("id", "/instanceId"),
            ("private_ip", "/privateIpAddress"),
            ("public_ip", "/ipAddress"),
            ("type", "/instanceType"),
        ];
        found.copy("__meta_ecs_ec2_instance_", machine, &machine_labels);
        let pair = ["key", "value"];
        found.tags("__meta_ecs_tag_cluster_", each(&cluster["tags"]), pair);
        found.tags("__meta_ecs_tag_service_", each(&service["tags"]), pair);
        found.tags("__meta_ecs_tag_task_", each(&task["tags"]), pair);
        found.tags("__meta_ecs_tag_ec2_", list(&machine["tagSet"]), pair);
        Some(found)
    }
}

fn add_task(found: &mut Found, task: &Value) {
    found.copy(
        "__meta_ecs_",
        task,
        &[
            ("availability_zone", "/availabilityZone"),
            ("container_instance_arn", "/containerInstanceArn"),
            ("desired_status", "/desiredStatus"),
            ("health_status", "/healthStatus"),
            ("last_status", "/lastStatus"),
            ("launch_type", "/launchType"),
            ("platform_family", "/platformFamily"),
            ("platform_version", "/platformVersion"),
            ("task_arn", "/taskArn"),
            ("task_definition", "/taskDefinitionArn"),
            ("task_group", "/group"),
        ],
    );
}

/// The network interface of a task that has its own.
fn attachment(task: &Value) -> Option<&Value> {
    each(&task["attachments"]).find(|it| get(it, "type") == "ElasticNetworkInterface")
}

/// What the task's network interface says of itself; "" if there is none.
fn interface<'a>(task: &'a Value, name: &str) -> &'a str {
    let details = attachment(task).map_or(&Value::Null, |attachment| &attachment["details"]);
    each(details).find(|it| get(it, "name") == name).map_or("", |it| get(it, "value"))
}
