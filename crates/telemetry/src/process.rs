//! `process_*`: what the kernel says of this process.

use crate::{Family, Kind, Registry};

/// Registers the `process_*` families.
pub fn register(registry: &Registry) {
    registry.collect(|families| {
        // A process that cannot read its own /proc has other worries; the families are left out.
        if let Ok(read) = families_of_this_process() {
            families.extend(read);
        }
    });
}

fn families_of_this_process() -> procfs::ProcResult<Vec<Family>> {
    let process = procfs::process::Process::myself()?;
    let stat = process.stat()?;
    let limits = process.limits()?;
    let boot = procfs::boot_time_secs()?;
    let ticks = procfs::ticks_per_second() as f64;
    let limit = |value| match value {
        procfs::process::LimitValue::Value(value) => value as f64,
        procfs::process::LimitValue::Unlimited => f64::INFINITY,
    };
    let gauge = |name, help, value| Family::single(name, help, Kind::Gauge, value);
    Ok(vec![
        Family::single(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            Kind::Counter,
            (stat.utime + stat.stime) as f64 / ticks,
        ),
        gauge(
            "process_max_fds",
            "Maximum number of open file descriptors.",
            limit(limits.max_open_files.soft_limit),
        ),
        gauge("process_open_fds", "Number of open file descriptors.", process.fd_count()? as f64),
        gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            (stat.rss * procfs::page_size()) as f64,
        ),
        gauge(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            boot as f64 + stat.starttime as f64 / ticks,
        ),
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", stat.vsize as f64),
        gauge(
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
            limit(limits.max_address_space.soft_limit),
        ),
    ])
}
