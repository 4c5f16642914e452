use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;

use super::*;
use crate::cuda::{ArgumentValue, DType, Fill, Role, Scalar, Swizzle};

/// The files of a repository, by path.
#[derive(Clone, Default)]
struct Repository(BTreeMap<String, Vec<u8>>);

impl Repository {
    fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), content.into());
        self
    }

    fn load(&self, path: &str) -> Result<Manifest, ManifestError> {
        Manifest::load(path, &|path| self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()))
    }
}

const SOURCE: &str = "extern \"C\" __global__ void k(float* y, int n) {}";

/// A manifest whose parts a test replaces.
struct Parts<'a> {
    top: &'a str,
    grid: &'a str,
    block: &'a str,
    rest: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self { top: "", grid: r#"["1"]"#, block: r#"["1"]"#, rest: "" }
    }
}

impl Parts<'_> {
    fn load(&self) -> Result<Manifest, ManifestError> {
        let Self { top, grid, block, rest } = self;
        let text = format!("entry = \"k\"\n{top}\n[launch]\ngrid = {grid}\nblock = {block}\n{rest}\n");
        Repository::default().with("k/k.toml", text).with("k/k.cu", SOURCE).load("k/k.toml")
    }

    fn error(&self) -> String {
        match self.load().and_then(|manifest| plan(&manifest)) {
            Ok(plan) => panic!("this should not be a plan: {plan:#?}"),
            Err(error) => error.to_string(),
        }
    }

    fn plan(&self) -> KernelPlan {
        self.load().and_then(|manifest| plan(&manifest)).unwrap_or_else(|error| panic!("{error}"))
    }
}

const SM_80: Arch = Arch { number: 80, specific: false };
const SM_90A: Arch = Arch { number: 90, specific: true };
const H200: DeviceProperties = DeviceProperties {
    sm_count: 132,
    max_threads_per_block: 1024,
    shared_bytes_per_block: 232_448,
    l2_bytes: 60 << 20,
    warp_size: 32,
};

/// The first point with default tunables, without a device.
fn plan(manifest: &Manifest) -> Result<KernelPlan, ManifestError> {
    let none = Config::empty();
    manifest.plan(&PlanRequest { config: &manifest.configs()[0], tunables: &none, arch: SM_80, device: None })
}

/// The grid in x of a kernel whose config has the usual names.
fn evaluate(expression: &str) -> Result<u32, String> {
    let grid = format!("[{expression:?}]");
    let top = "matrix = { ROWS = [1000], SCALE = [0.5], dtype = [\"f16\"], wide = [true] }\ntunables = { BLOCK = { values = [128], default = 128 } }";
    let manifest = Parts { top, grid: &grid, ..Parts::default() }.load().map_err(|error| error.to_string())?;
    plan(&manifest).map(|plan| plan.launch.grid[0]).map_err(|error| error.to_string())
}

#[test]
fn expressions_are_arithmetic() {
    for (expression, value) in [
        ("ROWS / 3", 333),
        ("ROWS % 7 + 2 * 3", 12),
        ("ceil_div(ROWS, BLOCK)", 8),
        ("round_up(ROWS, BLOCK)", 1024),
        ("min(ROWS, 64) + max(1, 2)", 66),
        ("log2(ROWS)", 9),
        ("size(dtype) * 8", 16),
        ("if dtype == \"f16\" && ROWS > 10 { 5 } else { 6 }", 5),
        ("if wide { 2 } else { 1 }", 2),
        ("if !wide || ROWS < 0 { 2 } else { 1 }", 1),
        ("ROWS * SCALE", 500),
        ("max(ROWS * SCALE, 600)", 600),
        ("-ROWS + 1001", 1),
        ("(ROWS + BLOCK - 1) / BLOCK", 8),
        ("warp_size", 32),
        ("arch", 80),
        ("max_threads_per_block", 1024),
        ("shared_bytes_per_block", 166_912),
    ] {
        assert_eq!(evaluate(expression), Ok(value), "{expression}");
    }
}

#[test]
fn expressions_that_make_no_sense_say_why() {
    for (expression, words) in [
        ("ROW", &["`ROW`", "did you mean `ROWS`"][..]),
        ("x", &["there is no `x`", "ROWS", "BLOCK"]),
        ("ROWS / 0", &["launch.grid", "ROWS / 0", "zero"]),
        ("ROWS % 0", &["zero"]),
        ("9223372036854775807 + ROWS", &["overflow"]),
        ("9223372036854775807 * ROWS", &["overflow"]),
        ("-9223372036854775807 - ROWS", &["overflow"]),
        ("2 ** 64", &["overflow"]),
        ("1 - ROWS", &["gives -999", "from 1 to 2147483647"]),
        ("ROWS * 10000000", &["from 1 to 2147483647"]),
        ("ROWS * 0", &["gives 0"]),
        ("ROWS / SCALE / 3.0", &["not a whole number"]),
        ("dtype", &["a text"]),
        ("wide", &["a truth value"]),
        ("size(\"f8\")", &["`f8` is no element type"]),
        ("log2(0)", &["log2(0)"]),
        ("ceil_div(ROWS, 0)", &["ceil_div(1000, 0)"]),
        ("sqrt(ROWS)", &["there is no `sqrt`", "ceil_div"]),
        ("let x = 1", &["this is no expression"]),
        ("while true {}", &["this is no expression"]),
        ("ROWS +", &["this is no expression"]),
        ("[1, 2]", &["not a number"]),
        ("eval(\"1\")", &["eval"]),
        ("", &["no expression"]),
    ] {
        let error = evaluate(expression).expect_err(expression);
        for word in words {
            assert!(error.contains(word), "{expression}: no `{word}` in: {error}");
        }
        assert!(error.starts_with("k/k.toml: launch.grid"), "{error}");
    }
}

#[test]
fn hostile_expressions_are_stopped() {
    let deep = format!("{}1{}", "(".repeat(400), ")".repeat(400));
    assert!(evaluate(&deep).is_err());
    let long = vec!["1"; 600].join("+");
    assert!(evaluate(&long).unwrap_err().contains("at most 1024 bytes"));
    assert!(evaluate("\"a\" * 1000").is_err());
    let doubled = (0..40).fold("\"ab\"".to_owned(), |text, _| if text.len() < 400 { format!("({text}+{text})") } else { text });
    assert!(evaluate(&doubled).is_err());
}

proptest! {
    /// Whatever stands there: an answer or an error, never a panic and never long.
    #[test]
    fn any_text_is_an_expression_or_an_error(text in "\\PC{0,60}") {
        let _ = evaluate(&text);
    }

    #[test]
    fn anything_made_of_known_words_is_answered(words in prop::collection::vec(prop::sample::select(vec![
        "ROWS", "BLOCK", "SCALE", "dtype", "+", "-", "*", "/", "%", "(", ")", "min", "ceil_div", "round_up", ",", "1", "0", "9223372036854775807",
        "if", "{", "}", "else", "==", "&&", "!", "log2", "size", "\"f16\"", "..", "[", "]", "**", "<<", "|", "=>", "switch", ".", ";", "`", "${",
    ]), 0..12)) {
        let _ = evaluate(&words.join(" "));
    }

    #[test]
    fn any_text_is_a_manifest_or_an_error(text in "\\PC{0,200}") {
        let _ = Repository::default().with("m.toml", text).load("m.toml");
    }
}

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

#[test]
fn launches_that_cuda_refuses_are_refused_before() {
    for (grid, block, words) in [
        (r#"["1", "65536"]"#, r#"["1"]"#, &["launch.grid", "65536", "from 1 to 65535"][..]),
        (r#"["1"]"#, r#"["1025"]"#, &["launch.block", "1024"]),
        (r#"["1"]"#, r#"[32, 32, 2]"#, &["2048 threads", "at most 1024"]),
        (r#"["1"]"#, r#"[1, 1, 65]"#, &["from 1 to 64"]),
        ("[]", r#"["1"]"#, &["launch.grid", "one to 3"]),
        (r#"["1", "1", "1", "1"]"#, r#"["1"]"#, &["has 4 expressions"]),
        (r#"["1"]"#, "[1]\nshared_bytes = 2000000", &["launch.shared_bytes"]),
        (r#"["1"]"#, "[1]\nshared_bytes = -1", &["launch.shared_bytes", "gives -1"]),
        (r#"["4"]"#, "[1]\ncluster = [2]", &["no clusters before sm_90"]),
        (r#"["4"]"#, "[1]\ncluster = [32]", &["from 1 to 16"]),
    ] {
        let error = Parts { grid, block, ..Parts::default() }.error();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

fn argument(body: &str) -> Parts<'_> {
    Parts { rest: body, ..Parts::default() }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for (body, words) in [
        ("[[argument]]\nname = \"a\"", &["argument `a`", "one of `buffer`"][..]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nscalar = \"i32\"", &["one of"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nshape = [1]", &["an input has to be filled"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nfill = \"zeros\"", &["`shape` is missing"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f33\"\nshape = [1]\nfill = \"zeros\"", &["`f33` is no element type"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"{t}\"\nshape = [1]\nfill = \"zeros\"", &["no parameter `t`"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nshape = [1]\nfill = \"ones\"", &["`ones` is no fill"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nshape = [1]\nfill = \"zeros\"\nrole = \"output\"", &["poison"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"i32\"\nshape = [1]\nfill = { normal = [0, 1] }", &["normally"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nshape = [1]\nfill = { uniform = [1, 1] }", &["holds nothing"]),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f32\"\nshape = [1]\nfill = {}", &["either"]),
        (
            "[[argument]]\nname = \"a\"\nbuffer = \"f64\"\nshape = [\"4000000000\", \"4000000000\", 9]\nfill = \"zeros\"",
            &["larger than any device"],
        ),
        ("[[argument]]\nname = \"a\"\nbuffer = \"f64\"\nshape = [-4]\nfill = \"zeros\"", &["gives -4"]),
        ("[[argument]]\nname = \"a\"\nscalar = \"i32\"\nvalue = 3000000000", &["3000000000", "no i32"]),
        ("[[argument]]\nname = \"a\"\nscalar = \"f16\"\nvalue = 1", &["a scalar is"]),
        ("[[argument]]\nname = \"a\"\nscalar = \"f32\"\nvalue = 1\nshape = [1]", &["`shape` belongs to a buffer"]),
        (
            "[[argument]]\nname = \"a\"\nscalar = \"i32\"\nvalue = 1\n[[argument]]\nname = \"a\"\nscalar = \"i32\"\nvalue = 1",
            &["two arguments"],
        ),
        ("[[argument]]\nname = \"m\"\ntensor_map = \"x\"\nextents = [1]\ntile = [1]", &["no buffer `x` before"]),
        ("[[argument]]\nname = \"a\"\nbuffers = \"f32\"", &["k/k.toml:8:1", "unknown field `buffers`"]),
        (
            "[reference]\nentry = \"r\"\ngrid = [1]\nblock = [1]\nfrobenius = 1\nlargest = 1\narguments = [\"z\"]",
            &["no argument `z`"],
        ),
        ("[reference]\nentry = \"r\"\ngrid = [1]\nblock = [1]\nlargest = 1", &["missing field `frobenius`"]),
        ("[work]\nflop = \"-1\"", &["work.flop", "negative"]),
        ("[work]\nbytes = \"1.0 / 0.0\"", &["work.bytes", "finite"]),
    ] {
        let error = argument(body).error();
        assert!(words.iter().all(|word| error.contains(word)), "{body}\n{error}");
    }
}

#[test]
fn tensor_maps_are_completed_and_checked() {
    let map = |extra: &str| {
        format!(
            "[[argument]]\nname = \"x\"\nbuffer = \"f16\"\nshape = [64, 128]\nfill = \"zeros\"\n\
             [[argument]]\nname = \"m\"\ntensor_map = \"x\"\n{extra}"
        )
    };
    let plan = argument(&map("extents = [128, 64]\ntile = [64, 8]\nswizzle = 128")).plan();
    let ArgumentValue::TensorMap(tensor_map) = &plan.arguments[1].value else { panic!("a tensor map") };
    assert_eq!((&tensor_map.strides[..], tensor_map.swizzle), (&[256][..], Swizzle::B128));
    for (extra, word) in [
        ("extents = [128, 64]\ntile = [64]", "do not fit"),
        ("extents = [128, 64]\ntile = [64, 8]\nswizzle = 16", "does not exist"),
        ("extents = [127, 64]\ntile = [64, 8]", "no multiple of 16"),
        ("extents = [128, 64]\ntile = [300, 8]", "from 1 to 256"),
        ("extents = [128, 64]\ntile = [60, 8]", "120 bytes, no multiple of 16"),
        ("extents = [128, 64]\ntile = [128, 8]\nswizzle = 128", "256 bytes, more than the 128 of the swizzle"),
        ("extents = [128, 65]\ntile = [64, 8]", "byte 16640 of a buffer of 16384"),
        ("extents = [128, 64]\nstrides = [512]\ntile = [64, 8]", "byte 32512 of a buffer of 16384"),
    ] {
        let error = argument(&map(extra)).error();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn other_faults_of_a_manifest_are_named() {
    for (top, words) in [
        ("matrix = { N = [] }", &["matrix.N", "no values"][..]),
        ("matrix = { N = [1, 1] }", &["`N=1` is there twice"]),
        ("tunables = { B = { values = [1], default = 2 } }", &["tunables.B", "the default 2"]),
        ("tunables = { \"B-C\" = { values = [1], default = 1 } }", &["no name in C++"]),
        ("matrix = { B = [1] }\ntunables = { B = { values = [1], default = 1 } }", &["the same name"]),
        ("minimum_arch = \"sm80\"", &["minimum_arch", "sm_80 or sm_90a"]),
        ("define = { T = \"{dtype}\" }", &["define.T", "no parameter `dtype`"]),
        ("define = { T = \"{dtype\" }", &["not closed"]),
        ("sources = \"a.cu\"", &["k/k.toml:2:1", "unknown field `sources`"]),
        ("source = \"../../x.cu\"", &["leads out of the repository"]),
        ("source = \"/etc/passwd\"", &["leads out of the repository"]),
        ("source = \"other.cu\"", &["cannot read k/other.cu", "source of k/k.toml"]),
        ("includes = [\"../..\"]", &["includes", "out of the repository"]),
    ] {
        let error = Parts { top, ..Parts::default() }.error();
        assert!(words.iter().all(|word| error.contains(word)), "{top}\n{error}");
    }
    let huge: String = (0..6).map(|i| format!("P{i} = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n")).collect();
    assert!(Parts { rest: &format!("[matrix]\n{huge}"), ..Parts::default() }.error().contains("more than 10000 points"));
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
fn includes_stay_in_the_repository_and_end() {
    let manifest = "entry = \"k\"\nincludes = [\"inc\"]\nlaunch = { grid = [1], block = [1] }\n";
    let with = |source: &str| Repository::default().with("a/k.toml", manifest).with("a/k.cu", source);
    let headers = |repository: &Repository| {
        let manifest = repository.load("a/k.toml")?;
        let plan = plan(&manifest)?;
        Ok::<_, ManifestError>(plan.program.headers.into_iter().map(|header| header.name).collect::<Vec<_>>())
    };
    let cycle = with("#include \"x.h\"\n").with("a/inc/x.h", " # include \"y.h\"\n").with("a/inc/y.h", "#include \"x.h\"");
    assert_eq!(headers(&cycle).unwrap(), ["x.h", "y.h"]);
    let parent = with("#include \"../b/z.h\"\n").with("b/z.h", "");
    assert_eq!(headers(&parent).unwrap(), ["../b/z.h"]);
    let unknown = with("#include \"cuda_fp16.h\"\n#include <vector>\n#include\n#include \"\n");
    assert_eq!(headers(&unknown).unwrap(), [""; 0]);
    for outside in ["../../etc/passwd", "/etc/passwd"] {
        let error = headers(&with(&format!("#include \"{outside}\"\n"))).unwrap_err().to_string();
        assert!(error.contains(outside) && error.contains("out of the repository"), "{error}");
    }
    let two = with("#include \"x.h\"\n#include \"d/y.h\"\n")
        .with("a/inc/x.h", "1")
        .with("a/d/y.h", "#include \"x.h\"")
        .with("a/d/x.h", "2");
    assert!(headers(&two).unwrap_err().to_string().contains("rename one"));
    let chain = (0..300).fold(with("#include \"h0.h\"\n"), |repository, i| {
        repository.with(&format!("a/h{i}.h"), format!("#include \"h{}.h\"\n", i + 1))
    });
    assert!(headers(&chain).unwrap_err().to_string().contains("more than 256 files"));
}

#[test]
fn files_that_nobody_wrote_by_hand_are_refused() {
    let good = "entry = \"k\"\nlaunch = { grid = [1], block = [1] }\n";
    let error = |repository: Repository| repository.load("k.toml").unwrap_err().to_string();
    assert!(error(Repository::default()).contains("cannot read k.toml"));
    let big = vec![b'#'; 10_000_000];
    assert!(error(Repository::default().with("k.toml", big.clone())).contains("k.toml has 10000000 bytes"));
    assert!(error(Repository::default().with("k.toml", good).with("k.cu", big)).contains("k.cu has 10000000 bytes"));
    assert!(error(Repository::default().with("k.toml", &b"# \xff"[..])).contains("not UTF-8: byte 2"));
    assert!(error(Repository::default().with("k.toml", good).with("k.cu", &b"\xfe"[..])).contains("k.cu is not UTF-8"));
    assert!(error(Repository::default().with("k.toml", "entry = 1")).contains("k.toml:1:9"));
}

#[test]
fn the_work_tree_is_not_left() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("repository");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(outer.path().join("secret"), "s").unwrap();
    std::fs::write(root.join("a.cu"), "a").unwrap();
    let read = work_tree(&root);
    assert_eq!(read("a.cu").unwrap(), b"a");
    assert_eq!(read("b.cu").unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(read("../secret").is_err() && read("/etc/hostname").is_err() && read(".").is_err());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("link")).unwrap();
        assert!(read("link").unwrap_err().to_string().contains("outside the repository"));
    }
}
