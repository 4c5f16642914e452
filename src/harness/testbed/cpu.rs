//! Facts about the processor.

use super::{Files, cgroup};

/// A value of `/proc/cpuinfo`, of the first processor that has it.
pub(super) fn field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim()).filter(|value| !value.is_empty())
    })
}

/// The processor's name without marks of trade. Arm's kernel gives numbers instead of a name.
pub(super) fn model(cpuinfo: &str) -> Option<String> {
    let name = field(cpuinfo, "model name").map(str::to_owned).or_else(|| arm_model(cpuinfo))?;
    let plain = ["(R)", "(TM)", "(r)", "(tm)"].iter().fold(name, |name, mark| name.replace(mark, ""));
    let words: Vec<&str> = plain.split_whitespace().collect();
    let name = super::showable(&words.join(" "));
    (!name.is_empty()).then_some(name)
}

/// Cores of Arm's own design that serve in data centres and CI, by the part number of their main ID register.
const ARM_PARTS: &[(&str, &str)] = &[
    ("0xd08", "Cortex-A72"),
    ("0xd0b", "Cortex-A76"),
    ("0xd0c", "Neoverse-N1"),
    ("0xd40", "Neoverse-V1"),
    ("0xd49", "Neoverse-N2"),
    ("0xd4f", "Neoverse-V2"),
    ("0xd83", "Neoverse-V3"),
    ("0xd8e", "Neoverse-N3"),
];
const ARM_LTD: &str = "0x41";

fn arm_model(cpuinfo: &str) -> Option<String> {
    let (implementer, part) = (field(cpuinfo, "CPU implementer")?, field(cpuinfo, "CPU part")?);
    let known = ARM_PARTS.iter().find(|(number, _)| implementer == ARM_LTD && *number == part);
    Some(known.map_or_else(|| format!("Arm {implementer}:{part}"), |(_, name)| format!("Arm {name}")))
}

/// Logical cores that are switched on.
pub(super) fn online_cores(files: &Files) -> Option<usize> {
    files.line("sys/devices/system/cpu/online").and_then(|list| count_of_list(&list))
}

/// Logical cores that this process may use: its affinity, further limited by its cgroup's quota, rounded up.
pub(super) fn usable_cores(files: &Files) -> usize {
    let status = files.text("proc/self/status").unwrap_or_default();
    let allowed = field(&status, "Cpus_allowed_list").and_then(count_of_list);
    let by_system = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let allowed = allowed.or_else(|| online_cores(files)).unwrap_or_else(by_system);
    let quota = cgroup::cpu_quota(files).map_or(usize::MAX, |cores| cores.ceil().max(1.0) as usize);
    allowed.min(quota)
}

/// How many numbers a list such as `0-3,8,10-11` holds.
fn count_of_list(list: &str) -> Option<usize> {
    let mut count = 0_usize;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count = count.checked_add(last.checked_sub(first)? as usize + 1)?;
    }
    Some(count)
}

/// The frequency governors of all cores, each once.
pub(super) fn governors(files: &Files) -> Option<String> {
    let cores = online_cores(files).unwrap_or(1);
    let governor = |core| files.line(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"));
    let mut governors: Vec<String> = (0..cores).filter_map(governor).collect();
    governors.sort_unstable();
    governors.dedup();
    (!governors.is_empty()).then(|| governors.join(", "))
}

/// Whether clocks above the nominal one are allowed.
pub(super) fn turbo(files: &Files) -> Option<bool> {
    let intel = files.line("sys/devices/system/cpu/intel_pstate/no_turbo").map(|no_turbo| no_turbo == "0");
    intel.or_else(|| files.line("sys/devices/system/cpu/cpufreq/boost").map(|boost| boost == "1"))
}

/// Whether the processor says that it is a virtual one; only x86 says so.
pub(super) fn is_virtual(cpuinfo: &str) -> Option<bool> {
    field(cpuinfo, "flags").map(|flags| flags.split(' ').any(|flag| flag == "hypervisor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_counted() {
        let table =
            [("0-1", Some(2)), ("0", Some(1)), ("0-3,8,10-11\n", Some(7)), ("3-1", None), ("", None), ("0-4294967295,x", None)];
        for (list, count) in table {
            assert_eq!(count_of_list(list), count, "{list:?}");
        }
    }

    #[test]
    fn names_lose_their_marks() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R)  Processor @ 2.50GHz\n";
        assert_eq!(model(cpuinfo).as_deref(), Some("Intel Xeon Processor @ 2.50GHz"));
    }

    #[test]
    fn arm_cores_are_known_by_number() {
        let cpuinfo = |part| format!("CPU implementer\t: 0x41\nCPU part\t: {part}\n");
        assert_eq!(model(&cpuinfo("0xd0c")).as_deref(), Some("Arm Neoverse-N1"));
        assert_eq!(model(&cpuinfo("0xfff")).as_deref(), Some("Arm 0x41:0xfff"));
        assert_eq!(model(""), None);
    }
}
