//! Whether this user may read the performance counters.
//!
//! The driver keeps them for administrators unless told otherwise. It says so in `/proc/driver/nvidia/params`, which is
//! cheaper to read than a profiled program is to start; where the file is not there, Nsight Compute itself will tell.

use std::path::Path;

/// What the driver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Everybody may.
    Everybody,
    /// Administrators may, and this user is one.
    Administrator,
    /// Administrators may, and this user is none.
    Refused,
    /// There is no driver here, or one that does not say.
    Unknown,
}

/// `CAP_SYS_ADMIN` and `CAP_PERFMON`, as bits of an effective capability set.
const ADMINISTRATOR_BITS: u64 = 1 << 21 | 1 << 38;

impl Permission {
    /// Reads the driver's parameters and this process's capabilities below the root of the file system.
    pub fn read(root: &Path) -> Self {
        let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        Self::of(&text("proc/driver/nvidia/params"), &text("proc/self/status"))
    }

    fn of(parameters: &str, status: &str) -> Self {
        match field(parameters, "RmProfilingAdminOnly") {
            Some("0") => Self::Everybody,
            Some(_) if is_administrator(status) => Self::Administrator,
            Some(_) => Self::Refused,
            None => Self::Unknown,
        }
    }
}

fn is_administrator(status: &str) -> bool {
    let capabilities = field(status, "CapEff").and_then(|set| u64::from_str_radix(set, 16).ok());
    capabilities.is_some_and(|set| set & ADMINISTRATOR_BITS != 0)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_and_the_capabilities_tell() {
        let params = |value: &str| format!("ResmanDebugLevel: 4294967295\nRmProfilingAdminOnly: {value}\nRmMsg: \"\"\n");
        let (user, root) = ("CapInh:\t0\nCapEff:\t0000000000000000\n", "CapEff:\t000001ffffffffff\n");
        assert_eq!(Permission::of(&params("0"), user), Permission::Everybody);
        assert_eq!(Permission::of(&params("1"), root), Permission::Administrator);
        assert_eq!(Permission::of(&params("1"), "CapEff:\t0000000000200000\n"), Permission::Administrator);
        assert_eq!(Permission::of(&params("1"), user), Permission::Refused);
        assert_eq!(Permission::of(&params("1"), ""), Permission::Refused);
        assert_eq!(Permission::of("", root), Permission::Unknown);
    }
}
