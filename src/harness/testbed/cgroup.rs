//! What a container or a service manager allows: cgroups of both versions.

use std::path::{Component, Path, PathBuf};

use super::Files;

/// Cores' worth of processor time that this process may use, the tightest limit of its cgroup and those above it.
pub(super) fn cpu_quota(files: &Files) -> Option<f64> {
    let membership = files.text("proc/self/cgroup")?;
    let limits = membership.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is_version_2 = controllers.is_empty();
        let is_cpu = controllers.split(',').any(|controller| controller == "cpu");
        (is_version_2 || is_cpu).then(|| tightest(files, path, is_version_2)).flatten()
    });
    limits.min_by(f64::total_cmp)
}

/// The tightest limit between a cgroup and the root. Inside a container the root is what the container sees.
fn tightest(files: &Files, path: &str, is_version_2: bool) -> Option<f64> {
    let inside: PathBuf = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let limit = |group: &Path| if is_version_2 { limit_v2(files, group) } else { limit_v1(files, group) };
    inside.ancestors().filter_map(limit).min_by(f64::total_cmp)
}

/// `cpu.max`: quota and period in microseconds, or `max`.
fn limit_v2(files: &Files, group: &Path) -> Option<f64> {
    let roots = ["sys/fs/cgroup", "sys/fs/cgroup/unified"];
    let line = roots.iter().find_map(|root| files.line(&Path::new(root).join(group).join("cpu.max").to_string_lossy()))?;
    let (quota, period) = line.split_once(' ')?;
    cores(quota, period)
}

/// `cpu.cfs_quota_us`, negative where there is no limit, and `cpu.cfs_period_us`.
fn limit_v1(files: &Files, group: &Path) -> Option<f64> {
    let roots = ["sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"];
    roots.iter().find_map(|root| {
        let read = |name: &str| files.line(&Path::new(root).join(group).join(name).to_string_lossy());
        cores(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?)
    })
}

fn cores(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// The kind of container that this process runs in, as far as files tell.
pub(super) fn container(files: &Files) -> Option<String> {
    let environment = files.text("proc/self/environ").unwrap_or_default();
    let has_variable = |name: &str| environment.split('\0').any(|variable| variable.starts_with(name));
    let membership = files.text("proc/self/cgroup").unwrap_or_default();
    let kind = if has_variable("KUBERNETES_SERVICE_HOST=") || membership.contains("kubepods") {
        "kubernetes"
    } else if files.exists("run/.containerenv") {
        "podman"
    } else if files.exists(".dockerenv") || membership.contains("/docker") {
        "docker"
    } else if membership.contains("/lxc") || has_variable("container=lxc") {
        "lxc"
    } else {
        return None;
    };
    Some(kind.to_owned())
}
