//! `scripts/gpu-acceptance` from its first line to its last: the real script, the real binary and the real NVRTC; the driver,
//! the profiler and PyTorch are fakes, and its plan has kernels that the fake driver knows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::gpu::{children, driver, has_ended, until};
use crate::kernels::nvrtc;
use crate::world::{Ran, World};

/// Counters of another tuning from the fourth profile on: that of the second commit.
const NCU: &str = r#"#!/bin/sh
case "$1" in
--import | --version) ;;
*)
    echo profiled >>"$HOME/profiles"
    [ "$(wc -l <"$HOME/profiles")" -gt 3 ] && CSV=wide-slow.csv && export CSV ;;
esac
exec "$HOME/ncu" "$@"
"#;

/// What `benches/gpu/torch_times.py` prints, cut off in the middle of a line.
const TORCH: &str = r#"
import json, sys
points = json.load(sys.stdin)
print(json.dumps({"torch": "0", "triton": "0"}))
for point in points:
    who = {"benchmark": point["benchmark"], "config": point["config"]}
    print(json.dumps({**who, "by": "slow", "cold": 300e-6, "loop": 290e-6, "do_bench": 310e-6}))
    print(json.dumps({**who, "by": "fast", "cold": float(point["fastest"]), "loop": 90e-6}))
    print(json.dumps({**who, "by": "none", "error": "No available kernel"}))
print('{"benchmark": "co')
sys.exit(1)
"#;

const PLAN: &str = r#"
arch = "90"

[sampling]
warmup = 1
min_runs = 6
max_runs = 40
min_time = "0s"

[seconds]
facts = 60
cheats = 300
kernels = 60
repeated = 60
torch = 60
ncu = 60
profile = 60
roofline = 60
tune = 60

[cheats]
folder = "CHEATS"
max_time = "300ms"
[[cheats.group]]
exit = 0
kernels = { honest = "" }
[[cheats.group]]
exit = 1
kernels = { half = "NaN", previous = "wrong result" }
[[cheats.group]]
exit = 4
kernels = { crash = "ILLEGAL_ADDRESS" }

[kernels]
folder = "KERNELS"
first = ["tuned"]
max_time = "1s"

[repeated]
runs = 3
fewest_runs = 2
worst_spread_percent = 0.5
shortest_judged_seconds = 50e-6
kernels = { copy = "copy_1m" }

[ncu]
worst_percent = 1000
launch_seconds = 0.0
launches = 5

[torch]
script = "TORCH"
points = [{ kind = "copy", benchmark = "copy", config = "copy_1m", least = 0.95 }]

[profile]
benchmark = "tuned"
config = "small"
edit = ["ITEMS = { values = [1, 2, 4, 8], default = 1 }", "ITEMS = { values = [1, 2, 4, 8], default = 2 }"]
also = { copy = "copy_1m" }

[roofline]
needs = ["copy", "mma_peak", "tuned"]

[tune]
benchmark = "tuned"
config = "small"
seconds = 6
seed = 1
restrict = ["BLOCK == 256 && ITEMS < 8 && KIB == 0"]
"#;

struct Acceptance {
    world: World,
    nvrtc: PathBuf,
}

impl Acceptance {
    /// A plan with small kernels. `copy` and `mma_peak` are names that the roofline knows.
    fn new() -> Option<Self> {
        if Command::new("python3").arg("--version").output().is_err() {
            eprintln!("SKIPPED: there is no python3 for scripts/gpu-acceptance");
            return None;
        }
        let (nvrtc, _) = (nvrtc()?, driver()?);
        let all = Self { world: World::new(), nvrtc };
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kernels");
        let read = |path: &str| fs::read_to_string(data.join(path)).unwrap();
        for name in ["honest", "half", "previous", "crash", "hang"] {
            all.write(&format!("cheats/{name}.toml"), &read(&format!("adversarial/{name}.toml")).replace("1000000", "20000"));
            all.write(&format!("cheats/{name}.cu"), &read(&format!("adversarial/{name}.cu")));
        }
        all.write("cheats/reference.cu", &read("adversarial/reference.cu"));
        let honest = read("adversarial/honest.toml")
            .replace("entry = \"scale_honest\"", "entry = \"scale_honest\"\nsource = \"honest.cu\"");
        let copy = "name = \"copy_1m\"\nfastest = \"97e-6\"\nN = 20000";
        all.write("kernels/copy.toml", &honest.replace("name = \"million\"\nN = 1000000", copy));
        let peak = "name = \"peak_f16\"\ndtype = \"f16\"\nN = 20000";
        all.write("kernels/mma_peak.toml", &honest.replace("name = \"million\"\nN = 1000000", peak));
        all.write("kernels/honest.cu", &read("adversarial/honest.cu"));
        all.write("kernels/tuned.toml", &read("tuned/tuned.toml"));
        all.write("kernels/tuned.cu", &read("tuned/tuned.cu"));
        all.write("kernels/reference.cu", &read("tuned/reference.cu"));
        all.write("torch.py", TORCH);
        for (path, script) in [("home/ncu", crate::profile::FAKE_NCU), ("home/counting-ncu", NCU)] {
            all.write(path, script);
            fs::set_permissions(all.path(path), fs::Permissions::from_mode(0o755)).unwrap();
        }
        all.write("home/gitconfig", &format!("[ratchet]\n\tncu = {}\n", all.path("home/counting-ncu").display()));
        let plan = PLAN.replace("CHEATS", &all.text("cheats")).replace("KERNELS", &all.text("kernels"));
        all.write("plan.toml", &plan.replace("TORCH", &all.text("torch.py")));
        Some(all)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.world.root().join(path)
    }

    fn text(&self, path: &str) -> String {
        self.path(path).display().to_string()
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Replaces a text of the plan, or of another file.
    #[track_caller]
    fn edit(&self, path: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.path(path)).unwrap();
        assert!(before.contains(from), "{path} has no {from}");
        self.write(path, &before.replace(from, to));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/gpu-acceptance");
        let mut command = self.world.command(script.to_str().unwrap(), self.world.root());
        command.args(["--plan", &self.text("plan.toml"), env!("CARGO_BIN_EXE_git-ratchet")]).args(arguments);
        command.env("RATCHET_NVRTC", &self.nvrtc).env("LD_LIBRARY_PATH", driver().unwrap());
        command.env("ACCEPTANCE_RESULTS", self.path("results")).env("CSV", "wide.csv");
        command.env("DATA", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ncu"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.world.run(&mut self.command(arguments))
    }

    /// The names of the results without the date in them, sorted.
    fn results(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("results")) else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|entry| Self::ending(&entry.unwrap().path()).to_owned()).collect();
        names.sort();
        names
    }

    /// The text of a result.
    fn kept(&self, ending: &str) -> String {
        let Ok(entries) = fs::read_dir(self.path("results")) else { return String::new() };
        let found = entries.map(|entry| entry.unwrap().path()).find(|path| Self::ending(path) == ending);
        found.map_or(String::new(), |path| fs::read_to_string(path).unwrap())
    }

    /// What follows the date in the name of a result.
    fn ending(path: &Path) -> &str {
        &path.file_name().unwrap().to_str().unwrap()["gpu-0000-00-00".len()..]
    }
}

/// The rest of the line that begins so.
#[track_caller]
fn row<'a>(text: &'a str, begins: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(begins));
    line.unwrap_or_else(|| panic!("no line begins with {begins}:\n{text}"))
}

#[test]
fn every_part_runs_to_its_end_and_is_kept() {
    let Some(all) = Acceptance::new() else { return };
    let ran = all.run(&[]).expect(0);
    assert!(ran.out.contains(", 0 fail, 0 not reached\n") && !ran.out.contains("FAILED"), "{}", ran.out);
    let text = all.kept(".txt");
    assert!(text == ran.out, "what is said is kept:\n{text}");
    for cheat in ["half", "previous"] {
        assert!(row(&text, cheat).contains("1     1       yes"), "{text}");
    }
    assert!(row(&text, "crash").contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{text}");
    assert!(row(&text, "copy             copy_1m").contains(" us"), "{text}");
    assert!(row(&text, "recorded: ").contains("4 timed points, 4 of them with exact metrics"), "{text}");
    assert!(row(&text, "facts: ").contains("gpu Fake H200") && text.contains("gpu_power_limit 700 W"), "{text}");
    assert!(text.contains("--lock-clocks=fast: ") && text.contains("nothing here locks them"), "{text}");
    assert!(text.contains("NVRTC: 13.") && text.contains("driver for CUDA 13.0") && text.contains("Version 2025.3"), "{text}");
    assert!(text.lines().any(|line| line.contains("fast") && line.contains("0.9") && line.contains("ok (least 0.95)")), "{text}");
    assert!(text.contains("No available kernel"), "{text}");
    assert!(text.contains("registers 64 → 128"), "the diff of two tunings:\n{text}");
    assert!(text.contains("memory    1.60 GB/s") && text.contains("copy config=copy_1m"), "a measured roof:\n{text}");
    assert!(text.contains("suggested: ") && row(&text, "took ").contains("s of 6: ok"), "{text}");
    let wanted = ["-log.txt", "-ncu-details.csv", "-ncu-raw.csv", "-roofline.png", "-roofline.svg", ".txt"];
    assert_eq!(all.results(), wanted);
    assert!(all.kept("-ncu-raw.csv").contains("gpu__time_duration.sum"));
    assert!(all.kept("-log.txt").contains("$ git-ratchet bench --json"));
}

#[test]
fn what_fails_is_named_and_the_rest_goes_on() {
    let Some(all) = Acceptance::new() else { return };
    for extension in ["toml", "cu"] {
        fs::copy(all.path(&format!("cheats/half.{extension}")), all.path(&format!("kernels/half.{extension}"))).unwrap();
    }
    all.edit("kernels/copy.toml", "97e-6", "40e-6");
    all.edit("plan.toml", "default = 1 }\"", "default = 3 }\"");
    all.edit("plan.toml", "script = \"", "script = \"/nowhere");
    let ran = all.run(&["--only", "profile,kernels,torch"]).expect(1);
    assert!(row(&ran.out, "half").contains("FAILED"), "{}", ran.out);
    for what in ["kernel half million", "profiles of two tunings of tuned"] {
        assert!(ran.out.contains(&format!("\n  FAILED: {what}\n")), "{what}:\n{}", ran.out);
    }
    assert!(ran.out.contains("y` is NaN") && !ran.out.contains("Roofline"), "{}", ran.out);
    assert!(ran.out.contains("NOT REACHED: copy copy_1m beside PyTorch: "), "a script that breaks is no skip: {}", ran.out);
    all.edit("plan.toml", "/nowhere", "");
    let ran = all.run(&["--only", "attention"]).expect(1);
    assert!(ran.out.contains("\n  FAILED: copy copy_1m beside PyTorch\n"), "slower than allowed:\n{}", ran.out);
    all.run(&["--only", "rooflines"]).expect(2);
}

#[test]
fn what_time_does_not_suffice_for_is_said_and_is_no_success() {
    let Some(all) = Acceptance::new() else { return };
    all.edit("plan.toml", "repeated = 60", "repeated = -1000");
    all.edit("plan.toml", "tune = 60", "tune = 0");
    all.edit("plan.toml", "facts = 60", "facts = -100"); // a driver that wakes slowly does not end it
    let ran = all.run(&["--only", "repeated,tune"]).expect(3);
    assert!(ran.out.contains("NOT REACHED: spread of copy") && ran.out.contains("NOT REACHED: tune"), "{}", ran.out);
}

#[test]
fn a_killed_run_leaves_what_it_had_and_nobody_behind() {
    let Some(all) = Acceptance::new() else { return };
    let crash = "kernels = { crash = \"ILLEGAL_ADDRESS\" }";
    all.edit("plan.toml", crash, "kernels = { hang = \"killed after\" }\ntimeout = \"300s\"");
    let mut running = all.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The hanging kernel is the next and last of the kernels that cheat.
    until("the verdict on the first kernels", || all.kept(".txt").contains("previous "));
    until("the program that measures", || !children(running.id()).is_empty());
    let ratchet = children(running.id());
    assert!(Command::new("kill").args(["-TERM", &running.id().to_string()]).status().unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(143));
    until("the end of the program that measures", || ratchet.iter().all(|process| has_ended(*process)));
    let text = all.kept(".txt");
    assert!(row(&text, "honest").ends_with("ok") && row(&text, "half").ends_with("ok"), "{text}");
    assert!(text.starts_with("GPU acceptance") && !text.contains("not reached"), "{text}");
}

#[test]
fn without_a_gpu_there_are_no_results() {
    let Some(all) = Acceptance::new() else { return };
    let ran = all.world.run(all.command(&[]).env("FAKE_CUDA", "no_device")).expect(3);
    assert!(ran.out.contains("NOT REACHED: everything: it takes a GPU"), "{}", ran.out);
    assert_eq!(all.results(), [""; 0]);
}

#[test]
fn it_says_what_it_would_run() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/gpu-acceptance");
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no python3 for scripts/gpu-acceptance");
        return;
    }
    let ran: Ran = Command::new(script).arg("--dry-run").output().unwrap().into();
    let out = ran.expect(0).out;
    assert!(!out.contains("FAILED"), "{out}");
    for part in [
        "Kernels that cheat",
        "bench --json --dry-run --max-time 300ms half",
        "bench --json --max-time 1s flash_attention",
        "torch_times.py",
        "--set basic --launch-count 5",
        "profile --diff",
        "git-ratchet roofline",
        "tune gemm --config square_4k --budget 45s",
    ] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
}
