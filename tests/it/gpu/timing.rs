//! What `bench` and `profile` make of one kernel, honest or not.

use super::*;

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
fn kernels_of_older_commits_are_timed_as_they_were() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let of = |commit: &str| lab.world.ratchet(&["show", commit, "--json"]).expect(0).json()["records"].to_string();
    let source = fs::read_to_string(lab.world.repo.join("honest.cu")).unwrap();
    lab.world.write("honest.cu", "this is no kernel");
    lab.world.commit("broken");
    lab.world.write("honest.cu", &source);
    lab.world.commit("whole again");
    let ran = lab.bench(&["--commits", "HEAD~1"]).expect(4);
    assert!(ran.err.contains("honest"), "{}", ran.err);
    lab.bench(&["--commits", "HEAD~2"]).expect(0);
    assert!(of("HEAD~2").contains("Fake H200") && of("HEAD~2").contains("machine_code"), "{}", of("HEAD~2"));
    assert!(!of("HEAD~1").contains("Fake H200"), "{}", of("HEAD~1"));
    let again = lab.bench(&["--commits", "HEAD~2"]).expect(0);
    assert!(again.out.contains("has its results"), "{}", again.out);
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
    let several = lab.command(&["profile", "honest", "-c", "5", "--dry-run"]).env("DATA", &data).env("CSV", "wide.csv").output();
    assert!(several.unwrap().status.success());
    let arguments = fs::read_to_string(lab.world.home.join("arguments")).unwrap();
    assert!(arguments.trim_end().ends_with("--launches 8"), "as many as are passed and counted: {arguments}");
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
