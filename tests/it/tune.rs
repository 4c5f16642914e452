//! `tune` end to end: the real binary with its workers, the real NVRTC, and the fake driver, whose kernel `scale_tuned` is
//! fastest at a known point, wrong at another, hangs at a third, and fails to launch or does not fit at others.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gpu::driver;
use crate::kernels::nvrtc;
use crate::world::{Ran, World};

const SETTINGS: &str =
    "[[benchmark]]\nname = \"tuned\"\nkernel = \"tuned.toml\"\narchs = [\"sm_80\", \"sm_90\"]\ntimeout = \"2s\"\n";

/// A repository with the kernel, committed.
struct Lab {
    world: World,
    nvrtc: Option<PathBuf>,
    driver: Option<PathBuf>,
}

impl Lab {
    /// With neither compiler nor GPU.
    fn bare() -> Self {
        let world = World::new();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kernels/tuned");
        for file in ["tuned.cu", "tuned.toml", "reference.cu"] {
            world.write(file, &fs::read_to_string(data.join(file)).unwrap());
        }
        world.write("ratchet.toml", SETTINGS);
        world.commit("one");
        Self { world, nvrtc: None, driver: None }
    }

    fn with_compiler() -> Option<Self> {
        Some(Self { nvrtc: Some(nvrtc()?), ..Self::bare() })
    }

    fn with_gpu() -> Option<Self> {
        Some(Self { driver: Some(driver()?.to_owned()), ..Self::with_compiler()? })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.ratchet_command(&self.world.repo, &[&["tune", "tuned"], arguments].concat());
        command.env("LD_LIBRARY_PATH", self.driver.as_deref().unwrap_or(Path::new("/nonexistent")));
        command.env("RATCHET_NVRTC", self.nvrtc.as_deref().unwrap_or(Path::new("/nonexistent")));
        command
    }

    #[track_caller]
    fn tune(&self, arguments: &[&str], code: i32) -> Ran {
        self.world.run(&mut self.command(arguments)).expect(code)
    }
}

/// The result satisfies docs/tune.schema.json, which knows every field of it.
#[track_caller]
fn valid(result: Value) -> Value {
    crate::schemas::assert_described("tune", &result);
    result
}

fn failures(result: &Value, cause: &str) -> usize {
    let points = result["points"].as_array().unwrap().iter();
    points.filter(|point| point["results"].as_array().unwrap().iter().any(|result| result["failure"] == cause)).count()
}

#[test]
fn the_fastest_good_point_is_found_and_its_diff_applies() {
    let Some(lab) = Lab::with_gpu() else { return };
    let files = ["points.json", "summary.md", "tuned.diff"].map(|name| lab.world.root().join(name));
    let outputs = files.each_ref().map(|file| format!("--output={}", file.display()));
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let ran = lab.tune(&[&["--config", "small", "--budget", "1h", "--color", "never"], &outputs[..]].concat(), 0);
    let result = valid(serde_json::from_str(&fs::read_to_string(&files[0]).unwrap()).unwrap());
    let suggestion = &result["suggestion"];
    assert_eq!(suggestion["tunables"], json!({ "BLOCK": "256", "ITEMS": "4", "KIB": "0" }), "{}", ran.out);
    // By the formula of the fake: 100 µs in place of 100 µs × 1.05 × 1.4.
    let gain = suggestion["gain_percent"].as_f64().unwrap();
    assert!((gain - 100.0 * (1.0 - 1.0 / 1.47)).abs() < 0.5, "{gain}");
    assert_eq!((&result["search"]["ended"], &result["space"]["valid"]), (&json!("exhausted"), &json!(57)));
    assert_eq!(result["points"].as_array().unwrap().len(), 57);
    // No device has 256 KiB of shared memory: a third of the points. The fake has none for 1024 threads.
    let causes = ["no_plan", "does_not_fit", "wrong_result", "timed_out", "launch_failed"];
    assert_eq!(causes.map(|cause| failures(&result, cause)), [19, 3, 2, 2, 1], "{}", ran.out);
    let proof = &result["finalists"][0]["pairs"][0];
    assert!(proof["proven"] == true && proof["p"].as_f64().unwrap() < 1e-3, "{result:#}");

    for told in [
        "suggested: BLOCK=256 ITEMS=4, +32.0 %",
        "2 points: timed out",
        "2 points: wrong result: `y`",
        "+ITEMS = { values = [1, 2, 4, 8], default = 4 }",
    ] {
        assert!(ran.out.contains(told), "{told}\n{}", ran.out);
    }
    let summary = fs::read_to_string(&files[1]).unwrap();
    assert!(summary.contains("```diff") && summary.contains("(default)"), "{summary}");
    assert_eq!(lab.world.git(&["status", "--porcelain"]), "", "nothing was changed");
    assert_eq!(lab.world.git(&["for-each-ref", "refs/notes"]), "", "nothing was recorded");
    lab.world.git(&["apply", files[2].to_str().unwrap()]);
    let listed = lab.tune(&["--config", "small", "--list", "--json"], 0).json();
    let default = listed["archs"][0]["points"].as_array().unwrap().iter().find(|point| point["default"] == true).unwrap();
    assert_eq!(default["tunables"], suggestion["tunables"]);
    let again = valid(lab.tune(&["--config", "small", "--json", "--budget", "1h"], 0).json());
    assert_eq!(again["suggestion"], Value::Null, "{again:#}");
    let kept = again["points"].as_array().unwrap().iter().flat_map(|point| point["results"].as_array().unwrap());
    let kept: Vec<&Value> = kept.filter(|result| result["source"] != Value::Null).collect();
    assert!(!kept.is_empty() && kept.iter().all(|result| result["source"] == "kept"), "{again:#}");
}

#[test]
fn all_configs_share_one_compromise() {
    let Some(lab) = Lab::with_gpu() else { return };
    let restricted = ["--restrict", "KIB == 0 && BLOCK != 512", "--restrict", "ITEMS < 8", "--all-configs"];
    let result = valid(lab.tune(&[&restricted[..], &["--json", "--budget", "1h", "--seed", "7"]].concat(), 0).json());
    assert_eq!(result["configs"].as_array().unwrap().len(), 2);
    assert_eq!(result["suggestion"]["tunables"], json!({ "BLOCK": "256", "ITEMS": "4", "KIB": "0" }), "{result:#}");
    assert_eq!(result["finalists"][0]["pairs"].as_array().unwrap().len(), 2);
    assert_eq!((&result["search"]["seed"], &result["space"]["valid"]), (&json!(7), &json!(12)));
}

#[test]
fn the_default_stands_where_nothing_is_faster_and_ratchet_toml_is_heeded() {
    let Some(lab) = Lab::with_gpu() else { return };
    let slower = ["--config", "small", "--restrict", "BLOCK == 64 && ITEMS == 1 && KIB == 0", "--budget", "1h"];
    let ran = lab.tune(&slower, 0);
    assert!(ran.out.contains("the default stands: no point that was measured is faster"), "{}", ran.out);
    assert!(ran.out.contains("default") && !ran.out.contains("@@"), "{}", ran.out);
    lab.world.write("ratchet.toml", &format!("{SETTINGS}tunables = {{ BLOCK = 64 }}\n"));
    let ran = lab.tune(&["--config", "small", "--restrict", "ITEMS == 1 && KIB == 0", "--budget", "1h", "--seed", "1"], 0);
    assert!(ran.out.contains("ratchet.toml sets BLOCK = 64 for tuned, which wins over the manifest"), "{}", ran.out);
}

#[test]
fn a_point_that_hangs_never_costs_more_than_the_budget() {
    let Some(lab) = Lab::with_gpu() else { return };
    lab.world.write("ratchet.toml", &SETTINGS.replace("2s", "1h"));
    let began = Instant::now();
    let ran = lab.tune(&["--config", "small", "--restrict", "BLOCK == 512 && ITEMS == 4", "--budget", "20s", "--json"], 0);
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    let result = valid(ran.json());
    assert!(result["points"].as_array().unwrap().iter().any(|point| point["default"] == true), "{result:#}");
    assert_eq!(result["suggestion"], Value::Null);
}

#[test]
fn ctrl_c_shows_the_best_so_far() {
    let Some(lab) = Lab::with_gpu() else { return };
    // Only the default and points that hang for an hour: something is known when the signal comes, and nothing ends by itself.
    lab.world.write("ratchet.toml", &SETTINGS.replace("2s", "1h"));
    let mut command = lab.command(&["--config", "small", "--restrict", "BLOCK == 512 && ITEMS == 4", "--budget", "5h", "--json"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("best ")), "it ended early");
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    let mut out = String::new();
    running.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(4));
    let result = valid(serde_json::from_str(&out).unwrap());
    assert_eq!(result["search"]["ended"], "interrupted");
    assert!(result["points"][0]["score"].as_f64().is_some(), "{result:#}");
}

#[test]
fn a_default_that_fails_is_no_obstacle() {
    let Some(lab) = Lab::with_gpu() else { return };
    let manifest = fs::read_to_string(lab.world.repo.join("tuned.toml")).unwrap();
    let wrong = manifest.replace("default = 128", "default = 256").replace("default = 1 }", "default = 8 }");
    lab.world.write("tuned.toml", &wrong);
    let ran = lab.tune(&["--config", "small", "--restrict", "KIB == 0 && BLOCK == 256", "--budget", "1h", "--seed", "3"], 0);
    assert!(ran.out.contains("suggested: BLOCK=256 ITEMS=4") || ran.out.contains("ITEMS=4, the fastest of all"), "{}", ran.out);
    assert!(ran.out.contains("1 point: wrong result"), "{}", ran.out);
}

#[test]
fn where_not_one_point_can_be_measured_it_is_said_why() {
    let Some(lab) = Lab::with_gpu() else { return };
    let manifest = fs::read_to_string(lab.world.repo.join("tuned.toml")).unwrap();
    lab.world.write("tuned.toml", &manifest.replace("N = 20000", "N = 9000000"));
    let mut command = lab.command(&["--config", "small", "--restrict", "BLOCK == 128 && KIB == 0", "--budget", "1h", "--json"]);
    let ran = lab.world.run(command.env("FAKE_CUDA", "small_memory")).expect(4);
    let result = valid(ran.json());
    assert_eq!(failures(&result, "out_of_memory"), 4, "{result:#}");
    assert!(result["suggestion"].is_null() && result["finalists"] == json!([]), "{result:#}");
}

#[test]
fn without_a_gpu_points_are_listed_and_compiled_and_never_timed() {
    let bare = Lab::bare();
    let listed = bare.tune(&["--config", "small", "--list", "--restrict", "BLOCK <= 64 && KIB == 0"], 0);
    assert!(listed.out.contains("tuned for sm_80: 4 valid of 60 combinations"), "{}", listed.out);
    let none = bare.tune(&["--config", "small"], 4);
    assert!(none.err.contains("there is none: ") && none.err.contains("--compile-only"), "{}", none.err);
    let missing = bare.tune(&["--config", "small", "--compile-only"], 4);
    assert!(missing.err.contains("pip install"), "{}", missing.err);
    let Some(lab) = Lab::with_compiler() else { return };
    let compiled =
        lab.tune(&["--config", "small", "--compile-only", "--arch", "sm_90", "--restrict", "BLOCK == 256", "--json"], 0);
    let compiled = compiled.json();
    crate::schemas::assert_described("tune-list", &compiled);
    let points = compiled["archs"][0]["points"].as_array().unwrap();
    assert_eq!(points.len(), 12);
    for point in points {
        let (code, kib) = (&point["code"], point["tunables"]["KIB"].as_str().unwrap());
        assert!(code["registers"].as_u64().unwrap() > 0 && code["spill_bytes"] == 0, "{point:#}");
        assert_eq!(code["shared_bytes"].as_u64().unwrap(), kib.parse::<u64>().unwrap() * 1024);
        let occupancy = code["occupancy_percent"].as_f64();
        assert_eq!(
            occupancy,
            match kib {
                "0" => Some(100.0),
                "32" => Some(75.0),
                _ => None,
            },
            "{point:#}"
        );
    }
    let table = lab.tune(&["--all-configs", "--compile-only", "--restrict", "BLOCK == 256 && KIB == 0"], 0).out;
    assert!(table.contains("tuned for sm_90 · NVRTC") && table.contains("large") && table.contains("registers"), "{table}");
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let lab = Lab::bare();
    let wrong = |arguments: &[&str], told: &str| {
        let ran = lab.tune(arguments, 2);
        assert!(ran.err.contains(told), "{told}\n{}", ran.err);
    };
    wrong(&["--list"], "--config with one of: small, large");
    wrong(&["--list", "--config", "huge"], "no config with config=huge");
    wrong(&["--list", "--config", "small", "--restrict", "BLOK < 3"], "BLOK");
    wrong(&["--list", "--config", "small", "--restrict", "BLOCK <"], "--restrict");
    wrong(&["--list", "--config", "small", "--restrict", "BLOCK < 3"], "no combination of tunables is valid");
    wrong(&["--config", "small", "--budget", "soon"], "it looks like 90s, 10m or 1h");
    wrong(&["--config", "small", "--output", "points.xls"], "does not tell what it is to hold");
    let unknown = lab.world.ratchet(&["tune", "other"]).expect(2);
    assert!(unknown.err.contains("no kernel `other`; it has: tuned"), "{}", unknown.err);
}
