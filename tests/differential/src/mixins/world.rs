//! A small cluster as its exporters would tell it, most of it before it happens: both servers take
//! samples of the next minutes, and so see the same whenever they look.

use crate::{
    data::{Sample, Series},
    dice::Dice,
};

pub(super) const STEP_MS: i64 = 5_000;
/// No evaluation and no end of a window falls on a sample: see the notes on `crate`.
pub(super) const PHASE_MS: i64 = 137;

/// Makes series from `start` to `end`, in milliseconds; what goes wrong does so after `quiet`.
pub(super) struct World {
    dice: Dice,
    times: Vec<i64>,
    quiet: i64,
    series: Vec<Series>,
}

type Labels<'a> = &'a [(&'a str, &'a str)];

/// The series of seed `seed`.
pub(super) fn generate(seed: u64, (start, quiet, end): (i64, i64, i64)) -> Vec<Series> {
    let first = start.div_euclid(STEP_MS) * STEP_MS + PHASE_MS;
    let times = (0..).map(|n| first + n * STEP_MS).take_while(|time| *time <= end).collect();
    let mut world = World { dice: Dice::new(seed), times, quiet, series: Vec::new() };
    world.hosts();
    world.pods();
    world.nodes();
    world.api_server();
    world.servers();
    world.series
}

impl World {
    fn push(&mut self, name: &str, labels: Labels<'_>, values: impl Fn(usize, i64) -> f64) {
        let name = ("__name__", name);
        let pairs = labels.iter().chain([&name]);
        let mut labels: Vec<_> =
            pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        labels.sort();
        let samples = self.times.iter().enumerate();
        let samples = samples.map(|(nth, time)| Sample { time: *time, value: values(nth, *time) });
        self.series.push(Series { labels, samples: samples.collect() });
    }

    fn constant(&mut self, name: &str, labels: Labels<'_>, value: i64) {
        self.push(name, labels, |_, _| value as f64);
    }

    /// Far from zero, at its own pace.
    fn counter(&mut self, name: &str, labels: Labels<'_>, pace: i64) {
        let start = self.dice.within(1_000_000, 9_000_000);
        let pace = self.dice.within(1, pace);
        self.push(name, labels, |nth, _| (start + pace * nth as i64) as f64);
    }

    /// A counter that goes faster for a while, if at all.
    fn burst(&mut self, name: &str, labels: Labels<'_>, pace: i64, fast: i64) {
        let start = self.dice.within(1_000_000, 9_000_000);
        let (from, to) = self.trouble();
        let mut value = start;
        let values: Vec<i64> = self
            .times
            .iter()
            .map(|time| {
                value += if (from..to).contains(time) { fast } else { pace };
                value
            })
            .collect();
        self.push(name, labels, |nth, _| values[nth] as f64);
    }

    /// Walks in whole steps.
    fn gauge(&mut self, name: &str, labels: Labels<'_>, low: i64, high: i64) {
        let mut level = self.dice.within(low, high);
        let step = ((high - low) / 20).max(1);
        let walk: Vec<i64> = self
            .times
            .iter()
            .map(|_| {
                level = (level + self.dice.within(-step, step)).clamp(low, high);
                level
            })
            .collect();
        self.push(name, labels, |nth, _| walk[nth] as f64);
    }

    /// `good`, but `bad` for a while, if at all.
    fn state(&mut self, name: &str, labels: Labels<'_>, good: i64, bad: i64) {
        let (from, to) = self.trouble();
        self.push(
            name,
            labels,
            |_, time| {
                if (from..to).contains(&time) { bad as f64 } else { good as f64 }
            },
        );
    }

    /// When something is wrong; two of three times.
    fn trouble(&self) -> (i64, i64) {
        if self.dice.percent(33) {
            return (0, 0);
        }
        let from = self.quiet + self.dice.within(0, 20) * 1000;
        (from, from + self.dice.within(5, 60) * 1000)
    }

    fn hosts(&mut self) {
        for instance in ["a:9100", "b:9100", "c:9100"] {
            let host = [("job", "node"), ("instance", instance)];
            let with = |more: Labels<'static>| [&host[..], more].concat();
            for cpu in ["0", "1"] {
                for (mode, pace) in
                    [("idle", 5), ("user", 3), ("system", 2), ("iowait", 1), ("steal", 1)]
                {
                    let labels = [&host[..], &[("cpu", cpu), ("mode", mode)]].concat();
                    self.counter("node_cpu_seconds_total", &labels, pace);
                }
            }
            self.state("node_load1", &host, 1, 9);
            self.gauge("node_load5", &host, 1, 4);
            self.constant("node_memory_MemTotal_bytes", &host, 1 << 34);
            self.gauge("node_memory_MemAvailable_bytes", &host, 1 << 30, 1 << 33);
            for (device, mountpoint, fstype) in [("sda1", "/", "ext4"), ("sda2", "/home", "xfs")] {
                let place = [("device", device), ("mountpoint", mountpoint), ("fstype", fstype)];
                let labels = [&host[..], &place].concat();
                self.constant("node_filesystem_size_bytes", &labels, 1 << 36);
                self.state("node_filesystem_avail_bytes", &labels, 1 << 35, 1 << 31);
                self.constant("node_filesystem_readonly", &labels, 0);
            }
            self.counter("node_disk_io_time_seconds_total", &with(&[("device", "sda")]), 4);
            for device in ["eth0", "lo"] {
                let labels = [&host[..], &[("device", device)]].concat();
                self.counter("node_network_receive_bytes_total", &labels, 100_000);
                self.burst("node_network_receive_errs_total", &labels, 0, 40);
                self.burst("node_network_receive_packets_total", &labels, 900, 1_000);
            }
            self.state("node_timex_sync_status", &host, 1, 0);
            self.state("node_timex_maxerror_seconds", &host, 1, 16);
            self.burst("node_vmstat_pgmajfault", &host, 10, 9_000);
            for name in ["sshd.service", "cron.service"] {
                let labels = [&host[..], &[("name", name), ("state", "failed")]].concat();
                self.state("node_systemd_unit_state", &labels, 0, 1);
            }
            let nodename = instance.trim_end_matches(":9100");
            let labels = [&host[..], &[("nodename", nodename), ("release", "6.1")]].concat();
            self.constant("node_uname_info", &labels, 1);
        }
    }

    fn pods(&mut self) {
        let state = [("job", "kube-state-metrics"), ("instance", "ksm:8080")];
        for (namespace, app) in
            [("shop", "cart"), ("shop", "pay"), ("infra", "dns"), ("infra", "proxy")]
        {
            let deployment =
                [&state[..], &[("namespace", namespace), ("deployment", app)]].concat();
            self.constant("kube_deployment_spec_replicas", &deployment, 2);
            self.state("kube_deployment_status_replicas_available", &deployment, 2, 1);
            self.constant("kube_deployment_status_replicas_updated", &deployment, 2);
            self.constant("kube_deployment_metadata_generation", &deployment, 7);
            self.state("kube_deployment_status_observed_generation", &deployment, 7, 6);
            let job = [&state[..], &[("namespace", namespace), ("job_name", app)]].concat();
            self.state("kube_job_failed", &job, 0, 1);
            for number in ["x1", "x2"] {
                self.pod(&state, namespace, app, number);
            }
        }
        for namespace in ["shop", "infra"] {
            for (kind, value) in [("hard", 10), ("used", 5)] {
                let labels = [("namespace", namespace), ("resource", "pods"), ("type", kind)];
                let labels = [&state[..], &labels].concat();
                self.state("kube_resourcequota", &labels, value, 10);
            }
        }
    }

    fn pod(&mut self, state: Labels<'_>, namespace: &str, app: &str, number: &str) {
        let set = format!("{app}-abc12");
        let pod = format!("{set}-{number}");
        let node = self.dice.pick(&["n1", "n2", "n3"]);
        let pod = [state, &[("namespace", namespace), ("pod", &*pod)]].concat();
        self.constant("kube_pod_info", &[&pod[..], &[("node", node)]].concat(), 1);
        let owner = [("owner_kind", "ReplicaSet"), ("owner_name", &*set)];
        self.constant("kube_pod_owner", &[&pod[..], &owner].concat(), 1);
        let (from, to) = self.trouble();
        for (phase, good) in [("Running", true), ("Pending", false), ("Failed", false)] {
            let is_wrong = |time: i64| (from..to).contains(&time) && phase != "Failed";
            let labels = [&pod[..], &[("phase", phase)]].concat();
            self.push("kube_pod_status_phase", &labels, |_, time| {
                f64::from(u8::from(good != is_wrong(time)))
            });
        }
        let main = [&pod[..], &[("container", "main")]].concat();
        let crash = [&main[..], &[("reason", "CrashLoopBackOff")]].concat();
        self.state("kube_pod_container_status_waiting_reason", &crash, 0, 1);
        for (resource, amount) in [("cpu", 2), ("memory", 1 << 28)] {
            let labels = [&main[..], &[("resource", resource)]].concat();
            self.constant("kube_pod_container_resource_requests", &labels, amount);
            self.constant("kube_pod_container_resource_limits", &labels, amount * 2);
        }
        let place = [("job", "cadvisor"), ("instance", node), ("cluster", "one"), ("node", node)];
        let what = [("container", "main"), ("image", "i"), ("namespace", namespace), pod[3]];
        let inside = [&place[..], &what].concat();
        self.counter("container_cpu_usage_seconds_total", &inside, 3);
        let place = [("job", "cadvisor"), ("instance", node)];
        let inside = [&place[..], &what].concat();
        self.gauge("container_memory_working_set_bytes", &inside, 1 << 20, 1 << 28);
        self.burst("container_cpu_cfs_throttled_periods_total", &inside, 1, 40);
        self.burst("container_cpu_cfs_periods_total", &inside, 50, 50);
    }

    fn nodes(&mut self) {
        let state = [("job", "kube-state-metrics"), ("instance", "ksm:8080")];
        for node in ["n1", "n2", "n3"] {
            let labels = [&state[..], &[("node", node)]].concat();
            for (resource, amount) in [("cpu", 8), ("pods", 110)] {
                let labels = [&labels[..], &[("resource", resource)]].concat();
                self.constant("kube_node_status_allocatable", &labels, amount);
                self.constant("kube_node_status_capacity", &labels, amount);
            }
            let ready = [&labels[..], &[("condition", "Ready"), ("status", "true")]].concat();
            self.state("kube_node_status_condition", &ready, 1, 0);
            let taint = [("effect", "NoSchedule"), ("key", "unreachable"), ("value", "yes")];
            self.state("kube_node_spec_taint", &[&labels[..], &taint].concat(), 0, 1);
            let kubelet = [("job", "kubelet"), ("instance", node), ("node", node)];
            self.gauge("kubelet_running_pods", &kubelet, 1, 40);
            self.state("up", &kubelet[..2], 1, 0);
            let claim = [&kubelet[..], &[("persistentvolumeclaim", "data")]].concat();
            self.constant("kubelet_volume_stats_capacity_bytes", &claim, 1 << 32);
            self.constant("kubelet_volume_stats_used_bytes", &claim, 1 << 31);
            let (from, _) = self.trouble();
            self.push("kubelet_volume_stats_available_bytes", &claim, |nth, time| {
                let is_falling = from != 0 && time >= from;
                ((1_i64 << 29) - if is_falling { nth as i64 * 100_000 } else { 0 }) as f64
            });
        }
    }

    fn api_server(&mut self) {
        let server = [("job", "apiserver"), ("instance", "api:6443")];
        for verb in ["GET", "LIST", "POST", "PUT"] {
            for resource in ["pods", "nodes"] {
                for code in ["200", "404", "503"] {
                    let what = [("verb", verb), ("resource", resource), ("code", code)];
                    let labels = [&server[..], &what].concat();
                    match code {
                        "503" => self.burst("apiserver_request_total", &labels, 0, 30),
                        _ => self.counter("apiserver_request_total", &labels, 90),
                    }
                }
            }
            let labels = [&server[..], &[("verb", verb)]].concat();
            let slow = self.trouble();
            let mut counts: Vec<Vec<i64>> = Vec::new();
            let base = self.dice.within(1_000_000, 2_000_000);
            let mut total = [0; 4].map(|_: i64| base);
            for time in &self.times {
                let paces =
                    if (slow.0..slow.1).contains(time) { [5, 9, 12, 20] } else { [9, 16, 20, 20] };
                for (count, pace) in total.iter_mut().zip(paces) {
                    *count += pace;
                }
                counts.push(total.to_vec());
            }
            for (idx, le) in ["0.1", "0.5", "1", "+Inf"].iter().enumerate() {
                let labels = [&labels[..], &[("le", *le)]].concat();
                self.push("apiserver_request_duration_seconds_bucket", &labels, |nth, _| {
                    counts[nth][idx] as f64
                });
            }
            self.push("apiserver_request_duration_seconds_count", &labels, |nth, _| {
                counts[nth][3] as f64
            });
        }
    }

    fn servers(&mut self) {
        for instance in ["p1:9090", "p2:9090"] {
            let server = [("job", "prometheus"), ("instance", instance)];
            self.state("up", &server, 1, 0);
            self.state("prometheus_config_last_reload_successful", &server, 1, 0);
            self.burst("prometheus_tsdb_head_samples_appended_total", &server, 5_000, 0);
            let (from, to) = self.trouble();
            self.push("prometheus_notifications_queue_length", &server, |nth, time| {
                if (from..to).contains(&time) { nth as f64 * 50.0 } else { 0.0 }
            });
            self.constant("prometheus_notifications_queue_capacity", &server, 10_000);
            for alertmanager in ["am1", "am2"] {
                let labels = [&server[..], &[("alertmanager", alertmanager)]].concat();
                self.burst("prometheus_notifications_errors_total", &labels, 0, 2);
                self.counter("prometheus_notifications_sent_total", &labels, 20);
            }
        }
    }
}
