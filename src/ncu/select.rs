//! From launches to profiles: the counters that are kept, and launches of one kernel taken together.

use std::collections::BTreeMap;

use super::csv::Launch;
use crate::model::{Counter, KernelProfile};
use crate::profile::{KEY_METRICS, STALLS, derived};

/// One profile for each kernel, in the order in which they were first launched. Launches without any counter that is
/// kept are left out.
pub fn kernel_profiles(launches: &[Launch]) -> Vec<KernelProfile> {
    let mut names: Vec<&str> = Vec::new();
    let mut by_kernel: BTreeMap<&str, Vec<BTreeMap<String, Counter>>> = BTreeMap::new();
    for launch in launches {
        let kept = kept(launch);
        if kept.is_empty() {
            continue;
        }
        let kernel = launch.kernel.as_str();
        if !names.contains(&kernel) {
            names.push(kernel);
        }
        by_kernel.entry(kernel).or_default().push(kept);
    }
    let profile = |name: &str| {
        let launches = by_kernel.get(name)?;
        let kernel = KernelProfile::fitting_name(name);
        Some(KernelProfile { kernel, launches: launches.len() as u64, metrics: medians(launches) })
    };
    names.into_iter().filter_map(profile).collect()
}

/// The profiles that took the most time in all, at most `most` of them, in that order.
pub fn largest_kernels(mut profiles: Vec<KernelProfile>, most: usize) -> Vec<KernelProfile> {
    let time = |profile: &KernelProfile| profile.value("gpu__time_duration.sum").unwrap_or(0.0) * profile.launches as f64;
    profiles.sort_by(|one, other| time(other).total_cmp(&time(one)));
    profiles.truncate(most);
    profiles
}

/// The counters of a launch that are kept, under the name of the key metric whichever alias it came by.
fn kept(launch: &Launch) -> BTreeMap<String, Counter> {
    let counters = &launch.counters;
    let by_key = KEY_METRICS.iter().chain(STALLS).filter_map(|metric| {
        let name = metric.name_in(|name| counters.contains_key(name))?;
        Some((metric.name.to_owned(), counters.get(name)?.clone()))
    });
    let kept: BTreeMap<String, Counter> = by_key.collect();
    let derived = derived::all(counters).into_iter().map(|(name, counter)| (name.to_owned(), counter));
    kept.into_iter().chain(derived).collect()
}

/// The median of each counter over the launches that have it.
fn medians(launches: &[BTreeMap<String, Counter>]) -> BTreeMap<String, Counter> {
    let mut values: BTreeMap<&str, (Vec<f64>, &Counter)> = BTreeMap::new();
    for (name, counter) in launches.iter().flatten() {
        let (known, first) = values.entry(name).or_insert_with(|| (Vec::new(), counter));
        if first.unit == counter.unit {
            known.push(counter.value);
        }
    }
    let median = |mut known: Vec<f64>| {
        known.sort_by(f64::total_cmp);
        let middle = known.len() / 2;
        if known.len() % 2 == 1 { known[middle] } else { f64::midpoint(known[middle - 1], known[middle]) }
    };
    let counter = |(name, (known, first)): (&str, (Vec<f64>, &Counter))| {
        (name.to_owned(), Counter { value: median(known), unit: first.unit.clone() })
    };
    values.into_iter().map(counter).collect()
}
