//! The floor under every peak memory that Linux reports for a child.
//!
//! A child begins as a share of its parent's memory, and the kernel keeps the parent's largest resident set as the
//! child's when it executes its program (`setmax_mm_hiwater_rss` in `fs/exec.c`). So a program smaller than
//! git-ratchet reports git-ratchet's size, and nothing can be said about its own.

/// The largest resident set of this process so far, in bytes; zero where the system does not tell.
pub(super) fn own_peak() -> u64 {
    std::fs::read_to_string("/proc/self/status").ok().and_then(|status| high_water(&status)).unwrap_or(0)
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_in_bytes() {
        assert_eq!(high_water("Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t    1408 kB\n"), Some(1_441_792));
        assert_eq!(high_water("VmHWM:\t\n"), None);
    }
}
