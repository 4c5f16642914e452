//! The kernels of this repository from their manifests to the driver: what would be launched on an H200, with the real NVRTC
//! and a driver that reads each kernel's parameters from its machine code, and computes nothing.

use std::fs;
use std::path::Path;

use crate::gpu::driver;
use crate::kernels::nvrtc;
use crate::world::World;

/// A config of every kernel.
const POINTS: [(&str, &str); 8] = [
    ("copy", "copy_256m"),
    ("flash_attention", "inference_4k"),
    ("gemm", "square_4k"),
    ("mma_peak", "peak_f16"),
    ("mma_peak_e4m3", "peak_e4m3"),
    ("reduce", "dtype=f16"),
    ("softmax", "attention_1k"),
    ("vector_add", "dtype=bf16"),
];

/// A manifest whose sizes are small: no parameter of a config is above 256, and a matrix has one size.
fn small(manifest: &str) -> String {
    let line = |line: &str| match line.split_once(" = ") {
        Some((name, size)) if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') => {
            let least = |size: u64| if name == "BYTES" { size.min(65_536) } else { size.min(256) };
            let sizes = size.trim_matches(['[', ']']).split(", ").next().and_then(|first| first.parse().ok()).map(least);
            match sizes {
                Some(size) if line.ends_with(']') => format!("{name} = [{size}]\n"),
                Some(size) => format!("{name} = {size}\n"),
                None => format!("{line}\n"),
            }
        }
        _ => format!("{line}\n"),
    };
    manifest.lines().map(line).collect()
}

#[test]
fn every_kernel_is_launched_with_the_parameters_that_it_has() {
    let (Some(nvrtc), Some(driver)) = (nvrtc(), driver()) else { return };
    let world = World::new();
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut settings = "[sampling]\nwarmup = 1\nmin_runs = 6\nmax_runs = 6\nmin_time = \"0s\"\n".to_owned();
    for (name, config) in POINTS {
        let manifest = format!("{name}.toml");
        world.write(&manifest, &small(&fs::read_to_string(kernels.join(&manifest)).unwrap()));
        let block = format!("[[benchmark]]\nname = \"{name}\"\nkernel = \"{manifest}\"\nconfigs = [\"{config}\"]\n");
        settings.push_str(&format!("{block}archs = [\"sm_90\"]\n"));
    }
    for folder in ["", "include", "reference"] {
        for entry in fs::read_dir(kernels.join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            let is_source = entry.extension().is_some_and(|extension| extension == "cu" || extension == "cuh");
            if is_source {
                let path = Path::new(folder).join(entry.file_name().unwrap());
                world.write(path.to_str().unwrap(), &fs::read_to_string(&entry).unwrap());
            }
        }
    }
    world.write("ratchet.toml", &settings);
    world.commit("small");
    let mut command = world.ratchet_command(&world.repo, &["bench", "--dry-run", "--json", "--cache", "hot"]);
    command.env("RATCHET_NVRTC", nvrtc).env("LD_LIBRARY_PATH", driver).env("FAKE_CUDA", "any_kernel");
    let ran = world.run(&mut command).expect(0);
    let timed = ran.json()["kernels"][0]["results"].as_array().unwrap().clone();
    let timed: Vec<&str> = timed
        .iter()
        .filter(|result| result["metric"] == "time_hot")
        .map(|result| result["benchmark"].as_str().unwrap())
        .collect();
    assert_eq!(timed, POINTS.map(|(name, _)| name), "each was verified and timed: {}", ran.err);
    // One argument too many.
    let manifest = fs::read_to_string(world.repo.join("gemm.toml")).unwrap();
    let further = "\n[[variant.argument]]\nname = \"further\"\nscalar = \"i32\"\nvalue = \"1\"\n";
    world.write("gemm.toml", &format!("{manifest}{further}"));
    let other = world.run(command.arg("gemm")).expect(4);
    assert!(other.err.contains("`gemm_sm90` has 8 parameters, but the manifest gives 9"), "{}", other.err);
}
