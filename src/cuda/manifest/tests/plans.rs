//! A manifest of everything there is becomes plans: points, tunables, variants, architectures.

use super::*;
use crate::cuda::{DType, Fill, Role, Scalar};

const SOFTMAX: &str = r#"
entry = "softmax"
options = ["--use_fast_math"]
minimum_arch = "sm_75"

[tunables]
BLOCK = { values = [128, 256], default = 256 }
VECTOR = { values = [1, 2, 4], default = 4 }

[constraints]
fits = "BLOCK * VECTOR <= COLUMNS"

[matrix]
ROWS = [1024, 8192]
COLUMNS = [1024]
dtype = ["f16"]

[[config]]
name = "training_512"
ROWS = 131072
COLUMNS = 512
dtype = "f32"

[define]
TYPE = "{dtype}"
ROUNDED = "round_up(COLUMNS, BLOCK)"
SCALE = 0.5

[launch]
grid = ["ROWS"]
block = ["BLOCK"]
shared_bytes = "BLOCK * 4"

[[argument]]
name = "x"
buffer = "{dtype}"
shape = ["ROWS", "COLUMNS"]
fill = { normal = [0.0, 1.0] }

[[argument]]
name = "y"
buffer = "{dtype}"
shape = ["ROWS", "COLUMNS"]
role = "output"

[[argument]]
name = "columns"
scalar = "i32"
value = "COLUMNS"

[work]
flop = "5.0 * ROWS * COLUMNS"
flop_dtype = "f32"
bytes = "2 * ROWS * COLUMNS * size(dtype)"

[reference]
entry = "softmax_reference"
grid = ["ROWS"]
block = ["1"]
arguments = ["x", "y"]
output_dtype = "f32"
frobenius = 'if dtype == "f32" { 1e-6 } else { 1e-3 }'
largest = 1e-2

[[variant]]
arch = "sm_90a"
source = "softmax_sm90.cu"
entry = "softmax_sm90"
tunables = { STAGES = { values = [2, 3], default = 3 } }
constraints = {}
define = { TYPE = "{dtype}" }
launch = { grid = ["sm_count"], block = [128], cluster = [2] }
"#;

fn softmax() -> Manifest {
    let repository = Repository::default()
        .with("kernels/softmax.toml", SOFTMAX)
        .with("kernels/softmax.cu", "#include \"common/helpers.cuh\"\n")
        .with("kernels/common/helpers.cuh", "#include \"types.cuh\"\n#include <cuda_fp16.h>\n")
        .with("kernels/common/types.cuh", "// types\n")
        .with("kernels/softmax_sm90.cu", "// hopper\n");
    repository.load("kernels/softmax.toml").unwrap()
}

#[test]
fn a_whole_manifest_becomes_a_plan() {
    let manifest = softmax();
    let shown: Vec<String> = manifest.configs().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "ROWS=1024 COLUMNS=1024 dtype=f16",
            "ROWS=8192 COLUMNS=1024 dtype=f16",
            "config=training_512 ROWS=131072 COLUMNS=512 dtype=f32"
        ]
    );
    let plan = plan(&manifest).unwrap();
    assert_eq!(plan.program.name, "kernels/softmax.cu");
    let defines: Vec<String> = plan.program.defines.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(defines, ["BLOCK=256", "VECTOR=4", "TYPE=__half", "ROUNDED=1024", "SCALE=0.5"]);
    let headers: Vec<&str> = plan.program.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(headers, ["common/helpers.cuh", "types.cuh"]);
    assert_eq!((plan.launch.grid, plan.launch.block, plan.launch.shared_bytes), ([1024, 1, 1], [256, 1, 1], 1024));
    let ArgumentValue::Buffer(x) = &plan.arguments[0].value else { panic!("x is a buffer") };
    assert_eq!((x.dtype, x.bytes(), x.role), (DType::F16, 2 << 20, Role::Input));
    assert_eq!(x.fill, Fill::Normal { mean: 0.0, deviation: 1.0, seed: 1 });
    let ArgumentValue::Buffer(y) = &plan.arguments[1].value else { panic!("y is a buffer") };
    assert_eq!((y.fill, y.role), (Fill::Poison, Role::Output));
    assert_eq!(plan.arguments[2].value, ArgumentValue::Scalar(Scalar::I32(1024)));
    assert_eq!((plan.work.flop, plan.work.bytes), (Some(5.0 * 1024.0 * 1024.0), Some(4.0 * 1024.0 * 1024.0)));
    let reference = plan.reference.unwrap();
    assert_eq!((reference.program.name.as_str(), reference.launch.block[0]), ("kernels/softmax.cu", 1));
    assert_eq!((reference.tolerance.frobenius, reference.tolerance.largest), (1e-3, 1e-2));
    assert!(plan.deterministic);
}

#[test]
fn tunables_are_chosen_within_the_constraints() {
    let manifest = softmax();
    let (none, named) = (Config::empty(), &manifest.configs()[2]);
    let request = PlanRequest { config: named, tunables: &none, arch: SM_80, device: None };
    let error = manifest.plan(&request).unwrap_err().to_string();
    assert!(error.contains("constraints.fits") && error.contains("does not hold"), "{error}");
    let choices: Vec<String> = manifest.combinations(&request).map(|choice| choice.to_string()).collect();
    assert_eq!(
        choices,
        ["BLOCK=128 VECTOR=1", "BLOCK=128 VECTOR=2", "BLOCK=128 VECTOR=4", "BLOCK=256 VECTOR=1", "BLOCK=256 VECTOR=2"]
    );
    let chosen: Config = "BLOCK=128".parse().unwrap();
    assert_eq!(manifest.plan(&PlanRequest { tunables: &chosen, ..request }).unwrap().launch.block[0], 128);
    for (tunables, word) in [("BLOCK=100", "128, 256"), ("BLOC=128", "there are: BLOCK, VECTOR")] {
        let tunables: Config = tunables.parse().unwrap();
        let error = manifest.plan(&PlanRequest { tunables: &tunables, ..request }).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn tunables_beyond_counting_are_enumerated_one_by_one() {
    let many: String = (0..60).map(|i| format!("T{i} = {{ values = [1, 2, 3, 4, 5, 6, 7, 8], default = 1 }}\n")).collect();
    let manifest = Parts { rest: &format!("[tunables]\n{many}"), ..Parts::default() }.load().unwrap();
    let none = Config::empty();
    let request = PlanRequest { config: &manifest.configs()[0], tunables: &none, arch: SM_80, device: None };
    assert_eq!(manifest.combinations(&request).take(9).count(), 9);
}

#[test]
fn the_variant_of_the_chip_wins_and_needs_a_device() {
    let manifest = softmax();
    let none = Config::empty();
    let request = PlanRequest { config: &manifest.configs()[0], tunables: &none, arch: SM_90A, device: None };
    let error = manifest.plan(&request).unwrap_err();
    assert!(matches!(&error, ManifestError::NeedsDevice { name, .. } if name == "sm_count"), "{error}");
    let code = manifest.code(&request).unwrap();
    assert_eq!((code.program.entry.as_str(), code.block_threads, code.shared_bytes), ("softmax_sm90", Some(128), Some(0)));
    let plan = manifest.plan(&PlanRequest { device: Some(&H200), ..request }).unwrap();
    assert_eq!((plan.launch.grid[0], plan.launch.cluster), (132, Some([2, 1, 1])));
    let reference = plan.reference.unwrap();
    assert_eq!(reference.program.name, "kernels/softmax.cu", "the reference stays in the base's source");
    assert!(reference.program.defines.iter().any(|(name, _)| name == "BLOCK"), "and keeps the base's macros");
    assert_eq!(manifest.arch_on(90), SM_90A);
    assert_eq!(manifest.arch_on(80), SM_80);
    let plain_90 = Arch { number: 90, specific: false };
    assert_eq!(manifest.code(&PlanRequest { arch: plain_90, ..request }).unwrap().program.entry, "softmax");
}

#[test]
fn the_oldest_architecture_is_kept_to() {
    let manifest = softmax();
    let (none, old) = (Config::empty(), Arch { number: 70, specific: false });
    assert!(!manifest.supports(old) && manifest.supports(SM_90A));
    let request = PlanRequest { config: &manifest.configs()[0], tunables: &none, arch: old, device: None };
    let error = manifest.plan(&request).unwrap_err().to_string();
    assert_eq!(error, "kernels/softmax.toml is for sm_75 and later, not for sm_70");
    let only = Parts { top: "minimum_arch = \"sm_90a\"", ..Parts::default() }.load().unwrap();
    let plain = Arch { number: 90, specific: false };
    assert!(only.supports(SM_90A) && !only.supports(plain) && !only.supports(Arch { number: 100, specific: false }));
    assert_eq!(only.arch_on(90), SM_90A);
}
