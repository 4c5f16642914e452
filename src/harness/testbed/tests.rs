//! Testbeds read from copies of the files of real systems.

use super::*;

/// A root with these files.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

fn read(files: &[(&str, &str)], label: Option<&str>) -> Testbed {
    let root = root(files);
    testbed(&TestbedOptions { root: root.path().to_owned(), label: label.map(str::to_owned) }).unwrap()
}

const CPUINFO: &str = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Processor @ 2.50GHz\n\
    microcode\t: 0x1\nflags\t\t: fpu vme hypervisor lahf_lm\n\nprocessor\t: 1\nmodel name\t: Intel(R) Xeon(R) Processor @ 2.50GHz\n";

#[test]
fn a_virtual_server_in_docker_tells_its_facts() {
    let testbed = read(
        &[
            ("proc/cpuinfo", CPUINFO),
            ("proc/self/status", "Name:\tx\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n"),
            ("proc/self/cgroup", "1:cpu:/\n0::/\n"),
            ("proc/self/environ", "HOME=/root\0PATH=/bin\0"),
            ("proc/meminfo", "MemTotal:       24684096 kB\nMemFree:        1 kB\n"),
            ("proc/loadavg", "0.56 1.05 0.94 3/96 24909\n"),
            ("proc/sys/kernel/osrelease", "6.18.44\n"),
            ("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"),
            ("sys/devices/system/cpu/online", "0-1\n"),
            (".dockerenv", ""),
        ],
        None,
    );
    assert_eq!(testbed.key(), "Intel Xeon Processor @ 2.50GHz · 2 cores");
    let facts: Vec<String> = testbed.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = [
        &format!("arch={}", std::env::consts::ARCH),
        "container=docker",
        "cores_online=2",
        "cores_usable=2",
        "cpu=Intel Xeon Processor @ 2.50GHz",
        "hypervisor=yes",
        "kernel=6.18.44",
        "load_1min=0.56",
        "memory=23.5 GiB",
        "microcode=0x1",
        "os=Debian GNU/Linux 12 (bookworm)",
    ];
    assert_eq!(facts, expected);
}

#[test]
fn a_label_is_part_of_the_identity() {
    let testbed = read(&[("proc/cpuinfo", CPUINFO), ("proc/self/status", "Cpus_allowed_list:\t3\n")], Some("bench box"));
    assert_eq!(testbed.key(), "Intel Xeon Processor @ 2.50GHz · 1 core · bench box");
}

#[test]
fn affinity_and_quota_count_not_what_the_system_has() {
    let system = [
        ("proc/cpuinfo", CPUINFO),
        ("sys/devices/system/cpu/online", "0-63\n"),
        ("proc/self/status", "Cpus_allowed_list:\t0-7\n"),
    ];
    let v2 = [
        ("proc/self/cgroup", "0::/user/job\n"),
        ("sys/fs/cgroup/user/job/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/user/cpu.max", "250000 100000\n"),
    ];
    let v1 = [
        ("proc/self/cgroup", "4:cpu,cpuacct:/job\n"),
        ("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "200000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n"),
    ];
    let with = |more: &[(&'static str, &'static str)]| read(&[&system[..], more].concat(), None);
    assert_eq!(with(&[]).facts["cores_usable"], "8");
    assert_eq!(with(&v2).facts["cores_usable"], "3", "the parent's two and a half cores, rounded up");
    assert_eq!(with(&v2).facts["cpu_quota"], "2.5 cores");
    assert_eq!(with(&v1).facts["cores_usable"], "2");
    assert_eq!(with(&v1).facts["cores_online"], "64");
}

#[test]
fn clocks_are_told_where_the_system_tells_them() {
    let testbed = read(
        &[
            ("proc/cpuinfo", CPUINFO),
            ("sys/devices/system/cpu/online", "0-1\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n"),
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"),
            ("sys/devices/system/cpu/smt/active", "1\n"),
        ],
        None,
    );
    assert_eq!(testbed.facts["governor"], "performance, powersave");
    assert_eq!(testbed.facts["turbo"], "no");
    assert_eq!(testbed.facts["smt"], "yes");
}

#[test]
fn containers_are_told_apart() {
    let kind = |files: &[(&str, &str)]| read(files, None).facts.get("container").cloned();
    assert_eq!(kind(&[]), None);
    assert_eq!(kind(&[("run/.containerenv", "")]).as_deref(), Some("podman"));
    assert_eq!(
        kind(&[("proc/self/environ", "A=b\0KUBERNETES_SERVICE_HOST=10.0.0.1\0"), (".dockerenv", "")]).as_deref(),
        Some("kubernetes")
    );
    assert_eq!(kind(&[("proc/self/cgroup", "12:cpu:/kubepods/burstable/pod1\n")]).as_deref(), Some("kubernetes"));
}

#[test]
fn a_system_without_these_files_still_has_a_key() {
    let testbed = read(&[], None);
    assert!(testbed.key().starts_with(std::env::consts::ARCH), "{}", testbed.key());
    assert_eq!(testbed.facts["os"], std::env::consts::OS);
}

#[test]
fn files_with_rubbish_do_no_harm() {
    let testbed = read(
        &[
            ("proc/cpuinfo", "model name\t: Evil\u{1b}[31m\u{202e}CPU\n"),
            ("proc/self/status", "Cpus_allowed_list:\t9-1,x\n"),
            ("proc/meminfo", "MemTotal: many kB\n"),
            ("proc/self/cgroup", "::::\n0::/../../etc\n"),
        ],
        None,
    );
    assert!(testbed.key().starts_with("Evil[31mCPU · "), "{}", testbed.key());
}

#[test]
fn a_label_with_a_line_break_is_refused() {
    let options = TestbedOptions { label: Some("a\nb".to_owned()), ..TestbedOptions::default() };
    assert!(testbed(&options).is_err());
}
