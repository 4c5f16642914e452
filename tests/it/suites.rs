//! Suites: programs that measure by themselves, run by `bench`, and run again where a verdict, a comparison or a search asks.

use std::fs;
use std::process::Stdio;

use crate::world::{Ran, World, wait_until};

/// Prints what `speed` says, give or take a little, of `parse/small` and `parse/large`, or of the one that is named; keeps a list of
/// its calls beside the repository.
const SUITE: &str = r#"#!/bin/sh
echo "$PWD: $*" >>"$CALLS"
time=$(($(cat speed) * 1000 + $$ % 7))
entry() { printf '{"name":"%s","unit":"us","value":%s}' "$1" "$2"; }
case "$1" in
"") printf '[%s,%s]' "$(entry parse/small $time)" "$(entry parse/large $((time * 10)))" ;;
parse/large) printf '[%s]' "$(entry "$1" $((time * 10)))" ;;
*) printf '[%s]' "$(entry "$1" $time)" ;;
esac
"#;

struct Lab {
    world: World,
}

impl Lab {
    /// A repository with this `[[suite]]`, whose script is `suite.sh`.
    fn new(suite: &str) -> Self {
        let world = World::new();
        world.write("suite.sh", SUITE);
        world.write("ratchet.toml", &format!("[[suite]]\nname = \"parser\"\n{suite}"));
        Self { world }
    }

    /// A commit like no other.
    fn commit(&self, speed: u32) -> String {
        self.world.write("speed", &speed.to_string());
        self.world.write("number", &self.world.git(&["rev-list", "--all", "--count"]));
        self.world.commit(&format!("speed {speed}"))
    }

    fn ratchet(&self, arguments: &[&str]) -> Ran {
        let mut command = self.world.ratchet_command(&self.world.repo, arguments);
        self.world.run(command.env("CALLS", self.world.root().join("calls")))
    }

    fn measured(&self, speed: u32) -> String {
        let commit = self.commit(speed);
        self.ratchet(&["bench"]).expect(0);
        commit
    }

    /// The calls since the last question: whether in this repository itself, and with which arguments.
    fn calls(&self) -> Vec<(bool, String)> {
        let calls = self.world.root().join("calls");
        let text = fs::read_to_string(&calls).unwrap_or_default();
        fs::write(calls, "").unwrap();
        let call = |line: &str| {
            let (folder, arguments) = line.split_once(": ").unwrap();
            (std::path::Path::new(folder) == self.world.repo.canonicalize().unwrap(), arguments.to_owned())
        };
        text.lines().map(call).collect()
    }

    fn names(&self) -> Vec<String> {
        let shown = self.world.ratchet(&["show", "--json"]).expect(0).json();
        shown["records"].as_array().unwrap().iter().map(|record| record["benchmark"].as_str().unwrap().to_owned()).collect()
    }
}

const PRINTED: &str = "command = [\"sh\", \"suite.sh\"]\none = [\"sh\", \"suite.sh\", \"{benchmark}\"]\n";

#[test]
fn a_suite_is_run_once_and_everything_it_measured_is_recorded() {
    let lab = Lab::new(PRINTED);
    lab.commit(10);
    let listed = lab.ratchet(&["bench", "--list"]).expect(0).out;
    assert!(listed.starts_with("parser (a suite"), "{listed}");
    assert!(lab.calls().is_empty(), "a list runs nothing");
    let ran = lab.ratchet(&["bench"]).expect(0);
    assert!(ran.out.contains("recorded 2 results"), "{}", ran.out);
    assert_eq!(lab.calls(), [(true, String::new())]);
    assert_eq!(lab.names(), ["parse/small", "parse/large"]);
    assert!(lab.ratchet(&["check"]).expect(0).out.contains("new"));
    lab.ratchet(&["bench", "parser", "--runs", "2", "--dry-run"]).expect(0);
    assert_eq!(lab.calls().len(), 2);
    let unknown = lab.ratchet(&["bench", "parse/small"]).expect(2).err;
    assert!(unknown.contains("it has: parser") && unknown.contains("git ratchet bench parser"), "{unknown}");
}

#[test]
fn a_required_suite_that_was_not_measured_gives_no_verdict() {
    let lab = Lab::new(&format!("{PRINTED}benchmarks = [\"parse/*\"]\nrequired = true\n"));
    lab.measured(10);
    lab.ratchet(&["check"]).expect(0);
    lab.commit(11);
    lab.ratchet(&["record", "--benchmark", "other", "--metric", "time=1ms"]).expect(0);
    let ran = lab.ratchet(&["check"]).expect(3);
    assert!(ran.out.contains("parser") && ran.out.contains("not measured"), "{}{}", ran.out, ran.err);
    lab.ratchet(&["bench"]).expect(0);
    assert!(!lab.ratchet(&["check"]).out.contains("not measured"));
}

#[test]
fn a_required_suite_that_loses_a_benchmark_gives_no_verdict_until_that_is_history() {
    for (required, code) in [("required = true\n", 3), ("", 0)] {
        let lab = Lab::new(&format!("{PRINTED}{required}"));
        lab.measured(10);
        lab.world.write(
            "suite.sh",
            &SUITE.replace(r#" "$(entry parse/large $((time * 10)))" ;;"#, " null ;;").replace("[%s,%s]", "[%s]%.0s"),
        );
        lab.measured(10);
        let ran = lab.ratchet(&["check"]).expect(code);
        let is_told = ran.out.lines().any(|line| line.contains("parse/large") && line.contains("not measured"));
        assert_eq!(is_told, code == 3, "{}", ran.out);
        lab.measured(10);
        lab.ratchet(&["check"]).expect(0);
    }
}

#[test]
fn results_may_be_printed_or_stand_in_a_file_or_where_the_suite_leaves_them() {
    for suite in [
        "command = \"sh suite.sh\"\n",
        "command = \"sh suite.sh >{results}\"\nformat = \"github-action-benchmark\"\n",
        "command = \"mkdir -p out && sh suite.sh >out/results.json\"\nresults = \"out/results.json\"\n",
        "command = \"cd .. && sh suite.sh\"\ndir = \"deep\"\n",
    ] {
        let lab = Lab::new(suite);
        lab.world.write("deep/kept", "");
        lab.commit(10);
        lab.ratchet(&["bench"]).expect(0);
        assert_eq!(lab.names(), ["parse/small", "parse/large"], "{suite}");
    }
}

#[test]
fn whoever_is_told_twice_to_stop_leaves_no_folder_behind() {
    let lab = Lab::new("command = \"touch ../runs; sleep 600; echo {results}\"\ncleanup = \"touch ../cleans; sleep 600\"\n");
    lab.commit(10);
    let scratch = lab.world.root().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let mut command = lab.world.ratchet_command(&lab.world.repo, &["bench"]);
    let mut child = command.env("TMPDIR", &scratch).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for begun in ["runs", "cleans"] {
        wait_until(|| lab.world.root().join(begun).exists());
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 1);
        lab.world.run(lab.world.command("kill", &lab.world.repo).args(["-TERM", &child.id().to_string()])).expect(0);
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn results_of_an_earlier_run_are_not_taken_for_this_one() {
    let lab = Lab::new("command = \"true\"\nresults = \"old.json\"\n");
    lab.world.write("old.json", r#"[{"name":"parse/small","unit":"us","value":1}]"#);
    lab.commit(10);
    let ran = lab.ratchet(&["bench"]).expect(4);
    assert!(ran.err.contains("parser: ") && ran.err.contains("old.json was not written by this run"), "{}", ran.err);
    assert!(lab.names().is_empty());
}

#[test]
fn a_suite_that_fails_or_prints_nonsense_says_so_and_records_nothing() {
    for (suite, said) in [
        ("command = \"echo broken >&2; exit 3\"\n", "failed with exit code 3\n  stderr | broken"),
        ("command = \"echo hello\"\n", "unknown format of results"),
        ("command = \"sh suite.sh\"\nformat = \"junit\"\n", "the suite parser"),
        ("command = \"sh suite.sh\"\nbenchmarks = [\"render/*\"]\n", "no benchmark that `benchmarks`"),
        ("command = \"sh suite.sh\"\nbuild = \"exit 1\"\n", "the build `exit 1` failed"),
        ("command = \"sleep 60\"\ntimeout = \"50ms\"\n", "killed after its timeout"),
        ("command = \"true {results}\"\n", "it left no results in /"),
        ("command = \"mkfifo {results}\"\n", "neither a file nor a folder"),
        ("command = \"printf '[\\\\377]' >{results}\"\n", "not UTF-8"),
        ("command = \"ln -s loop loop; true\"\nresults = \"loop\"\n", "cannot read"),
    ] {
        let lab = Lab::new(suite);
        lab.commit(10);
        let ran = lab.ratchet(&["bench"]);
        assert!(ran.code == 4 || ran.code == 2, "{suite}: {}", ran.code);
        assert!(ran.err.contains(said), "{suite}: {}", ran.err);
        assert!(lab.names().is_empty(), "{suite}");
    }
}

#[test]
fn a_slower_benchmark_is_measured_alone_in_turn_and_convicted() {
    let lab = Lab::new(PRINTED);
    for _ in 0..4 {
        lab.measured(10);
    }
    lab.measured(12);
    lab.ratchet(&["check"]);
    lab.calls();
    let ran = lab.ratchet(&["check", "--confirm"]).expect(1);
    assert!(ran.err.contains("running the commands of parse/large, parse/small"), "{}", ran.err);
    assert!(ran.out.contains("confirmed"), "{}", ran.out);
    let calls = lab.calls();
    assert!(calls.len() > 8 && calls.iter().all(|(here, _)| !here), "in worktrees, never here: {calls:?}");
    let alone = ["parse/large", "parse/small"];
    assert!(calls.iter().all(|(_, arguments)| alone.contains(&arguments.as_str())), "{calls:?}");
    assert_eq!(lab.names().len(), 4, "the pairs are recorded, too");
}

#[test]
fn an_annotation_leads_to_the_table_of_the_suite() {
    let lab = Lab::new(PRINTED);
    for speed in [10, 10, 10, 10, 20] {
        lab.measured(speed);
    }
    let said = lab.ratchet(&["check", "--format", "github"]);
    assert!(said.out.contains("file=ratchet.toml,line=1"), "{}", said.out);
}

#[test]
fn without_one_the_whole_suite_is_run_again() {
    let lab = Lab::new("command = [\"sh\", \"suite.sh\"]\n");
    for _ in 0..4 {
        lab.measured(10);
    }
    lab.measured(12);
    lab.calls();
    lab.ratchet(&["check", "--confirm", "--benchmark", "parse/small"]).expect(1);
    assert!(lab.calls().iter().all(|(_, arguments)| arguments.is_empty()));
}

#[test]
fn what_one_command_measures_is_confirmed_in_one_session() {
    let lab = Lab::new("command = [\"sh\", \"suite.sh\"]\n");
    for _ in 0..4 {
        lab.measured(10);
    }
    lab.measured(13);
    let ran = lab.ratchet(&["check", "--confirm"]).expect(1);
    assert!(ran.err.contains("running the commands of parse/large, parse/small"), "{}", ran.err);
    assert!(ran.err.contains("[1/1] parse/large and 1 more\n"), "{}", ran.err);
    assert_eq!(ran.out.matches("regression (confirmed)").count(), 2, "{}", ran.out);
    let shown = lab.ratchet(&["show", "--json"]).expect(0).json();
    let medians: Vec<(String, f64)> = shown["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| (record["benchmark"].as_str().unwrap().to_owned(), record["statistics"]["median"].as_f64().unwrap()))
        .collect();
    assert_eq!(medians.len(), 4, "{shown:#}");
    for (name, seconds) in medians {
        let expected = if name == "parse/large" { 0.13 } else { 0.013 };
        assert!((seconds / expected - 1.0).abs() < 0.01, "{name}: {seconds}");
    }
}

/// The newer commit measures more than the older one.
#[test]
fn a_benchmark_that_older_results_lack_does_not_keep_others_from_being_compared() {
    let lab = Lab::new("command = [\"sh\", \"suite.sh\"]\n");
    lab.world.write("suite.sh", &SUITE.replace("parse/large", "parse/huge"));
    let old = lab.measured(10);
    lab.world.write("suite.sh", SUITE);
    lab.measured(13);
    lab.calls();
    let ran = lab.ratchet(&["compare", &old, "HEAD", "--live", "--pairs", "2", "--json"]).expect(0).json();
    let series = ran["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{ran:#}");
    assert_eq!(series[0]["benchmark"], "parse/small");
    assert!(ran["warnings"].to_string().contains("parse/large: it is not in the results of both commits"), "{ran:#}");
    assert_eq!(lab.calls().iter().filter(|(here, _)| *here).count(), 0);
}

/// Names come from notes, which other people write.
#[test]
fn a_name_is_one_argument_and_never_an_option() {
    let lab = Lab::new(PRINTED);
    let hostile = ["$(touch pwned); `touch pwned` ' \"", "--pwned"];
    for speed in [10, 10, 10, 10, 12] {
        lab.commit(speed);
        for name in hostile {
            let time = format!("time={speed}ms");
            lab.ratchet(&["record", &format!("--benchmark={name}"), "--metric", &time]).expect(0);
        }
    }
    let ran = lab.ratchet(&["check", "--confirm"]);
    assert!(ran.out.contains("`--pwned` would be an option"), "{}{}", ran.out, ran.err);
    let calls = lab.calls();
    assert!(!calls.is_empty() && calls.iter().all(|(_, arguments)| arguments == hostile[0]), "{calls:?}");
    assert!(!lab.world.repo.join("pwned").exists());
}

const TO_FILE: &str = r#"command = "sh suite.sh >{results}"
one = ["sh", "-c", 'sh suite.sh "$1" >"$2"', "sh", "{benchmark}", "{results}"]
"#;

#[test]
fn two_commits_are_compared_live_and_the_guilty_one_is_found() {
    let lab = Lab::new(TO_FILE);
    let old = lab.measured(10);
    lab.commit(10);
    let guilty = lab.commit(13);
    lab.measured(13);
    let compared = lab.ratchet(&["compare", &old, "HEAD", "--live", "--pairs", "3", "--json"]).expect(0).json();
    let changes: Vec<f64> =
        compared["series"].as_array().unwrap().iter().map(|series| series["change_percent"].as_f64().unwrap()).collect();
    assert_eq!(changes.len(), 2, "{compared:#}");
    assert!(changes.iter().all(|change| (-31.0..-29.0).contains(change)), "{changes:?}");
    let found = lab.ratchet(&["bisect", "parse/small", "--old", &old, "--json"]).expect(0).json();
    assert_eq!(found["found"][0]["commit"], guilty.as_str(), "{found:#}");
}

#[test]
fn a_suite_whose_inputs_are_the_same_is_not_run_again() {
    let lab = Lab::new(&format!("{PRINTED}inputs = [\"speed\", \"suite.sh\"]\n"));
    lab.measured(10);
    lab.world.write("README", "words");
    lab.world.commit("Words");
    lab.calls();
    let ran = lab.ratchet(&["bench", "--if-changed"]).expect(0);
    assert!(ran.out.contains("unchanged: parser has the results of"), "{}", ran.out);
    assert!(lab.calls().is_empty());
    assert_eq!(lab.names(), ["parse/small", "parse/large"]);
    lab.commit(11);
    lab.ratchet(&["bench", "--if-changed"]).expect(0);
    assert_eq!(lab.calls().len(), 1);
}

/// A session measures some of a suite's benchmarks: it is nothing that stands for the whole.
#[test]
fn a_confirmation_is_not_inherited_in_place_of_the_suite() {
    let lab = Lab::new(&format!("{PRINTED}inputs = [\"speed\", \"suite.sh\"]\n"));
    for _ in 0..4 {
        lab.measured(10);
    }
    lab.measured(12);
    lab.ratchet(&["check", "--confirm", "--benchmark", "parse/small"]).expect(1);
    assert_eq!(lab.names().len(), 3, "one of them was measured again");
    lab.world.write("README", "words");
    lab.world.commit("Words");
    lab.ratchet(&["bench", "--if-changed"]).expect(0);
    assert_eq!(lab.names(), ["parse/small", "parse/large"]);
}

/// What one suite cannot do is no reason to lose what another measured.
#[test]
fn a_suite_that_has_no_room_for_results_fails_alone() {
    let lab = Lab::new(
        "command = \"sh suite.sh; echo >&2; rm -r \\\"$TMPDIR\\\"\"\nbenchmarks = [\"parse/*\"]\n[[suite]]\nname = \"b\"\ncommand = \"sh suite.sh\"\nbenchmarks = [\"parse/*\"]\n",
    );
    lab.commit(10);
    let temporary = lab.world.root().join("a 'quoted' folder");
    fs::create_dir(&temporary).unwrap();
    let mut command = lab.world.ratchet_command(&lab.world.repo, &["bench"]);
    let ran = lab.world.run(command.env("CALLS", lab.world.root().join("calls")).env("TMPDIR", &temporary));
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("error: b: no temporary folder for results"), "{}", ran.err);
    assert_eq!(lab.names(), ["parse/small", "parse/large"]);
}

#[test]
fn a_format_that_is_none_is_told_before_anything_runs() {
    let lab = Lab::new("command = \"sh suite.sh\"\nformat = \"junit\"\n");
    lab.commit(10);
    for arguments in [&["bench", "--list"][..], &["bench"], &["bench", "--dry-run"]] {
        let ran = lab.ratchet(arguments).expect(2);
        assert!(ran.err.contains("`junit` is not a format of results: say one of ratchet,"), "{}", ran.err);
    }
    assert!(lab.calls().is_empty());
    let found = lab.ratchet(&["doctor"]).expect(4).out;
    assert!(found.contains("`junit` is not a format of results"), "{found}");
}

#[test]
fn results_that_name_nothing_are_named_by_the_suite_or_by_whoever_records_them() {
    let world = World::new();
    world.write("latency.json", r#"{"avg_latency": 1.5, "latencies": [1.25, 1.5, 1.75], "percentiles": {"50": 1.5}}"#);
    world.write("ratchet.toml", "[[suite]]\nname = \"llama\"\ncommand = \"cat latency.json\"\nformat = \"vllm\"\n");
    world.commit("one");
    world.ratchet(&["bench"]).expect(0);
    let nameless = world.ratchet(&["record", "latency.json"]).expect(2).err;
    assert!(nameless.contains("say --benchmark NAME"), "{nameless}");
    world.ratchet(&["record", "latency.json", "--benchmark", "qwen"]).expect(0);
    let shown = world.ratchet(&["show", "--json"]).expect(0).json();
    let mut names: Vec<&str> =
        shown["records"].as_array().unwrap().iter().map(|one| one["benchmark"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["llama", "qwen"]);
}

/// The build is a copy here: what nvcc made of two versions of a source (tests/data/import/README.md).
#[test]
fn kernels_of_another_compiler_ratchet_without_a_gpu() {
    let world = World::new();
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/import/cubin");
    world.write(
        "ratchet.toml",
        &format!("[[suite]]\nname = \"kernels\"\ncommand = \"cp {built}/$(cat built) {{results}}\"\nformat = \"cubin\"\n"),
    );
    world.write("built", "zstd.fatbin");
    world.commit("kernels");
    let shown = world.ratchet(&["bench"]).expect(0).out;
    let header = shown.lines().next().unwrap();
    assert!(header.contains("registers") && header.contains("local_accesses"), "{shown}");
    assert_eq!(shown.matches("reduce<float, 256>").count(), 2, "a row for each architecture: {shown}");
    world.ratchet(&["check"]).expect(0);
    world.write("built", "unrolled.fatbin");
    world.commit("unrolled");
    world.ratchet(&["bench"]).expect(0);
    let checked = world.ratchet(&["check", "--json"]).expect(1).json();
    let series = checked["series"].as_array().unwrap();
    let registers = |series: &&serde_json::Value| {
        series["benchmark"] == "reduce<float, 256>" && series["config"]["arch"] == "sm_90a" && series["metric"] == "registers"
    };
    let found = series.iter().find(registers).unwrap();
    assert_eq!((&found["verdict"], &found["testbed"]), (&"regression".into(), &"ptxas 13.5".into()));
    let explained = world.ratchet(&["explain", "reduce<float, 256>", "--config", "arch=sm_90a"]).expect(0).out;
    assert!(explained.contains("the machine code differs"), "{explained}");
}
