//! Kernels timed and verified end to end: the real binary with its workers, the real NVRTC, and a CUDA driver that is a
//! small C library with planted faults (tests/fake_driver). Needs a C compiler and NVRTC.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kernels::nvrtc;
use crate::world::{Ran, World};

/// A folder with the fake libraries, built once; `None` without a C compiler.
fn fake_driver(variant: &str, flags: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fake_driver_{variant}_{}", std::process::id()));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_driver");
    fs::create_dir_all(&folder).unwrap();
    for (source, library) in [("libcuda.c", "libcuda.so.1"), ("libnvidia-ml.c", "libnvidia-ml.so.1")] {
        let mut command = Command::new("cc");
        command
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .arg(folder.join(library))
            .arg(sources.join(source))
            .args(flags)
            .arg("-lm");
        match command.output() {
            Err(_) => {
                eprintln!("SKIPPED: there is no C compiler (cc) to build the fake CUDA driver with");
                return None;
            }
            Ok(built) => assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr)),
        }
    }
    Some(folder)
}

/// Where the whole fake driver is.
pub fn driver() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| fake_driver("whole", &[])).as_deref()
}

/// A repository with these kernels of tests/data/kernels/adversarial as benchmarks, committed.
struct Lab {
    world: World,
    nvrtc: PathBuf,
    driver: PathBuf,
}

impl Lab {
    /// `for_hang` is the timeout of the kernel that hangs.
    fn with(kernels: &[&str], for_hang: &str) -> Option<Self> {
        let (nvrtc, driver) = (nvrtc()?, driver()?.to_owned());
        let world = World::new();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kernels/adversarial");
        let mut settings = "[sampling]\nwarmup = 1\nmin_runs = 6\nmax_runs = 40\nmin_time = \"0s\"\n".to_owned();
        for name in kernels {
            settings.push_str(&format!("[[benchmark]]\nname = \"{name}\"\nkernel = \"{name}.toml\"\narchs = [\"sm_90\"]\n"));
            if *name == "hang" {
                settings.push_str(&format!("timeout = \"{for_hang}\"\n"));
            }
            for extension in ["toml", "cu"] {
                let file = format!("{name}.{extension}");
                // A tenth of the size: the fake computes on one core.
                let text = fs::read_to_string(data.join(&file)).unwrap();
                world.write(&file, &text.replace("N = 1000000", "N = 100000"));
            }
        }
        world.write("reference.cu", &fs::read_to_string(data.join("reference.cu")).unwrap());
        world.write("ratchet.toml", &settings);
        world.commit("one");
        Some(Self { world, nvrtc, driver })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.ratchet_command(&self.world.repo, arguments);
        command.env("RATCHET_NVRTC", &self.nvrtc).env("LD_LIBRARY_PATH", &self.driver);
        command
    }

    fn bench(&self, arguments: &[&str]) -> Ran {
        self.world.run(&mut self.command(&[&["bench"], arguments].concat()))
    }

    /// What is recorded of a benchmark on the fake GPU.
    fn records(&self, benchmark: &str) -> Vec<Value> {
        let all = self.world.ratchet(&["show", "--json"]).expect(0).json();
        let here = |record: &&Value| {
            record["benchmark"] == benchmark && record["testbed"].as_str().is_some_and(|testbed| testbed.starts_with("Fake H200"))
        };
        all["records"].as_array().unwrap().iter().filter(here).cloned().collect()
    }
}

fn median(records: &[Value], metric: &str) -> f64 {
    let record = records.iter().find(|record| record["metric"] == metric).unwrap_or_else(|| panic!("no {metric}: {records:#?}"));
    record["statistics"]["median"].as_f64().unwrap()
}

#[test]
fn an_honest_kernel_is_timed_verified_and_recorded_beside_its_code() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let ran = lab.bench(&[]).expect(0);
    let records = lab.records("honest");
    let time = median(&records, "time");
    assert!((time / 100e-6 - 1.0).abs() < 0.001, "the fake takes 100 µs: {time}");
    assert!((median(&records, "bandwidth") * time / 8e5 - 1.0).abs() < 0.001);
    assert!((median(&records, "throughput") * time / 1e5 - 1.0).abs() < 0.001);
    assert!((0.0..100.0).contains(&median(&records, "roofline")));
    assert!(median(&records, "peak_memory") >= 8e5);
    let intensity = median(&records, "throughput") / median(&records, "bandwidth");
    assert!((median(&records, "arithmetic_intensity") / intensity - 1.0).abs() < 1e-6, "1e5 FLOP for 8e5 B");
    assert_eq!(records[0]["testbed"], "Fake H200 · clocks not locked");
    assert!(records.iter().all(|record| record["machine_code"].is_string()), "{records:#?}");
    assert!(ran.err.contains("clocks are not locked"), "{}", ran.err);
    let all = lab.world.ratchet(&["show", "--json"]).expect(0).json();
    let testbeds: Vec<&str> =
        all["records"].as_array().unwrap().iter().map(|record| record["testbed"].as_str().unwrap()).collect();
    assert!(testbeds.iter().any(|testbed| testbed.starts_with("sm_90 · NVRTC")), "{testbeds:?}");
}

#[test]
fn a_benchmark_says_whether_caches_are_hot_and_the_flag_wins() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let settings = fs::read_to_string(lab.world.repo.join("ratchet.toml")).unwrap();
    lab.world.write("ratchet.toml", &format!("{settings}cache = \"hot\"\n"));
    lab.world.commit("hot");
    let metrics = || lab.records("honest").iter().map(|record| record["metric"].to_string()).collect::<Vec<_>>();
    let has = |metric: &str| metrics().contains(&format!("\"{metric}\""));
    lab.bench(&["--if-changed"]).expect(0);
    assert!(has("time_hot") && !has("time"), "{:?}", metrics());
    let cold = lab.bench(&["--if-changed", "--cache", "cold"]).expect(0);
    assert!(has("time") && !cold.out.contains("unchanged"), "hot times say nothing of cold ones: {}", cold.out);
}

#[test]
fn every_kernel_that_cheats_is_found_out_timed_and_barred() {
    let found = [
        ("half", "`y` is NaN in 50000 of 100000 elements"),
        ("nan", "`y` is NaN in 100000 of 100000 elements"),
        ("previous", "wrong result"),
        ("writes_past", "wrote outside `y`"),
        ("reads_past", "reads past an end"),
        ("changes_input", "changed its input `x`"),
        ("racy", "different bits"),
        ("by_pointer", "different bits"),
        ("by_content", "is work skipped when inputs repeat?"),
        ("boasts", "is impossible"),
    ];
    let Some(lab) = Lab::with(&found.map(|(name, _)| name), "") else { return };
    let ran = lab.bench(&[]).expect(1);
    for (name, fault) in found {
        let line = ran.err.lines().find(|line| line.starts_with(&format!("error: {name} [")));
        assert!(line.is_some_and(|line| line.contains(fault)), "{name}: {fault}\n{}", ran.err);
        let records = lab.records(name);
        assert!(median(&records, "time") > 0.0, "its time is shown");
        assert!(records.iter().all(|record| record["barred"].as_str().is_some_and(|why| why.contains(fault))), "{records:#?}");
    }
}

#[test]
fn a_kernel_that_hangs_or_crashes_costs_nobody_else_a_result() {
    let Some(lab) = Lab::with(&["crash", "hang", "prints"], "1s") else { return };
    let began = Instant::now();
    let ran = lab.bench(&[]).expect(4);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(ran.err.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{}", ran.err);
    assert!(ran.err.contains("the kernel was killed after 4s"), "{}", ran.err);
    assert!(lab.records("crash").is_empty() && lab.records("hang").is_empty());
    assert!((median(&lab.records("prints"), "time") / 100e-6 - 1.0).abs() < 0.001);
}

#[test]
fn without_driver_or_device_kernels_are_compiled_and_it_is_said() {
    let Some(mut lab) = Lab::with(&["honest"], "") else { return };
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "no_device")).expect(0);
    assert!(ran.err.contains("kernels were compiled, and not timed: the NVIDIA driver knows no GPU"), "{}", ran.err);
    lab.driver = lab.world.root().join("nothing");
    let ran = lab.bench(&["--dry-run"]).expect(0);
    assert!(ran.err.contains("libcuda.so.1 was not found") && ran.err.contains("container"), "{}", ran.err);
}

#[test]
fn old_drivers_are_told_by_name_and_nothing_panics() {
    let Some(mut lab) = Lab::with(&["honest"], "") else { return };
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "old_driver")).expect(4);
    assert!(ran.err.contains("supports CUDA 11.4, but kernels need 12.0 or later"), "{}", ran.err);
    let Some(older) = fake_driver("without_graphs", &["-DWITHOUT_GRAPHS"]) else { return };
    lab.driver = older;
    let ran = lab.bench(&[]).expect(4);
    assert!(ran.err.contains("it lacks cuGraphLaunch"), "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn too_little_memory_is_told_with_the_numbers() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    lab.world.write("honest.toml", &fs::read_to_string(lab.world.repo.join("honest.toml")).unwrap().replace("100000", "9000000"));
    lab.world.commit("larger");
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "small_memory")).expect(4);
    assert!(ran.err.contains("out of memory: the kernel's buffers need 68 MiB"), "{}", ran.err);
}

#[test]
fn locked_clocks_make_another_testbed_and_are_restored() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let log = lab.world.root().join("clocks");
    lab.world.run(lab.command(&["bench", "--lock-clocks=1980"]).env("FAKE_NVML_LOG", &log)).expect(0);
    assert_eq!(fs::read_to_string(&log).unwrap(), "lock 1980 1980\nreset\n");
    assert_eq!(lab.records("honest")[0]["testbed"], "Fake H200 · clocks locked at 1980 MHz");
    let ran = lab.world.run(lab.command(&["bench", "--lock-clocks"]).env("FAKE_NVML", "forbidden")).expect(0);
    assert!(ran.err.contains("could not be locked, and are as they were"), "{}", ran.err);
    lab.world.run(&mut lab.command(&["bench", "--lock-clocks=fast"])).expect(2);
}

/// The program is killed in the middle of a measurement: nothing of it is left to restore the clocks, and they are.
#[test]
fn clocks_are_restored_even_when_the_program_is_killed() {
    let Some(lab) = Lab::with(&["hang"], "60s") else { return };
    let log = lab.world.root().join("clocks");
    let mut command = lab.command(&["bench", "--lock-clocks"]);
    let mut running = command.env("FAKE_NVML_LOG", &log).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let wait_for = |text: &str| {
        let began = Instant::now();
        while !fs::read_to_string(&log).is_ok_and(|log| log.contains(text)) {
            assert!(began.elapsed() < Duration::from_secs(60), "`{text}` never came");
            std::thread::yield_now();
        }
    };
    wait_for("lock");
    running.kill().unwrap();
    running.wait().unwrap();
    wait_for("reset");
}

/// Waits for something that another process does.
pub fn until(what: &str, mut has_happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !has_happened() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} never came");
        std::thread::yield_now();
    }
}

/// Processes that this one has started and that still run.
pub fn children(parent: u32) -> Vec<u32> {
    let is_child = |stat: &str| {
        // The name of the program, in parentheses, may hold anything.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.next() != Some("Z") && fields.next() == Some(&parent.to_string())
    };
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| is_child(&stat))).collect()
}

pub fn has_ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

/// Thirty points that are measured well, and then one that hangs.
fn many_points() -> Option<Lab> {
    let lab = Lab::with(&["honest", "hang"], "300s")?;
    let path = lab.world.repo.join("honest.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    let sizes: Vec<String> = (1..=30).map(|size| (size * 1000).to_string()).collect();
    let many = manifest.replace("[[config]]\nname = \"million\"\nN = 100000", &format!("[matrix]\nN = [{}]", sizes.join(", ")));
    assert_ne!(many, manifest);
    fs::write(path, many).unwrap();
    lab.world.commit("many points");
    Some(lab)
}

/// What stands in the note of HEAD is read by plain git, and of every point in it every metric is there.
fn assert_whole_points(lab: &Lab) {
    let note = lab.world.git(&["notes", "--ref=ratchet", "show", "HEAD"]);
    assert!(note.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{note}");
    lab.world.git(&["fsck", "--strict"]);
    let records = lab.records("honest");
    let mut of_point = std::collections::BTreeMap::<String, usize>::new();
    records.iter().for_each(|record| *of_point.entry(record["config"].to_string()).or_default() += 1);
    assert!(!of_point.is_empty() && of_point.values().all(|metrics| *metrics == 6), "{of_point:?}");
    assert!(lab.records("hang").is_empty());
}

/// Whether a timed result of the fake GPU is in the note.
fn has_timed(lab: &Lab) -> bool {
    let note =
        Command::new("git").current_dir(&lab.world.repo).args(["notes", "--ref=ratchet", "show", "HEAD"]).output().unwrap();
    String::from_utf8_lossy(&note.stdout).contains("Fake H200")
}

#[test]
fn a_run_that_is_killed_keeps_what_it_had_measured_and_leaves_nobody_behind() {
    let Some(lab) = many_points() else { return };
    let mut running = lab.command(&["bench"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the first timed result", || has_timed(&lab));
    let workers = children(running.id());
    assert_eq!(workers.len(), 1, "one worker measures");
    running.kill().unwrap();
    running.wait().unwrap();
    until("the end of the worker", || workers.iter().all(|worker| has_ended(*worker)));
    assert_whole_points(&lab);
    lab.bench(&["honest", "--config", "N=1000"]).expect(0);
    assert!(lab.records("honest").iter().filter(|record| record["config"]["N"] == "1000").count() >= 6);
}

#[test]
fn ctrl_c_keeps_what_was_measured_restores_the_clocks_and_says_so() {
    let Some(lab) = many_points() else { return };
    let log = lab.world.root().join("clocks");
    let mut command = lab.command(&["bench", "--lock-clocks=1980"]);
    let running = command.env("FAKE_NVML_LOG", &log).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the first timed result", || has_timed(&lab));
    let workers = children(running.id());
    assert_eq!(workers.len(), 2, "one measures, one holds the clocks");
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    let ran: Ran = running.wait_with_output().unwrap().into();
    let ran = ran.expect(4);
    assert!(ran.err.contains("interrupted; the points that were finished are recorded"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&log).unwrap(), "lock 1980 1980\nreset\n");
    until("the end of the workers", || workers.iter().all(|worker| has_ended(*worker)));
    assert_whole_points(&lab);
}

/// Replaces the honest kernel by one that takes half as long again, and commits it.
fn slow_down(lab: &Lab) {
    for file in ["honest.toml", "honest.cu"] {
        let text = fs::read_to_string(lab.world.repo.join(file)).unwrap();
        lab.world.write(file, &text.replace("scale_honest", "scale_slow"));
    }
    lab.world.commit("slower");
}

#[test]
fn two_versions_of_a_kernel_are_compared_from_the_repository_in_one_process() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    slow_down(&lab);
    // What lies in the work tree is not what is measured.
    lab.world.write("honest.cu", "this is not CUDA");
    let ran = lab.world.run(&mut lab.command(&["compare", "HEAD^", "HEAD", "--live", "--pairs", "6", "--json"])).expect(0);
    assert!(ran.err.contains("compiling and launching the kernels of honest as they are in both revisions"), "{}", ran.err);
    let compared = ran.json();
    let time = compared["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|series| series["metric"] == "time")
        .unwrap_or_else(|| panic!("{compared:#}"));
    let change = time["change_percent"].as_f64().unwrap();
    assert!((change + 50.0).abs() < 1.0, "{compared:#}");
    assert_eq!(lab.world.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn the_commit_that_slowed_a_kernel_is_found_without_a_checkout() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let old = lab.world.git(&["rev-parse", "HEAD"]);
    lab.world.commit("before");
    slow_down(&lab);
    let slower = lab.world.git(&["rev-parse", "HEAD"]);
    lab.world.commit("after");
    lab.world.write("honest.cu", "this is not CUDA");
    let ran = lab.world.run(&mut lab.command(&["bisect", "honest", "--old", &old, "--json"])).expect(0);
    let bisected = ran.json();
    assert_eq!((&bisected["found"][0]["commit"], &bisected["metric"]), (&slower.into(), &"time".into()), "{bisected:#}");
    assert!((bisected["change_of_found"]["percent"].as_f64().unwrap() + 50.0).abs() < 1.0, "{bisected:#}");
}

#[test]
fn a_suspicious_kernel_is_confirmed_by_pairs_on_the_gpu() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    for _ in 0..2 {
        lab.bench(&[]).expect(0);
    }
    slow_down(&lab);
    lab.bench(&[]).expect(0);
    let ran = lab.world.run(&mut lab.command(&["check", "--against", "HEAD^", "--confirm", "--json"])).expect(1);
    let check = ran.json();
    let time = check["series"].as_array().unwrap().iter().find(|series| series["metric"] == "time").unwrap().clone();
    assert_eq!(time["verdict"], "regression", "{check:#}");
    let followers = check["followers"].as_array().unwrap().iter().map(|follower| follower["metric"].as_str().unwrap());
    assert!(followers.clone().any(|metric| metric == "throughput"), "one loss is told once: {check:#}");
    let judged = check["series"].as_array().unwrap().iter().map(|series| series["metric"].as_str().unwrap());
    assert!(judged.clone().all(|metric| !followers.clone().any(|follower| follower == metric)), "{check:#}");
    assert!(ran.err.contains("compiling and launching the kernels of honest"), "{}", ran.err);
    assert!(!ran.err.contains("not measured again"), "{}", ran.err);
    assert!(check["warnings"].as_array().unwrap().iter().all(|warning| warning["code"] != "not_confirmed"), "{check:#}");
}

/// The profiler plays; the kernel, the compiler and the worker that launches it are real.
#[test]
fn a_kernel_is_profiled_by_launching_it_alone() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let fake = lab.world.home.join("ncu");
    fs::write(&fake, crate::profile::FAKE_NCU).unwrap();
    fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    lab.world.git(&["config", "ratchet.ncu", fake.to_str().unwrap()]);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ncu");
    let profile = |driver: Option<&Path>| {
        let mut command = lab.command(&["profile", "honest", "--json"]);
        command.env("DATA", &data).env("CSV", "wide.csv");
        if let Some(driver) = driver {
            command.env("LD_LIBRARY_PATH", driver);
        }
        lab.world.run(&mut command)
    };
    lab.bench(&[]).expect(0);
    let json = profile(None).expect(0).json();
    assert_eq!(json["profiles"][0]["testbed"], "Fake H200 · clocks not locked", "that of its timings");
    let arguments = fs::read_to_string(lab.world.home.join("arguments")).unwrap();
    assert!(arguments.contains("--kernel-name regex:^scale_honest$ --launch-skip 3 --launch-count 1"), "{arguments}");
    assert!(arguments.trim_end().ends_with("--launches 4") && arguments.contains(" kernel-worker --launch "), "{arguments}");
    let roofline =
        lab.world.ratchet(&["roofline", "--benchmark", "honest", "--testbed", "Fake H200 · clocks not locked", "--json"]);
    let kernels = roofline.expect(0).json()["testbeds"][0]["kernels"].clone();
    let work: Vec<&str> = kernels.as_array().unwrap().iter().map(|kernel| kernel["work"].as_str().unwrap()).collect();
    assert_eq!(work, ["declared", "counted"], "{kernels:#}");
    let nowhere = profile(Some(Path::new("/nonexistent"))).expect(4);
    assert!(nowhere.json()["failures"][0]["message"].as_str().unwrap().contains("there is none"), "{}", nowhere.out);
}

#[test]
fn a_kernel_whose_code_launch_and_arguments_are_the_same_is_not_timed_again() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    lab.bench(&["--if-changed"]).expect(0);
    let ids = || lab.records("honest").iter().map(|record| record["id"].to_string()).collect::<Vec<_>>();
    let first = ids();
    let edit = |file: &str, from: &str, to: &str| {
        let path = lab.world.repo.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
        lab.world.commit(to);
    };
    edit("honest.cu", "// Does", "// Still does");
    let again = lab.bench(&["--if-changed"]).expect(0);
    assert!(again.out.contains("unchanged: honest [config=million N=100000] has the results of"), "{}", again.out);
    assert!(!first.is_empty() && ids() == first, "the same evidence");
    edit("honest.toml", "normal = [0.0, 1.0]", "normal = [0.0, 2.0]");
    let other = lab.bench(&["--if-changed"]).expect(0);
    assert!(!other.out.contains("unchanged") && ids() != first, "other arguments: {}", other.out);
}
