//! Launches, arguments and tables that make no sense are refused, by the name of what is wrong.

use proptest::prelude::*;

use super::*;
use crate::cuda::Swizzle;

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

proptest! {
    #[test]
    fn any_text_is_a_manifest_or_an_error(text in "\\PC{0,200}") {
        let _ = Repository::default().with("m.toml", text).load("m.toml");
    }
}
