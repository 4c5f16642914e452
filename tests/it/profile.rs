//! `profile`, `profile --diff` and `check --profile` with a program that speaks like Nsight Compute: it runs the
//! command, and its report is the CSV that it prints on import.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use git_ratchet::profile::{KEY_METRICS, STALLS};
use serde_json::{Value, json};

use crate::world::{Ran, World};

const SETTINGS: &str = r#"
[[benchmark]]
name = "attention"
build = "echo built >>log"
prepare = "echo prepared >>log"
command = ["sh", "kernel.sh", "{S}"]
cleanup = "echo cleaned >>log"

[benchmark.matrix]
S = [512]

[benchmark.profile]
kernel = "^flash"
launch_skip = 3

[[benchmark]]
name = "other"
command = "echo other $LC_ALL >>log"
"#;

/// What it does is in the environment: `FAKE` is the failure to play.
pub const FAKE_NCU: &str = r#"#!/bin/sh
if [ "$1" = --version ]; then
    echo "NVIDIA (R) Nsight Compute Command Line Profiler"
    echo "Version 2025.3.1.0 (build 36398880) (public-release)"
    exit 0
fi
if [ "$1" = --import ]; then
    [ "$FAKE" = unreadable ] && { echo "<html>"; exit 0; }
    [ "$FAKE" = import ] && { echo "==ERROR== Failed to open $2"; exit 1; }
    cat "$2"
    exit 0
fi
echo "$@" >"$HOME/arguments"
while [ "$1" != --export ]; do shift; done
report="$2"
shift 2
echo "==PROF== Connected to process $$"
case "$FAKE" in
permission)
    echo "==ERROR== ERR_NVGPUCTRPERM - The user does not have permission to access NVIDIA GPU Performance Counters on the target device 0."
    echo "==WARNING== No kernels were profiled."
    exit 1 ;;
busy) echo "==ERROR== Profiling failed because a driver resource was unavailable."; exit 9 ;;
none) "$@"; echo "==WARNING== No kernels were profiled."; exit 0 ;;
crash) kill -SEGV $$ ;;
hang) echo started >"$HOME/started"; sleep 600 & wait ;;
silent) exit 0 ;;
esac
if ! "$@"; then
    echo "==ERROR== The application returned an error code (1)."
    exit 1
fi
echo "==PROF== Disconnected from process $$"
cp "$DATA/${CSV:-$(cat csv)}" "$report"
"#;

/// A repository whose kernel has the counters of a CSV file, and a profiler that git knows of.
struct Kernels {
    world: World,
    fake: PathBuf,
}

impl Kernels {
    fn new() -> Self {
        let world = World::new();
        let fake = world.home.join("bin/ncu");
        fs::create_dir_all(fake.parent().unwrap()).unwrap();
        fs::write(&fake, FAKE_NCU).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        world.write("ratchet.toml", SETTINGS);
        world.write("kernel.sh", "echo ran $1 $LC_ALL >>log; test ! -e broken\n");
        world.write(".gitignore", "log\nbroken\n");
        world.git(&["config", "ratchet.ncu", fake.to_str().unwrap()]);
        let kernels = Self { world, fake };
        kernels.commit("wide.csv", "fast");
        kernels
    }

    fn commit(&self, csv: &str, message: &str) -> String {
        self.world.write("csv", csv);
        self.world.commit(message)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.playing("", arguments)
    }

    fn playing(&self, failure: &str, arguments: &[&str]) -> Ran {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ncu");
        let mut command = self.world.ratchet_command(&self.world.repo, arguments);
        self.world.run(command.env("FAKE", failure).env("DATA", data))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.world.repo.join("log")).unwrap_or_default()
    }

    fn note(&self) -> String {
        self.world.git(&["notes", "--ref=ratchet", "show", "HEAD"])
    }

    fn has_note(&self) -> bool {
        self.world.run(self.world.command("git", &self.world.repo).args(["notes", "--ref=ratchet", "show", "HEAD"])).code == 0
    }

    fn reports(&self) -> Vec<PathBuf> {
        let folder = self.world.repo.join(".git/ratchet/profiles");
        let commits = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect());
        let commits: Vec<PathBuf> = commits.unwrap_or_default();
        commits.iter().flat_map(|commit| fs::read_dir(commit).unwrap()).map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn the_page_explains_every_counter() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/profile.md")).unwrap();
    for metric in KEY_METRICS.iter().chain(STALLS) {
        let row = format!("| {} | `{}` | {} |", metric.title, metric.name, metric.meaning);
        assert!(page.contains(&row), "docs/profile.md does not say: {row}");
    }
}

fn codes(check: &Value) -> Vec<&str> {
    check["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[test]
fn a_point_is_profiled_shown_and_recorded() {
    let kernels = Kernels::new();
    let ran = kernels.run(&["profile", "attention"]).expect(0);
    assert!(ran.out.contains("profile of attention [S=512]: flash_attention, 1 launch\n"), "{}", ran.out);
    for words in ["duration", "335 µs", "registers", "64", "stall: global memory", "recorded 1 profile on "] {
        assert!(ran.out.contains(words), "{words} is not in\n{}", ran.out);
    }
    assert_eq!(kernels.log(), "built\nprepared\nran 512 C\ncleaned\n", "once, as bench does, in the C locale");
    let arguments = fs::read_to_string(kernels.world.home.join("arguments")).unwrap();
    assert!(arguments.contains("--kernel-name regex:^flash --launch-skip 3 --launch-count 1 --set full"), "{arguments}");
    assert!(arguments.trim_end().ends_with(".ncu-rep sh kernel.sh 512"), "{arguments}");
    let line = kernels.note().lines().find(|line| line.contains("\"profile\"")).map(str::to_owned).unwrap();
    let profile: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(profile["metrics"]["launch__registers_per_thread"], json!({ "value": 64, "unit": "1" }));
    let path = profile["report"]["path"].as_str().unwrap();
    assert!(path.starts_with(".git/ratchet/profiles/") && path.ends_with("/attention_S-512.ncu-rep"), "{path}");
    let hash = kernels.world.git(&["hash-object", "--no-filters", path]);
    assert_eq!(profile["report"]["blob"], hash.as_str());
    assert_eq!(kernels.world.git(&["status", "--porcelain"]), "", "the reports are not in the work tree");
}

#[test]
fn show_has_the_profile_in_text_and_json() {
    let kernels = Kernels::new();
    kernels.run(&["profile", "attention"]).expect(0);
    let text = kernels.run(&["show"]).expect(0).out;
    assert!(text.contains("profile of attention [S=512]") && text.contains("ncu 2025.3.1.0"), "{text}");
    let json = kernels.run(&["show", "--json"]).expect(0).json();
    assert_eq!(json["records"], json!([]));
    assert_eq!(json["profiles"][0]["kernel"], "flash_attention");
    assert_eq!(json["profiles"][0]["metrics"]["gpu__time_duration.sum"]["value"], 0.000335);
    assert_eq!(json["profiles"][0]["run"], json["runs"][0]["id"]);
    assert!(!kernels.run(&["show", "--metric", "time"]).expect(0).out.contains("profile of"));
    assert!(!kernels.run(&["show", "--benchmark", "other"]).expect(0).out.contains("profile of"));
}

#[test]
fn a_profile_follows_its_content_to_other_commits() {
    let kernels = Kernels::new();
    kernels.run(&["profile", "attention"]).expect(0);
    kernels.world.git(&["commit", "-q", "--amend", "-m", "another message"]);
    assert!(kernels.run(&["show"]).expect(0).out.contains("profile of attention"));
}

#[test]
fn a_profile_is_no_measurement() {
    let kernels = Kernels::new();
    kernels.run(&["profile", "attention"]).expect(0);
    assert_eq!(kernels.run(&["check", "--json"]).expect(3).json()["verdict"], "not_measured");
}

#[test]
fn a_shell_line_and_several_benchmarks_are_profiled() {
    let kernels = Kernels::new();
    let ran = kernels.run(&["profile", "--json", "--kernel", "gemm", "-s", "1", "-c", "2", "--ncu-arg=--nvtx"]).expect(0);
    assert_eq!(ran.json()["profiles"].as_array().unwrap().len(), 2);
    assert!(kernels.log().contains("other C\n"), "{}", kernels.log());
    let arguments = fs::read_to_string(kernels.world.home.join("arguments")).unwrap();
    assert!(arguments.contains("regex:gemm --launch-skip 1 --launch-count 2 --set full --nvtx"), "flags win: {arguments}");
}

#[test]
fn both_shapes_and_other_locales_are_read() {
    let kernels = Kernels::new();
    for (csv, duration) in [("mixed.csv", 0.000_335), ("long.csv", 0.0012), ("comma.csv", 0.001_205)] {
        kernels.commit(csv, csv);
        let json = kernels.run(&["profile", "attention", "--json", "--dry-run"]).expect(0).json();
        let found = json["profiles"][0]["metrics"]["gpu__time_duration.sum"]["value"].as_f64().unwrap();
        assert!((found - duration).abs() < 1e-12, "{csv}: {json:#}");
    }
    assert!(!kernels.has_note(), "--dry-run records nothing");
}

#[test]
fn every_failure_says_why_and_records_nothing() {
    let kernels = Kernels::new();
    for (failure, words, hint) in [
        ("permission", "ERR_NVGPUCTRPERM", "NVreg_RestrictProfilingToAdminUsers=0"),
        ("busy", "in use by another program", "DCGM"),
        ("none", "no kernel was profiled: none has a name that matches `^flash`", "--kernel"),
        ("crash", "was killed by SIGSEGV", ""),
        ("silent", "ended without a report", ""),
        ("unreadable", "cannot be read: there is no table in it", ""),
        ("import", "failed with exit code 1", ""),
    ] {
        let ran = kernels.playing(failure, &["profile", "attention"]).expect(4);
        assert!(ran.err.contains("error: attention [S=512]: ") && ran.err.contains(words), "{failure}: {}", ran.err);
        assert!(hint.is_empty() || ran.err.contains(hint), "{failure}: {}", ran.err);
        let json = kernels.playing(failure, &["profile", "attention", "--json"]).expect(4).json();
        assert!(json["failures"][0]["message"].as_str().unwrap().contains(words), "{json:#}");
        assert!(kernels.log().ends_with("cleaned\n"), "{failure}");
    }
    kernels.commit("all-na.csv", "no numbers");
    assert!(kernels.run(&["profile", "attention"]).expect(4).err.contains("its table has no numbers"));
    assert!(!kernels.has_note());
}

#[test]
fn a_command_that_fails_is_not_blamed_on_the_profiler() {
    let kernels = Kernels::new();
    kernels.world.write("broken", "");
    let ran = kernels.run(&["profile", "attention"]).expect(4);
    assert!(ran.err.contains("the profiled command failed with exit code 1"), "{}", ran.err);
    assert!(ran.err.contains("hint: run the benchmark without the profiler first"), "{}", ran.err);
}

#[test]
fn a_failure_leaves_the_other_points_alone() {
    let kernels = Kernels::new();
    kernels.world.write("broken", "");
    let json = kernels.run(&["profile", "--json"]).expect(4).json();
    assert_eq!((json["profiles"].as_array().unwrap().len(), json["failures"].as_array().unwrap().len()), (1, 1));
    assert_eq!(json["profiles"][0]["benchmark"], "other");
    assert!(kernels.note().contains("\"other\""));
}

#[test]
fn a_report_of_an_earlier_run_is_no_result() {
    let kernels = Kernels::new();
    kernels.run(&["profile", "attention"]).expect(0);
    assert_eq!(kernels.reports().len(), 1);
    kernels.playing("none", &["profile", "attention"]).expect(4);
    assert_eq!(kernels.reports(), [] as [PathBuf; 0]);
}

#[test]
fn no_profiler_is_told_with_the_way_out() {
    let kernels = Kernels::new();
    kernels.world.git(&["config", "ratchet.ncu", "/no/such/ncu"]);
    let ran = kernels.run(&["profile", "attention"]).expect(4);
    assert!(ran.err.contains("git config ratchet.ncu names /no/such/ncu"), "{}", ran.err);
    assert_eq!(kernels.log(), "", "nothing ran");
}

#[test]
fn it_is_found_in_path() {
    let params = fs::read_to_string("/proc/driver/nvidia/params").unwrap_or_default();
    if params.contains("RmProfilingAdminOnly: 1") {
        println!("SKIPPED: the driver of this computer refuses before a fake can play");
        return;
    }
    let kernels = Kernels::new();
    kernels.world.git(&["config", "--unset", "ratchet.ncu"]);
    let path = format!("{}:{}", kernels.fake.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ncu");
    let mut command = kernels.world.ratchet_command(&kernels.world.repo, &["profile", "attention"]);
    kernels.world.run(command.env("PATH", path).env("DATA", data)).expect(0);
}

#[test]
fn a_profiler_that_hangs_is_killed() {
    let kernels = Kernels::new();
    let ran = kernels.playing("hang", &["profile", "attention", "--timeout", "300ms"]).expect(4);
    assert!(ran.err.contains("profiling was stopped after 300ms") && ran.err.contains("--timeout"), "{}", ran.err);
    kernels.run(&["profile", "attention", "--timeout", "soon"]).expect(2);
}

#[test]
fn ctrl_c_stops_the_profiler_and_cleans_up() {
    let kernels = Kernels::new();
    let mut command = kernels.world.ratchet_command(&kernels.world.repo, &["profile", "attention"]);
    let child = command.env("FAKE", "hang").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !kernels.world.home.join("started").exists() {
        assert!(Instant::now() < deadline, "the profiler did not start");
        std::thread::yield_now();
    }
    kernels.world.run(kernels.world.command("kill", &kernels.world.repo).args(["-INT", &child.id().to_string()])).expect(0);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(4);
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
    assert!(kernels.log().ends_with("cleaned\n"), "{}", kernels.log());
}

#[test]
fn two_commits_are_compared_by_their_counters() {
    let kernels = Kernels::new();
    kernels.run(&["profile", "attention"]).expect(0);
    kernels.commit("wide-slow.csv", "slow");
    kernels.run(&["profile", "--diff", "HEAD~1"]).expect(3);
    kernels.run(&["profile", "attention"]).expect(0);
    kernels.reports().iter().for_each(|report| fs::remove_file(report).unwrap());
    let text = kernels.run(&["profile", "--diff", "HEAD~1", "HEAD"]).expect(0).out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[3].starts_with("duration 335 µs → 500 µs (−49.3 %)"), "{text}");
    assert!(lines[4].contains("local loads 0 → 262144: "), "spills from nothing come first:\n{text}");
    assert!(text.contains("registers 64 → 128: theoretical occupancy 66.7 % → 33.3 %, occupancy 61.9 % → 31.2 %"), "{text}");
    let back = kernels.run(&["profile", "--diff", "HEAD", "HEAD~1", "--json"]).expect(0).json();
    let point = &back["points"][0];
    assert_eq!(point["duration"]["better"], true);
    assert!(point["findings"][0]["sentence"].as_str().unwrap().starts_with("local loads 262144 → 0"), "{point:#}");
    assert_eq!(point["metrics"]["after"]["launch__registers_per_thread"]["value"], 64.0);
    kernels.run(&["profile", "other", "--diff", "HEAD~1", "HEAD"]).expect(3);
    kernels.run(&["profile", "--diff", "nonsense"]).expect(4);
}

/// A candidate whose recorded time is slower, on a base that was measured and profiled.
fn slower(kernels: &Kernels) {
    let record = |time: &str| {
        let arguments = ["record", "--benchmark", "attention", "--config", "S=512", "--metric", &format!("time={time}")];
        kernels.run(&arguments).expect(0);
    };
    record("335us");
    kernels.run(&["profile", "attention"]).expect(0);
    kernels.commit("wide-slow.csv", "slow");
    record("500us");
}

#[test]
fn a_check_profiles_what_lost_and_says_what_changed() {
    let kernels = Kernels::new();
    slower(&kernels);
    assert!(!kernels.note().contains("\"profile\""));
    let check = kernels.run(&["check", "--profile", "--json"]).expect(1).json();
    assert_eq!(check["verdict"], "regression");
    let told: Vec<&str> = check["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|warning| warning["code"] == "profile_finding")
        .map(|warning| warning["message"].as_str().unwrap())
        .collect();
    assert!(told.iter().any(|told| told.starts_with("attention [S=512]: registers 64 → 128: ")), "{told:#?}");
    assert!(kernels.note().contains("\"profile\""), "it is recorded");
    assert!(!kernels.log().contains("other"), "only what the verdict asks for");
}

#[test]
fn a_check_never_fails_because_profiling_failed() {
    let kernels = Kernels::new();
    slower(&kernels);
    let plain = kernels.run(&["check", "--json"]).expect(1).json();
    for failure in ["permission", "crash", "none", "unreadable"] {
        let check = kernels.playing(failure, &["check", "--profile", "--json"]).expect(1).json();
        assert_eq!(check["series"], plain["series"], "{failure}");
        assert_eq!(codes(&check), ["not_profiled"], "{failure}");
    }
    kernels.world.git(&["config", "ratchet.ncu", "/no/such/ncu"]);
    assert_eq!(codes(&kernels.run(&["check", "--profile", "--json"]).expect(1).json()), ["not_profiled"]);
    let elsewhere = kernels.run(&["check", "--profile", "--profile-targets", "/no/such/folder/x", "--json"]).expect(1).json();
    assert_eq!(codes(&elsewhere), ["targets_not_written", "not_profiled"]);
}

#[test]
fn a_check_profiles_only_what_is_checked_out() {
    let kernels = Kernels::new();
    slower(&kernels);
    let slow = kernels.world.git(&["rev-parse", "HEAD"]);
    kernels.world.commit("later");
    let check = kernels.run(&["check", &slow, "--profile", "--json"]).expect(1).json();
    assert_eq!(codes(&check), ["not_profiled"], "{check:#}");
    assert!(check["warnings"][0]["message"].as_str().unwrap().contains("is not what is checked out"));
}

#[test]
fn the_list_of_targets_follows_the_thresholds_and_is_read_back() {
    let kernels = Kernels::new();
    slower(&kernels);
    let list = kernels.world.root().join("targets.json");
    let path = list.to_str().unwrap();
    let targets = |arguments: &[&str], code: i32| -> Value {
        kernels.run(&[&["check", "--profile-targets", path], arguments].concat()).expect(code);
        serde_json::from_str(&fs::read_to_string(&list).unwrap()).unwrap()
    };
    let written = targets(&[], 1);
    let target = &written["targets"][0];
    assert_eq!(
        (&target["benchmark"], &target["config"], &target["reason"]),
        (&json!("attention"), &json!({ "S": "512" }), &json!("regression"))
    );
    assert_eq!(target["series"][0]["verdict"], "regression");
    let ran = kernels.run(&["profile", "--targets", path, "--json"]).expect(0).json();
    assert_eq!(ran["profiles"].as_array().unwrap().len(), 1);
    // A threshold that the loss does not reach, and a loss that is allowed.
    kernels.world.write("ratchet.toml", &format!("[profile]\nregression = 90\n{SETTINGS}"));
    assert_eq!(targets(&[], 1)["targets"], json!([]));
    kernels.world.write("ratchet.toml", SETTINGS);
    assert_eq!(targets(&["--regression", "90"], 0)["targets"], json!([]));
    fs::write(&list, "{\"version\":1,\"targets\":[{\"benchmark\":\"gone\"}]}").unwrap();
    kernels.run(&["profile", "--targets", path]).expect(2);
    fs::write(&list, "nonsense").unwrap();
    kernels.run(&["profile", "--targets", path]).expect(2);
}

#[test]
fn a_large_improvement_is_profiled_too() {
    let kernels = Kernels::new();
    let record = |time: &str| {
        let arguments = ["record", "--benchmark", "attention", "--config", "S=512", "--metric", &format!("time={time}")];
        kernels.run(&arguments).expect(0);
    };
    record("500us");
    kernels.commit("wide.csv", "much faster");
    record("335us");
    let list = kernels.world.root().join("targets.json");
    kernels.run(&["check", "--profile-targets", list.to_str().unwrap()]).expect(0);
    let written: Value = serde_json::from_str(&fs::read_to_string(&list).unwrap()).unwrap();
    assert_eq!(written["targets"][0]["reason"], "improvement", "{written:#}");
}

#[test]
fn a_benchmark_of_a_suite_is_profiled_alone() {
    let kernels = Kernels::new();
    let suite = "[[suite]]\nname = \"all\"\ncommand = \"sh kernel.sh\"\none = [\"sh\", \"kernel.sh\", \"{benchmark}\"]\n";
    kernels.world.write("ratchet.toml", suite);
    kernels.commit("wide.csv", "suite");
    kernels.world.ratchet(&["record", "--benchmark", "flash", "--metric", "time=1ms"]).expect(0);
    assert!(kernels.run(&["profile", "flash"]).expect(0).out.contains("recorded"));
    assert_eq!(kernels.log(), "ran flash C\n");
    assert!(kernels.run(&["profile", "flsh"]).expect(2).err.contains("no suite has measured flsh"));
    assert!(kernels.run(&["profile", "all"]).expect(2).err.contains("all is a suite"));
}
