//! The contract that other programs are written against: `record` forms, `check --json`, exit codes.

use serde_json::{Value, json};

use crate::world::World;

fn only_series(check: &Value) -> &Value {
    let series = check["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{check:#}");
    &series[0]
}

#[test]
fn a_commit_that_was_not_measured_has_no_verdict() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit("two");
    let check = world.ratchet(&["check", "--json"]).expect(3).json();
    assert_eq!(check["version"], 1);
    assert_eq!(check["verdict"], "not_measured");
    let text = world.ratchet(&["check"]).expect(3);
    assert!(text.out.contains("not measured"), "{}", text.out);
}

#[test]
fn the_first_measurement_is_new_and_holds() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!((&check["verdict"], &check["candidate"]["commit"]), (&json!("new"), &json!(commit)));
    assert_eq!(only_series(&check)["baseline"], Value::Null);
    world.ratchet(&["check", "--require-baseline"]).expect(3);
}

#[test]
fn a_regression_exits_1_and_says_what_it_lost() {
    let world = World::new();
    let first = world.commit_measured("one", "10ms");
    let second = world.commit_measured("two", "20ms");
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    assert_eq!(check["verdict"], "regression");
    assert_eq!(check["candidate"]["commit"], second.as_str());
    let series = only_series(&check);
    assert_eq!(
        [&series["benchmark"], &series["config"], &series["metric"], &series["unit"], &series["testbed"], &series["verdict"]],
        [&json!("b"), &json!({}), &json!("time"), &json!("s"), &json!("t"), &json!("regression")]
    );
    assert_eq!(series["change_percent"], -100.0);
    assert_eq!(series["baseline"]["value"], 0.01);
    assert_eq!(series["baseline"]["commits"], json!([first]));
    assert_eq!(series["baseline"]["runs"], 1);
    assert_eq!((&series["candidate"]["value"], &series["candidate"]["runs"]), (&json!(0.02), &json!(1)));
    assert_eq!(series["excuse"], Value::Null);
    assert!(series["reasons"].is_object() && check["warnings"].is_array());
}

#[test]
fn an_improvement_holds_and_becomes_the_baseline() {
    let world = World::new();
    world.commit_measured("one", "20ms");
    world.commit_measured("two", "10ms");
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!(only_series(&check)["verdict"], "improvement");
    assert_eq!(only_series(&check)["change_percent"], 50.0);
    world.commit_measured("three", "20ms");
    world.ratchet(&["check"]).expect(1);
}

#[test]
fn higher_is_better_for_rates_and_positive_is_better_for_everything() {
    let world = World::new();
    world.commit("one");
    world.record("bandwidth=100GB/s");
    world.commit("two");
    world.record("bandwidth=150GB/s");
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!((&only_series(&check)["verdict"], &only_series(&check)["change_percent"]), (&json!("improvement"), &json!(50.0)));
    world.commit("three");
    world.record("bandwidth=75GB/s");
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    assert_eq!(only_series(&check)["change_percent"], -50.0);
}

/// Rates that a tool computed from the very times that it reports.
#[test]
fn what_follows_from_a_time_is_judged_where_it_is_asked_for() {
    let world = World::new();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import/nvbench/samples.json");
    for content in ["one", "two"] {
        world.commit(content);
        world.ratchet(&["record", file.to_str().unwrap()]).expect(0);
    }
    let judged = |options: &[&str]| {
        let check = world.ratchet(&[&["check", "--json"], options].concat()).expect(0).json();
        crate::schemas::assert_described("check", &check);
        let series = check["series"].as_array().unwrap().iter().map(|series| series["metric"].as_str().unwrap().to_owned());
        (series.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(), check["followers"].clone())
    };
    let follower = |metric| json!({ "metric": metric, "follows": "time" });
    let (series, followers) = judged(&[]);
    assert_eq!(series, ["batch_time", "time"]);
    assert_eq!(followers, json!([follower("bandwidth"), follower("item_rate")]));
    for format in ["text", "markdown"] {
        let said = world.ratchet(&["check", "--format", format]).expect(0).out.replace('\\', "");
        assert!(said.contains("bandwidth, item_rate follow from time and are not judged on their own"), "{format}: {said}");
    }
    let report = world.ratchet(&["report", "--format", "json"]).expect(0).json();
    crate::schemas::assert_described("report", &report);
    let drawn = report["series"].as_array().unwrap().iter().find(|series| series["metric"] == "bandwidth").unwrap();
    assert_eq!((drawn["runs"].as_array().unwrap().len(), &drawn["verdict"]), (2, &json!("not_judged")));
    assert_eq!(judged(&["--metric", "bandwidth"]), (vec!["bandwidth".to_owned()], json!([])));
    world.write("ratchet.toml", "[metric.item_rate]\nregression = 5\n");
    assert_eq!(judged(&[]).0, ["batch_time", "item_rate", "time"]);
    // It is shown as ever, and judged where the time is not there.
    let shown = world.ratchet(&["show"]).expect(0).out;
    assert!(shown.contains("bandwidth") && world.ratchet(&["log"]).expect(0).out.contains("bandwidth"), "{shown}");
    let note = world.git(&["notes", "--ref=ratchet", "show"]);
    let without: Vec<&str> = note.lines().filter(|line| !line.contains(r#""metric":"time""#)).collect();
    world.git(&["notes", "--ref=ratchet", "add", "-f", "-m", &without.join("\n")]);
    assert_eq!(judged(&[]).0, ["bandwidth", "batch_time", "item_rate"]);
}

#[test]
fn the_same_level_passes() {
    let world = World::new();
    for content in ["one", "two", "three"] {
        world.commit_measured(content, "10ms");
    }
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!((&check["verdict"], &only_series(&check)["change_percent"]), (&json!("pass"), &json!(0.0)));
}

#[test]
fn exact_metrics_are_compared_exactly() {
    let world = World::new();
    for (content, registers) in [("one", "registers=64"), ("two", "registers=65")] {
        world.commit(content);
        world.ratchet(&["record", "--benchmark", "k", "--metric", registers, "--exact", "--testbed", "t"]).expect(0);
    }
    world.ratchet(&["check"]).expect(1);
}

#[test]
fn best_run_is_the_luckiest_run_of_the_history() {
    let world = World::new();
    for (content, time) in [("one", "10ms"), ("two", "8ms"), ("three", "10ms"), ("four", "10ms")] {
        world.commit_measured(content, time);
    }
    let check = world.ratchet(&["check", "--json", "--baseline", "best-run"]).expect(1).json();
    assert_eq!(only_series(&check)["baseline"]["value"], 0.008);
}

#[test]
fn thresholds_of_the_command_line_and_of_the_settings_decide() {
    let world = World::new();
    world.write("ratchet.toml", "[metric.time]\nregression = 30\n");
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "12ms");
    world.ratchet(&["check", "--baseline", "best-run"]).expect(0);
    world.ratchet(&["check", "--baseline", "best-run", "--regression", "3"]).expect(1);
}

#[test]
fn testbeds_are_never_mixed() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit("two");
    world.ratchet(&["record", "--benchmark", "b", "--metric", "time=30ms", "--testbed", "slow box"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!((&only_series(&check)["testbed"], &only_series(&check)["verdict"]), (&json!("slow box"), &json!("new")));
}

#[test]
fn a_check_of_a_branch_compares_with_where_it_left_the_base() {
    let world = World::new();
    let fork = world.commit_measured("one", "10ms");
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.commit_measured("topic work", "14ms");
    world.git(&["checkout", "-q", "main"]);
    world.commit_measured("faster main", "5ms");
    world.git(&["checkout", "-q", "topic"]);
    let check = world.ratchet(&["check", "--json"]).expect(1).json();
    assert_eq!(check["base"]["commit"], fork.as_str());
    assert_eq!(only_series(&check)["baseline"]["value"], 0.01);
    world.ratchet(&["check", "--against", "no-such-branch"]).expect(4);
}

#[test]
fn an_amended_or_cherry_picked_commit_keeps_its_measurement() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "10ms");
    world.git(&["commit", "-q", "--amend", "-m", "a better message"]);
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "pass");
}

#[test]
fn an_excused_regression_passes_with_its_reason_and_resets_the_series() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    world.ratchet(&["check"]).expect(1);
    world.ratchet(&["excuse", "b", "--reason", "correctness first"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!(only_series(&check)["excuse"]["reason"], "correctness first");
    assert_eq!(only_series(&check)["excuse"]["author"]["name"], "Ann Author");
    world.commit_measured("three", "20ms");
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "pass");
    world.commit_measured("four", "30ms");
    world.ratchet(&["check"]).expect(1);
}

#[test]
fn an_excuse_given_on_a_branch_holds_after_its_merge() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.commit_measured("slower on purpose", "20ms");
    world.ratchet(&["excuse", "b", "--reason", "worth it"]).expect(0);
    world.git(&["checkout", "-q", "main"]);
    world.write("elsewhere", "main went on");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "main went on"]);
    world.git(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    world.record("time=20ms");
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "pass");
    world.commit_measured("after the merge", "20ms");
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "pass");
    world.commit_measured("slower again", "40ms");
    world.ratchet(&["check"]).expect(1);
}

#[test]
fn dirty_records_are_shown_and_never_a_baseline() {
    let world = World::new();
    world.commit("one");
    world.ratchet(&["record", "--benchmark", "b", "--metric", "time=1ms", "--testbed", "t", "--dirty"]).expect(0);
    world.record("time=10ms");
    world.commit_measured("two", "10ms");
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!(only_series(&check)["baseline"]["value"], 0.01);
    assert!(world.ratchet(&["show", "HEAD~1"]).expect(0).out.contains("dirty"));
}

#[test]
fn bisect_codes_let_git_bisect_run_find_the_commit() {
    let world = World::new();
    world.commit_measured("good", "10ms");
    for content in ["fine", "unmeasured", "also fine", "bad", "still bad"] {
        match content {
            "unmeasured" => drop(world.commit(content)),
            "fine" | "also fine" => drop(world.commit_measured(content, "10ms")),
            _ => drop(world.commit_measured(content, "20ms")),
        }
    }
    world.ratchet(&["check", "--bisect", "HEAD~3"]).expect(125);
    world.ratchet(&["check", "--bisect", "nonsense"]).expect(128);
    let bad = world.git(&["rev-parse", "HEAD~1"]);
    let good = world.git(&["rev-parse", "HEAD~5"]);
    world.git(&["bisect", "start", "HEAD", &good]);
    let check = format!("'{}' check --bisect --against {}", env!("CARGO_BIN_EXE_git-ratchet"), good);
    let ran = world.run(world.command("git", &world.repo).args(["bisect", "run", "sh", "-c", &check]));
    assert!(ran.out.contains(&format!("{bad} is the first bad commit")), "{}{}", ran.out, ran.err);
}

#[test]
fn usage_errors_exit_2_and_failures_exit_4() {
    let world = World::new();
    world.commit("one");
    for usage in [
        &["frobnicate"][..],
        &["record"],
        &["record", "--benchmark", "b", "--metric", "time=12parsecs"],
        &["record", "--benchmark", "b", "--metric", "time=0ms"],
        &["record", "--benchmark", "b", "--metric", "time=NaN"],
        &["record", "--benchmark", "b", "--metric", "score=3"],
        &["record", "--benchmark", "b\u{7}", "--metric", "time=3ms"],
        &["record", "--benchmark", "b", "--config", "B=1 B=2", "--metric", "time=3ms"],
        &["check", "--baseline", "best-run", "--regression", "-nan"],
    ] {
        let ran = world.ratchet(usage).expect(2);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{usage:?}");
    }
    world.ratchet(&["record", "no-such-file.json"]).expect(4);
    world.ratchet(&["check", "no-such-rev"]).expect(4);
    world.ratchet_in(&world.home, &["check"]).expect(4);
}

#[test]
fn plain_git_reads_our_notes_and_we_read_what_plain_git_appends() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let log = world.git(&["log", "--notes=ratchet", "-1"]);
    assert!(log.contains("\"type\":\"record\"") && log.contains("Notes (ratchet)"), "{log}");
    let note = world.git(&["notes", "--ref=ratchet", "show", &commit]);
    let more = note.replace("0.01,", "0.0101,").replace("\"id\":\"", "\"id\":\"7");
    let more: String = more
        .lines()
        .map(|line| {
            // Another id of the right length for each line, records pointing to the new run.
            let mut line = line.to_owned();
            for key in ["\"id\":\"7", "\"run\":\""] {
                if let Some(at) = line.find(key) {
                    let start = at + key.len();
                    let end = start + line[start..].find('"').unwrap();
                    let old: String = line[start..end].to_owned();
                    line.replace_range(at + key.trim_end_matches('7').len()..end, &format!("7{}", &old[1..]));
                }
            }
            line + "\n"
        })
        .collect();
    world.git(&["notes", "--ref=ratchet", "append", "-m", more.trim_end()]);
    let shown = world.ratchet(&["show", "--json"]).expect(0).json();
    assert_eq!(shown["records"].as_array().unwrap().len(), 2, "{shown:#}");
    world.record("time=11ms");
    assert_eq!(world.ratchet(&["show", "--json"]).expect(0).json()["records"].as_array().unwrap().len(), 3);
}

#[test]
fn a_closed_pipe_is_success() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let binary = env!("CARGO_BIN_EXE_git-ratchet");
    let script = format!("set -o pipefail; '{binary}' log | true; '{binary}' show --json | head -c 1");
    world.run(world.command("bash", &world.repo).args(["-c", &script])).expect(0);
}

#[test]
fn a_shallow_clone_is_told_never_guessed_around() {
    let world = World::new();
    for content in ["one", "two", "three"] {
        world.commit_measured(content, "10ms");
    }
    let source = format!("file://{}", world.repo.display());
    world.git_in(world.root(), &["clone", "-q", "--depth", "1", &source, "shallow"]);
    let shallow = world.root().join("shallow");
    world.git_in(&shallow, &["fetch", "-q", "origin", "refs/notes/ratchet:refs/notes/ratchet"]);
    let ran = world.ratchet_in(&shallow, &["check", "--json"]);
    assert!(ran.code == 3 || ran.code == 4, "a truncated history gave {}: {}", ran.code, ran.out);
    let said = ran.out + ran.err.as_str();
    assert!(said.contains("shallow") && said.contains("git fetch --unshallow"), "{said}");
}

#[test]
fn missing_notes_are_told_with_the_command_that_fetches_them() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let source = format!("file://{}", world.repo.display());
    world.git_in(world.root(), &["clone", "-q", &source, "clone"]);
    let ran = world.ratchet_in(&world.root().join("clone"), &["check"]).expect(3);
    assert!((ran.out.clone() + ran.err.as_str()).contains("run: git ratchet fetch"), "{}{}", ran.out, ran.err);
}

#[test]
fn one_check_writes_every_format_that_is_asked_for() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let files = ["check", "--write", "json=verdict.json", "--write", "markdown=report.md", "--json"];
    let said = world.ratchet(&files).expect(0).out;
    assert_eq!(std::fs::read_to_string(world.repo.join("verdict.json")).unwrap(), said);
    assert!(std::fs::read_to_string(world.repo.join("report.md")).unwrap().starts_with("## "));
    for wrong in ["json", "json=", "yaml=file", "github=file"] {
        let said = world.ratchet(&["check", "--write", wrong]).expect(2).err;
        assert!(said.contains(wrong.split('=').next().unwrap()), "{said}");
    }
    let said = world.ratchet(&["check", "--write", "json=no/such/folder/file"]).expect(4).err;
    assert!(said.contains("no/such/folder/file"), "{said}");
}
