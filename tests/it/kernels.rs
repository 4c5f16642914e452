//! Kernels without a GPU: compiled by the real NVRTC, recorded, ratcheted. `.ci/nvrtc` installs it under target/nvrtc.

use std::path::{Path, PathBuf};

use git_ratchet::cuda::{Arch, Compiler, CompilerSearch, Manifest, PlanRequest, work_tree};
use git_ratchet::model::Config;
use serde_json::Value;

use crate::world::{Ran, World};

/// Where NVRTC is for these tests; a suite without one says so.
pub fn nvrtc() -> Option<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nvrtc");
    let path = std::env::var_os("RATCHET_TEST_NVRTC").map_or(usual, PathBuf::from);
    if !path.exists() {
        assert!(std::env::var_os("RATCHET_NEEDS_NVRTC").is_none(), "there is no NVRTC at {}", path.display());
        eprintln!("SKIPPED: there is no NVRTC at target/nvrtc or RATCHET_TEST_NVRTC; .ci/nvrtc installs it");
        return None;
    }
    Some(path)
}

/// What CI compiles our own kernels for, each as far as its manifest goes.
const ARCHS: [u32; 5] = [75, 80, 89, 90, 100];

#[test]
fn our_own_kernels_compile_everywhere_and_spill_nowhere() {
    if let Some(nvrtc) = nvrtc() {
        assert_our_kernels_compile(nvrtc);
    }
}

/// What is compiled beside the default tunables: other code than theirs, not only other numbers in it.
const ALTERNATIVES: [(&str, &str); 2] = [("kernels/gemm.toml", "CLUSTER=2"), ("kernels/flash_attention.toml", "IN_TURNS=0")];

/// Every kernel for every architecture, by the compiler that lies there.
pub fn assert_our_kernels_compile(nvrtc: PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiler = Compiler::find(&CompilerSearch { configured: Some(nvrtc), env: &|_| None }).unwrap();
    let compiler = compiler.with_cache(root.join("target/kernels"));
    let read = work_tree(root);
    let manifests: Vec<Manifest> = std::fs::read_dir(root.join("kernels"))
        .unwrap()
        .map(|entry| format!("kernels/{}", entry.unwrap().file_name().to_string_lossy()))
        .filter(|path| path.ends_with(".toml"))
        .map(|path| Manifest::load(&path, &read).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    assert!(manifests.len() >= 5, "kernels are missing");
    let choices = |manifest: &Manifest, arch| {
        let alternatives = ALTERNATIVES.iter().filter(|(path, _)| *path == manifest.path());
        let alternatives = alternatives.map(|(_, tunables)| tunables.parse::<Config>().unwrap());
        let alternatives = alternatives.filter(|tunables| tunables.iter().all(|(name, _)| has_tunable(manifest, arch, name)));
        std::iter::once(Config::empty()).chain(alternatives).collect::<Vec<_>>()
    };
    let mut jobs = Vec::new();
    for (manifest, number) in manifests.iter().flat_map(|manifest| ARCHS.iter().map(move |number| (manifest, *number))) {
        let arch = manifest.arch_on(number);
        for config in manifest.configs().iter().filter(|_| manifest.supports(arch)) {
            for tunables in choices(manifest, arch) {
                let request = PlanRequest { config, tunables: &tunables, arch, device: None };
                let name = format!("{} [{config}] {tunables} for {arch}", manifest.path());
                let code = manifest.code(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
                jobs.push((name, code.program, arch));
            }
        }
    }
    let programs: Vec<_> = jobs.iter().map(|(_, program, arch)| (program, *arch)).collect();
    for ((name, _, _), compiled) in jobs.iter().zip(compiler.compile_all(&programs)) {
        let compiled = compiled.unwrap_or_else(|error| panic!("{name}: {error}"));
        let code = &compiled.code;
        assert_eq!((code.spill_stores, code.spill_loads), (0, 0), "{name} spills: {code:?}");
        // A warning, or the advice of ptxas where it serialises wgmma or sets setmaxnreg aside.
        assert_eq!(compiled.log, "", "{name}");
    }
}

fn has_tunable(manifest: &Manifest, arch: Arch, name: &str) -> bool {
    manifest.tunables(arch).iter().any(|tunable| tunable.name == name)
}

const MANIFEST: &str = r#"
entry = "scale"
includes = ["include"]

[tunables]
BLOCK = { values = [64, 128], default = 128 }

[[config]]
name = "small"
N = 1000
dtype = "f32"

[[config]]
name = "large"
N = 1000000
dtype = "f32"

[[config]]
name = "half"
N = 1000
dtype = "f16"

[define]
TYPE = "{dtype}"

[launch]
grid = ["ceil_div(N, BLOCK)"]
block = ["BLOCK"]
shared_bytes = 256

[[argument]]
name = "y"
buffer = "{dtype}"
shape = ["N"]
role = "output"

[[argument]]
name = "x"
buffer = "{dtype}"
shape = ["N"]
fill = { uniform = [0, 1] }

[[argument]]
name = "n"
scalar = "i32"
value = "N"
"#;

const SOURCE: &str = r#"#include <cuda_fp16.h>
#include "factor.cuh"
extern "C" __global__ void scale(TYPE* y, const TYPE* x, int n) {
    __shared__ float tile[BLOCK];
    int i = blockIdx.x * BLOCK + threadIdx.x;
    tile[threadIdx.x] = i < n ? static_cast<float>(x[i]) : 0.0f;
    __syncthreads();
    if (i < n) y[i] = static_cast<TYPE>(tile[BLOCK - 1 - threadIdx.x] * FACTOR);
}
"#;

/// Keeps so many values alive in a block so large that registers cannot hold them.
const SPILLING: &str = r#"#include <cuda_fp16.h>
extern "C" __global__ void __launch_bounds__(1024) scale(TYPE* y, const TYPE* x, int n) {
    float v[128];
    #pragma unroll
    for (int i = 0; i < 128; i++) v[i] = static_cast<float>(x[i * n + threadIdx.x]);
    __syncthreads();
    #pragma unroll
    for (int i = 0; i < 128; i++) y[i * n + threadIdx.x] = static_cast<TYPE>(v[i] * v[127 - i]);
}
"#;

pub const SETTINGS: &str = "[[benchmark]]\nname = \"scale\"\nkernel = \"kernels/scale.toml\"\narchs = [\"sm_80\", \"sm_90a\"]\n";

/// A repository with a kernel, committed.
pub fn world_with(settings: &str) -> World {
    let world = World::new();
    world.write("ratchet.toml", settings);
    world.write("kernels/scale.toml", MANIFEST);
    world.write("kernels/scale.cu", SOURCE);
    world.write("kernels/include/factor.cuh", "#define FACTOR 3.0f\n");
    world.commit("one");
    world
}

fn bench(world: &World, nvrtc: &Path, arguments: &[&str]) -> Ran {
    let mut command = world.ratchet_command(&world.repo, &[&["bench"], arguments].concat());
    world.run(command.env("RATCHET_NVRTC", nvrtc))
}

fn records(world: &World) -> Vec<Value> {
    world.ratchet(&["show", "--json"]).expect(0).json()["records"].as_array().unwrap().clone()
}

#[test]
fn a_kernel_is_compiled_and_its_code_is_recorded_for_each_architecture() {
    let Some(nvrtc) = nvrtc() else { return };
    let world = world_with(SETTINGS);
    let ran = bench(&world, &nvrtc, &[]).expect(0);
    assert!(ran.out.contains("sm_90a · NVRTC 13") && ran.out.contains("recorded 36 results"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("small and 1 more with the same code"), "{}", ran.out);
    let found = records(&world);
    let value = |testbed: &str, config: &str, metric: &str| {
        let fits = |record: &&Value| {
            let key = record["testbed"].as_str().unwrap();
            key.starts_with(&format!("{testbed} ·")) && record["config"]["config"] == config && record["metric"] == metric
        };
        found.iter().find(fits).unwrap_or_else(|| panic!("no {testbed} {config} {metric}"))["statistics"]["median"]
            .as_f64()
            .unwrap()
    };
    for testbed in ["sm_80", "sm_90a"] {
        assert_eq!(value(testbed, "small", "spill_bytes"), 0.0);
        assert_eq!(value(testbed, "small", "shared_bytes"), 512.0 + 256.0, "static and dynamic");
        assert_eq!(value(testbed, "small", "occupancy"), 100.0);
        assert!(value(testbed, "half", "registers") >= 8.0 && value(testbed, "half", "instructions") > 10.0);
    }
    let code = |config: &str| {
        let of =
            |record: &&Value| record["config"]["config"] == config && record["testbed"].as_str().unwrap().starts_with("sm_80");
        found.iter().find(of).unwrap()["machine_code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("small"), code("large"), "the size is an argument, not a macro");
    assert_ne!(code("small"), code("half"));
    assert!(found.iter().all(|record| record["exact"] == true));
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "new");
}

#[test]
fn the_kernel_of_the_readme_compiles() {
    let Some(nvrtc) = nvrtc() else { return };
    let world = World::new();
    let readme = include_str!("../../README.md");
    let block = readme.split("```sh\n").find(|block| block.contains("kernels/saxpy.toml <<")).unwrap();
    let written = world.run(world.command("sh", &world.repo).args(["-e", "-c", block.split("```").next().unwrap()]));
    written.expect(0);
    let ran = bench(&world, &nvrtc, &["saxpy", "--compile-only", "--arch", "sm_90"]).expect(0);
    let shown = readme.split("```text\nsm_90 ").nth(1).and_then(|rest| rest.lines().nth(1)).unwrap();
    assert!(
        ran.out.contains(shown) && ran.out.contains("saxpy      large") && !ran.err.contains("warning"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn what_the_compiler_warns_of_is_shown_once_for_each_architecture() {
    let Some(nvrtc) = nvrtc() else { return };
    let world = world_with(SETTINGS);
    world.write("kernels/scale.cu", &SOURCE.replace("int i =", "int never_used = n;\n    int i ="));
    world.commit("careless");
    for _ in 0..2 {
        // The second time from the cache.
        let ran = bench(&world, &nvrtc, &["--compile-only"]).expect(0);
        assert_eq!(ran.err.matches("never_used").count(), 2 * 2, "once in words and once in the quoted line:\n{}", ran.err);
        assert!(ran.err.contains("scale.cu(5): warning") && ran.err.contains("for sm_90a"), "{}", ran.err);
    }
}

#[test]
fn a_kernel_that_spills_is_a_regression_until_it_is_excused() {
    let Some(nvrtc) = nvrtc() else { return };
    let world = world_with(SETTINGS);
    bench(&world, &nvrtc, &["--compile-only"]).expect(0);
    world.write("kernels/scale.cu", &format!("// moved by a comment\n{SOURCE}"));
    world.commit("comment");
    bench(&world, &nvrtc, &["--compile-only"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!(check["verdict"], "pass");
    assert!(check["series"].as_array().unwrap().iter().all(|series| series["reasons"]["same_machine_code"] == true), "{check:#}");
    world.write("kernels/scale.cu", SPILLING);
    world.commit("spilling");
    bench(&world, &nvrtc, &["--compile-only"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    let spills = |series: &&Value| series["metric"] == "spill_bytes" && series["config"]["config"] == "small";
    let spilled = check["series"].as_array().unwrap().iter().find(spills).unwrap();
    assert_eq!(
        (&spilled["verdict"], &spilled["reasons"]["same_machine_code"]),
        (&Value::from("regression"), &Value::from(false))
    );
    world.ratchet(&["excuse", "scale", "--reason", "needs more values at once"]).expect(0);
    world.ratchet(&["check"]).expect(0);
}

#[test]
fn results_do_not_depend_on_where_the_repository_lies() {
    let Some(nvrtc) = nvrtc() else { return };
    let hashes = |world: &World| {
        let ran = bench(world, &nvrtc, &["--json", "--dry-run", "--arch", "sm_80"]).expect(0).json();
        let results = ran["code"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| (result["machine_code"].clone(), result["statistics"]["median"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&world_with(SETTINGS)), hashes(&world_with(SETTINGS)));
}

#[test]
fn settings_choose_points_tunables_and_architectures() {
    let Some(nvrtc) = nvrtc() else { return };
    let world = world_with(
        "[[benchmark]]\nname = \"scale\"\nkernel = \"kernels/scale.toml\"\narchs = [\"sm_80\"]\nconfigs = [\"half\"]\ntunables = { BLOCK = 64 }\n",
    );
    assert_eq!(world.ratchet(&["bench", "--list"]).expect(0).out, "scale [config=half N=1000 dtype=f16]\n");
    let ran = bench(&world, &nvrtc, &["--json", "--dry-run"]).expect(0).json();
    let shared = |result: &&Value| result["metric"] == "shared_bytes";
    let results = ran["code"][0]["results"].as_array().unwrap();
    assert_eq!(results.iter().find(shared).unwrap()["statistics"]["median"], 64.0 * 4.0 + 256.0);
    assert_eq!((ran["code"].as_array().unwrap().len(), results.len()), (1, 6));
    let other = bench(&world, &nvrtc, &["--json", "--dry-run", "--arch", "sm_75,sm_89"]).expect(0).json();
    let testbeds: Vec<&str> = other["code"].as_array().unwrap().iter().map(|run| run["testbed"].as_str().unwrap()).collect();
    assert!(testbeds[0].starts_with("sm_75 ·") && testbeds[1].starts_with("sm_89 ·"), "{testbeds:?}");
}

#[test]
fn what_does_not_compile_is_shown_with_file_and_line_and_the_rest_is_recorded() {
    let Some(nvrtc) = nvrtc() else { return };
    let both = format!("{SETTINGS}[[benchmark]]\nname = \"bad\"\nkernel = \"kernels/bad.toml\"\narchs = [\"sm_80\"]\n");
    let world = world_with(&both);
    world.write("kernels/bad.toml", "entry = \"bad\"\nlaunch = { grid = [1], block = [1] }\nmatrix = { N = [1, 2] }\n");
    world.write("kernels/bad.cu", "\nextern \"C\" __global__ void bad() { nonsense; }\n");
    world.commit("bad");
    let ran = bench(&world, &nvrtc, &[]).expect(4);
    assert!(ran.err.contains("kernels/bad.cu(2): error") && ran.err.contains("nonsense"), "{}", ran.err);
    assert_eq!(ran.err.matches("kernels/bad.cu(2): error").count(), 1, "once for all its points: {}", ran.err);
    assert!(ran.out.contains("recorded 36 results"), "{}", ran.out);
    let unknown = bench(&world, &nvrtc, &["scale", "--arch", "sm_42"]).expect(4);
    assert!(unknown.err.contains("no code for sm_42") && unknown.err.contains("sm_80"), "{}", unknown.err);
    let word = bench(&world, &nvrtc, &["scale", "--arch", "hopper"]).expect(2);
    assert!(word.err.contains("`hopper` is no architecture"), "{}", word.err);
}

/// A folder in which there is no NVRTC, whatever this computer has.
fn nowhere(world: &World) -> PathBuf {
    let folder = world.root().join("nowhere");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn without_nvrtc_it_is_told_how_to_get_it_and_everything_else_works() {
    let world = world_with(&format!(
        "{SETTINGS}[[benchmark]]\nname = \"command\"\ncommand = [\"true\"]\n[benchmark.sampling]\nwarmup = 0\nmax_runs = 3\nmin_runs = 3\n"
    ));
    let ran = bench(&world, &nowhere(&world), &[]).expect(4);
    for word in ["cannot compile scale", "NVRTC", "pip install", "apt install", "ratchet.nvrtc"] {
        assert!(ran.err.contains(word), "no `{word}` in {}", ran.err);
    }
    assert!(records(&world).iter().all(|record| record["benchmark"] == "command") && !records(&world).is_empty());
    bench(&world, &nowhere(&world), &["--list"]).expect(0);
    bench(&world, &nowhere(&world), &["command"]).expect(0);
    world.ratchet(&["check"]).expect(0);
}

#[test]
fn an_old_or_broken_nvrtc_is_told() {
    let world = world_with(SETTINGS);
    let library = nowhere(&world).join("libnvrtc.so.13");
    std::fs::write(&library, "no library").unwrap();
    let broken = bench(&world, &library, &[]).expect(4);
    assert!(broken.err.contains("libnvrtc.so.13"), "{}", broken.err);
    let source = nowhere(&world).join("old.rs");
    std::fs::write(
        &source,
        "#[unsafe(no_mangle)] pub unsafe extern \"C\" fn nvrtcVersion(a: *mut i32, b: *mut i32) -> i32 { unsafe { *a = 11; *b = 8; } 0 }",
    )
    .unwrap();
    let old = nowhere(&world).join("libold.so");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let made = std::process::Command::new(rustc).args(["--crate-type", "cdylib", "-o"]).arg(&old).arg(&source).output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("SKIPPED: rustc cannot make a shared library here");
        return;
    }
    let told = bench(&world, &old, &[]).expect(4);
    assert!(told.err.contains("it is NVRTC 11.8, older than 12.0"), "{}", told.err);
}

#[test]
fn wrong_manifests_and_settings_are_usage_errors() {
    let world = world_with(SETTINGS);
    let nowhere = nowhere(&world);
    world.write(
        "kernels/scale.toml",
        &MANIFEST.replace("ceil_div(N, BLOCK)", "ceil_div(M, BLOCK)").replace("\"BLOCK\"]", "\"BLOK\"]"),
    );
    world.commit("typo");
    if let Some(nvrtc) = nvrtc() {
        let typo = bench(&world, &nvrtc, &[]).expect(4);
        assert!(
            typo.err.contains("kernels/scale.toml: launch.block: `BLOK`") && typo.err.contains("did you mean `BLOCK`"),
            "{}",
            typo.err
        );
    }
    world.write("kernels/scale.toml", "entry = 3\n");
    let wrong = bench(&world, &nowhere, &[]).expect(2);
    assert!(wrong.err.contains("kernels/scale.toml:1:9"), "{}", wrong.err);
    for (settings, word) in [
        ("[[benchmark]]\nname = \"a\"\n", "neither a `command` nor a `kernel`"),
        ("[[benchmark]]\nname = \"a\"\nkernel = \"k.toml\"\ncommand = [\"true\"]\n", "`command` belongs to a `command`"),
        ("[[benchmark]]\nname = \"a\"\nkernel = \"../k.toml\"\n", "not a file inside the repository"),
        ("[[benchmark]]\nname = \"a\"\nkernel = \"k.toml\"\nmatrix = { N = [1] }\n", "points are in its manifest"),
        ("[[benchmark]]\nname = \"a\"\ncommand = [\"true\"]\narchs = [\"sm_80\"]\n", "`archs` belongs to a `kernel`"),
        ("[[benchmark]]\nname = \"a\"\nkernel = \"kernels/scale.toml\"\nconfigs = []\n", "`configs` is empty"),
    ] {
        world.write("ratchet.toml", settings);
        let ran = bench(&world, &nowhere, &[]).expect(2);
        assert!(ran.err.contains(word), "{settings}{}", ran.err);
    }
    world.write("ratchet.toml", &format!("{SETTINGS}configs = [\"tiny\"]\n"));
    world.write("kernels/scale.toml", MANIFEST);
    assert!(bench(&world, &nowhere, &[]).expect(2).err.contains("no config with config=tiny"));
    world.write("ratchet.toml", "[[benchmark]]\nname = \"a\"\nkernel = \"kernels/none.toml\"\n");
    assert!(bench(&world, &nowhere, &[]).expect(4).err.contains("cannot read kernels/none.toml"));
}

#[test]
fn a_required_kernel_that_is_not_measured_is_no_pass() {
    let world = world_with(&format!("{SETTINGS}required = true\n"));
    world.record("time=10ms");
    let check = world.ratchet(&["check", "--json"]).expect(3).json();
    assert_eq!(check["verdict"], "not_measured");
}

#[test]
fn the_doctor_tells_of_the_compiler_and_of_the_gpu() {
    let world = world_with(SETTINGS);
    let findings = |nvrtc: &Path| {
        let mut command = world.ratchet_command(&world.repo, &["doctor", "--json"]);
        let ran = world.run(command.env("RATCHET_NVRTC", nvrtc)).expect(0).json();
        let of = |about: &str| {
            let all = ran["findings"].as_array().unwrap();
            all.iter().find(|finding| finding["about"] == about).unwrap_or_else(|| panic!("nothing about {about}")).clone()
        };
        (of("NVRTC"), of("GPU"))
    };
    let (missing, gpu) = findings(&nowhere(&world));
    assert_eq!(missing["state"], "warning");
    assert!(missing["hint"].as_str().unwrap().contains("pip install") && gpu["message"].is_string());
    if let Some(nvrtc) = nvrtc() {
        let (found, _) = findings(&nvrtc);
        assert_eq!(found["state"], "ok", "{found}");
        assert!(found["message"].as_str().unwrap().contains("libnvrtc"), "{found}");
    }
}
