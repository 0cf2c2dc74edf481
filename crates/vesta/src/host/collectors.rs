//! One function a collector; node_exporter's names and units.

use std::time::Duration;

use anyhow::Result;
use procfs::{Current as _, CurrentSI as _};

use super::page::Page;

/// A part of the host, under node_exporter's name for it.
pub(crate) struct Collector {
    pub(crate) name: &'static str,
    pub(crate) collect: fn(&mut Page, now: Duration) -> Result<()>,
}

pub(crate) static COLLECTORS: &[Collector] = &[
    Collector { name: "cpu", collect: cpu },
    Collector { name: "diskstats", collect: disk },
    Collector { name: "filesystem", collect: file_systems },
    Collector { name: "loadavg", collect: load },
    Collector { name: "meminfo", collect: memory },
    Collector { name: "netdev", collect: network },
    Collector { name: "stat", collect: kernel },
    Collector { name: "time", collect: time },
    Collector { name: "uname", collect: uname },
];

fn cpu(page: &mut Page, _now: Duration) -> Result<()> {
    const HELP: &str = "Seconds the CPUs spent in each mode.";
    let ticks_per_second = procfs::ticks_per_second() as f64;
    for (idx, cpu) in procfs::KernelStats::current()?.cpu_time.iter().enumerate() {
        let idx = idx.to_string();
        let modes = [
            ("idle", Some(cpu.idle)),
            ("iowait", cpu.iowait),
            ("irq", cpu.irq),
            ("nice", Some(cpu.nice)),
            ("softirq", cpu.softirq),
            ("steal", cpu.steal),
            ("system", Some(cpu.system)),
            ("user", Some(cpu.user)),
        ];
        for (mode, ticks) in modes {
            let seconds = ticks.unwrap_or_default() as f64 / ticks_per_second;
            let labels = [("cpu", idx.as_str()), ("mode", mode)];
            page.counter("node_cpu_seconds_total", HELP, &labels, seconds);
        }
    }
    Ok(())
}

fn disk(page: &mut Page, _now: Duration) -> Result<()> {
    for disk in procfs::diskstats()? {
        let passed_over = ["ram", "loop", "fd", "zram"].iter().any(|p| disk.name.starts_with(p));
        if passed_over {
            continue;
        }
        let labels = [("device", disk.name.as_str())];
        let seconds = |millis: u64| millis as f64 / 1000.0;
        // The kernel counts sectors of 512 bytes, whatever the device's own.
        let bytes = |sectors: u64| sectors as f64 * 512.0;
        let counters = [
            ("reads_completed_total", "Reads completed.", disk.reads as f64),
            ("reads_merged_total", "Reads merged.", disk.merged as f64),
            ("read_bytes_total", "Bytes read.", bytes(disk.sectors_read)),
            ("read_time_seconds_total", "Seconds spent by all reads.", seconds(disk.time_reading)),
            ("writes_completed_total", "Writes completed.", disk.writes as f64),
            ("writes_merged_total", "Writes merged.", disk.writes_merged as f64),
            ("written_bytes_total", "Bytes written.", bytes(disk.sectors_written)),
            (
                "write_time_seconds_total",
                "Seconds spent by all writes.",
                seconds(disk.time_writing),
            ),
            ("io_time_seconds_total", "Seconds spent doing I/O.", seconds(disk.time_in_progress)),
            (
                "io_time_weighted_seconds_total",
                "Seconds spent doing I/O, weighted by the requests in progress.",
                seconds(disk.weighted_time_in_progress),
            ),
        ];
        for (name, help, value) in counters {
            page.counter(&format!("node_disk_{name}"), help, &labels, value);
        }
        let now = disk.in_progress as f64;
        page.gauge("node_disk_io_now", "I/O operations in progress.", &labels, now);
    }
    Ok(())
}

/// Kinds of file system that hold no files of people, as node_exporter passes them over.
const NO_FILE_SYSTEMS: [&str; 26] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "erofs",
    "sysfs",
    "tracefs",
    "fuse.lxcfs",
];

fn file_systems(page: &mut Page, _now: Duration) -> Result<()> {
    let mut seen = Vec::new();
    for mount in procfs::mounts()? {
        let hidden = ["/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker"]
            .iter()
            .any(|root| mount.fs_file == *root || mount.fs_file.starts_with(&format!("{root}/")));
        if hidden
            || NO_FILE_SYSTEMS.contains(&mount.fs_vfstype.as_str())
            || seen.contains(&mount.fs_file)
        {
            continue;
        }
        let labels = [
            ("device", mount.fs_spec.as_str()),
            ("fstype", mount.fs_vfstype.as_str()),
            ("mountpoint", mount.fs_file.as_str()),
        ];
        match rustix::fs::statvfs(mount.fs_file.as_str()) {
            Ok(stat) => {
                let block = stat.f_frsize as f64;
                let read_only = stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
                let gauges = [
                    (
                        "avail_bytes",
                        "Bytes for users without privileges.",
                        stat.f_bavail as f64 * block,
                    ),
                    ("device_error", "Whether reading the statistics failed.", 0.0),
                    ("files", "File nodes.", stat.f_files as f64),
                    ("files_free", "File nodes that are free.", stat.f_ffree as f64),
                    ("free_bytes", "Bytes that are free.", stat.f_bfree as f64 * block),
                    (
                        "readonly",
                        "Whether the file system is read-only.",
                        f64::from(u8::from(read_only)),
                    ),
                    ("size_bytes", "Bytes in all.", stat.f_blocks as f64 * block),
                ];
                for (name, help, value) in gauges {
                    page.gauge(&format!("node_filesystem_{name}"), help, &labels, value);
                }
            }
            Err(_) => {
                let help = "Whether reading the statistics failed.";
                page.gauge("node_filesystem_device_error", help, &labels, 1.0);
            }
        }
        seen.push(mount.fs_file.clone());
    }
    Ok(())
}

fn load(page: &mut Page, _now: Duration) -> Result<()> {
    let load = procfs::LoadAverage::current()?;
    page.gauge("node_load1", "Load average of 1 minute.", &[], f64::from(load.one));
    page.gauge("node_load5", "Load average of 5 minutes.", &[], f64::from(load.five));
    page.gauge("node_load15", "Load average of 15 minutes.", &[], f64::from(load.fifteen));
    Ok(())
}

fn memory(page: &mut Page, _now: Duration) -> Result<()> {
    let memory = procfs::Meminfo::current()?;
    let fields = [
        ("MemTotal", Some(memory.mem_total)),
        ("MemFree", Some(memory.mem_free)),
        ("MemAvailable", memory.mem_available),
        ("Buffers", Some(memory.buffers)),
        ("Cached", Some(memory.cached)),
        ("SwapCached", Some(memory.swap_cached)),
        ("Active", Some(memory.active)),
        ("Inactive", Some(memory.inactive)),
        ("SwapTotal", Some(memory.swap_total)),
        ("SwapFree", Some(memory.swap_free)),
        ("Dirty", Some(memory.dirty)),
        ("Writeback", Some(memory.writeback)),
        ("AnonPages", memory.anon_pages),
        ("Mapped", Some(memory.mapped)),
        ("Shmem", memory.shmem),
        ("Slab", Some(memory.slab)),
        ("SReclaimable", memory.s_reclaimable),
        ("SUnreclaim", memory.s_unreclaim),
        ("KernelStack", memory.kernel_stack),
        ("PageTables", memory.page_tables),
        ("CommitLimit", memory.commit_limit),
        ("Committed_AS", Some(memory.committed_as)),
        ("VmallocTotal", Some(memory.vmalloc_total)),
        ("VmallocUsed", Some(memory.vmalloc_used)),
        ("Hugepagesize", memory.hugepagesize),
    ];
    for (name, bytes) in fields {
        if let Some(bytes) = bytes {
            let name = format!("node_memory_{name}_bytes");
            page.gauge(&name, "Memory, as in /proc/meminfo.", &[], bytes as f64);
        }
    }
    Ok(())
}

fn network(page: &mut Page, _now: Duration) -> Result<()> {
    let mut devices: Vec<_> = procfs::net::dev_status()?.into_iter().collect();
    devices.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, device) in devices {
        let labels = [("device", name.as_str())];
        let counters = [
            ("receive_bytes", device.recv_bytes),
            ("receive_compressed", device.recv_compressed),
            ("receive_drop", device.recv_drop),
            ("receive_errs", device.recv_errs),
            ("receive_fifo", device.recv_fifo),
            ("receive_frame", device.recv_frame),
            ("receive_multicast", device.recv_multicast),
            ("receive_packets", device.recv_packets),
            ("transmit_bytes", device.sent_bytes),
            ("transmit_carrier", device.sent_carrier),
            ("transmit_colls", device.sent_colls),
            ("transmit_compressed", device.sent_compressed),
            ("transmit_drop", device.sent_drop),
            ("transmit_errs", device.sent_errs),
            ("transmit_fifo", device.sent_fifo),
            ("transmit_packets", device.sent_packets),
        ];
        for (what, value) in counters {
            let name = format!("node_network_{what}_total");
            page.counter(&name, "Network device, as in /proc/net/dev.", &labels, value as f64);
        }
    }
    Ok(())
}

fn kernel(page: &mut Page, _now: Duration) -> Result<()> {
    let stats = procfs::KernelStats::current()?;
    let boot = stats.btime as f64;
    page.gauge("node_boot_time_seconds", "When the host started, in Unix time.", &[], boot);
    page.counter("node_context_switches_total", "Context switches.", &[], stats.ctxt as f64);
    page.counter("node_forks_total", "Forks.", &[], stats.processes as f64);
    let running = stats.procs_running.unwrap_or_default();
    page.gauge("node_procs_running", "Processes that can run.", &[], f64::from(running));
    let blocked = stats.procs_blocked.unwrap_or_default();
    page.gauge("node_procs_blocked", "Processes that wait for I/O.", &[], f64::from(blocked));
    Ok(())
}

fn time(page: &mut Page, now: Duration) -> Result<()> {
    page.gauge("node_time_seconds", "Unix time of the host.", &[], now.as_secs_f64());
    Ok(())
}

fn uname(page: &mut Page, _now: Duration) -> Result<()> {
    let uname = rustix::system::uname();
    let domain = uname.domainname().to_string_lossy();
    let machine = uname.machine().to_string_lossy();
    let node = uname.nodename().to_string_lossy();
    let release = uname.release().to_string_lossy();
    let system = uname.sysname().to_string_lossy();
    let version = uname.version().to_string_lossy();
    let labels = [
        ("domainname", &*domain),
        ("machine", &*machine),
        ("nodename", &*node),
        ("release", &*release),
        ("sysname", &*system),
        ("version", &*version),
    ];
    page.gauge("node_uname_info", "What the host says of its kernel.", &labels, 1.0);
    Ok(())
}
