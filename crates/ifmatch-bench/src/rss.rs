//! How much memory this process used at most.

use std::fs;

/// Forgets the peak so far, where the system lets us.
pub(crate) fn reset() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The peak since then, in MiB; `None` where the system does not tell.
pub(crate) fn peak() -> Option<u64> {
    field("VmHWM:")
}

/// What is in use now, in MiB.
pub(crate) fn now() -> Option<u64> {
    field("VmRSS:")
}

fn field(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1_024)
}
