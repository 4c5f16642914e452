//! The workflow that tunes a kernel: its script, with the fake GPU, and what becomes the artifact and the summary.

use std::fs;
use std::path::Path;

use super::Hosting;
use crate::gpu::driver;
use crate::kernels::nvrtc;

const SETTINGS: &str = "[[benchmark]]\nname = \"tuned\"\nkernel = \"tuned.toml\"\narchs = [\"sm_90\"]\n";

fn kernel() -> Vec<(&'static str, String)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kernels/tuned");
    let file = |name: &'static str| (name, fs::read_to_string(data.join(name)).unwrap());
    ["tuned.cu", "tuned.toml", "reference.cu"].map(file).into()
}

#[test]
fn a_search_leaves_its_suggestion_and_a_summary() {
    let (Some(nvrtc), Some(driver)) = (nvrtc(), driver()) else { return };
    let hosting = Hosting::new();
    let mut files = kernel();
    files.push(("ratchet.toml", SETTINGS.to_owned()));
    hosting.contribute("kernel", &files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>());
    let checkout = hosting.checkout("runner", &hosting.fork, "kernel");
    let out = hosting.world.root().join("tune-out");
    let given = [
        ("KERNEL", "tuned"),
        ("CONFIG", "small"),
        ("BUDGET", "3m"),
        ("OPTIONS", "--seed 1 --restrict KIB==0&&BLOCK>=128&&BLOCK<512"),
        ("OUT", out.to_str().unwrap()),
        ("LD_LIBRARY_PATH", driver.to_str().unwrap()),
        ("RATCHET_NVRTC", nvrtc.to_str().unwrap()),
    ];
    let step = hosting.step("tune", &checkout, &given);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["tuned"].as_str()), ("0", "true"), "{}", step.ran.err);
    step.ran.expect(0);
    let summary = fs::read_to_string(hosting.world.root().join("summary.md")).unwrap();
    assert!(summary.starts_with("## git-ratchet tune: tuned"), "{summary}");
    assert!(summary.contains("suggested: BLOCK=256 ITEMS=4, +32.0 %"), "{summary}");
    assert!(fs::read_to_string(out.join("tune.json")).unwrap().contains(r#""ended":"exhausted""#));
    hosting.world.git_in(&checkout, &["apply", "--check", out.join("tune.diff").to_str().unwrap()]);
    assert_eq!(hosting.world.git_in(&checkout, &["status", "--porcelain"]), "");

    // Without a GPU there is nothing to keep, and the job fails at its end.
    let nowhere = [&given[..5], &[("LD_LIBRARY_PATH", "/nonexistent"), ("RATCHET_NVRTC", "/nonexistent")]].concat();
    let nowhere: Vec<(&str, &str)> =
        nowhere.into_iter().map(|(name, value)| (name, if name == "OUT" { "nothing" } else { value })).collect();
    let step = hosting.step("tune", &checkout, &nowhere);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["tuned"].as_str()), ("4", "false"), "{}", step.ran.err);
    assert!(step.ran.err.contains("there is none"), "{}", step.ran.err);
}
