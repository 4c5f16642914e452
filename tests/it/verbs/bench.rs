//! `bench`: what ratchet.toml asks for is run, measured and recorded.

use serde_json::Value;

use crate::world::World;

const FAST: &str = "[sampling]\nwarmup = 0\nmin_runs = 3\nmax_runs = 3\n";

/// A repository whose committed ratchet.toml has these benchmarks, sampled three times each.
fn world_with(benchmarks: &str) -> World {
    let world = World::new();
    world.write("ratchet.toml", &format!("{FAST}{benchmarks}"));
    world.commit("one");
    world
}

fn records(world: &World) -> Vec<Value> {
    world.ratchet(&["show", "--json"]).expect(0).json()["records"].as_array().unwrap().clone()
}

const RATE: &str = r#"
[[benchmark]]
name = "rate"
command = "echo warm: 1 GB/s; echo rate: {N}.5 GB/s; echo '{{\"deep\": [{{\"ops\": {N}}}]}}' >&2"
matrix = { N = [1, 2] }
[[benchmark.metrics]]
name = "bandwidth"
regex = 'rate: ([0-9.]+) GB/s'
unit = "GB/s"
[[benchmark.metrics]]
name = "throughput"
json = "/deep/0/ops"
source = "stderr"
unit = "k/s"
"#;

#[test]
fn a_matrix_with_printed_metrics_is_measured_and_recorded() {
    let world = world_with(RATE);
    let ran = world.ratchet(&["bench"]).expect(0);
    assert!(ran.out.contains("recorded 4 results on"), "{}", ran.out);
    let mut found: Vec<(String, f64)> = records(&world)
        .iter()
        .map(|record| {
            (
                format!("{} {}", record["config"]["N"], record["metric"].as_str().unwrap()),
                record["statistics"]["median"].as_f64().unwrap(),
            )
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("\"1\" bandwidth", 1.5e9), ("\"1\" throughput", 1e3), ("\"2\" bandwidth", 2.5e9), ("\"2\" throughput", 2e3)];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    assert!(records(&world).iter().all(|record| record["statistics"]["n"] == 3));
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "new");
}

#[test]
fn the_list_runs_nothing_and_a_filter_chooses() {
    let world = world_with(RATE);
    assert_eq!(world.ratchet(&["bench", "--list"]).expect(0).out, "rate [N=1]\nrate [N=2]\n");
    assert_eq!(world.ratchet(&["bench", "--list", "--config", "N=2"]).expect(0).out, "rate [N=2]\n");
    assert_eq!(world.ratchet(&["bench", "--list", "--json"]).expect(0).json()["points"][1]["config"]["N"], "2");
    let unknown = world.ratchet(&["bench", "rat"]).expect(2);
    assert!(unknown.err.contains("rate"), "{}", unknown.err);
    world.ratchet(&["bench", "--config", "N=3"]).expect(2);
    assert_eq!(world.note("HEAD"), "");
}

#[test]
fn a_dry_run_measures_and_records_nothing() {
    let world = world_with(RATE);
    let ran = world.ratchet(&["bench", "--dry-run"]).expect(0);
    assert!(ran.out.contains("2.500 GB/s") && !ran.out.contains("recorded"), "{}", ran.out);
    assert_eq!(world.note("HEAD"), "");
}

#[test]
fn three_runs_are_three_runs_of_one_commit() {
    let world = world_with("[[benchmark]]\nname = \"t\"\ncommand = [\"true\"]\n[[benchmark.metrics]]\nname = \"time\"\n");
    world.ratchet(&["bench", "--runs", "3"]).expect(0);
    let runs: std::collections::BTreeSet<String> = records(&world).iter().map(|record| record["run"].to_string()).collect();
    assert_eq!((runs.len(), records(&world).len()), (3, 3));
}

/// A benchmark that is done at once, and another command after it.
fn first_and_then(command: &str) -> String {
    let only_time = "[[benchmark.metrics]]\nname = \"time\"\n";
    format!(
        "[[benchmark]]\nname = \"first\"\ncommand = [\"true\"]\n{only_time}\
         [[benchmark]]\nname = \"second\"\ncommand = '{command}'\n{only_time}"
    )
}

#[test]
fn a_program_that_is_killed_loses_only_the_point_it_was_at() {
    let world = world_with(&first_and_then("kill -9 $PPID"));
    let killed = world.ratchet_command(&world.repo, &["bench"]).output().unwrap();
    assert!(killed.status.code().is_none(), "{killed:?}");
    let found = records(&world);
    assert!(found.len() == 1 && found[0]["benchmark"] == "first", "{found:#?}");
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "new");
}

#[test]
fn what_was_measured_before_head_moved_stays_with_its_commit_and_the_rest_is_not_recorded() {
    let world = world_with(&first_and_then("git commit -q --allow-empty -m moved"));
    let measured = world.git(&["rev-parse", "HEAD"]);
    let ran = world.ratchet(&["bench"]).expect(4);
    assert!(ran.err.contains("HEAD moved") && ran.err.contains("1 result from before"), "{}", ran.err);
    assert_eq!(world.note("HEAD"), "");
    let note = world.note(&measured);
    assert!(note.contains("\"first\"") && !note.contains("\"second\""), "{note}");
}

#[test]
fn what_was_measured_before_the_tree_became_dirty_counts_and_the_rest_does_not() {
    let world = world_with(&first_and_then("echo more >>code"));
    world.write("code", "committed");
    world.commit("with code");
    let ran = world.ratchet(&["bench"]).expect(0);
    assert!(ran.err.contains("came to differ from HEAD") && ran.out.contains("recorded 2 results"), "{}{}", ran.err, ran.out);
    let shown = world.ratchet(&["show", "--json"]).expect(0).json();
    let is_dirty = |benchmark: &str| {
        let records = shown["records"].as_array().unwrap();
        let run = &records.iter().find(|record| record["benchmark"] == benchmark).unwrap()["run"];
        let runs = shown["runs"].as_array().unwrap();
        runs.iter().find(|other| other["id"] == *run).unwrap()["dirty"] == true
    };
    assert_eq!((is_dirty("first"), is_dirty("second")), (false, true), "{shown:#}");
}

#[test]
fn a_benchmark_that_fails_is_named_and_the_others_are_recorded() {
    let world = world_with(
        "[[benchmark]]\nname = \"bad\"\ncommand = \"echo oh no >&2; exit 7\"\n\
         [[benchmark]]\nname = \"silent\"\ncommand = [\"true\"]\n[[benchmark.metrics]]\nname = \"score\"\nregex = 'score: (\\d+)'\nbetter = \"higher\"\n\
         [[benchmark]]\nname = \"good\"\ncommand = [\"true\"]\n",
    );
    let ran = world.ratchet(&["bench"]).expect(4);
    for word in ["bad", "7", "oh no", "silent"] {
        assert!(ran.err.contains(word), "no `{word}` in {}", ran.err);
    }
    assert!(records(&world).iter().all(|record| record["benchmark"] == "good") && !records(&world).is_empty());
}

#[test]
fn changed_files_make_the_results_dirty() {
    let world = world_with("[[benchmark]]\nname = \"t\"\ncommand = [\"true\"]\n");
    world.write("code", "changed");
    let ran = world.ratchet(&["bench"]).expect(0);
    assert!(ran.err.contains("never a baseline"), "{}", ran.err);
    let shown = world.ratchet(&["show", "--json"]).expect(0).json();
    assert_eq!(shown["runs"][0]["dirty"], true, "{shown:#}");
}

#[test]
fn without_benchmarks_the_way_on_is_told() {
    let world = World::new();
    world.commit("one");
    let ran = world.ratchet(&["bench"]).expect(2);
    assert!(ran.err.contains("git ratchet init"), "{}", ran.err);
}

#[test]
fn a_required_benchmark_that_is_not_measured_is_no_pass() {
    let world = world_with("[[benchmark]]\nname = \"must\"\ncommand = [\"true\"]\nrequired = true\n");
    world.record("time=10ms");
    let check = world.ratchet(&["check", "--json"]).expect(3).json();
    assert_eq!(check["verdict"], "not_measured");
    let missing = check["series"].as_array().unwrap().iter().find(|series| series["benchmark"] == "must").unwrap();
    assert_eq!(missing["verdict"], "not_measured");
    world.ratchet(&["bench"]).expect(0);
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["verdict"], "new");
}

#[test]
fn the_policy_of_the_base_cannot_be_loosened_by_the_change() {
    let world = World::new();
    world.write("ratchet.toml", "[thresholds]\nregression = 3\n");
    world.commit_measured("one", "10ms");
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.write("ratchet.toml", "[thresholds]\nregression = 90\n");
    world.commit_measured("two", "15ms");
    world.ratchet(&["check", "--baseline", "best-run"]).expect(0);
    world.ratchet(&["check", "--baseline", "best-run", "--policy-from-base"]).expect(1);
}

#[test]
fn what_did_not_change_is_not_measured_again_and_its_results_count() {
    let benchmark =
        "[[benchmark]]\nname = \"t\"\ncommand = \"echo ran >>../ran; exit 0\"\ninputs = [\"src/**\"]\nmatrix = { N = [1, 2] }\n";
    let world = world_with(benchmark);
    world.write("src/deep/a.c", "int a;");
    world.commit("with source");
    let executions = || std::fs::read_to_string(world.root().join("ran")).unwrap_or_default().lines().count();
    world.ratchet(&["bench", "--if-changed"]).expect(0);
    let (first, measured) = (records(&world), executions());
    assert!(measured >= 6, "nothing was there to inherit");
    world.write("README", "another file");
    world.commit("elsewhere");
    let again = world.ratchet(&["bench", "--if-changed"]).expect(0);
    assert!(again.out.contains("unchanged: t [N=1] has the results of"), "{}", again.out);
    assert_eq!(executions(), measured);
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    assert_eq!(records(&world).iter().map(id).collect::<Vec<_>>(), first.iter().map(id).collect::<Vec<_>>());
    assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["series"][0]["baseline"]["runs"], 1, "one piece of evidence");
    let json = world.ratchet(&["bench", "--if-changed", "--json", "--dry-run", "--config", "N=2"]).expect(0).json();
    assert_eq!(json["inherited"][0]["config"]["N"], "2");
    world.write("src/deep/a.c", "int b;");
    world.commit("input");
    assert!(!world.ratchet(&["bench", "--if-changed"]).expect(0).out.contains("unchanged"));
    assert!(executions() > measured);
    let before = executions();
    world.write("ratchet.toml", &format!("{FAST}{}", benchmark.replace("exit 0", "true")));
    world.commit("command");
    world.ratchet(&["bench", "--if-changed"]).expect(0);
    assert!(executions() > before, "another command is another benchmark");
    let before = executions();
    world.write("src/deep/a.c", "int c;");
    let dirty = world.ratchet(&["bench", "--if-changed", "--dry-run"]).expect(0);
    assert!(dirty.err.contains("everything is measured") && executions() > before, "{}", dirty.err);
}

#[test]
fn a_time_that_the_program_prints_is_not_called_too_short_for_a_process() {
    let world = World::new();
    world.commit("first");
    let shown = |metric: &str| {
        let sampling = "[sampling]\nwarmup = 0\nmin_runs = 3\nmax_runs = 3\n";
        let benchmark = format!("[[benchmark]]\nname = \"b\"\ncommand = [\"echo\", \"took 2 us\"]\nmetrics = [{metric}]\n");
        world.write("ratchet.toml", &format!("{sampling}{benchmark}"));
        world.ratchet(&["bench", "--dry-run"]).expect(0).out
    };
    let own = shown("{ name = \"time\", unit = \"us\", regex = 'took (\\d+) us' }");
    assert!(own.contains("2 µs") && !own.contains("so short"), "{own}");
    assert!(shown("{ name = \"time\" }").contains("so short that starting the process dominates it"));
}
