//! The kernels of `kernels/` on a CPU: their very source, compiled with g++ against tests/cpu_shim, on small and ragged
//! shapes against plain loops. docs/kernels-list.md says what this shows and what only a GPU can.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

/// A program of tests/cpu_shim and the macros of one combination of tunables.
type Case = (&'static str, &'static str);

const PLAIN: &[Case] = &[
    ("copy", "BLOCK=128 UNROLL=4"),
    ("copy", "BLOCK=256 UNROLL=1"),
    ("vector_add", "BLOCK=128 UNROLL=2 TYPE=__half UNIT=5e-4"),
    ("vector_add", "BLOCK=256 UNROLL=1 TYPE=__nv_bfloat16 UNIT=4e-3"),
    ("vector_add", "BLOCK=128 UNROLL=4 TYPE=float UNIT=1e-7"),
    ("reduce", "BLOCK=128 UNROLL=2 TYPE=float"),
    ("reduce", "BLOCK=1024 UNROLL=1 TYPE=__half"),
    ("softmax", "TYPE=__half COLUMNS=520 ROW_THREADS=64 ROWS_PER_BLOCK=4 VECTOR=8 UNIT=1e-3"),
    ("softmax", "TYPE=float COLUMNS=1000 ROW_THREADS=256 ROWS_PER_BLOCK=1 VECTOR=4 UNIT=1e-5"),
    ("softmax", "TYPE=float COLUMNS=5000 ROW_THREADS=32 ROWS_PER_BLOCK=2 VECTOR=4 UNIT=1e-5"),
    ("softmax", "TYPE=__nv_bfloat16 COLUMNS=9000 ROW_THREADS=128 ROWS_PER_BLOCK=1 VECTOR=2 UNIT=5e-3"),
];

const TENSOR_CORES: &[Case] = &[
    ("gemm", "TYPE=__half BLOCK_M=64 BLOCK_N=64 BLOCK_K=32 WARPS_M=2 WARPS_N=2 STAGES=3 GROUP_M=2 UNIT=5e-4"),
    ("gemm", "TYPE=__nv_bfloat16 BLOCK_M=128 BLOCK_N=64 BLOCK_K=64 WARPS_M=2 WARPS_N=2 STAGES=2 GROUP_M=8 UNIT=4e-3"),
    ("gemm", "TYPE=__half BLOCK_M=128 BLOCK_N=128 BLOCK_K=32 WARPS_M=2 WARPS_N=2 STAGES=4 GROUP_M=8 UNIT=5e-4"),
    ("flash_attention", "TYPE=__half HEAD_DIM=64 CAUSAL=0 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=8 UNIT=1e-3"),
    ("flash_attention", "TYPE=__nv_bfloat16 HEAD_DIM=64 CAUSAL=1 BLOCK_M=64 BLOCK_N=32 NUM_STAGES=3 NUM_WARPS=4 UNIT=8e-3"),
    ("flash_attention", "TYPE=__nv_bfloat16 HEAD_DIM=128 CAUSAL=0 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=4 UNIT=8e-3"),
    ("flash_attention", "TYPE=__half HEAD_DIM=128 CAUSAL=1 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=8 UNIT=1e-3"),
    ("mma_peak", "TYPE=__half WARPS=2 INNER=3 OUTER=2"),
    ("mma_peak", "TYPE=__nv_bfloat16 WARPS=1 INNER=3 OUTER=2"),
    ("mma_peak", "TYPE=float WARPS=2 INNER=3 OUTER=2"),
    ("mma_peak", "TYPE=signed_char WARPS=2 INNER=3 OUTER=2"),
    ("mma_peak", "TYPE=unsigned_char WARPS=2 INNER=3 OUTER=2"),
];

const HOPPER: &[Case] = &[
    ("gemm_sm90", "TYPE=__half BLOCK_M=128 BLOCK_N=128 STAGES=3 GROUP_M=2 CLUSTER=1 UNIT=5e-4"),
    ("gemm_sm90", "TYPE=__nv_bfloat16 BLOCK_M=128 BLOCK_N=256 STAGES=4 GROUP_M=8 CLUSTER=1 UNIT=4e-3"),
    ("gemm_sm90", "TYPE=__half BLOCK_M=64 BLOCK_N=64 STAGES=2 GROUP_M=1 CLUSTER=1 UNIT=5e-4"),
    ("gemm_sm90", "TYPE=__nv_bfloat16 BLOCK_M=128 BLOCK_N=256 STAGES=4 GROUP_M=8 CLUSTER=2 UNIT=4e-3"),
    ("gemm_sm90", "TYPE=__half BLOCK_M=64 BLOCK_N=64 STAGES=2 GROUP_M=1 CLUSTER=2 UNIT=5e-4"),
    (
        "flash_attention_sm90",
        "TYPE=__half HEAD_DIM=64 CAUSAL=1 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=8 IN_TURNS=1 UNIT=1e-3",
    ),
    (
        "flash_attention_sm90",
        "TYPE=__nv_bfloat16 HEAD_DIM=128 CAUSAL=1 BLOCK_M=128 BLOCK_N=128 NUM_STAGES=2 NUM_WARPS=8 IN_TURNS=1 UNIT=8e-3",
    ),
    (
        "flash_attention_sm90",
        "TYPE=__half HEAD_DIM=128 CAUSAL=0 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=3 NUM_WARPS=8 IN_TURNS=0 UNIT=1e-3",
    ),
    (
        "flash_attention_sm90",
        "TYPE=__nv_bfloat16 HEAD_DIM=64 CAUSAL=0 BLOCK_M=192 BLOCK_N=128 NUM_STAGES=2 NUM_WARPS=12 IN_TURNS=1 UNIT=8e-3",
    ),
    ("mma_peak_sm90", "TYPE=__half WARPS=8 INNER=3 OUTER=2"),
    ("mma_peak_sm90", "TYPE=float WARPS=4 INNER=3 OUTER=2"),
    ("mma_peak_sm90", "TYPE=signed_char WARPS=4 INNER=3 OUTER=2"),
    ("mma_peak_sm90", "TYPE=unsigned_char WARPS=4 INNER=3 OUTER=2"),
];

/// Kernels of sm_90a without their data, under many interleavings: attention with one warpgroup that computes, two and
/// three; products in blocks alone and in clusters.
const TURNS: &[Case] = &[
    ("flash_attention_sm90_turns", "SEEDS=100 HEAD_DIM=128 CAUSAL=0 BLOCK_M=64 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=4 IN_TURNS=1"),
    ("flash_attention_sm90_turns", "SEEDS=100 HEAD_DIM=64 CAUSAL=1 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=8 IN_TURNS=1"),
    ("flash_attention_sm90_turns", "SEEDS=100 HEAD_DIM=64 CAUSAL=1 BLOCK_M=192 BLOCK_N=64 NUM_STAGES=3 NUM_WARPS=12 IN_TURNS=1"),
    ("flash_attention_sm90_turns", "SEEDS=100 HEAD_DIM=64 CAUSAL=1 BLOCK_M=192 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=12 IN_TURNS=0"),
    ("gemm_sm90_turns", "SEEDS=100 TYPE=__half BLOCK_M=128 BLOCK_N=64 STAGES=3 GROUP_M=2 CLUSTER=1"),
    ("gemm_sm90_turns", "SEEDS=100 TYPE=__half BLOCK_M=128 BLOCK_N=64 STAGES=2 GROUP_M=1 CLUSTER=2"),
];

/// Where the programs lie, and the folder of what is built, with the precompiled header that all of them begin with.
struct Shim {
    built: tempfile::TempDir,
}

impl Shim {
    /// `None` where there is no g++, or none for this processor.
    fn get() -> Option<&'static Self> {
        static SHIM: OnceLock<Option<Shim>> = OnceLock::new();
        SHIM.get_or_init(|| {
            let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) && cfg!(target_os = "linux");
            if !known || Command::new("g++").arg("--version").output().is_err() {
                println!("SKIPPED: the kernels are not run on the CPU: it takes Linux on x86-64 or aarch64, and g++");
                return None;
            }
            let shim = Self { built: tempfile::tempdir().unwrap() };
            let header = shim.built.path().join("check.hpp");
            fs::copy(folder().join("check.hpp"), &header).unwrap();
            let mut compiler = compiler();
            compiler.args(["-w", "-x", "c++-header"]).arg(&header).arg("-o").arg(shim.built.path().join("check.hpp.gch"));
            succeeded("the header", &compiler.output().unwrap()).unwrap();
            Some(shim)
        })
        .as_ref()
    }

    /// Compiles and runs a program of `folder`, which may be a changed copy of tests/cpu_shim.
    fn run(&self, folder: &Path, binary: &str, (program, defines): Case) -> Result<String, String> {
        let binary = self.built.path().join(binary);
        let mut compiler = compiler();
        compiler.arg("-include").arg(self.built.path().join("check.hpp"));
        compiler.args(
            defines
                .split(' ')
                .filter(|define| !define.is_empty())
                .map(|define| format!("-D{}", define.replace("d_char", "d char"))),
        );
        compiler.arg(folder.join(format!("{program}.cpp"))).arg("-o").arg(&binary);
        succeeded("compiling", &compiler.output().unwrap())?;
        succeeded("running", &Command::new(&binary).output().unwrap())
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpu_shim")
}

fn compiler() -> Command {
    let mut command = Command::new("g++");
    command.args(["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-I"]).arg(folder());
    command.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/include"));
    command
}

fn succeeded(what: &str, output: &Output) -> Result<String, String> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("{what}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr)))
}

/// Does the jobs, as many at a time as there are cores, and fails with what they say.
fn in_parallel<J: Sync>(jobs: &[J], job: impl Fn(usize, &J) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(each) = jobs.get(number) else { break };
                    if let Err(fault) = job(number, each) {
                        faults.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Runs the cases and gives what they printed; `None` where they cannot run here.
fn all_right(name: &str, cases: &[Case]) -> Option<Vec<String>> {
    let shim = Shim::get()?;
    let said = Mutex::new(Vec::new());
    in_parallel(cases, |number, case| {
        let ran = shim.run(&folder(), &format!("{name}-{number}"), *case);
        ran.map(|text| said.lock().unwrap().push(text)).map_err(|fault| format!("{} with {}: {fault}", case.0, case.1))
    });
    said.into_inner().ok()
}

#[test]
fn plain_kernels_compute_what_plain_loops_compute() {
    all_right("plain", PLAIN);
}

#[test]
fn tensor_core_kernels_compute_what_plain_loops_compute() {
    all_right("tensor-cores", TENSOR_CORES);
}

#[test]
fn kernels_for_sm_90a_compute_what_plain_loops_compute() {
    let said = all_right("hopper", HOPPER).unwrap_or_default();
    let groups: BTreeSet<&str> =
        said.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("group ")).collect();
    if !said.is_empty() {
        assert_eq!(groups, elsewhere("group "), "descriptors differ from those of other compilers: tests/data/hopper/wgmma.txt");
    }
}

/// What other compilers make of wgmma for the same tiles.
fn elsewhere(what: &str) -> BTreeSet<&'static str> {
    let lines = include_str!("../data/hopper/wgmma.txt").lines().filter_map(|line| line.split_once(": "));
    lines.filter_map(|(_, told)| told.strip_prefix(what)).collect()
}

/// The shim takes the place of the instructions, so that it cannot see what is written behind their operands.
#[test]
fn instructions_of_warpgroups_are_written_as_by_other_compilers() {
    let header = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/include/hopper.cuh")).unwrap();
    let own = header.lines().filter_map(|line| {
        let (place, rest) = line.split_once("(wgmma_").filter(|(_, rest)| !rest.starts_with("peak"))?;
        let (instruction, behind) = rest.split_once('"')?.1.split_once("\", \"")?;
        let place = if place.starts_with("SHARED") { "shared" } else { "registers" };
        Some(format!("{place} {instruction}{}", behind.trim_end_matches("\")")))
    });
    let own: BTreeSet<String> = own.collect();
    assert_eq!(own.iter().map(String::as_str).collect::<BTreeSet<_>>(), elsewhere("form "));
}

#[test]
fn warpgroups_never_wait_for_ever() {
    all_right("turns", TURNS);
}

/// A fault planted in a kernel: the case that must find it, what is replaced by what, and a word of how it is told.
struct Planted {
    case: Case,
    from: &'static str,
    to: &'static str,
    told: &'static str,
}

const VECTOR_ADD: Case = ("vector_add", "BLOCK=128 UNROLL=2 TYPE=float UNIT=1e-7");
const GEMM: Case = ("gemm", "TYPE=__half BLOCK_M=64 BLOCK_N=64 BLOCK_K=32 WARPS_M=2 WARPS_N=2 STAGES=3 GROUP_M=2 UNIT=5e-4");
const ATTENTION: Case =
    ("flash_attention", "TYPE=__half HEAD_DIM=64 CAUSAL=1 BLOCK_M=64 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=4 UNIT=1e-3");
const GEMM_SM90: Case = ("gemm_sm90", "TYPE=__half BLOCK_M=64 BLOCK_N=64 STAGES=2 GROUP_M=1 CLUSTER=1 UNIT=5e-4");
const GEMM_CLUSTER: Case = ("gemm_sm90", "TYPE=__half BLOCK_M=64 BLOCK_N=64 STAGES=2 GROUP_M=1 CLUSTER=2 UNIT=5e-4");
const ATTENTION_SM90: Case = (
    "flash_attention_sm90",
    "TYPE=__half HEAD_DIM=64 CAUSAL=1 BLOCK_M=128 BLOCK_N=64 NUM_STAGES=2 NUM_WARPS=8 IN_TURNS=1 UNIT=1e-3",
);
const TURNS_SM90: Case = TURNS[2];
const PEAK_SM90: Case = ("mma_peak_sm90", "TYPE=__half WARPS=4 INNER=3 OUTER=2");

const PLANTED: &[Planted] = &[
    Planted { case: VECTOR_ADD, from: "start + chunk <= count", to: "start < count", told: "outside a buffer" },
    Planted { case: GEMM, from: "copy_async_wait<STAGES - 2>();", to: "", told: "NaN" },
    Planted { case: GEMM, from: "lane % 8 + lane / 16 * 8", to: "lane % 16", told: "WRONG" },
    Planted { case: ATTENTION, from: "first_key + BLOCK_N > seen_by_all", to: "first_key > keys + seen_by_all", told: "WRONG" },
    Planted {
        case: ATTENTION,
        from: "place_v = place_of<chunks>(lane % 16,",
        to: "place_v = place_of<chunks>(lane % 16 / 8 * 8,",
        told: "the same banks",
    },
    Planted { case: GEMM_SM90, from: "warpgroup_fence();", to: "", told: "without warpgroup_fence" },
    Planted { case: GEMM_SM90, from: "barrier_expect(slot, bytes_a + bytes_b)", to: "barrier_expect(slot, bytes_a)", told: "" },
    Planted { case: GEMM_SM90, from: "turn.parity ^ 1", to: "turn.parity", told: "deadlock" },
    Planted { case: GEMM_CLUSTER, from: "else cluster_sync();", to: "else __syncthreads();", told: "was not initialised" },
    Planted { case: GEMM_CLUSTER, from: "    if constexpr (CLUSTER > 1) cluster_sync();", to: "", told: "has ended" },
    Planted { case: GEMM_CLUSTER, from: "lane < CLUSTER", to: "lane < 1", told: "deadlock" },
    Planted { case: GEMM_CLUSTER, from: "4 * consumers * CLUSTER", to: "4 * consumers", told: "" },
    Planted { case: GEMM_CLUSTER, from: "b, slot, everybody,", to: "b, slot, 1u << rank,", told: "deadlock" },
    Planted { case: GEMM_CLUSTER, from: "tile.n + rank * share_n", to: "tile.n", told: "WRONG" },
    Planted { case: ATTENTION_SM90, from: "panel_k, 1024)", to: "panel_k, 512)", told: "WRONG" },
    Planted { case: ATTENTION_SM90, from: "warpgroup_wait<1>();", to: "", told: "WRONG" },
    Planted { case: TURNS_SM90, from: "last_work && step", to: "step", told: "deadlock" },
    Planted { case: TURNS_SM90, from: "last_work && step == work.steps - 1", to: "false", told: "have not been met" },
    Planted { case: TURNS_SM90, from: "                take_turn();\n", to: "", told: "opens for nobody" },
    Planted { case: TURNS_SM90, from: "(part + 1) % consumers", to: "1", told: "deadlock" },
    Planted { case: PEAK_SM90, from: "fence_async();", to: "", told: "fence_async" },
];

/// The check itself is checked: faults that real kernels have had are found.
#[test]
fn planted_faults_are_found() {
    let Some(shim) = Shim::get() else { return };
    in_parallel(PLANTED, |number, planted| {
        let (program, _) = planted.case;
        let kernel = program.trim_end_matches("_turns");
        let copy = tempfile::tempdir().unwrap();
        let programs = copy.path().join("tests/cpu_shim");
        fs::create_dir_all(&programs).unwrap();
        fs::create_dir_all(copy.path().join("kernels/reference")).unwrap();
        let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
        for file in [format!("{program}.cpp"), "attention.hpp".to_owned()] {
            fs::copy(folder().join(&file), programs.join(file)).unwrap();
        }
        for entry in fs::read_dir(kernels.join("reference")).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, copy.path().join("kernels/reference").join(from.file_name().unwrap())).unwrap();
        }
        let source = fs::read_to_string(kernels.join(format!("{kernel}.cu"))).unwrap();
        assert!(source.contains(planted.from), "{kernel}.cu has no `{}` any more", planted.from);
        fs::write(copy.path().join(format!("kernels/{kernel}.cu")), source.replacen(planted.from, planted.to, 1)).unwrap();
        match shim.run(&programs, &format!("planted-{number}"), planted.case) {
            Ok(said) => Err(format!("{program} with `{}` for `{}` was not found: {said}", planted.to, planted.from)),
            Err(said) if said.starts_with("compiling") || !said.contains(planted.told) => {
                Err(format!("{program} with `{}` for `{}` is told otherwise: {said}", planted.to, planted.from))
            }
            Err(_) => Ok(()),
        }
    });
}

/// What stands elsewhere could not be replaced by tests/cpu_shim.
#[test]
fn inline_assembly_stands_behind_wrappers() {
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut with_assembly = Vec::new();
    for folder in [kernels.clone(), kernels.join("include"), kernels.join("reference")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && fs::read_to_string(&path).unwrap().contains("asm") {
                with_assembly.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    with_assembly.retain(|name| !name.ends_with(".toml"));
    with_assembly.sort();
    assert_eq!(with_assembly, ["hopper.cuh", "ptx.cuh"]);
}
