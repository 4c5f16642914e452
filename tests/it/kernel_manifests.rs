//! The manifests of `kernels/`: every config, with the default tunables and every other permitted combination, gives a launch
//! that the GPU can do, on one device of each architecture that CI compiles for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use git_ratchet::cuda::{ArgumentValue, DeviceProperties, KernelPlan, Manifest, PlanRequest, work_tree};
use git_ratchet::model::Config;

/// Compute capability, multiprocessors, KiB of shared memory that a block may have, MiB of level-2 cache: T4, A100, L4, H200, B200.
const DEVICES: &[(u32, u32, u32, u64)] =
    &[(75, 40, 64, 4), (80, 108, 163, 40), (89, 58, 99, 48), (90, 132, 227, 50), (100, 148, 227, 126)];

fn manifests() -> Vec<Manifest> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = fs::read_dir(root.join("kernels")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut paths: Vec<_> = names.filter(|name| name.ends_with(".toml")).map(|name| format!("kernels/{name}")).collect();
    paths.sort();
    paths.iter().map(|path| Manifest::load(path, &work_tree(root)).unwrap_or_else(|error| panic!("{error}"))).collect()
}

fn properties((_, sm_count, shared_kib, l2_mib): (u32, u32, u32, u64)) -> DeviceProperties {
    DeviceProperties {
        sm_count,
        max_threads_per_block: 1024,
        shared_bytes_per_block: shared_kib * 1024,
        l2_bytes: l2_mib << 20,
        warp_size: 32,
    }
}

/// What the driver would refuse.
fn faults(plan: &KernelPlan, device: &DeviceProperties) -> Vec<String> {
    let mut faults = Vec::new();
    let launch = plan.launch;
    let threads: u32 = launch.block.iter().product();
    if threads == 0 || threads > device.max_threads_per_block {
        faults.push(format!("a block of {threads} threads"));
    }
    if launch.shared_bytes > device.shared_bytes_per_block {
        faults.push(format!("{} bytes of shared memory", launch.shared_bytes));
    }
    if launch.grid[0] > i32::MAX as u32 || launch.grid[1].max(launch.grid[2]) > 65_535 || launch.grid.contains(&0) {
        faults.push(format!("a grid of {:?}", launch.grid));
    }
    let bytes: u64 = plan
        .arguments
        .iter()
        .map(|argument| if let ArgumentValue::Buffer(buffer) = &argument.value { buffer.bytes() } else { 0 })
        .sum();
    if bytes > 12 << 30 {
        faults.push(format!("{bytes} bytes of buffers"));
    }
    faults
}

#[test]
fn every_config_gives_a_launch_that_can_be_done() {
    let mut faulty = Vec::new();
    for manifest in manifests() {
        for device in DEVICES {
            let arch = manifest.arch_on(device.0);
            if !manifest.supports(arch) {
                continue;
            }
            let properties = properties(*device);
            let defaults = Config::empty();
            for config in manifest.configs() {
                let with = |tunables| PlanRequest { config, tunables, arch, device: Some(&properties) };
                let combinations: Vec<Config> = manifest.combinations(&with(&defaults)).collect();
                assert!(!combinations.is_empty(), "{} [{config}] on {arch}", manifest.path());
                for tunables in combinations.iter().chain([&defaults]) {
                    let found = match manifest.plan(&with(tunables)) {
                        Ok(plan) => faults(&plan, &properties),
                        Err(error) => vec![error.to_string()],
                    };
                    faulty.extend(
                        found.iter().map(|fault| format!("{} [{config}] {tunables} on {arch}: {fault}", manifest.path())),
                    );
                }
            }
        }
    }
    assert!(faulty.is_empty(), "{} faults\n{}", faulty.len(), faulty[..faulty.len().min(20)].join("\n"));
}

#[test]
fn the_work_of_attention_is_two_products_per_query_and_key() {
    let manifest = manifests().into_iter().find(|manifest| manifest.path().ends_with("flash_attention.toml")).unwrap();
    let names: BTreeSet<_> = manifest.configs().iter().filter_map(|config| config.get("config")).collect();
    assert_eq!(names.len(), 8);
    let device = properties(DEVICES[3]);
    let tunables = Config::empty();
    for (name, flop, bytes) in [
        ("training_512", 4.0 * 32.0 * 8.0 * 512.0 * 512.0 * 64.0, 4.0 * 32.0 * 8.0 * 512.0 * 64.0 * 2.0),
        ("training_4k_causal", 2.0 * 4.0 * 16.0 * 4096.0 * 4096.0 * 128.0, 4.0 * 4.0 * 16.0 * 4096.0 * 128.0 * 2.0),
        ("decode_4k_grouped", 4.0 * 32.0 * 32.0 * 4096.0 * 128.0, 2.0 * 32.0 * (32.0 + 8.0 * 4096.0) * 128.0 * 2.0),
    ] {
        let config = manifest.configs().iter().find(|config| config.get("config") == Some(name)).unwrap();
        for number in [80, 90] {
            let request = PlanRequest { config, tunables: &tunables, arch: manifest.arch_on(number), device: Some(&device) };
            let work = manifest.plan(&request).unwrap().work;
            assert_eq!((work.flop, work.bytes), (Some(flop), Some(bytes)), "{name}");
        }
    }
}
