//! `roofline` on real repositories: where its limits come from, what it says of kernels, and the numbers of its page.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::world::{Ran, World};

const L4: &str = "NVIDIA L4";

fn record(world: &World, benchmark: &str, config: &str, metrics: &[&str], testbed: &str) {
    let mut arguments = vec!["record", "--benchmark", benchmark, "--config", config, "--testbed", testbed];
    metrics.iter().for_each(|metric| arguments.extend(["--metric", metric]));
    world.ratchet(&arguments).expect(0);
}

/// The seed system's best result: attention with B=32 H=8 S=512 D=64 in f16 on an L4.
fn seed() -> World {
    let world = World::new();
    world.commit("seed");
    let metrics = ["time=0.3350ms", "throughput=51283 GFLOP/s", "bandwidth=200.3 GB/s"];
    record(&world, "flash_attention", "config=training_512 dtype=f16", &metrics, L4);
    world
}

fn roofline(world: &World, arguments: &[&str], code: i32) -> Ran {
    world.ratchet(&[&["roofline"], arguments].concat()).expect(code)
}

fn only_kernel(json: &Value) -> &Value {
    let kernels = json["testbeds"][0]["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 1, "{json:#}");
    &kernels[0]
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/roofline.md")).unwrap()
}

#[track_caller]
fn assert_told(words: &str) {
    assert!(page().contains(words), "docs/roofline.md does not say: {words}");
}

#[test]
fn the_claim_of_the_seed_is_recomputed_on_the_page() {
    let world = seed();
    let json = roofline(&world, &["--json"], 0).json();
    let kernel = only_kernel(&json);
    let number = |name: &str| kernel[name].as_f64().unwrap();
    assert_eq!((&kernel["bound"], &json["testbeds"][0]["gpu"]), (&json!("memory"), &json!("L4")));
    assert_told(&format!("{:.0} FLOP/B", number("intensity")));
    assert_told(&format!("{:.1} % of the memory roof", number("percent")));
    assert_told(&format!("{:.2} times", number("head_room")));
    assert_told(&format!("{:.1} TFLOP/s", number("attainable") / 1e12));
    // Multiprocessors, operations per clock, clock.
    let peak = 58.0 * 1024.0 * 2.04e9;
    // The work that the manifest declares, and the time that it takes at least.
    let (heads, length, depth) = (32.0 * 8.0, 512.0, 64.0);
    let (flop, bytes): (f64, f64) = (4.0 * heads * length * length * depth, 4.0 * heads * length * depth * 2.0);
    assert_eq!(flop / bytes, 256.0);
    assert!((flop / 0.3350e-3 / 51_283e9 - 1.0).abs() < 1e-4 && (bytes / 0.3350e-3 / 200.3e9 - 1.0).abs() < 1e-3);
    assert_told(&format!("{:.2} GFLOP", flop / 1e9));
    assert_told(&format!("{:.2} MB", bytes / 1e6));
    assert_told(&format!("{:.4} ms", bytes / 300e9 * 1e3));
    assert_told(&format!("{:.4} ms", flop / peak * 1e3));
    assert_told(&format!("{:.1} % of 242 GB/s", 100.0 * 200.3 / 242.0));
    assert_told(&format!("{:.0} FLOP/B on an L4", peak / 300e9));
    assert_told(&format!("{:.1} % of its arithmetic", 100.0 * 51_283e9 / peak));
    let table = roofline(&world, &[], 0).out;
    let shown = page().split("```text roofline\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned();
    assert_eq!(shown, table);
}

#[test]
fn measured_limits_win_over_the_datasheet_and_given_ones_over_both() {
    let world = seed();
    record(&world, "copy", "config=copy_1g", &["bandwidth=250 GB/s"], L4);
    record(&world, "copy", "config=copy_256m", &["bandwidth=240 GB/s"], L4);
    record(&world, "mma_peak", "config=peak_f16 dtype=f16", &["throughput=60 TFLOP/s"], L4);
    record(&world, "copy", "", &["bandwidth=900 GB/s"], "another");
    let bound = |arguments: &[&str]| {
        let json = roofline(&world, &[arguments, &["--json", "--testbed", L4]].concat(), 0).json();
        let kernel = only_kernel(&json).clone();
        (kernel["bound"].as_str().unwrap().to_owned(), (kernel["attainable"].as_f64().unwrap() / 1e11).round() / 10.0)
    };
    assert_eq!(bound(&[]), ("f16".to_owned(), 60.0), "250 GB/s x 256 FLOP/B are 64 TFLOP/s");
    assert_eq!(bound(&["--bandwidth", "200 GB/s"]), ("memory".to_owned(), 51.2));
    assert_eq!(bound(&["--peak", "f16=50 TFLOP/s"]), ("f16".to_owned(), 50.0));
    assert_eq!(bound(&["--dtype", "bf16"]), ("memory".to_owned(), 64.0), "bf16 has its datasheet only");
    world.write("ratchet.toml", "[roofline]\nbandwidth = \"100 GB/s\"\npeak = { f16 = \"20 TFLOP/s\" }\n");
    assert_eq!(bound(&[]), ("f16".to_owned(), 20.0));
    assert_eq!(bound(&["--peak", "f16=90 TFLOP/s"]), ("memory".to_owned(), 25.6), "flags win over settings");
    let text = roofline(&world, &["--testbed", L4], 0).out;
    assert!(text.contains("copy config=copy_1g at ") && text.contains("NVIDIA L4 Tensor Core GPU datasheet"), "{text}");
    assert!(text.contains("beyond its roof"), "51 TFLOP/s under a roof of 20: {text}");
}

#[test]
fn a_limit_measured_before_holds_for_later_commits() {
    let world = World::new();
    world.commit("limits");
    record(&world, "copy", "", &["bandwidth=250 GB/s"], "t");
    world.commit("kernel");
    record(&world, "reduce", "", &["bandwidth=200 GB/s"], "t");
    let json = roofline(&world, &["--json"], 0).json();
    let kernel = only_kernel(&json);
    assert_eq!((&kernel["bound"], kernel["percent"].as_f64().unwrap().round()), (&json!("memory"), 80.0));
    assert_eq!(json["testbeds"][0]["gpu"], Value::Null);
}

#[test]
fn what_is_not_known_is_said() {
    let world = World::new();
    world.commit("one");
    roofline(&world, &[], 3);
    record(&world, "sort", "", &["time=1ms"], "CPU");
    roofline(&world, &[], 3);
    record(&world, "gemm", "", &["throughput=10 TFLOP/s", "bandwidth=10 GB/s"], "CPU");
    assert!(roofline(&world, &[], 0).out.contains("no roof of its kind is known"));
    let assumed = roofline(&world, &["--gpu", "L4"], 0).out;
    assert!(assumed.contains("its precision is not known"), "{assumed}");
    let one = roofline(&world, &["--bandwidth", "20 GB/s"], 0).out;
    assert!(one.contains("only one of its two roofs is known"), "{one}");
    for (arguments, words) in [
        (&["--gpu", "Voodoo 2"][..], "no datasheet is known"),
        (&["--bandwidth", "3 s"], "no rate in B/s"),
        (&["--peak", "121 TFLOP/s"], "it looks like"),
        (&["--peak", "f99=1 TFLOP/s"], "is no precision"),
        (&["--dtype", "f99"], "is no precision"),
        (&["--output", "roof.gif"], "neither an .svg nor a .png"),
    ] {
        let ran = roofline(&world, arguments, 2);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    world.write("ratchet.toml", "[roofline]\nbandwidth = \"3 s\"\n");
    assert!(roofline(&world, &[], 2).err.contains("`3 s` is no rate in B/s"));
}

#[test]
fn what_describes_a_kernel_is_shown_and_never_judged() {
    let world = World::new();
    world.commit("one");
    let intensity = |value: &str| {
        let metric = format!("arithmetic_intensity={value} FLOP/B");
        world.ratchet(&["record", "--benchmark", "gemm", "--exact", "--metric", &metric, "--testbed", L4]).expect(0);
        world.ratchet(&["record", "--benchmark", "gemm", "--metric", "time=10ms", "--testbed", L4]).expect(0);
    };
    intensity("16");
    world.write("work", "half as many operations for each byte");
    world.commit("two");
    intensity("8");
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    let metrics: Vec<&str> = check["series"].as_array().unwrap().iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["time"]);
    for shown in [&["show"][..], &["log"], &["compare", "HEAD^", "HEAD"]] {
        let out = world.ratchet(shown).expect(0).out;
        assert!(out.contains("arithmetic_intensity") && out.contains("8 FLOP/B"), "{shown:?}: {out}");
    }
    let report = world.ratchet(&["report", "--format", "json"]).expect(0).json();
    assert_eq!(report["series"].as_array().unwrap().len(), 1, "{report:#}");
}

#[test]
fn pictures_show_one_testbed() {
    let world = seed();
    roofline(&world, &["--output", "roof.svg"], 0);
    let svg = fs::read_to_string(world.repo.join("roof.svg")).unwrap();
    for words in ["<svg", "roofline of NVIDIA L4", "memory 300 GB/s", "f16 121 TFLOP/s", "66.8 % of the memory roof"] {
        assert!(svg.contains(words), "{words}");
    }
    roofline(&world, &["--output", "roof.png"], 0);
    assert!(fs::read(world.repo.join("roof.png")).unwrap().starts_with(b"\x89PNG"));
    record(&world, "gemm", "", &["throughput=10 TFLOP/s", "bandwidth=10 GB/s"], "<script>alert(1)</script>");
    let several = roofline(&world, &["--output", "roof.png"], 2);
    assert!(several.err.contains("--testbed"), "{}", several.err);
    roofline(&world, &["--output", "roof.svg", "--testbed", "<script>alert(1)</script>", "--gpu", "L4"], 0);
    assert!(!fs::read_to_string(world.repo.join("roof.svg")).unwrap().contains("<script>"));
}
