//! How much memory there is.

use std::path::Path;

use runtime::Disk;

/// The machine's memory, or what of it this process may use, in bytes.
pub(crate) fn of_machine(disk: &dyn Disk) -> Option<u64> {
    let read = |path: &str| disk.read_to_string(Path::new(path)).ok();
    let total = read("/proc/meminfo").as_deref().and_then(of_meminfo);
    // Containers are told less.
    let allowed = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    total.into_iter().chain(allowed).min()
}

fn of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::of_meminfo;

    #[test]
    fn the_kernel_says_how_much_there_is() {
        let text = "MemTotal:       24689764 kB\nMemFree:        1234 kB\n";
        assert_eq!(of_meminfo(text), Some(24_689_764 << 10));
        assert_eq!(of_meminfo("MemTotal: lots"), None);
        assert_eq!(of_meminfo(""), None);
    }
}
