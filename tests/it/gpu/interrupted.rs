//! However a run ends: what was measured is kept, clocks are as they were, and no worker is left behind.

use std::process::Stdio;

use super::*;

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
