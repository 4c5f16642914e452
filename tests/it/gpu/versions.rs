//! Two versions of a kernel, compiled from the repository and launched in turn: compared, bisected, confirmed.

use super::*;

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
