//! `compare`: statistics of two revisions or two files, and of both measured now; never a gate.

use serde_json::{Value, json};

use crate::schemas::assert_described;
use crate::world::World;

fn record(world: &World, values: &str) {
    world.record(&format!("time={values}"));
}

fn only(compare: &Value) -> &Value {
    assert_described("compare", compare);
    assert_eq!(compare["series"].as_array().unwrap().len(), 1, "{compare:#}");
    &compare["series"][0]
}

#[test]
fn one_run_each_is_compared_within_the_runs_and_says_so() {
    let world = World::new();
    let before = world.commit("one");
    record(&world, "10ms,10.1ms,10.2ms,10.3ms,10.4ms,10.5ms");
    world.commit("two");
    record(&world, "20ms,20.2ms,20.4ms,20.6ms,20.8ms,21ms");
    let compare = world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!((&compare["before"]["commit"], &compare["after"]["name"]), (&json!(before), &json!("HEAD")));
    let series = only(&compare);
    assert_eq!((&series["basis"], &series["delta"]), (&json!("within_runs"), &json!(-1.0)));
    assert!((series["change_percent"].as_f64().unwrap() + 100.0).abs() < 1e-6, "{series:#}");
    assert!((series["p"].as_f64().unwrap() - 2.0 / 924.0).abs() < 1e-9, "{series:#}");
    let text = world.ratchet(&["compare", "HEAD~1"]).expect(0).out;
    assert!(text.contains("−100.0 %") && text.contains("within one run of each"), "{text}");
}

#[test]
fn several_runs_each_are_compared_by_their_medians() {
    let world = World::new();
    for (content, times) in [("one", ["10ms", "11ms", "12ms"]), ("two", ["5ms", "5.5ms", "6ms"])] {
        world.commit(content);
        times.iter().for_each(|time| record(&world, time));
    }
    let compare = world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!((&only(&compare)["basis"], &only(&compare)["before"]["runs"]), (&json!("between_runs"), &json!(3)));
    assert_eq!((&only(&compare)["delta"], &only(&compare)["before"]["value"]), (&json!(1.0), &json!(0.011)));
}

#[test]
fn sides_without_a_common_series_have_no_verdict() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit("two");
    let ran = world.ratchet(&["compare", "HEAD~1", "HEAD"]).expect(3);
    assert!(ran.err.contains("no series in common") && ran.err.contains("--live"), "{}", ran.err);
}

#[test]
fn two_files_are_compared_outside_of_any_repository() {
    let world = World::new();
    let file = |name: &str, times: [f64; 3]| {
        let path = world.root().join(name);
        let results = json!({ "results": [{ "command": "sort", "mean": times[1], "stddev": 0.1, "median": times[1], "user": 0.1,
            "system": 0.1, "min": times[0], "max": times[2], "times": times, "exit_codes": [0, 0, 0] }] });
        std::fs::write(&path, results.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (before, after) = (file("before.json", [1.0, 1.1, 1.2]), file("after.json", [2.0, 2.1, 2.2]));
    let ran = world.ratchet_in(world.root(), &["compare", &before, &after, "--json", "--metric", "time"]).expect(0);
    assert_eq!(only(&ran.json())["after"]["value"], 2.1);
}

#[test]
fn live_measures_both_now_and_records_nothing() {
    let world = World::new();
    let settings = "[[benchmark]]\nname = \"work\"\ncommand = [\"sh\", \"work.sh\"]\nmetrics = [{ name = \"time\" }]\n";
    world.write("ratchet.toml", settings);
    world.write("work.sh", "i=0; n=$(cat code); while [ $i -lt $n ]; do i=$((i + 1)); done\n");
    world.commit("5000");
    world.commit("20000");
    let ran = world.ratchet(&["compare", "HEAD~1", "HEAD", "--live", "--pairs", "6", "--json"]).expect(0);
    assert!(ran.err.contains("running the commands of work"), "{}", ran.err);
    let series = ran.json();
    let series = only(&series);
    assert_eq!((&series["basis"], &series["before"]["n"]), (&json!("pairs"), &json!(6)));
    assert!(series["change_percent"].as_f64().unwrap() < -30.0, "{series:#}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(world.git(&["for-each-ref", "refs/notes"]), "");
    world.ratchet(&["compare", "HEAD~1", "HEAD", "--live", "--benchmark", "none"]).expect(2);
}

#[test]
fn values_in_other_units_are_not_compared() {
    let world = World::new();
    world.commit("one");
    world.record("size=10B");
    world.record("time=10ms");
    world.commit("two");
    world.record("size=20s");
    world.record("time=20ms");
    let compare = world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!(only(&compare)["metric"], "time");
}

#[test]
fn exact_values_have_no_statistics_and_testbeds_stand_apart() {
    let world = World::new();
    for (content, registers) in [("one", ["10", "11"]), ("two", ["32", "33"])] {
        world.commit(content);
        for (testbed, value) in ["sm_80", "sm_90"].iter().zip(registers) {
            let metric = format!("registers={value}");
            world.ratchet(&["record", "--benchmark", "k", "--metric", &metric, "--exact", "--testbed", testbed]).expect(0);
        }
    }
    let said = world.ratchet(&["compare", "HEAD~1", "HEAD"]).expect(0).out;
    let rows: Vec<&str> = said.lines().filter(|line| line.contains("registers")).collect();
    assert!(rows.len() == 2 && rows[0].contains("sm_80") && rows[1].contains("sm_90"), "{said}");
    assert!(rows.iter().all(|row| row.contains("exact")), "{said}");
    let check = world.ratchet(&["check"]).expect(1).out;
    assert!(check.contains("k registers on sm_80") && check.contains("k registers on sm_90"), "{check}");
}
